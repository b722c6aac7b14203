//! Two ways to take a record apart into fields: at its separators, and as a DKIM header field. Called by
//! `senders::record`.

use super::blanks::Blanks;
use super::dialect::{AroundDelimiter, BlankPart, Case, Delimiters, RecordDialect};
use super::verdict::{Stop, known};

/// The fields of a text that is split at the separators.
pub fn fields(dialect: &RecordDialect, text: &str) -> Result<Vec<(String, String)>, Stop> {
    let text = known(&dialect.trims_text, "what it trims from the record")?.trim(text);
    let unquoted = match text.contains('"') && known(&dialect.removes_quotes, "what it does with `\"`")? {
        true => text.replace('"', ""),
        false => text.to_owned(),
    };
    let separators = known(&dialect.separators, "where it splits the record")?;
    let trims = known(&dialect.trims_fields, "what it trims from fields")?;
    let raw: Vec<&str> = unquoted.split(|c| separators.contains(c)).collect();
    let mut fields = Vec::new();
    for (index, part) in raw.iter().enumerate() {
        let is_last = index.saturating_add(1) == raw.len();
        let field = match is_last && dialect.keeps_end == Some(true) {
            // Where the end is kept, so is white space at the start of the text.
            true => trims.trim_start(part),
            false if index == 0 && dialect.keeps_end == Some(true) => trims.trim_end(part),
            false => trims.trim(part),
        };
        if field.is_empty() {
            blank(known(&dialect.blank_field, "what it does with an empty field")?, part, is_last)?;
            continue;
        }
        fields.extend(split_at_equals(dialect, field)?);
    }
    Ok(fields)
}

/// What an empty field does.
fn blank(part: BlankPart, raw: &str, is_last: bool) -> Result<(), Stop> {
    match part {
        BlankPart::Skipped => Ok(()),
        BlankPart::SkippedIfEmpty if raw.is_empty() => Ok(()),
        BlankPart::LastOnly if is_last => Ok(()),
        BlankPart::SkippedIfEmpty => Err(Stop::no("after the last `;` there is white space")),
        BlankPart::LastOnly | BlankPart::Refused => Err(Stop::no("there is an empty field between two `;`")),
    }
}

/// A field split at `=`; `None` where it is left out.
fn split_at_equals(dialect: &RecordDialect, field: &str) -> Result<Option<(String, String)>, Stop> {
    let (name, value) = match field.split_once('=') {
        None => {
            return match known(&dialect.no_equals, "what it does with a field without `=`")? {
                Delimiters::First => Ok(Some((field.to_owned(), String::new()))),
                Delimiters::Ignored => Ok(None),
                Delimiters::Refused => Err(Stop::no(format!("the field `{field}` has no `=`"))),
            };
        }
        Some((_, value)) if value.contains('=') => {
            match known(&dialect.several_equals, "what it does with a field with two `=`")? {
                Delimiters::First => {}
                Delimiters::Ignored => return Ok(None),
                Delimiters::Refused => return Err(Stop::no(format!("the field `{field}` has several `=`"))),
            }
            field.split_once('=').unwrap_or_default()
        }
        Some(pair) => pair,
    };
    around_equals(dialect, name, value).map(Some)
}

fn around_equals(dialect: &RecordDialect, name: &str, value: &str) -> Result<(String, String), Stop> {
    let trims = known(&dialect.trims_fields, "what it trims from fields")?;
    let blank = |c: char| c == ' ' || c == '\t';
    let name_of = |name: &str| match dialect.names {
        Some(Case::Any) => name.to_lowercase(),
        _ => name.to_owned(),
    };
    let spaced =
        name != trims.trim(name) || value != trims.trim(value) || name.contains(blank) || value.contains(blank);
    if !spaced {
        return Ok((name_of(name), value.to_owned()));
    }
    match known(&dialect.around_equals, "what it does with white space around `=`")? {
        AroundDelimiter::Kept => Ok((name_of(name), value.to_owned())),
        AroundDelimiter::Trimmed => Ok((name_of(trims.trim(name)), trims.trim(value).to_owned())),
        AroundDelimiter::Refused => Err(Stop::no("there is white space inside a field")),
    }
}

/// What a field of a header is made of so far.
#[derive(Clone, Copy, Eq, PartialEq)]
enum State {
    Comment,
    Name,
    Quoted(char),
    Value,
}

/// The fields of a text that is read as a DKIM header field: up to the first `:` it is the header's name.
pub fn header(text: &str) -> Vec<(String, String)> {
    let text = Blanks::Ecmascript.trim(text);
    let line = text.split_once(':').map_or(text, |(_, rest)| Blanks::Ecmascript.trim(rest));
    let mut parts: Vec<(String, String)> = vec![Default::default()];
    let (mut state, mut before, mut escaped) = (State::Name, State::Name, false);
    for c in line.chars() {
        let Some(part) = parts.last_mut() else { break };
        match state {
            State::Comment => match c {
                '\\' => escaped = true,
                ')' => state = before,
                _ => {}
            },
            State::Quoted(quote) => match c {
                '\\' => escaped = true,
                c => {
                    push(part, before, c);
                    state = if c == quote { before } else { state };
                }
            },
            State::Name if c == '=' => state = State::Value,
            State::Name | State::Value => {
                // Once a backslash was there, every later character counts twice.
                if escaped {
                    push(part, state, c);
                }
                match c {
                    ';' => {
                        parts.push(Default::default());
                        state = State::Name;
                    }
                    '\\' => escaped = true,
                    '(' => (before, state) = (state, State::Comment),
                    '"' | '\'' => {
                        push(part, state, c);
                        (before, state) = (state, State::Quoted(c));
                    }
                    c => push(part, state, c),
                }
            }
        }
    }
    let tidy = |text: &str| Blanks::Ecmascript.trim(text).split_whitespace().collect::<Vec<_>>().join(" ");
    let parts = parts.iter().map(|(name, value)| (tidy(name).to_lowercase(), tidy(value)));
    parts.filter(|(name, _)| !name.is_empty()).collect()
}

fn push(part: &mut (String, String), state: State, c: char) {
    match state {
        State::Value => part.1.push(c),
        _ => part.0.push(c),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_has_comments_quotes_and_a_name() {
        let of =
            |text: &str| header(text).into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>();
        assert_eq!(of("v=STSv1; ID = a (b;c) d;;x"), ["v=STSv1", "id=a d", "x="]);
        assert_eq!(of("v=STSv1; id=\"1;2\""), ["v=STSv1", "id=\"1;2\""]);
        assert_eq!(of("v=STSv1; url=https://x"), ["//x="]);
    }
}
