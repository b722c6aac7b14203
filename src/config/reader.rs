//! Values of a configuration: each kind of value that keys have, read with its place, and the mistakes in them.
//! Used by `read` and `read_options`.

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::day::{day_meant, day_of};
use super::file::Level;
use super::options::CommandOption;
use super::pattern::Pattern;
use super::tree::{Placed, Span, Tree};
use crate::rules::Source;
use crate::source_text::{SourceError, escape, likely, nearest};

/// The most entries that one list or mapping of a configuration holds.
pub const MAX_ENTRIES: usize = 4096;
/// How many mistakes are told; whoever has made more sees these first.
pub const MAX_MISTAKES: usize = 50;

/// A key and its value.
pub type Entry = (Placed<String>, Placed<Tree>);

/// A mistake at a place of a configuration.
pub fn mistake(source: &Source, at: Span, message: impl Into<String>, help: Option<String>) -> SourceError {
    SourceError::new(&source.name, &source.text, Some((at.offset, at.length)), message).with_help(help)
}

/// Reads values, and keeps the mistakes in them.
pub struct Reader<'a> {
    pub source: &'a Source,
    mistakes: Vec<SourceError>,
}

impl<'a> Reader<'a> {
    /// A reader of a configuration.
    pub fn new(source: &'a Source) -> Self {
        Reader { source, mistakes: Vec::new() }
    }

    /// How many mistakes it has found so far.
    pub fn mistakes(&self) -> usize {
        self.mistakes.len()
    }

    /// The mistakes that it found.
    pub fn into_mistakes(self) -> Vec<SourceError> {
        self.mistakes
    }

    /// A severity, or `off`.
    pub fn level(&mut self, value: &Placed<Tree>) -> Option<Placed<Level>> {
        let word = match &value.value {
            Tree::Text(word) => word.as_str(),
            // YAML 1.1 reads `off` as false, and people know that.
            Tree::Bool(false) => "off",
            other => {
                self.report(value.at, format!("this is {}, where a severity belongs", other.label()), level_help());
                return None;
            }
        };
        match Level::of(word) {
            Some(level) => Some(Placed { value: level, at: value.at }),
            None => {
                let likely = likely(word).map(|meant| format!("did you mean `{meant}`?"));
                let help = likely.or_else(|| did_you_mean(word, Level::WORDS)).or_else(level_help);
                self.report(value.at, format!("`{}` is not a severity", escape(word)), help);
                None
            }
        }
    }

    /// A pattern of domains, rules or subjects.
    pub fn pattern(
        &mut self,
        value: &Placed<Tree>,
        read: fn(&str) -> Result<Pattern, String>,
    ) -> Option<Placed<Pattern>> {
        let text = self.text(value)?;
        match read(&text.value) {
            Ok(pattern) => Some(Placed { value: pattern, at: text.at }),
            Err(problem) => {
                let help = "`*` matches any text, and nothing else has a special meaning: `*.example.com`";
                self.report(text.at, problem, Some(help.to_owned()));
                None
            }
        }
    }

    /// A day.
    pub fn date(&mut self, value: &Placed<Tree>) -> Option<Placed<Date>> {
        let help = || Some("write the day as YYYY-MM-DD".to_owned());
        let text = match &value.value {
            Tree::Text(text) => text.clone(),
            Tree::Number(number) => number.to_string(),
            other => {
                self.report(value.at, format!("this is {}, where a day belongs", other.label()), help());
                return None;
            }
        };
        match day_of(&text) {
            Some(date) => Some(Placed { value: date, at: value.at }),
            None => {
                let meant = day_meant(&text).map(|day| format!("write the day as YYYY-MM-DD: {day}"));
                let message = format!("`{}` is not a day as YYYY-MM-DD", escape(&text));
                self.report(value.at, message, meant.or_else(help));
                None
            }
        }
    }

    /// A text, or the texts of a list.
    pub fn texts(&mut self, value: &Placed<Tree>) -> Vec<Placed<String>> {
        match &value.value {
            Tree::List(items) => {
                self.bounded(items.len(), value.at);
                items.iter().take(MAX_ENTRIES).filter_map(|item| self.text(item)).collect()
            }
            _ => self.text(value).into_iter().collect(),
        }
    }

    /// A text.
    pub fn text(&mut self, value: &Placed<Tree>) -> Option<Placed<String>> {
        match &value.value {
            Tree::Text(text) => Some(Placed { value: text.clone(), at: value.at }),
            other => {
                self.report(value.at, format!("this is {}, where a string belongs", other.label()), None);
                None
            }
        }
    }

    /// The entries of a mapping whose keys are known; others are reported.
    pub fn known_entries<'t>(
        &mut self,
        value: &'t Placed<Tree>,
        what: &str,
        known: &[&str],
    ) -> Vec<(&'t Placed<String>, &'t Placed<Tree>)> {
        let mut entries = Vec::new();
        for (key, value) in self.entries(value, what) {
            if known.contains(&key.value.as_str()) {
                entries.push((key, value));
                continue;
            }
            let option = CommandOption::of(&key.value.replace('-', "_")).filter(|_| known.contains(&"options"));
            let option = option.map(|option| format!("it is an option: write `options: {{ {}: … }}`", option.key));
            let help = option
                .or_else(|| did_you_mean(&key.value, known.iter().copied()))
                .or_else(|| Some(format!("available: {}", known.join(", "))));
            self.report(key.at, format!("unknown key `{}`", escape(&key.value)), help);
        }
        entries
    }

    /// The entries of a mapping; a key that is given twice is reported, and its first value counts.
    pub fn entries<'t>(&mut self, value: &'t Placed<Tree>, what: &str) -> Vec<&'t Entry> {
        let Tree::Map(entries) = &value.value else {
            let message = format!("{what} is a mapping, and this is {}", value.value.label());
            self.report(value.at, message, Some("write `key: value`, one per line".to_owned()));
            return Vec::new();
        };
        self.bounded(entries.len(), value.at);
        let mut seen = BTreeSet::new();
        let mut kept = Vec::new();
        for entry in entries.iter().take(MAX_ENTRIES) {
            if seen.insert(entry.0.value.as_str()) {
                kept.push(entry);
            } else {
                let message = format!("the key `{}` is given twice", escape(&entry.0.value));
                self.report(entry.0.at, message, Some("remove one of the two".to_owned()));
            }
        }
        kept
    }

    /// Reports where there are more entries than a list holds.
    pub fn bounded(&mut self, entries: usize, at: Span) {
        if entries > MAX_ENTRIES {
            self.report(at, format!("there are more than {MAX_ENTRIES} entries here"), None);
        }
    }

    /// Keeps a mistake.
    pub fn report(&mut self, at: Span, message: impl Into<String>, help: Option<String>) {
        if self.mistakes.len() < MAX_MISTAKES {
            self.mistakes.push(mistake(self.source, at, message, help));
        }
    }
}

/// The nearest word that is known, as a question.
pub fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(word, known).map(|near| format!("did you mean `{near}`?"))
}

fn level_help() -> Option<String> {
    Some(format!("write one of: {}", Level::WORDS.join(", ")))
}
