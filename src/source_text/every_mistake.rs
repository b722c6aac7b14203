//! Every mistake in a YAML text at once, where a reader stops at the first.
//!
//! After each mistake the entry that holds it is blanked out, octet for octet, and the text is read again: places
//! stay true, and what follows only from the blanking is not told.

use serde::de::DeserializeOwned;
use serde_yaml::Error as YamlError;

use super::{SourceError, place, yaml_error, yaml_options};

/// How many mistakes are looked for; whoever has made more sees these first.
const MOST_MISTAKES: usize = 20;

/// What was read of a text.
#[derive(Debug)]
pub struct ReadAll<T> {
    /// The value; where there are mistakes, without the entries that hold them. `None` where nothing can be read.
    pub value: Option<T>,
    /// Every mistake of its shape.
    pub mistakes: Vec<SourceError>,
}

/// Reads a YAML document of type `T`, and tells every mistake of its shape.
pub fn from_yaml_all<T: DeserializeOwned>(name: &str, text: &str) -> ReadAll<T> {
    let mut mistakes: Vec<SourceError> = Vec::new();
    let mut masked = text.to_owned();
    let mut blanked: Vec<(usize, usize)> = Vec::new();
    if let Some(whole) = crooked_start(name, text).or_else(|| second_document(name, text)) {
        return ReadAll { value: None, mistakes: vec![whole] };
    }
    while mistakes.len() < MOST_MISTAKES {
        let error = match serde_yaml::from_str_with_options::<T>(&masked, yaml_options()) {
            Ok(value) => return ReadAll { value: Some(value), mistakes },
            Err(error) => error,
        };
        let at = error.without_snippet().location().and_then(|location| place(&masked, &location));
        let told = yaml_error(name, text, &error);
        let Some((offset, length)) = at else {
            mistakes.extend(mistakes.is_empty().then_some(told));
            break;
        };
        let missing = matches!(error.without_snippet(), YamlError::SerdeMissingField { .. });
        let keys_for_list = matches!(error.without_snippet(), YamlError::Unexpected { expected: "sequence start", .. });
        let shape = is_shape(error.without_snippet());
        let entry = if !shape {
            // What is left open is told where it opens.
            let opens = told.at.map_or(offset, |at| at.offset().min(offset));
            content_of_line(&masked, opens)
        } else if missing {
            item_around(&masked, offset)
        } else if keys_for_list && is_key_line(&masked, offset) {
            block_from(&masked, offset)
        } else {
            entry_around(&masked, offset)
        };
        // Something is missing because it was blanked out.
        let follows = blanked.iter().any(|(start, end)| entry.0 <= *start && *end <= entry.1);
        // Nothing is there because it was blanked out, or a blanked place broke the syntax.
        let bare = |text: &str| text.trim_matches([' ', '-', '\r', '\t']).is_empty();
        let empty =
            masked.get(offset..offset.saturating_add(length)).is_none_or(bare) || bare(line_at(&masked, offset).1);
        let beside = |(start, end): &(usize, usize)| {
            let gap = |from: usize, to: usize| masked.get(from..to).is_none_or(bare_lines);
            gap(*end, entry.0) && *end <= entry.0 || gap(entry.1, *start) && entry.1 <= *start
        };
        let told_by_blank = !shape && (blanked.iter().any(beside) || follows);
        if blanked.contains(&entry) || (!mistakes.is_empty() && !follows && (empty || told_by_blank)) {
            break;
        }
        if let Some(below) = meant_below(&blanked, text, name, entry, error.without_snippet()) {
            // Nothing below a key, and the keys that belong there beside it, are one mistake.
            mistakes.pop();
            mistakes.push(below);
        } else if !follows && !is_known_missing(error.without_snippet(), text, &mistakes) {
            mistakes.push(told);
        }
        if entry.0 >= entry.1 || (!shape && follows) {
            break;
        }
        masked = blank(&masked, entry);
        blanked.push(entry);
    }
    ReadAll { value: None, mistakes }
}

/// The first key, where it is indented and a later one is not: no reader says so.
fn crooked_start(name: &str, text: &str) -> Option<SourceError> {
    let is_said = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
    let mut lines = text.lines().filter(is_said);
    let first = lines.next()?.trim_start_matches('\u{feff}');
    let key = first.trim_start_matches(' ');
    let indent = indent_of(first);
    let is_key = |line: &str| {
        let word = line.split(':').next().unwrap_or_default();
        !word.is_empty() && line.contains(':') && word.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_')
    };
    let later = lines.find(|line| is_key(line)).filter(|_| indent > 0 && is_key(key))?;
    let word = key.split(':').next().unwrap_or_default();
    let at = text.find(first)?.saturating_add(indent);
    let message = format!("`{word}` is indented, and `{}` is not", later.split(':').next().unwrap_or_default());
    let error = SourceError::new(name, text, Some((at, word.len())), message);
    Some(error.with_help(Some("begin both at the start of their lines".to_owned())))
}

