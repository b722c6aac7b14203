//! What a YAML reader says of a text, in words for whoever wrote it: what is where, and what to write instead.

use serde_yaml::{Error as YamlError, MessageFormatter, UserMessageFormatter};

use super::{SourceError, line_at, lookalikes, nearest, place, printable};

/// A reader's error as a mistake in `text`, which diagnostics call `name`.
pub fn yaml_error(name: &str, text: &str, error: &YamlError) -> SourceError {
    let error = error.without_snippet();
    let span = error.location().and_then(|location| place(text, &location));
    let told = told(text, error, span);
    SourceError::new(name, text, told.span, told.message).with_help(told.help)
}

/// What is wrong, where, and what to do.
struct Told {
    message: String,
    help: Option<String>,
    span: Option<(usize, usize)>,
}

fn told(text: &str, error: &YamlError, span: Option<(usize, usize)>) -> Told {
    let here = |message: &str, help: &str| Told {
        message: message.to_owned(),
        help: (!help.is_empty()).then(|| help.to_owned()),
        span,
    };
    let at = span.map_or(0, |(offset, _)| offset);
    match error {
        YamlError::SerdeUnknownField { field, expected, .. } => look_alike_in(field, span)
            .or_else(|| cut_by_comma(text, field, span))
            .unwrap_or_else(|| unknown("key", field, expected, span)),
        YamlError::SerdeUnknownVariant { variant, expected, .. } => unknown("value", variant, expected, span),
        // The reader places it where the mapping ends, which of a whole document says nothing.
        YamlError::SerdeMissingField { field, .. } => {
            let top = span.is_none_or(|(offset, _)| line_at(text, offset).0 == offset);
            let first = text.find(|c: char| !c.is_whitespace()).map(|start| (start, 1));
            let span = if top { first.or(span) } else { span };
            Told { message: format!("the key `{field}` is missing"), help: Some(format!("write `{field}: …`")), span }
        }
        YamlError::SerdeInvalidType { unexpected, expected, .. }
        | YamlError::SerdeInvalidValue { unexpected, expected, .. } => {
            here(&format!("this is {}, where {} belongs", type_name(unexpected), type_name(expected)), "")
        }
        YamlError::DuplicateMappingKey { key: Some(key), .. } => {
            here(&format!("the key `{key}` is given twice"), "remove one of the two")
        }
        YamlError::Budget { .. } => here(
            "the text has too many parts or is too deep: it is not read beyond this point",
            "leave out what is not needed, or split it",
        ),
        YamlError::Eof { .. } if is_blank(text) => here("there is nothing here", ""),
        YamlError::Eof { .. } => here("the text ends too early", "close what was opened: a quote, a bracket or a list"),
        YamlError::Unexpected { expected, .. } => unexpected(text, expected, at, span),
        YamlError::NullIntoString { .. } => {
            let item = line_at(text, at).1.trim() == "-";
            let help =
                if item { "write the value after the `-`, or remove it" } else { "write the value after the `:`" };
            here("a text is missing here", help)
        }
        YamlError::InvalidBooleanStrict { .. } => here("this is neither `true` nor `false`", "write `true` or `false`"),
        YamlError::InvalidScalar { ty: "boolean" | "bool", .. } => {
            here("this is neither `true` nor `false`", "write `true` or `false`")
        }
        YamlError::InvalidScalar { ty, .. } => here(&not_a(ty, at_value(text, span)), ""),
        YamlError::MultipleDocuments { .. } => {
            here("a second document begins here", "a file holds one document: remove the `---`, or make two files")
        }
        YamlError::UnknownAnchor { .. } => here(
            "nothing is anchored under this name",
            "put the text into quotes: a `*` at its beginning refers to an anchor `&name`",
        ),
        _ => match UserMessageFormatter.format_message(error) {
            message if message.contains("externally tagged enum") => {
                Told { help: Some("write one word".to_owned()), ..unexpected(text, "scalar", at, span) }
            }
            message => syntax(text, &message, at, span),
        },
    }
}

