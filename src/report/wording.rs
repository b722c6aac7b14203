//! What a finding says, in words that every format uses, and made safe for it.

use super::Linted;
use crate::outcome::Check;
use crate::source_text::escape;

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

/// What lines of the configuration decided of a finding, each with its place: "stslint.yaml:3: the severity `error` is set".
pub fn decided(linted: &Linted, check: &Check) -> Vec<String> {
    let decisions = linted.report.configured.get(&check.rule).into_iter().flatten();
    decisions.map(|decision| format!("{}: {}", decision.by, decision.what.replace(" here", ""))).collect()
}

/// The text in one line: white space becomes one blank, control characters become escapes.
pub fn one_line(text: &str) -> String {
    escape(&text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// The text with its line endings, all other control characters as escapes.
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(shortened("éé", 2), "éé");
        assert_eq!(shortened("ééé", 2), "éé…");
    }
}
