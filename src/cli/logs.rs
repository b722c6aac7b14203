//! The log of `-v` and `-vv`: one plain line for each step, on standard error.

use std::{fmt, io};

use jiff::Timestamp;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

use super::OutputArgs;
use crate::source_text::escape;

/// Sends logs to standard error, as far as they are wanted.
pub fn start(output: &OutputArgs) {
    let level = match output.verbose {
        0 => return,
        1 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let filter = tracing_subscriber::filter::Targets::new()
        .with_target("stslint", level)
        .with_default(if output.verbose > 2 { LevelFilter::DEBUG } else { LevelFilter::WARN });
    let layer = tracing_subscriber::fmt::layer().event_format(LogLines).with_writer(io::stderr);
    let _ = tracing_subscriber::registry().with(filter).with(layer).try_init();
}

/// The format of logs: the time of day in UTC, a level where that is a warning or worse, and a sentence.
struct LogLines;

impl<S, N> FormatEvent<S, N> for LogLines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let (time, metadata) = (Timestamp::now().strftime("%H:%M:%S%.3f"), event.metadata());
        let level = match *metadata.level() {
            Level::ERROR => "error: ",
            Level::WARN => "warning: ",
            _ => "",
        };
        // Libraries are named, and their fields follow what they say.
        let library = if metadata.target().starts_with("stslint") { "" } else { metadata.target() };
        let separator = if library.is_empty() { "" } else { ": " };
        let mut line = LogLine::default();
        event.record(&mut line);
        writeln!(writer, "{time} {level}{library}{separator}{}{}", line.sentence, line.fields)
    }
}

/// What one event says.
#[derive(Default)]
struct LogLine {
    sentence: String,
    fields: String,
}

impl Visit for LogLine {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match field.name() {
            // Arguments of a format, which have no other form.
            "message" => self.sentence = format!("{value:?}"),
            name => self.fields.push_str(&format!(", {name} {}", escape(&format!("{value:?}")))),
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => self.sentence = escape(value),
            name => self.fields.push_str(&format!(", {name} {}", escape(value))),
        }
    }
}