/// A character in a key that looks like another one, or cannot be seen.
fn look_alike_in(key: &str, span: Option<(usize, usize)>) -> Option<Told> {
    let (at, c) = key.char_indices().find(|(_, c)| !c.is_ascii() && lookalikes::look_alike(*c).is_some())?;
    let (message, help) = lookalikes::told(c)?;
    let span = span.map(|(offset, _)| (offset.saturating_add(at), c.len_utf8()));
    Some(Told { message, help: Some(help), span })
}

/// What is taken for a key without a value, because a comma inside of brackets ends a text that has no quotes.
fn cut_by_comma(text: &str, key: &str, span: Option<(usize, usize)>) -> Option<Told> {
    let (offset, length) = span?;
    let before = text.get(..offset)?.trim_end();
    let after = text.get(offset.saturating_add(length)..)?.trim_start();
    if !before.ends_with(',') || !after.starts_with([',', '}']) {
        return None;
    }
    Some(Told {
        message: format!("`{}` has no value: a `,` ends the text before it", printable(key)),
        help: Some("put a text that holds a `,` into quotes".to_owned()),
        span,
    })
}

/// A value of another kind than the one that belongs there.
fn unexpected(text: &str, expected: &str, at: usize, span: Option<(usize, usize)>) -> Told {
    let found = match text.get(at..).and_then(|rest| rest.chars().next()) {
        Some('[') => "a list",
        Some('{') => "a mapping",
        Some('-') if text.get(at..).is_some_and(|rest| rest.starts_with("- ")) => "a list",
        _ if key_at(text, at) => "a key",
        _ if is_nothing(text, at, span) => "nothing",
        _ => "a single value",
    };
    let opens = |sign: char| text.get(at..).is_some_and(|rest| rest.starts_with(sign));
    let (line_start, line) = line_at(text, at);
    let before = line.get(..at.saturating_sub(line_start)).unwrap_or_default();
    let second = line.get(before.len()..).and_then(|rest| rest.find(": "));
    if expected == "mapping start" && found == "a key" && before.ends_with(": ") {
        return Told {
            message: "a second `:` is in this line".to_owned(),
            help: Some("write its keys below, indented deeper, or in braces: `{ key: value }`".to_owned()),
            span,
        };
    }
    if let Some(second) = second.filter(|_| expected.contains("scalar") && !opens('{') && !opens('[')) {
        return Told {
            message: "a `:` followed by a blank makes this text a mapping".to_owned(),
            help: Some("put the text into quotes".to_owned()),
            span: Some((at.saturating_add(second), 1)),
        };
    }
    let (wanted, help) = match expected {
        "string scalar" | "scalar" if opens('{') || opens('[') => {
            ("a string", "write one text; where it begins with a `{` or `[`, put it into quotes")
        }
        "string scalar" | "scalar" => {
            ("a string", "write the text after the `:`, in one line, or below it after `|` or `>-`")
        }
        "sequence start" if found == "nothing" => ("a list", "write its elements below, each after `- `"),
        "mapping start" if found == "nothing" => ("a mapping", "write its keys below, indented deeper"),
        "sequence start" if found == "a single value" && opens('-') => ("a list", "write a blank after each `-`"),
        "sequence start" if found == "a single value" => ("a list", "put it into brackets: `[ … ]`"),
        "sequence start" => ("a list", "begin each element with `- `"),
        "mapping start" => ("a mapping", "write keys with values: `key: value`"),
        other => (other, ""),
    };
    Told {
        message: format!("this is {found}, where {} belongs", type_name(wanted)),
        help: (!help.is_empty()).then(|| help.to_owned()),
        span,
    }
}