/// The beginning of a second document: what it holds would be missing in the first.
fn second_document(name: &str, text: &str) -> Option<SourceError> {
    let mut start = 0_usize;
    let mut begun = false;
    for line in text.split_inclusive('\n') {
        let said = line.trim_end();
        if begun && said == "---" {
            let next = start.saturating_add(line.len());
            let rest = text.get(next..).unwrap_or_default();
            let blank = rest.len().saturating_sub(rest.trim_start().len());
            let at = if rest.trim().is_empty() { (start, 3) } else { (next.saturating_add(blank), 1) };
            let error = SourceError::new(name, text, Some(at), "a second document begins here");
            let help = "a file holds one document: remove the `---`, or make two files";
            return Some(error.with_help(Some(help.to_owned())));
        }
        begun = begun || !(said.is_empty() || said.starts_with(['#', '%', '\u{feff}']) || said == "---");
        start = start.saturating_add(line.len());
    }
    None
}

/// The mistake that a key belongs below the one above it, which has nothing and was blanked out for that.
fn meant_below(
    blanked: &[(usize, usize)],
    text: &str,
    name: &str,
    entry: (usize, usize),
    error: &YamlError,
) -> Option<SourceError> {
    let YamlError::SerdeUnknownField { field, .. } = error else { return None };
    let (start, end) = blanked.last()?;
    let above = text.get(*start..*end)?.trim_end();
    let key = above.strip_suffix(':').filter(|key| !key.contains([' ', '\n', '#']))?;
    let depth = |at: usize| at.saturating_sub(line_at(text, at).0);
    if *end > entry.0 || !bare_lines(text.get(*end..entry.0)?) || depth(*start) != depth(entry.0) {
        return None;
    }
    let message = format!("`{field}` is indented as `{key}` is, and belongs below it");
    let error = SourceError::new(name, text, Some((entry.0, field.len())), message);
    Some(error.with_help(Some(format!("indent it deeper than `{key}`"))))
}

/// Whether a key is missing that was written under a name like it, which has been told.
fn is_known_missing(error: &YamlError, text: &str, told: &[SourceError]) -> bool {
    let YamlError::SerdeMissingField { field, .. } = error else { return false };
    let meant = format!("did you mean `{field}`?");
    let is_its_line = |told: &SourceError| {
        let line = told.at.map_or("", |at| line_at(text, at.offset()).1);
        line.trim_start_matches(['\u{feff}', ' ', '"', '\'', '-']).starts_with(*field)
    };
    told.iter().any(|told| told.help.as_ref().is_some_and(|help| *help == meant) || is_its_line(told))
}

/// Whether the text is YAML, and only its shape is wrong: after a mistake of syntax nothing can be told of the rest.
fn is_shape(error: &YamlError) -> bool {
    matches!(
        error,
        YamlError::SerdeUnknownField { .. }
            | YamlError::SerdeUnknownVariant { .. }
            | YamlError::SerdeMissingField { .. }
            | YamlError::SerdeInvalidType { .. }
            | YamlError::SerdeInvalidValue { .. }
            | YamlError::SerdeInvalidLength { .. }
            | YamlError::DuplicateMappingKey { .. }
            | YamlError::InvalidBooleanStrict { .. }
            | YamlError::InvalidScalar { .. }
            | YamlError::NullIntoString { .. }
            | YamlError::Unexpected { .. }
            | YamlError::UnexpectedSequenceEnd { .. }
            | YamlError::UnexpectedMappingEnd { .. }
            | YamlError::Message { .. }
    )
}

/// The octets of the `key: value` entry in block style that an offset lies in, without the `- ` before it.
fn entry_around(text: &str, offset: usize) -> (usize, usize) {
    let (start, line) = line_at(text, offset);
    let dashes = dashes(line);
    let indent = indent_of(line).saturating_add(dashes);
    let end = end_of_block(text, start, indent, dashes == 0);
    (start.saturating_add(indent).min(end), end)
}

/// The octets of the line that an offset lies in, without its indentation and the dash before its key.
fn content_of_line(text: &str, offset: usize) -> (usize, usize) {
    let (start, line) = line_at(text, offset);
    let inner = indent_of(line).saturating_add(dashes(line));
    (start.saturating_add(inner), start.saturating_add(line.len()))
}

/// Whether a `key:` begins the line that an offset lies in, without a dash before it.
fn is_key_line(text: &str, offset: usize) -> bool {
    let (_, line) = line_at(text, offset);
    dashes(line) == 0 && line.contains(':')
}

/// The octets from the line of an offset on, as far as lines are indented as deep as it.
fn block_from(text: &str, offset: usize) -> (usize, usize) {
    let (start, line) = line_at(text, offset);
    let indent = indent_of(line);
    let lines = text.get(start..).unwrap_or_default().split_inclusive('\n');
    let inside = lines.take_while(|line| indent_of(line) >= indent || line.trim().is_empty());
    (start, start.saturating_add(inside.map(str::len).sum()))
}

