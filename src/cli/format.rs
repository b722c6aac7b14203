//! `--format` and `--output`: which reports go where. Used by `check`.
//!
//! Formats of one report a domain are written as soon as the domain is done; those that are one document hold
//! the reports until the last is known.

use std::borrow::Cow;
use std::path::PathBuf;

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};
use jiff::Timestamp;
use miette::Report as Error;

use super::repository::{Repository, add_to_summary, step_summary};
use super::{OutputArgs, UsageError, terminal};
use crate::files::WholeFile;
use crate::format::Format;
use crate::report::{
    self, Annotations, Linted, NagiosState, Results, Run, Stream, Style, Unreadable, WriteError, Written,
};
use crate::rules::RuleSet;
use crate::source_text::{escape, nearest};

/// Which reports go where.
#[derive(Args, Debug)]
pub struct FormatArgs {
    /// The format of the report on standard output [default: human].
    #[arg(long, short_alias = 'f', alias = "output-format", value_enum, ignore_case = true, help_heading = "Output")]
    pub format: Option<Format>,
    /// Also write a report to a file (`-` for standard output), in the format that is named or that the file's ending says:
    /// json=report.out, report.sarif, html=FOLDER/ for an index and a page for each domain; give it again for more.
    #[arg(short, long = "output", value_name = "[FORMAT=]FILE", value_parser = output, value_hint = clap::ValueHint::AnyPath, help_heading = "Output")]
    pub outputs: Vec<(Format, PathBuf)>,
    /// Also name the rules that passed.
    #[arg(long, help_heading = "Output")]
    pub show_passed: bool,
    /// Also count by rule, and by what several domains have in common (human).
    #[arg(long, help_heading = "Output")]
    pub statistics: bool,
}

impl ValueEnum for Format {
    fn value_variants<'a>() -> &'a [Self] {
        Format::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let value = PossibleValue::new(self.word()).help(self.about().trim_end_matches('.'));
        Some(value.aliases(NICKNAMES.iter().filter(|(_, format)| format == self).map(|(name, _)| *name)))
    }
}

/// What people call some formats, too.
const NICKNAMES: [(&str, Format); 6] = [
    ("codeclimate", Format::Gitlab),
    ("md", Format::Markdown),
    ("ndjson", Format::Jsonl),
    ("prom", Format::Prometheus),
    ("text", Format::Human),
    ("xml", Format::Junit),
];
/// The endings of files that say a format.
const ENDINGS: [(&str, Format); 11] = [
    ("htm", Format::Html),
    ("html", Format::Html),
    ("json", Format::Json),
    ("jsonl", Format::Jsonl),
    ("markdown", Format::Markdown),
    ("md", Format::Markdown),
    ("ndjson", Format::Jsonl),
    ("prom", Format::Prometheus),
    ("sarif", Format::Sarif),
    ("txt", Format::Human),
    ("xml", Format::Junit),
];

/// The format that the name of a file says.
fn by_ending(path: &str) -> Option<Format> {
    let lower = path.to_ascii_lowercase();
    if lower.ends_with(".sarif.json") {
        return Some(Format::Sarif);
    }
    let ending = std::path::Path::new(&lower).extension()?.to_str()?;
    ENDINGS.iter().find(|(known, _)| *known == ending).map(|(_, format)| *format)
}

/// Reads `FORMAT=FILE`, or `FILE` whose ending says the format.
fn output(text: &str) -> Result<(Format, PathBuf), String> {
    if let Some(format) = by_ending(text).filter(|_| !text.contains('=')) {
        return Ok((format, PathBuf::from(text)));
    }
    let Some((name, path)) = text.split_once('=').filter(|(_, path)| !path.is_empty()) else {
        let name = escape(text.trim_end_matches('='));
        return Err(match Format::from_word(&name) {
            Some(format) => format!("write --format {format} for standard output, or {format}=FILE for a file"),
            None if text == "-" => "write --format FORMAT for standard output".to_owned(),
            None => format!("the ending says no format: write FORMAT=FILE, for example json={name}"),
        });
    };
    let nickname = || NICKNAMES.iter().find(|(nickname, _)| *nickname == name).map(|(_, format)| *format);
    if let Some(format) = Format::from_word(name).or_else(nickname) {
        return Ok((format, PathBuf::from(path)));
    }
    let help = match nearest(name, Format::WORDS.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known: {}", Format::WORDS.join(", ")),
    };
    Err(format!("there is no format `{}`; {help}", escape(name)))
}

