//! Characters that look like those of YAML or of an expression and are others, or cannot be seen at all: they come in
//! by copy and paste, and no reader says what they are.

use super::{SourceError, is_unseen};

/// What a character is called, and what was meant: nothing, where it takes no room.
pub fn look_alike(c: char) -> Option<(String, &'static str)> {
    let (name, meant) = match c {
        '\u{a0}' => ("no-break space", " "),
        '\u{2007}' => ("figure space", " "),
        '\u{202f}' => ("narrow no-break space", " "),
        '\u{3000}' => ("ideographic space", " "),
        '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{205f}' => ("space of another width", " "),
        '\u{200b}' => ("zero-width space", ""),
        '\u{200c}' | '\u{200d}' => ("zero-width joiner", ""),
        '\u{2060}' => ("word joiner", ""),
        '\u{ad}' => ("soft hyphen", ""),
        '\u{feff}' => ("byte order mark", ""),
        '\u{ff1a}' => ("fullwidth colon", ":"),
        '\u{2010}' | '\u{2011}' => ("hyphen", "-"),
        '\u{2012}'..='\u{2015}' => ("dash", "-"),
        '\u{2212}' => ("minus sign", "-"),
        '\u{2264}' => ("less-than or equal to", "<="),
        '\u{2265}' => ("greater-than or equal to", ">="),
        '\u{2260}' => ("not equal to", "!="),
        '\u{2227}' => ("logical and", "&&"),
        '\u{2228}' => ("logical or", "||"),
        '\u{ff1d}' => ("fullwidth equals sign", "="),
        '\u{ff08}' => ("fullwidth parenthesis", "("),
        '\u{ff09}' => ("fullwidth parenthesis", ")"),
        '\u{ff0c}' => ("fullwidth comma", ","),
        '\u{3002}' => ("ideographic full stop", "."),
        c => match cyrillic_or_greek(c) {
            Some(meant) => ("letter of another alphabet", meant),
            None if is_unseen(c) => ("character that cannot be seen", ""),
            None => return None,
        },
    };
    Some((format!("U+{:04X} ({name})", u32::from(c)), meant))
}

/// The ASCII letter that a letter of another alphabet looks like.
fn cyrillic_or_greek(c: char) -> Option<&'static str> {
    Some(match c {
        '\u{430}' | '\u{3b1}' => "a",
        '\u{435}' => "e",
        '\u{43e}' | '\u{3bf}' => "o",
        '\u{440}' => "p",
        '\u{441}' => "c",
        '\u{443}' => "y",
        '\u{445}' => "x",
        '\u{456}' => "i",
        '\u{455}' => "s",
        _ => return None,
    })
}

/// What to say of a look-alike: the message and the help.
pub fn told(c: char) -> Option<(String, String)> {
    let (name, meant) = look_alike(c)?;
    Some(match meant {
        "" => (format!("{name} cannot be seen here"), "remove it".to_owned()),
        " " => (format!("this is {name}, not a space"), "write an ordinary space".to_owned()),
        meant => (format!("this is {name}, not `{meant}`"), format!("write `{meant}`")),
    })
}

/// A text with the look-alikes before and in its keys replaced, and where its parts were.
#[derive(Debug)]
pub struct Repaired {
    /// The text with ordinary characters.
    pub text: String,
    /// The look-alikes: one for each line.
    pub mistakes: Vec<SourceError>,
    /// Pairs of offsets, in the repaired and in the written text, from which on both go on alike.
    anchors: Vec<(usize, usize)>,
}

impl Repaired {
    /// Looks for look-alikes in the indentation and the keys of a YAML text, where each of them breaks the file.
    pub fn of(name: &str, text: &str) -> Self {
        let mut repaired =
            Repaired { text: String::with_capacity(text.len()), mistakes: Vec::new(), anchors: Vec::new() };
        let mut start = 0_usize;
        let mut block: Option<usize> = None;
        for line in text.split_inclusive('\n') {
            let indent = line.len().saturating_sub(line.trim_start_matches(' ').len());
            if block.is_some_and(|outer| indent <= outer && !line.trim().is_empty()) {
                block = None;
            }
            let dash = dash_of_key(line).filter(|_| block.is_none());
            let opens = line.trim_end().trim_end_matches('-').strip_suffix(['|', '>']);
            if block.is_none() && opens.is_some_and(|before| before.ends_with(": ")) {
                block = Some(indent);
            }
            let end = key_end(line).unwrap_or(0);
            let mut first = true;
            for (at, c) in line.char_indices() {
                if dash == Some(at) {
                    let offset = start.saturating_add(at);
                    let key =
                        line.get(at.saturating_add(1)..).and_then(|key| key.split(':').next()).unwrap_or_default();
                    let star = c == '*';
                    let message = if star {
                        "an element of a list begins with `-`, not with `*`"
                    } else {
                        "a blank is missing after `-`"
                    };
                    let error = SourceError::new(name, text, Some((offset, 1)), message);
                    repaired.mistakes.push(error.with_help(Some(format!("write `- {}: …`", key.trim()))));
                    repaired.text.push_str(if star { "-" } else { "- " });
                    repaired.anchors.push((repaired.text.len(), offset.saturating_add(1)));
                    continue;
                }
                let told = if at < end && !c.is_ascii() { told(c) } else { None };
                // A byte order mark may begin a file.
                let Some((message, help)) = told.filter(|_| c != '\u{feff}' || start + at > 0) else {
                    repaired.text.push(c);
                    continue;
                };
                let offset = start.saturating_add(at);
                if std::mem::take(&mut first) {
                    let error = SourceError::new(name, text, Some((offset, c.len_utf8())), message);
                    repaired.mistakes.push(error.with_help(Some(help)));
                }
                let meant = look_alike(c).map_or("", |(_, meant)| meant);
                repaired.text.push_str(meant);
                // Those who write such a colon leave no blank after it.
                let rest = line.get(at.saturating_add(c.len_utf8())..).unwrap_or_default();
                if meant == ":" && !rest.is_empty() && !rest.starts_with(char::is_whitespace) {
                    repaired.text.push(' ');
                }
                repaired.anchors.push((repaired.text.len(), offset.saturating_add(c.len_utf8())));
            }
            start = start.saturating_add(line.len());
        }
        repaired
    }