/// A mistake of YAML's own syntax: those that people make often are told by what they wrote.
fn syntax(text: &str, message: &str, at: usize, span: Option<(usize, usize)>) -> Told {
    if let Some(tab) = indenting_tab(text, at).filter(|_| !message.contains("quote")) {
        return Told {
            message: "a tab indents this line".to_owned(),
            help: Some("indent with blanks, not with tabs".to_owned()),
            span: Some((tab, 1)),
        };
    }
    let here = |message: &str, help: &str| Told { message: message.to_owned(), help: Some(help.to_owned()), span };
    let less = ["did not find expected '-' indicator", "did not find expected key"];
    if let Some((start, is, above)) = crooked_item(text, at).filter(|_| less.iter().any(|it| message.contains(it))) {
        return Told {
            message: format!("this `- ` is indented by {}, and those of the list above by {above}", blanks(is)),
            help: Some(format!("indent it by {}, as they are", blanks(above))),
            span: Some((start, 1)),
        };
    }
    if let Some((start, key, above)) = indented_less(text, at).filter(|_| less.iter().any(|it| message.contains(it))) {
        return Told {
            message: format!("`{key}` is indented less than the keys above it"),
            help: Some(format!("indent it by {above} blanks, as they are")),
            span: Some((start, key.len())),
        };
    }
    if message.contains("unknown escape") {
        let escape = wrong_escape(text, at);
        let span = escape.or(span);
        return Told {
            message: "a text in double quotes has no such escape".to_owned(),
            help: Some("put the whole text into single quotes, or write the backslash twice".to_owned()),
            span,
        };
    }
    if message.contains("simple key expected") {
        return no_key(text, at, span);
    }
    let of_brackets = ["flow", "illegal placement of ':'", "unclosed bracket"];
    if let Some(open) = left_open(text, at).filter(|_| of_brackets.iter().any(|it| message.contains(it))) {
        let help = "close it where the list or mapping ends; a text that begins with it needs quotes";
        return Told {
            message: "this bracket is never closed".to_owned(),
            help: Some(help.to_owned()),
            span: Some((open, 1)),
        };
    }
    if message.contains("too large or too complex") {
        let help = "aliases (`*name`) that repeat long texts, and aliases in each other, are read up to a bound only";
        return here("the text becomes too large to be read", help);
    }
    if let Some(above) = unparted_above(text, at).filter(|_| message.contains("mapping values are not allowed")) {
        return no_key(text, above, span);
    }
    if message.contains("mapping values are not allowed") {
        return match key_of(text, at) {
            Some((start, key)) => Told {
                message: format!("`{key}` is indented deeper than the line above, and does not belong to it"),
                help: Some("indent keys of the same rule or mapping alike; a text that goes on in the next line needs quotes, `|` or `>-`".to_owned()),
                span: Some((start, key.len())),
            },
            None => here(
                "a second `:` is in this line",
                "put the text into quotes: a colon followed by a blank begins a mapping",
            ),
        };
    }
    if message.contains("unclosed quote") {
        return here(
            "this quote is never closed",
            "close it; a quote inside the text is written \\\" in \"…\", and twice in '…'",
        );
    }
    if message.contains("trailing content after") && lacks_comma(text, at) {
        return here("a `,` is missing before this", "write a `,` between two entries");
    }
    if let Some(open) = left_open_quote(text, at).filter(|_| message.contains("trailing content after")) {
        return Told {
            message: "this quote is never closed".to_owned(),
            help: Some("close it at the end of the text".to_owned()),
            span: Some((open, 1)),
        };
    }
    if let Some(whole) = begins_with_quoted(text, at).filter(|_| message.contains("trailing content after")) {
        return here("the quoted text ended before this", &format!("put quotes around the whole: '{whole}'"));
    }
    if message.contains("trailing content after") {
        return here(
            "the quoted text ended before this",
            "inside '…' write a ' twice, inside \"…\" write \\\", or use the other kind of quotes around the whole",
        );
    }
    if message.contains("unclosed bracket") {
        return here(
            "this bracket is never closed",
            "close it where the list or mapping ends; a text that begins with it needs quotes",
        );
    }
    if message.contains("misplaced bracket") {
        return here("this bracket closes nothing", "remove it, or open it before");
    }
    if text.get(at..).is_some_and(|rest| rest.starts_with(',')) && message.contains("flow mapping") {
        return here("nothing is between two `,`", "remove one of them");
    }
    if message.contains("flow mapping") || message.contains("flow sequence") {
        let help = "inside `{ … }` and `[ … ]`, put a text with `:`, `,`, `{` or `?` in it into quotes";
        return here(message, help);
    }
    if message.contains("cannot start any token") {
        return here(
            "a text cannot begin with this character",
            "put the text into quotes: it begins with a character that YAML keeps for itself, such as ` @ % or *",
        );
    }
    if message.contains("unexpected character") && text.get(at..).is_some_and(|rest| rest.starts_with(['@', '`', '%']))
    {
        return here(
            "a text cannot begin with this character",
            "put the text into quotes: YAML keeps this character for itself",
        );
    }
    if message.contains("unexpected character") {
        return here("this character is not allowed in YAML", "remove it, or write it as \\x… in double quotes");
    }
    Told { message: message.to_owned(), help: None, span }
}

