//! The shape of a rule file: what a reader of YAML cannot know about rules, told in one mistake each. Used by `load`.

use super::model::RuleFile;
use super::source::Source;
use crate::source_text::lookalikes::Repaired;
use crate::source_text::told_apart::FileKind;
use crate::source_text::{self, ReadAll, SourceError, line_at, nearest};

/// What a file may begin with.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// The keys of a rule.
const KEYS: [&str; 25] = [
    "after",
    "assert",
    "at",
    "cites",
    "compare",
    "confidence",
    "fix",
    "for_each",
    "forbid",
    "formerly",
    "help",
    "id",
    "message",
    "otherwise",
    "params",
    "ranges",
    "replaces",
    "requires",
    "severity",
    "since",
    "subject",
    "tests",
    "title",
    "when",
    "why",
];

/// What was read of a rule file.
pub struct ReadFile {
    /// The rules; without those parts that hold a mistake.
    pub file: Option<RuleFile>,
    /// The mistakes in its shape.
    pub mistakes: Vec<SourceError>,
    /// What is most likely not as it was meant.
    pub warnings: Vec<SourceError>,
    /// The beginnings of lines whose texts are cut short, so that what they hold is judged no further.
    pub cut: Vec<usize>,
}

/// Reads a rule file, and tells every mistake of its shape.
pub fn read(source: &Source, own: bool) -> ReadFile {
    let mut read = source_text::from_yaml_all::<RuleFile>(&source.name, &source.text);
    let mut warnings = Vec::new();
    let mut lines = Vec::new();
    if own {
        if let Some(mistake) = whole_file(source, &read) {
            return ReadFile { file: None, mistakes: vec![mistake], warnings, cut: Vec::new() };
        }
        read.mistakes.iter_mut().for_each(|mistake| of_list(source, mistake));
        read.mistakes.iter_mut().for_each(|mistake| of_line(source, mistake));
        for cut in cut_by_comment(source) {
            match cut {
                Cut::Broken(error) => {
                    // What the torn text leads to is the same mistake.
                    let line = line_of(source, &error);
                    read.mistakes.retain(|mistake| line_of(source, mistake) != line);
                    read.mistakes.push(error);
                    lines.extend(line);
                }
                Cut::Whole(warning) => warnings.push(warning),
            }
        }
    }
    // A text that goes on in a line that YAML does not take for a part of it.
    let goes_on = read.mistakes.iter().filter(|mistake| mistake.message.starts_with("this line has no `key: value`"));
    let above = |mistake: &SourceError| Some(line_at(&source.text, line_of(source, mistake)?.checked_sub(1)?).0);
    lines.extend(goes_on.filter_map(above));
    ReadFile { file: read.value, mistakes: read.mistakes, warnings, cut: lines }
}

/// The file as it was meant where look-alikes break it, and those.
pub fn repaired(source: &Source) -> (Source, Repaired) {
    let repaired = Repaired::of(&source.name, &source.text);
    (Source { text: repaired.text.clone(), ..source.clone() }, repaired)
}

/// The key of a rule that an offset lies in, or that was meant there.
pub fn key_around(text: &str, offset: usize) -> Option<&'static str> {
    let mut at = offset;
    loop {
        let (start, line) = line_at(text, at);
        let line = line.trim_start_matches([' ', '-']);
        let word = line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or_default();
        if let Some(key) = nearest(word, KEYS) {
            return Some(key);
        }
        at = start.checked_sub(1)?;
    }
}