/// Whether nothing is between two places but blanks and line endings.
fn bare_lines(text: &str) -> bool {
    text.trim_matches([' ', '-', '\r', '\n', '\t']).is_empty()
}

/// The octets of the list item that an offset lies in, with its dash; else of the whole entry.
fn item_around(text: &str, offset: usize) -> (usize, usize) {
    let (start, line) = line_at(text, offset);
    let inner = indent_of(line);
    let mut from = start;
    let mut current = line;
    // The item begins at the nearest line above with a dash that is indented less than the keys.
    while dashes(current) == 0 || indent_of(current) > inner {
        let Some(above) = from.checked_sub(1) else { return entry_around(text, offset) };
        (from, current) = line_at(text, above);
    }
    let indent = indent_of(current);
    let end = end_of_block(text, from, indent, false);
    (from.saturating_add(indent).min(end), end)
}

/// The line that an offset lies in, and where it begins.
pub fn line_at(text: &str, offset: usize) -> (usize, &str) {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset = offset.saturating_sub(1);
    }
    let before = text.get(..offset).unwrap_or_default();
    let start = before.rfind('\n').map_or(0, |at| at.saturating_add(1));
    let line = text.get(start..).unwrap_or_default().split('\n').next().unwrap_or_default();
    (start, line)
}

fn indent_of(line: &str) -> usize {
    line.bytes().take_while(|c| *c == b' ').count()
}

/// How many octets the dashes of list items take at the start of a line.
fn dashes(line: &str) -> usize {
    let mut rest = line.trim_start_matches(' ');
    let mut taken = 0_usize;
    while let Some(after) = rest.strip_prefix("- ") {
        let blanks = indent_of(after);
        taken = taken.saturating_add(2).saturating_add(blanks);
        rest = after.trim_start_matches(' ');
    }
    taken
}

/// Where the lines end that belong to the one at `start`: blank ones and those indented deeper; with `list` also
/// items at the same depth, which YAML allows for the value of a key.
fn end_of_block(text: &str, start: usize, indent: usize, list: bool) -> usize {
    let mut end = start;
    for (index, line) in text.get(start..).unwrap_or_default().split_inclusive('\n').enumerate() {
        let deeper = indent_of(line) > indent || line.trim().is_empty();
        let item = list && indent_of(line) == indent && line.trim_start().starts_with("- ");
        if index > 0 && !deeper && !item {
            break;
        }
        end = end.saturating_add(line.len());
    }
    end
}

/// The text with these octets as blanks, line endings kept.
fn blank(text: &str, (start, end): (usize, usize)) -> String {
    let keep = |c: char| if c == '\n' { "\n".to_owned() } else { " ".repeat(c.len_utf8()) };
    let before = text.get(..start).unwrap_or_default();
    let inside: String = text.get(start..end).unwrap_or_default().chars().map(keep).collect();
    format!("{before}{inside}{}", text.get(end..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "only its shape is read")]
    struct File {
        name: String,
        rules: Vec<Rule>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "only its shape is read")]
    struct Rule {
        id: String,
        size: u32,
        #[serde(default)]
        tags: Vec<String>,
    }

    fn mistakes(text: &str) -> Vec<(String, usize)> {
        let errors = from_yaml_all::<File>("a.yaml", text).mistakes;
        let line = |error: &SourceError| {
            let at = error.at.map_or(0, |at| at.offset());
            text[..at].matches('\n').count() + 1
        };
        errors.iter().map(|error| (error.message.clone(), line(error))).collect()
    }

    #[test]
    fn every_mistake_is_told_at_its_own_line() {
        let text = "name: x\nrules:\n  - id: a\n    size: big\n    tags: [a]\n  - id: b\n    sise: 2\n    size: 3\n  - size: 1\n  - ids: d\n    size: 1\nother: 1\n";
        let found = mistakes(text);
        let lines: Vec<usize> = found.iter().map(|(_, line)| *line).collect();
        assert_eq!(lines, [4, 7, 9, 10, 12], "{found:?}");
    }

    #[test]
    fn what_follows_from_a_mistake_is_not_told() {
        assert_eq!(mistakes("name: x\nrules:\n  - id: [a]\n    size: 1\n").len(), 1);
        assert_eq!(mistakes("- a\n").len(), 1);
    }

    #[test]
    fn a_right_text_is_read() {
        let read = from_yaml_all::<File>("a.yaml", "name: x\nrules: [{ id: a, size: 1 }]\n");
        assert!(read.value.is_some() && read.mistakes.is_empty());
    }

    proptest! {
        #[test]
        fn any_text_ends(text in "([a-z]{0,3}|: |\n|  |- |\\[|\\]|\\{|\\}|é|'|name|rules|id|size){0,40}") {
            let _ = from_yaml_all::<File>("a.yaml", &text);
        }
    }
}
