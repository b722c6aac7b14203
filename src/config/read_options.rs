//! The section `options` of a configuration. Used by `read`.

use super::file::OptionSetting;
use super::options::{CommandOption, OPTIONS, OptionKind};
use super::reader::{Reader, did_you_mean};
use super::tree::{Placed, Tree};
use crate::source_text::{escape, likely};

impl Reader<'_> {
    /// What the section says.
    pub fn options(&mut self, value: &Placed<Tree>) -> Vec<OptionSetting> {
        let known: Vec<&str> = OPTIONS.iter().map(|option| option.key).collect();
        let entries = self.known_entries(value, "`options`", &known);
        entries.iter().filter_map(|(key, value)| self.option(key, value)).collect()
    }

    fn option(&mut self, key: &Placed<String>, value: &Placed<Tree>) -> Option<OptionSetting> {
        let option = CommandOption::of(&key.value)?;
        let (text, wanted) = match (option.kind, &value.value) {
            (OptionKind::Bool, Tree::Bool(value)) => (Some(value.to_string()), ""),
            (OptionKind::Inverted, Tree::Bool(value)) => (Some((!value).to_string()), ""),
            (OptionKind::Bool | OptionKind::Inverted, _) => (None, "`true` or `false`"),
            (OptionKind::Seconds, Tree::Number(number)) => (Some(number.to_string()), ""),
            (OptionKind::Seconds, _) => (None, "a number of seconds"),
            (OptionKind::Word(words), Tree::Bool(false)) if words.contains(&"off") => (Some("off".to_owned()), ""),
            (OptionKind::Word(words), Tree::Text(word)) => {
                if !words.contains(&word.as_str()) {
                    let help = likely(word)
                        .filter(|meant| words.contains(meant))
                        .map(|meant| format!("did you mean `{meant}`?"))
                        .or_else(|| did_you_mean(word, words.iter().copied()))
                        .or_else(|| Some(format!("known: {}", words.join(", "))));
                    self.report(value.at, format!("`{}` is not a value of `{}`", escape(word), option.key), help);
                    return None;
                }
                (Some(word.clone()), "")
            }
            (OptionKind::File(_) | OptionKind::Text, Tree::Text(text)) => (Some(text.clone()), ""),
            _ => (None, "a string"),
        };
        if text.is_none() {
            let message = format!("this is {}, where {wanted} belongs", value.value.label());
            let number = value.value.text().map(|text| text.trim_end_matches(|c: char| c.is_alphabetic() || c == ' '));
            let number = number.filter(|number| option.kind == OptionKind::Seconds && number.parse::<f64>().is_ok());
            let help = number.map(|number| format!("write the number alone: {number}"));
            let word = value.value.text().map(str::to_ascii_lowercase);
            let truth = match word.as_deref().filter(|_| wanted == "`true` or `false`") {
                Some("no" | "off" | "n" | "never" | "false" | "disabled") => Some(false),
                Some("yes" | "on" | "y" | "always" | "true" | "enabled") => Some(true),
                _ => None,
            };
            let help = help.or_else(|| truth.map(|truth| format!("write `{}: {truth}`", option.key)));
            self.report(value.at, message, help.or_else(|| Some(option.about.to_owned())));
        }
        Some(OptionSetting { key: key.clone(), value: Placed { value: text?, at: value.at } })
    }
}