/// The one mistake of a file that is not a file of rules at all.
fn whole_file(source: &Source, read: &ReadAll<RuleFile>) -> Option<SourceError> {
    let text = source.text.as_str();
    let error = |at: usize, length: usize, message: &str, help: &str| {
        let error = SourceError::new(&source.name, text, Some((at, length)), message);
        Some(error.with_help(Some(help.to_owned())))
    };
    let skeleton = "a rule file begins with `group: …` and `rules:`; `stslint rules new acme-max-age` writes one";
    let mut lines = text.trim_start_matches(BYTE_ORDER_MARK).lines();
    let first = lines.find(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'));
    if let Some(line) = first.filter(|line| is_toml(line)) {
        return error(text.find(line).unwrap_or_default(), line.trim_end().len(), "this is not YAML", skeleton);
    }
    if let [mistake] = read.mistakes.as_slice()
        && is_no_mapping(text)
    {
        let mut mistake = mistake.clone();
        mistake.help = Some(skeleton.to_owned());
        return Some(mistake);
    }
    if let Some(other) = FileKind::Rules.instead(&source.name, text) {
        return Some(other);
    }
    let top = |key: &str| {
        let lines = text.split_inclusive('\n').scan(0_usize, |start, line| {
            let at = *start;
            *start = start.saturating_add(line.len());
            let mark = if line.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len_utf8() } else { 0 };
            Some((at.saturating_add(mark), line.trim_start_matches(BYTE_ORDER_MARK)))
        });
        lines.into_iter().find(|(_, line)| line.strip_prefix(key).is_some_and(|rest| rest.starts_with(':')))
    };
    if let Some((at, _)) = top("id").filter(|_| top("rules").is_none()) {
        let help = "put `group: acme` and `rules:` above it, `  - ` before `id`, and four blanks before its other keys";
        return error(at, 2, "this is a rule alone: a file holds a group and a list of `rules`", help);
    }
    let rules = read.value.as_ref().is_some_and(|file| file.rules.is_empty());
    if let Some((at, _)) = top("rules").filter(|_| rules && read.mistakes.is_empty()) {
        return error(at, 5, "there is no rule in this file", "`stslint rules new acme-max-age` writes one");
    }
    let at = text.find("rules:").filter(|_| read.mistakes.len() == 1)?;
    let below = text.get(at.saturating_add(6)..).unwrap_or_default();
    let blank = below.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'));
    if blank {
        error(at, 5, "there is no rule in this file", "`stslint rules new acme-max-age` writes one")
    } else {
        None
    }
}

/// Whether a line is one of TOML: a section, or a key with `=`.
fn is_toml(line: &str) -> bool {
    let key = line.split_once('=').map(|(key, _)| key.trim()).filter(|key| !key.is_empty());
    let bare = |key: &str| key.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c));
    let section = line.trim_end().strip_prefix('[').and_then(|name| name.strip_suffix(']'));
    key.is_some_and(bare) || section.is_some_and(|name| bare(name.trim_matches(['[', ']'])))
}

/// Whether a text is empty but for comments, or a list.
fn is_no_mapping(text: &str) -> bool {
    let lines = text
        .trim_start_matches(BYTE_ORDER_MARK)
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#') && *line != "---");
    lines.take(1).all(|line| line.starts_with('-'))
}

/// Says of `for_each` and `forbid` how they are written: a list alone names no element.
fn of_list(source: &Source, mistake: &mut SourceError) {
    let Some(at) = mistake.at else { return };
    let (_, line) = line_at(&source.text, at.offset());
    let line = line.trim().trim_start_matches("- ");
    let key = ["for_each", "forbid"].into_iter().find(|key| line.starts_with(key));
    let Some((key, rest)) = key.and_then(|key| Some((key, line.strip_prefix(key)?))) else { return };
    if let Some(entry) = rest.trim_start().strip_prefix('{').filter(|_| !rest.starts_with(':')) {
        mistake.message = format!("a `:` is missing after `{key}`");
        mistake.help = Some(format!("write `{key}: {{{entry}`"));
        return;
    }
    if rest.contains("[]") {
        mistake.message = "a list is named without `[]`".to_owned();
        mistake.help = Some(format!("write `{key}{}`", rest.replace("[]", "")));
        return;
    }
    let Some(value) = rest.strip_prefix(':').map(|value| value.trim().trim_matches(['{', '}', '[', ']']).trim()) else {
        return;
    };
    let words: Vec<&str> = value.split([' ', ',']).filter(|word| !word.is_empty()).collect();
    let (name, list) = match words.as_slice() {
        [list] => (element_name(list), (*list).trim_matches(['"', '\''])),
        [name, "in" | "of" | "as", list] | [name, list] => ((*name).to_owned(), *list),
        _ => return,
    };
    if list.is_empty() || value.contains(':') {
        return;
    }
    mistake.message = format!("`{key}` needs a name for each element, and the list");
    mistake.help = Some(format!("write `{key}: {{ {name}: {list} }}`"));
}