/// Whether a text in quotes follows another one inside of brackets, with blanks alone between them.
fn lacks_comma(text: &str, at: usize) -> bool {
    let (start, line) = line_at(text, at);
    let before = line.get(..at.saturating_sub(start)).unwrap_or_default();
    let quote = before.trim_end().chars().next_back().filter(|c| matches!(c, '"' | '\''));
    quote.is_some_and(|quote| {
        before.ends_with(' ')
            && before.contains(['{', '['])
            && text.get(at..).is_some_and(|rest| rest.starts_with(quote))
    })
}

fn blanks(count: usize) -> String {
    format!("{count} blank{}", if count == 1 { "" } else { "s" })
}

/// An item that is indented otherwise than those of the nearest list above: its place, its blanks, and theirs.
fn crooked_item(text: &str, at: usize) -> Option<(usize, usize, usize)> {
    let depth = |line: &str| {
        let inner = line.trim_start_matches(' ');
        inner.starts_with("- ").then(|| line.len().saturating_sub(inner.len()))
    };
    let (start, line) = line_at(text, at);
    let is = depth(line)?;
    let above = text.get(..start)?.lines().rev().filter_map(depth).min_by_key(|above| above.abs_diff(is))?;
    (above != is).then(|| (start.saturating_add(is), is, above))
}

/// The quote above that the one at the beginning of a value closes, where it was meant to open one: `key: "…` in a line
/// that does not close it, and the line of the octet begins a value too.
fn left_open_quote(text: &str, at: usize) -> Option<usize> {
    let (start, line) = line_at(text, at);
    let before = line.get(..at.checked_sub(start)?)?;
    let quote = before.chars().next_back().filter(|c| matches!(c, '"' | '\''))?;
    if before.matches(quote).count() != 1 || !before.trim_end_matches(quote).ends_with([' ', '[', '{', '(']) {
        return None;
    }
    let mut end = start;
    for line in text.get(..start)?.split_inclusive('\n').rev().take(40) {
        let begin = end.saturating_sub(line.len());
        let quotes = line.replace(&format!("\\{quote}"), "  ");
        if quotes.matches(quote).count() % 2 == 1 {
            return quotes.rfind(quote).map(|offset| begin.saturating_add(offset));
        }
        end = begin;
    }
    None
}

/// Whether no value is written at the octet: it is the colon, or only blanks and comments follow.
fn is_nothing(text: &str, at: usize, span: Option<(usize, usize)>) -> bool {
    let rest = text.get(at..).unwrap_or_default().split('\n').next().unwrap_or_default();
    let rest = rest.strip_prefix(':').unwrap_or(rest).trim();
    span.is_some() && (rest.is_empty() || rest.starts_with('#'))
}

/// A key that is indented less than the keys above it, its place, and how deep those are.
fn indented_less(text: &str, at: usize) -> Option<(usize, &str, usize)> {
    let (start, line) = line_at(text, at);
    let indent = line.len().saturating_sub(line.trim_start_matches(' ').len());
    let key = line.trim_start_matches(' ').split(':').next().filter(|key| is_word(key))?;
    let above = text.get(..start)?.lines().rev().find(|line| {
        let inner = line.trim_start_matches([' ', '-']);
        !inner.is_empty() && !inner.starts_with('#')
    })?;
    let depth = above.len().saturating_sub(above.trim_start_matches([' ', '-']).len());
    (depth > indent).then(|| (start.saturating_add(indent), key, depth))
}

