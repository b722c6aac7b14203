//! What the terminal can do, and what goes to it: standard output for results, standard error for the rest.

use std::io::{self, IsTerminal, Write};
use std::sync::OnceLock;

use miette::{Diagnostic, IntoDiagnostic, LabeledSpan, Report, Severity, SourceCode};
use serde::Serialize;
use thiserror::Error;

use super::{Colour, OutputArgs};
use crate::report::{Style, ascii, render};
use crate::source_text::{SourceError, json, printable, without_commands};

/// The style for standard output.
pub fn style(output: &OutputArgs) -> Style {
    style_for(output, io::stdout().is_terminal())
}

fn style_for(output: &OutputArgs, terminal: bool) -> Style {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let forced = std::env::var_os("CLICOLOR_FORCE").is_some_and(|value| !value.is_empty() && value != "0");
    let colour = match output.color {
        Colour::Always => true,
        Colour::Never => false,
        Colour::Auto => {
            let able = terminal && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
            !set("NO_COLOR") && (able || forced)
        }
    };
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
    let utf8 = |locale: &String| locale.to_ascii_lowercase().replace('-', "").contains("utf8");
    // Without a locale, terminals are taken for old ones; what reads a pipe or a file mostly reads UTF-8.
    let unicode = locale.as_ref().map_or(!terminal, |locale| utf8(locale) || (!terminal && !is_ascii_locale(locale)));
    let width = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok()).filter(|_| terminal);
    let width = width.or_else(|| if terminal { terminal_width() } else { None }).unwrap_or(100);
    Style {
        colour,
        unicode,
        hyperlinks: terminal && colour && supports_hyperlinks::supports_hyperlinks(),
        width: width.clamp(60, 120),
        show_passed: false,
        findings_only: false,
        statistics: false,
        accessible: output.accessible,
    }
}

/// Whether a locale says that there is nothing beyond ASCII (POSIX.1-2017 §7.2).
fn is_ascii_locale(locale: &str) -> bool {
    matches!(locale, "C" | "POSIX")
}

fn terminal_width() -> Option<usize> {
    terminal_size::terminal_size().map(|(terminal_size::Width(width), _)| usize::from(width))
}

/// Why standard output took no more, where that is not for its reader having gone away.
static LOST: OnceLock<String> = OnceLock::new();

/// Prints to standard output; a reader that has gone away is no error, and what else fails is kept for [`lost`].
pub fn print(text: &str) {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => _ = LOST.set(error.to_string()),
        _ => {}
    }
}

/// Prints what people read to standard output, and nothing in it that a runner of CI jobs obeys.
pub fn print_text(text: &str) {
    print(&without_commands(text));
}

/// The same in ASCII where the terminal has nothing else.
pub fn print_words(text: &str, style: &Style) {
    if style.unicode { print_text(text) } else { print_text(&ascii(text)) }
}

/// Prints JSON with indentation, and nothing in it that a terminal or a runner of CI jobs obeys.
pub fn print_json(value: &impl Serialize) -> miette::Result<()> {
    print(&json(value).into_diagnostic()?);
    Ok(())
}

/// Why something that was printed is lost, if it is: a disk is full.
pub fn lost() -> Option<&'static str> {
    LOST.get().map(String::as_str)
}

/// A unified diff in the colours that people know, where colour is wanted.
pub fn coloured_diff(diff: &str, output: &OutputArgs) -> String {
    if !style(output).colour {
        return diff.to_owned();
    }
    let paint = |line: &str| match line.chars().next() {
        Some('+') => format!("\u{1b}[32m{line}\u{1b}[0m\n"),
        Some('-') => format!("\u{1b}[31m{line}\u{1b}[0m\n"),
        Some('@') => format!("\u{1b}[36m{line}\u{1b}[0m\n"),
        _ => format!("{line}\n"),
    };
    diff.lines().map(paint).collect()
}

/// Prints what is wrong with the words on the command line, or the help that was asked for.
pub fn print_usage(error: &clap::Error) {
    let text = error.render().to_string();
    let safe = without_commands(&printable(&text));
    // Whoever put the words together may have taken some from strangers.
    if error.use_stderr() && safe != text { _ = io::stderr().write_all(safe.as_bytes()) } else { _ = error.print() }
}

/// Prints a diagnostic to standard error.
pub fn print_error(error: &Report, output: &OutputArgs) {
    let style = style_for(output, io::stderr().is_terminal());
    let _ = writeln!(io::stderr(), "{}", render(error.as_ref(), &style).trim_end());
}

/// Prints what is most likely not as it was meant to standard error, unless it is to be quiet.
pub fn print_warnings(warnings: &[SourceError], output: &OutputArgs) {
    if output.quiet {
        return;
    }
    let style = style_for(output, io::stderr().is_terminal());
    for warning in warnings {
        let _ = writeln!(io::stderr(), "{}", render(&Warning(warning), &style).trim_end());
    }
}

/// Prints mistakes that are the result of a command.
pub fn print_mistakes(mistakes: &[SourceError], output: &OutputArgs) {
    let style = style(output);
    for mistake in mistakes {
        print(&format!("{}\n\n", render(mistake, &style).trim_end()));
    }
}

/// A mistake that stops nothing.
#[derive(Debug, Error)]
#[error("{0}")]
struct Warning<'a>(&'a SourceError);

impl Diagnostic for Warning<'_> {
    fn severity(&self) -> Option<Severity> {
        Some(Severity::Warning)
    }

    fn help<'b>(&'b self) -> Option<Box<dyn std::fmt::Display + 'b>> {
        self.0.help()
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.0.source_code()
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.0.labels()
    }
}

/// Prints a warning to standard error.
pub fn warn(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// Prints a remark to standard error, unless it is to be quiet.
pub fn remark(text: &str, output: &OutputArgs) {
    if !output.quiet {
        let _ = writeln!(io::stderr(), "{text}");
    }
}