/// Says of a line without a colon, and of one with two, what its key makes likely.
fn of_line(source: &Source, mistake: &mut SourceError) {
    let Some(at) = mistake.at else { return };
    let line = line_at(&source.text, at.offset()).1.trim().trim_start_matches("- ");
    let (word, rest) = line.split_at(line.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(line.len()));
    if !KEYS.contains(&word) {
        return;
    }
    if mistake.message.starts_with("this line has no `key: value`") && rest.starts_with([' ', '=']) {
        mistake.message = format!("a `:` is missing after `{word}`");
        mistake.help = Some(format!("write `{word}: {}`", rest.trim_start_matches([' ', '=']).trim_end()));
    } else if mistake.message.starts_with("a second `:`") && ["assert", "when"].contains(&word) {
        mistake.help = Some("compare with `==`; put an expression that holds a `:` into quotes".to_owned());
    }
}

/// A name for the elements of a list: the last word of its path, without its plural.
fn element_name(list: &str) -> String {
    let last = list.rsplit('.').next().unwrap_or_default();
    match last {
        "addresses" => "address".to_owned(),
        "mx" => "pattern".to_owned(),
        "" => "it".to_owned(),
        last => last.strip_suffix('s').unwrap_or(last).to_owned(),
    }
}

/// A text that ends where YAML takes a ` #` for a comment.
enum Cut {
    /// What is left of it cannot be read.
    Broken(SourceError),
    /// What is left of it can be read, and says less.
    Whole(SourceError),
}

/// The texts without quotes that a ` #` cuts: surely where a quote or bracket is left open, and probably where no blank
/// follows the sign, as in `ticket #12`.
fn cut_by_comment(source: &Source) -> Vec<Cut> {
    let mut start = 0_usize;
    let mut found = Vec::new();
    let mut block: Option<usize> = None;
    for line in source.text.split_inclusive('\n') {
        let indent = line.len().saturating_sub(line.trim_start().len());
        let inside = block.is_some_and(|outer| indent > outer || line.trim().is_empty());
        if !inside {
            block = None;
        }
        let value = line.split_once(": ").map(|(key, value)| (key, value.trim_start()));
        if let Some((key, value)) =
            value.filter(|(key, _)| !inside && key.trim_start_matches([' ', '-']).bytes().all(is_key))
        {
            if value.starts_with(['|', '>']) {
                block = Some(indent);
            }
            let plain = !value.starts_with(['"', '\'', '|', '>', '#', '{', '[', '&', '*', '!']);
            if let Some(at) = value.find(" #").filter(|_| plain) {
                let offset =
                    start.saturating_add(line.len().saturating_sub(value.len())).saturating_add(at).saturating_add(1);
                let error = SourceError::new(
                    &source.name,
                    &source.text,
                    Some((offset, 1)),
                    "YAML takes this for the beginning of a comment: the text ends before it",
                );
                let error = error.with_help(Some(format!(
                    "put the whole text after `{}:` into quotes",
                    key.trim_start_matches([' ', '-'])
                )));
                let left = value.get(..at).unwrap_or_default();
                let after = value.get(at.saturating_add(2)..).and_then(|rest| rest.chars().next());
                if !is_balanced(left) {
                    found.push(Cut::Broken(error));
                } else if after.is_some_and(|c| !c.is_whitespace() && c != '#') {
                    found.push(Cut::Whole(error));
                }
            }
        }
        start = start.saturating_add(line.len());
    }
    found
}

fn is_key(c: u8) -> bool {
    c.is_ascii_alphanumeric() || c == b'_'
}

/// Whether every quote and bracket of a text is closed.
fn is_balanced(text: &str) -> bool {
    let mut quote = None;
    let mut open = 0_isize;
    for c in text.chars() {
        match (quote, c) {
            (Some(quoted), c) if quoted == c => quote = None,
            (Some(_), _) => {}
            (None, '"') => quote = Some(c),
            // An apostrophe is also one of a word: `don't`.
            (None, '\'') if text.matches('\'').count().is_multiple_of(2) => quote = Some(c),
            (None, '(' | '[' | '{') => open = open.saturating_add(1),
            (None, ')' | ']' | '}') => open = open.saturating_sub(1),
            _ => {}
        }
    }
    quote.is_none() && open == 0
}

fn line_of(source: &Source, error: &SourceError) -> Option<usize> {
    error.at.map(|at| line_at(&source.text, at.offset()).0)
}