/// The backslash in a text in double quotes that begins no escape of YAML, from the octet on.
fn wrong_escape(text: &str, at: usize) -> Option<(usize, usize)> {
    let rest = text.get(at..)?;
    let mut escaped = false;
    for (offset, c) in rest.char_indices() {
        if escaped && !"0abt\tnvfre \"/\\N_LPxuU\n".contains(c) {
            let length = 1_usize.saturating_add(c.len_utf8());
            return Some((at.saturating_add(offset).saturating_sub(1), length));
        }
        escaped = c == '\\' && !escaped;
    }
    None
}

/// The value of a line that begins with a text in double quotes and goes on after it, as an expression may: in single
/// quotes it would be whole.
fn begins_with_quoted(text: &str, at: usize) -> Option<&str> {
    let line = line_at(text, at).1;
    let value = line.split_once(": ")?.1.trim();
    let (_, behind) = value.strip_prefix('"')?.split_once('"')?;
    let goes_on = behind.trim_start().starts_with(['=', '!', '<', '>', '+', '.']) || behind.starts_with(" in ");
    (goes_on && !value.contains(['\'', '\\'])).then_some(value)
}

/// A line that is neither a `key: value` nor belongs to one.
fn no_key(text: &str, at: usize, span: Option<(usize, usize)>) -> Told {
    let (start, line) = line_at(text, at);
    let inner = line.trim_start_matches(['\u{feff}', ' ', '-']);
    let word = inner.split([':', ' ']).next().unwrap_or_default();
    let offset = start.saturating_add(line.len().saturating_sub(inner.len()));
    if is_word(word) && inner.get(word.len()..).is_some_and(|rest| rest.starts_with(':')) {
        return Told {
            message: format!("a blank is missing after `{word}:`"),
            help: Some(format!(
                "write `{word}: {}`",
                printable(inner.get(word.len().saturating_add(1)..).unwrap_or_default().trim())
            )),
            span: Some((offset, word.len().saturating_add(1))),
        };
    }
    if inner.is_empty() {
        return Told { message: "there is no key here".to_owned(), help: Some("write `key: value`".to_owned()), span };
    }
    let rest = inner.get(word.len()..).unwrap_or_default().trim();
    let parted = is_word(word) && word.starts_with(|c: char| c.is_ascii_lowercase()) && is_word(rest);
    let key = if parted { format!("write `{word}: {rest}`; ") } else { String::new() };
    let help = "a text that goes on in the next line is indented deeper than its key, or put into quotes";
    Told {
        message: "this line has no `key: value`".to_owned(),
        help: Some(format!("{key}{help}")),
        span: Some((offset, inner.trim_end().len())),
    }
}

/// The line above that of an octet, where it is indented alike, is the first of its mapping and has no colon after a key.
fn unparted_above(text: &str, at: usize) -> Option<usize> {
    let depth = |line: &str| line.len().saturating_sub(line.trim_start_matches(' ').len());
    let (start, line) = line_at(text, at);
    let (above, before) = line_at(text, start.checked_sub(1)?);
    let inner = before.trim();
    let parted = inner.ends_with(':') || inner.contains(": ") || inner.is_empty() || inner.starts_with(['#', '-']);
    (depth(line) == depth(before) && !parted).then_some(above)
}

/// The bracket that is open where its line endings, in the nearest line above whose brackets do not match.
fn left_open(text: &str, at: usize) -> Option<usize> {
    let (mut start, mut line) = line_at(text, at);
    for _ in 0..20 {
        let mut open: Vec<usize> = Vec::new();
        let mut quote = None;
        for (offset, c) in line.char_indices() {
            match (quote, c) {
                (Some(quoted), c) if quoted == c => quote = None,
                (Some(_), _) => {}
                (None, '"' | '\'') => quote = Some(c),
                (None, '#') if line.get(..offset).is_some_and(|before| before.ends_with(' ')) => break,
                (None, '{' | '[') => open.push(start.saturating_add(offset)),
                (None, '}' | ']') => {
                    open.pop();
                }
                _ => {}
            }
        }
        if let Some(first) = open.first().filter(|open| **open < at) {
            return Some(*first);
        }
        let above = start.checked_sub(1)?;
        (start, line) = line_at(text, above);
    }
    None
}