impl FormatArgs {
    /// The format that goes to standard output.
    pub fn on_standard_output(&self) -> Format {
        let to_standard_output = self.outputs.iter().find(|(_, path)| is_standard_output(path));
        self.format.or(to_standard_output.map(|(format, _)| *format)).unwrap_or(Format::Human)
    }

    /// Begins every output, so that a file that cannot be written is known before anything is looked at.
    pub fn begin(&self, output: &OutputArgs) -> Result<Outputs, Error> {
        self.conflicts()?;
        let shown = |style: Style| Style {
            show_passed: self.show_passed,
            findings_only: output.quiet,
            statistics: self.statistics,
            ..style
        };
        let mut sinks = vec![Sink::new(self.on_standard_output(), shown(terminal::style(output)), None)];
        for (format, path) in self.outputs.iter().filter(|(_, path)| !is_standard_output(path)) {
            let style = shown(Style { unicode: true, accessible: output.accessible, ..Style::plain() });
            sinks.push(match folder_of(*format, path) {
                Some(folder) => Sink { folder: Some(folder?), ..Sink::new(*format, style, None) },
                None => Sink::new(*format, style, Some(WholeFile::begin(path)?)),
            });
        }
        let annotated = sinks.iter().any(|sink| sink.format == Format::Github && sink.to.is_none());
        Ok(Outputs {
            sinks,
            quiet: output.quiet,
            repository: Repository::around(),
            summary: step_summary().filter(|_| annotated),
            ..Outputs::default()
        })
    }

    fn conflicts(&self) -> Result<(), UsageError> {
        let to_standard_output = self.outputs.iter().filter(|(_, path)| is_standard_output(path)).count();
        if to_standard_output.saturating_add(usize::from(self.format.is_some())) > 1 {
            let help = "leave out --format, or name a file for all but one: --output json=report.json";
            return Err(UsageError::new("two reports cannot go to standard output", help));
        }
        let files: Vec<&PathBuf> =
            self.outputs.iter().map(|(_, path)| path).filter(|path| !is_standard_output(path)).collect();
        match files.iter().enumerate().find(|(index, path)| files.iter().take(*index).any(|other| other == *path)) {
            Some((_, path)) => Err(UsageError::new(
                format!("two reports cannot go to one file: {}", escape(&path.display().to_string())),
                "name another file for one of them",
            )),
            None => Ok(()),
        }
    }
}

/// The folder that a path names, made where there is none: pages of HTML can go to one, with an index.
fn folder_of(format: Format, path: &std::path::Path) -> Option<Result<PathBuf, Error>> {
    let named = path.to_string_lossy().ends_with('/') || path.is_dir();
    if format != Format::Html || !named {
        return None;
    }
    let reason = |reason| crate::files::FileError::Io { action: "write", path: path.to_owned(), reason };
    Some(std::fs::create_dir_all(path).map(|()| path.to_owned()).map_err(|error| reason(error).into()))
}

fn is_standard_output(path: &std::path::Path) -> bool {
    path == std::path::Path::new("-")
}

/// Where reports go.
#[derive(Debug, Default)]
pub struct Outputs {
    sinks: Vec<Sink>,
    held: Vec<Linted>,
    unreadable: Vec<Unreadable>,
    annotations: Annotations,
    quiet: bool,
    /// The repository around the working directory, where a CI service has checked one out.
    repository: Option<Repository>,
    /// Where GitHub takes the summary of the step from, where annotations go to standard output.
    summary: Option<PathBuf>,
}

/// One report's way out: a file, or standard output.
#[derive(Debug)]
struct Sink {
    format: Format,
    style: Style,
    to: Option<WholeFile>,
    /// The folder of an index and a page for each domain, where that is asked for.
    folder: Option<PathBuf>,
    /// What is written as the domains come.
    stream: Option<Box<dyn Stream>>,
}