    /// A mistake found in the repaired text, at its place in the written one.
    pub fn as_written(&self, name: &str, text: &str, error: &SourceError) -> SourceError {
        let written = |offset: usize| {
            let before = self.anchors.iter().rev().find(|(repaired, _)| *repaired <= offset);
            before.map_or(offset, |(repaired, written)| offset.saturating_sub(*repaired).saturating_add(*written))
        };
        let span = error.at.map(|at| (written(at.offset()), at.len()));
        SourceError::new(name, text, span, error.message.clone()).with_help(error.help.clone())
    }
}

/// The dash of a list's element that its first key follows without a blank, as in `-id: acme`, or what was written
/// instead of it, as in `* id: acme`.
fn dash_of_key(line: &str) -> Option<usize> {
    let inner = line.trim_start_matches(' ');
    let (key, value) = inner.strip_prefix('-').or_else(|| inner.strip_prefix("* "))?.split_once(':')?;
    let is_key =
        key.starts_with(|c: char| c.is_ascii_lowercase()) && key.bytes().all(|c| c.is_ascii_lowercase() || c == b'_');
    (is_key && value.starts_with(char::is_whitespace)).then(|| line.len().saturating_sub(inner.len()))
}

/// Where the key of a line ends, its colon included, once look-alikes are read as what they look like.
fn key_end(line: &str) -> Option<usize> {
    let mut key = 0_usize;
    for (at, c) in line.char_indices() {
        let meant = if c.is_ascii() { None } else { look_alike(c).map(|(_, meant)| meant) };
        match meant.and_then(|meant| meant.chars().next()).unwrap_or(c) {
            _ if meant == Some("") => {}
            ' ' | '-' | '\t' if key == 0 => {}
            ':' if key > 0 => return Some(at.saturating_add(c.len_utf8())),
            c if c.is_ascii_alphanumeric() || c == '_' || (key > 0 && (c == '-' || c == '.')) => {
                key = key.saturating_add(1);
            }
            _ => return None,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn look_alikes_are_named_once_for_each_line_and_places_stay_true() {
        let text = "a: x\n\u{a0}\u{a0}b: \u{a0}\nc\u{200b}c\u{ff1a} d \u{a0} e\nf: g\n";
        let repaired = Repaired::of("f", text);
        assert_eq!(repaired.text, "a: x\n  b: \u{a0}\ncc: d \u{a0} e\nf: g\n");
        let said: Vec<(usize, &str)> =
            repaired.mistakes.iter().map(|it| (it.at.unwrap().offset(), it.message.as_str())).collect();
        let expected = [
            (5, "this is U+00A0 (no-break space), not a space"),
            (16, "U+200B (zero-width space) cannot be seen here"),
        ];
        assert_eq!(said, expected);
        let at = repaired.text.find("f: g").unwrap();
        let error = SourceError::new("f", &repaired.text, Some((at, 1)), "m");
        assert_eq!(repaired.as_written("f", text, &error).at.unwrap().offset(), text.find("f: g").unwrap());
    }

    #[test]
    fn a_dash_without_its_blank_is_told_and_read() {
        let text = "rules:\n  -id: a\n   b: |\n    -id: c\n  - -x: 1\n";
        let repaired = Repaired::of("f", text);
        assert_eq!(repaired.text, "rules:\n  - id: a\n   b: |\n    -id: c\n  - -x: 1\n");
        let said: Vec<(usize, &str)> =
            repaired.mistakes.iter().map(|it| (it.at.unwrap().offset(), it.message.as_str())).collect();
        assert_eq!(said, [(9, "a blank is missing after `-`")]);
    }

    #[test]
    fn values_keep_their_characters() {
        for text in
            ["title: caf\u{e9}\u{a0}au lait \u{2265} 5\n", "\u{feff}group: a\n", "- \u{430} b\n", "# \u{a0}: x\n"]
        {
            let repaired = Repaired::of("f", text);
            assert!(repaired.mistakes.is_empty() && repaired.text == text, "{text}");
        }
    }
}