/// Whether a `key:` begins at the octet.
fn key_at(text: &str, at: usize) -> bool {
    let line = text.get(at..).unwrap_or_default().split('\n').next().unwrap_or_default().trim_end();
    line.split_once(':').is_some_and(|(key, rest)| is_word(key) && (rest.is_empty() || rest.starts_with(' ')))
}

/// The first key of the line that an octet lies in, where the octet is its colon.
fn key_of(text: &str, at: usize) -> Option<(usize, &str)> {
    let (start, line) = line_at(text, at);
    let before = line.get(..at.checked_sub(start)?)?;
    let key = before.trim_start_matches([' ', '-']);
    is_word(key).then(|| (start.saturating_add(before.len().saturating_sub(key.len())), key))
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'-' | b'.'))
}

/// The first tab that indents the line of an octet, or the line below it, where readers notice it late.
fn indenting_tab(text: &str, at: usize) -> Option<usize> {
    let (start, line) = line_at(text, at);
    let next = start.saturating_add(line.len()).saturating_add(1);
    [(start, line), line_at(text, next.min(text.len()))].into_iter().find_map(|(start, line)| {
        let indent = line.len().saturating_sub(line.trim_start().len());
        line.get(..indent)?.find('\t').map(|tab| start.saturating_add(tab))
    })
}

/// Whether a text holds blank lines and comments only.
fn is_blank(text: &str) -> bool {
    let text = text.trim_start_matches('\u{feff}');
    text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'))
}

/// The reader's names of types in the words that are used everywhere else.
fn type_name(kind: &str) -> String {
    let kind = match kind {
        "a string" | "string" => "a string",
        "a boolean" | "boolean" => "a boolean",
        "a sequence" | "sequence" => "a list",
        "a map" | "map" => "a mapping",
        other if other.starts_with(['i', 'u']) && other.ends_with(|c: char| c.is_ascii_digit()) => "an integer",
        other if other.starts_with('f') && other.ends_with(|c: char| c.is_ascii_digit()) => "a number",
        other => other,
    };
    kind.to_owned()
}

/// The word that a span covers.
fn at_value(text: &str, span: Option<(usize, usize)>) -> &str {
    span.and_then(|(offset, length)| text.get(offset..offset.saturating_add(length))).unwrap_or_default()
}

/// What a value is not; of a number that is too large or negative, between which it must lie.
fn not_a(kind: &str, value: &str) -> String {
    let digits = value.strip_prefix(['-', '+']).unwrap_or(value);
    let most = match kind {
        "u8" => u64::from(u8::MAX),
        "u16" => u64::from(u16::MAX),
        "u32" => u64::from(u32::MAX),
        "u64" => u64::MAX,
        _ => return format!("this is not {}", type_name(kind)),
    };
    if !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit()) {
        format!("this is not a number from 0 to {most}")
    } else {
        format!("this is not {}", type_name(kind))
    }
}

/// The word of rule files for what others call so.
pub fn likely(word: &str) -> Option<&'static str> {
    Some(match word.to_ascii_lowercase().as_str() {
        "warn" | "medium" | "moderate" => "warning",
        "info" | "information" | "informational" | "notice" | "hint" | "low" | "minor" => "note",
        "blocker" | "critical" | "crit" | "err" | "fatal" | "high" | "major" | "severe" => "error",
        "condition" | "expr" | "expression" | "check" | "must" => "assert",
        "description" | "name" | "summary" => "title",
        "level" | "priority" => "severity",
        "msg" | "text" => "message",
        "min" | "minimum" | "from" | "least" => "at_least",
        "max" | "maximum" | "to" | "most" => "at_most",
        "failing" | "invalid" | "bad" => "fail",
        "passing" | "valid" | "good" | "ok" => "pass",
        "foreach" | "forEach" | "loop" | "each" => "for_each",
        "path" | "location" => "at",
        "cases" => "tests",
        "references" | "refs" | "cite" | "source" => "cites",
        "if" | "where" => "when",
        "fix_hint" | "hint_text" | "remediation" => "help",
        "parameters" | "vars" | "variables" => "params",
        "depends_on" | "depends" | "needs" | "require" => "requires",
        _ => return None,
    })
}