impl Outputs {
    /// Takes one domain's report: writes it, or holds it for the documents.
    pub fn linted(&mut self, linted: Linted) -> Result<(), Error> {
        for sink in &mut self.sinks {
            if let Written::EachDomain { domain, .. } = sink.format.written() {
                let named = match &self.repository {
                    Some(repository) if is_shown_beside_files(sink.format) => repository.in_it(&linted),
                    _ => Cow::Borrowed(&linted),
                };
                sink.write(&written(domain(&named, &sink.style))?)?;
            } else if let Some(stream) = &mut sink.stream {
                let text = written(stream.linted(&linted))?;
                sink.write(&text)?;
            }
        }
        self.annotations.add(&linted);
        let formats = self.sinks.iter().map(|sink| sink.format).filter(|format| format.is_document());
        // The summary of the step has what annotations have, in Markdown.
        let formats: Vec<Format> = formats.chain(self.summary.as_ref().map(|_| Format::Markdown)).collect();
        if !formats.is_empty() {
            self.held.push(linted.kept_for(formats));
        }
        Ok(())
    }

    /// Takes an input of which nothing is known.
    pub fn unreadable(&mut self, unreadable: Unreadable) -> Result<(), Error> {
        for sink in &mut self.sinks {
            if let Written::EachDomain { unreadable: Some(text), .. } = sink.format.written() {
                sink.write(&text(&unreadable))?;
            } else if let Some(stream) = &mut sink.stream {
                let text = written(stream.unreadable(&unreadable))?;
                sink.write(&text)?;
            }
        }
        self.annotations.add_unreadable();
        self.unreadable.push(unreadable);
        Ok(())
    }

    /// Writes the documents, and puts every file into its place. The exit code, where a format has its own: that of
    /// `nagios` on standard output.
    pub fn finish(self, rules: &RuleSet, run: Run) -> Result<Option<u8>, Error> {
        let (linted, unreadable) = (&self.held, &self.unreadable);
        let mut results = Results { linted, unreadable, rules, ended_at: Timestamp::now(), run };
        let plugin = self.sinks.iter().any(|sink| sink.format == Format::Nagios && sink.to.is_none());
        let own_code = plugin.then(|| NagiosState::of(&results) as u8);
        results.run.exit_code = own_code.or(run.exit_code);
        let in_repository: Option<Vec<Linted>> = self
            .repository
            .as_ref()
            .filter(|_| self.sinks.iter().any(|sink| sink.format.is_document() && is_shown_beside_files(sink.format)))
            .map(|repository| linted.iter().map(|linted| repository.in_it(linted).into_owned()).collect());
        for mut sink in self.sinks {
            if let Some(folder) = &sink.folder {
                report::html_folder(&results, &mut |name, text| {
                    crate::files::write_whole(&folder.join(name), text.as_bytes())
                })?;
            } else if let Written::Document(document) = sink.format.written() {
                let shown = match &in_repository {
                    Some(linted) if is_shown_beside_files(sink.format) => Results { linted, ..results },
                    _ => results,
                };
                sink.write(&written(document(&shown))?)?;
            }
            if sink.format == Format::Github {
                sink.write(&self.annotations.left_out(self.summary.is_some() && sink.to.is_none()))?;
            }
            if let Some(mut stream) = sink.stream.take() {
                sink.write(&written(stream.finish(&results))?)?;
            }
            if let Some(file) = sink.to {
                file.finish()?;
            }
        }
        if let Some(path) = &self.summary
            && let Err(text) = add_to_summary(path, &report::step_summary(&results))
            && !self.quiet
        {
            terminal::warn(&text);
        }
        Ok(own_code)
    }
}

/// Whether a service shows the format beside the files of a repository, and so knows them by their names in it.
fn is_shown_beside_files(format: Format) -> bool {
    matches!(format, Format::Github | Format::Gitlab | Format::Markdown | Format::Sarif)
}

impl Sink {
    fn new(format: Format, style: Style, to: Option<WholeFile>) -> Self {
        let stream = match format.written() {
            Written::Stream(begin) => Some(begin(&style)),
            Written::Document(_) | Written::EachDomain { .. } => None,
        };
        Sink { format, style, to, folder: None, stream }
    }

    fn write(&mut self, text: &str) -> Result<(), Error> {
        if text.is_empty() {
            return Ok(());
        }
        match &mut self.to {
            Some(file) => file.write(text.as_bytes())?,
            None => terminal::print(text),
        }
        Ok(())
    }
}

fn written(text: Result<String, WriteError>) -> Result<String, Error> {
    text.map_err(|error| miette::miette!("the report cannot be written: {error}"))
}
