//! What a finding says, in words that every format uses, and made safe for it.

use super::Linted;
use crate::outcome::Check;
use crate::source_text::{escape, is_unseen};

/// What the report is about: the domain, or else the file that its policy was read from.
pub fn domain(linted: &Linted) -> String {
    let name = linted.report.domain.as_deref().or(linted.policy_file.as_deref());
    name.map_or_else(|| "(no domain)".to_owned(), escape)
}

/// What is wrong, and with what: the message, led by the subject where it does not name it itself.
pub fn what(check: &Check) -> String {
    let message = check.message.as_deref().unwrap_or(&check.title);
    match &check.subject {
        Some(subject) if !message.contains(subject.as_str()) => format!("{subject}: {message}"),
        _ => message.to_owned(),
    }
}

/// The text in one line: white space becomes one blank, control characters become escapes.
pub fn one_line(text: &str) -> String {
    escape(&text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// The text with its line ends, all other control characters as escapes.
pub fn lines(text: &str) -> String {
    text.lines().map(escape).collect::<Vec<_>>().join("\n")
}

/// The text, cut where it is longer than so many characters.
pub fn shortened(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// `1 error`, `2 errors`.
pub fn counted(number: usize, one: &str) -> String {
    format!("{number} {one}{}", if number == 1 { "" } else { "s" })
}

/// A JSON text in which the control characters that JSON allows, and those that turn the direction of text, are
/// written as escapes: the same value, and nothing that a terminal obeys.
pub fn printable_json(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        // Outside of its strings, JSON has no such character but line ends, so each can be written as a string's escape.
        if (c.is_control() && c != '\n') || is_unseen(c) || matches!(c, '\u{2028}' | '\u{2029}') {
            text.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            text.push(c);
        }
    }
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn json_keeps_its_value_when_it_is_made_printable() {
        let value = serde_json::json!({ "a\u{9b}": "\u{202e}b\u{7f}\u{1b}\n", "c": ["\u{2028}"] });
        let json = printable_json(&serde_json::to_string_pretty(&value).unwrap());
        assert_eq!(serde_json::from_str::<serde_json::Value>(&json).unwrap(), value);
        assert!(json.chars().all(|c| c == '\n' || !(c.is_control() || is_unseen(c))), "{json:?}");
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(shortened("éé", 2), "éé");
        assert_eq!(shortened("ééé", 2), "éé…");
    }
}