fn unknown(what: &str, word: &str, expected: &[&'static str], span: Option<(usize, usize)>) -> Told {
    let word = printable(word);
    if let Some(key) = expected.iter().find(|key| word.strip_prefix(**key).is_some_and(|rest| rest.starts_with(' '))) {
        let rest = word.strip_prefix(*key).unwrap_or_default().trim();
        if what == "value" {
            let message = format!("a `,` is missing after `{key}`");
            return Told { message, help: Some(format!("write `{key}, {rest}`")), span };
        }
        return Told {
            message: format!("a `:` is missing after `{key}`"),
            help: Some(format!("write `{key}: …`")),
            span,
        };
    }
    if what == "value" && ["off", "ignore", "none", "disabled"].contains(&word.as_str()) && expected.contains(&"note") {
        let help = "a rule is switched off in a configuration: `rules: { ID: off }`";
        return Told { message: format!("unknown {what} `{word}`"), help: Some(help.to_owned()), span };
    }
    let meant = likely(&word).filter(|meant| expected.contains(meant));
    let help = match meant.or_else(|| nearest(&word, expected.iter().copied())) {
        Some(near) => format!("did you mean `{near}`?"),
        None if expected.is_empty() => "nothing is allowed here".to_owned(),
        None => format!("available: {}", expected.join(", ")),
    };
    Told { message: format!("unknown {what} `{word}`"), help: Some(help), span }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde::Deserialize;

    use crate::source_text::from_yaml;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "only its shape is read")]
    struct Shape {
        name: String,
        #[serde(default)]
        on: bool,
        #[serde(default)]
        list: Vec<String>,
    }

    #[test]
    fn mistakes_are_told_in_plain_words_at_their_place() {
        for (text, line, underlined, message, help) in [
            ("name: a\n\ton: true\n", 2, "\t", "a tab indents", "blanks"),
            ("list:\n\t- a\n", 2, "\t", "a tab indents", "blanks"),
            ("name: a\n  on: true\n", 2, "on", "indented deeper", "indent"),
            ("name: a: b\n", 1, ":", "a second `:`", "quotes"),
            ("name: \"a\non: true\n", 1, "\"", "never closed", "close it"),
            ("list: [a\n", 1, "[", "bracket is never closed", "close it"),
            ("name: 'it's'\n", 1, "s", "ended before this", "twice"),
            ("name: [a]\n", 1, "[", "this is a list, where a string belongs", "quotes"),
            ("name: {a} b\n", 1, "{", "this is a mapping, where a string belongs", "quotes"),
            ("name: a\nlist: b\n", 2, "b", "this is a single value, where a list belongs", "[ … ]"),
            ("name: a\nlist:\n  b: c\n", 3, "b", "this is a key, where a list belongs", "- "),
            ("name:\n", 1, ":", "a text is missing here", "after the"),
            ("name: *a\n", 1, "*", "anchored", "quotes"),
            ("name: a\non: maybe\n", 2, "maybe", "neither `true` nor `false`", "write"),
            ("- a\n", 1, "-", "this is a list, where a mapping belongs", "key: value"),
            ("name: a\n---\nname: b\n", 3, "n", "second document", "one document"),
            ("# only this\n", 1, "", "there is nothing here", ""),
            ("name: @a\n", 1, "@", "cannot begin", "quotes"),
        ] {
            let error = from_yaml::<Shape>("a.yaml", text).unwrap_err();
            let at = error.at.unwrap();
            let found = text.get(at.offset()..at.offset() + at.len()).unwrap_or_default();
            let found_line = text.get(..at.offset()).unwrap_or_default().matches('\n').count() + 1;
            assert!(error.message.contains(message), "{text:?}: {}", error.message);
            assert!(error.help.clone().unwrap_or_default().contains(help), "{text:?}: {:?}", error.help);
            if !underlined.is_empty() {
                assert_eq!((found_line, found), (line, underlined), "{text:?}: {}", error.message);
            }
        }
    }
}
