//! What people write in expressions out of habit from other languages, and what CEL needs instead.
//!
//! Asked only of texts that are no CEL: a parser says what it expected, and this what was meant.

use super::expr_error::ExprError;
use crate::source_text::lookalikes;

/// Operators of other languages, what they are here, longest first.
const OPERATORS: [(&str, &str); 8] = [
    ("===", "to compare, write `==`"),
    ("!==", "to compare, write `!=`"),
    ("=>", "write `>=` to compare; in `list.all(x, …)` a comma follows the name"),
    ("=<", "write `<=`"),
    ("=~", "write `text.matches(\"…\")`"),
    ("<>", "write `!=`"),
    ("->", "in `list.all(x, …)` a comma follows the name"),
    ("**", "there is no power: write the number"),
];
/// Two characters that CEL has.
const PAIRS: [&str; 6] = ["==", "!=", "<=", ">=", "&&", "||"];
/// Single characters that CEL has not.
const SINGLE: [(char, &str); 3] = [
    ('=', "to compare, write `==`"),
    ('&', "write `&&`"),
    ('|', "to combine conditions write `||`; there are no filters: a function is written `lower(text)`"),
];
/// Words of other languages.
const WORDS: [(&str, &str); 11] = [
    ("AND", "write `&&`"),
    ("NOT", "write `!`, as in `!policy.usable`"),
    ("OR", "write `||`"),
    ("and", "write `&&`"),
    ("else", "write `condition ? one : other`"),
    ("if", "write `condition ? one : other`; where a rule applies its `when` says"),
    ("is", "write `==` or `!=`"),
    ("like", "write `text.matches(\"…\")` or `text.contains(\"…\")`"),
    ("not", "write `!`, as in `!policy.usable`"),
    ("or", "write `||`"),
    ("then", "write `condition ? one : other`"),
];
/// Methods that other languages write between their operands.
const METHODS: [&str; 4] = ["contains", "endsWith", "matches", "startsWith"];

/// The first thing in a text, which is no CEL, that was meant otherwise.
pub fn slip(source: &str) -> Option<ExprError> {
    let mut open: Vec<(char, usize)> = Vec::new();
    let mut offset = 0;
    while let Some(rest) = source.get(offset..).filter(|rest| !rest.is_empty()) {
        let c = rest.chars().next()?;
        let length = match c {
            '"' | '\'' => match quoted(rest, c) {
                Some(length) => match wrong_escape(source, offset, length) {
                    Some(wrong) => return Some(wrong),
                    None => length,
                },
                None => return Some(mistake(offset, 1, "this quote is never closed", "close it with the same quote")),
            },
            '\u{201c}'..='\u{201f}' | '\u{2018}'..='\u{201b}' => {
                let help = "typographic quotes come in by copy and paste: write straight ones, \"enforce\"";
                return Some(mistake(
                    offset,
                    c.len_utf8(),
                    "this quotation mark is not allowed in an expression",
                    help,
                ));
            }
            c if !c.is_ascii() && lookalikes::told(c).is_some() => {
                let (message, help) = lookalikes::told(c)?;
                return Some(mistake(offset, c.len_utf8(), &message, &help));
            }
            '/' if regex_between_slashes(source, offset) => {
                let help = "write it as a text: `text.matches(\"^v=\")`";
                return Some(mistake(offset, 1, "a regular expression is not written between slashes", help));
            }
            '[' if rest.starts_with("[]") && is_named(source, offset) => {
                let help =
                    "name the list, and go through it: `mx.hosts.all(host, host.…)`, or `for_each: { host: mx.hosts }`";
                return Some(mistake(offset, 2, "`[]` is not written in an expression", help));
            }
            '(' | '[' | '{' => {
                open.push((c, offset));
                1
            }
            ')' | ']' | '}' => {
                let partner = open.pop().map(|(c, _)| c);
                if partner != Some(opening(c)) {
                    return Some(mistake(
                        offset,
                        1,
                        &format!("this `{c}` closes nothing"),
                        "remove it, or open it before",
                    ));
                }
                1
            }
            c if c.is_alphanumeric() || c == '_' => {
                let word = word_of(rest);
                let field = source.get(..offset).unwrap_or_default().trim_end().ends_with('.');
                if let Some(help) = wrong_number(word).filter(|_| !field) {
                    return Some(mistake(offset, word.len(), &format!("`{word}` is not a number"), &help));
                }
                let called = rest.get(word.len()..).is_some_and(|rest| rest.trim_start().starts_with('('));
                if METHODS.contains(&word) && !field && !called {
                    let help = format!("write `text.{word}(…)`");
                    return Some(mistake(offset, word.len(), &format!("`{word}` is not an operator"), &help));
                }
                if let Some((_, help)) = WORDS.iter().find(|(name, _)| *name == word && !field) {
                    return Some(mistake(offset, word.len(), &format!("`{word}` is not an operator"), help));
                }
                word.len()
            }
            c => match operator(rest, c) {
                Ok(length) => length,
                Err((sign, help)) => {
                    return Some(mistake(offset, sign.len(), &format!("`{sign}` is not an operator"), help));
                }
            },
        };
        offset = offset.saturating_add(length);
    }
    if open.is_empty()
        && let Some(at) = source.find('?').filter(|_| !source.contains([':', '"', '\'']))
    {
        let help = "write `condition ? one : other`; a condition alone needs no `?`";
        return Some(mistake(at, 1, "this `?` has no `:`", help));
    }
    let (bracket, at) = open.pop()?;
    Some(mistake(at, 1, &format!("this `{bracket}` is never closed"), "close it where it ends"))
}

/// Whether what is before an offset names something.
fn is_named(source: &str, offset: usize) -> bool {
    source
        .get(..offset)
        .is_some_and(|before| before.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | ')' | ']')))
}

/// What to write instead of a number with a unit, or with marks between its digits; `None` where it is another word.
fn wrong_number(word: &str) -> Option<String> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit());
    let others = word.trim_start_matches(|c: char| c.is_ascii_digit());
    let exponent = others.strip_prefix(['e', 'E']).is_some_and(|rest| rest.is_empty() || digits(rest));
    if others.is_empty() || others.len() == word.len() || word.starts_with("0x") || others == "u" || exponent {
        return None;
    }
    let plain = word.replace('_', "");
    if digits(&plain) {
        return Some(format!("write the digits together: {plain}"));
    }
    Some(match crate::grammar::policy::max_age_meant(word) {
        Some(seconds) => format!("times are numbers of seconds: {seconds}"),
        None => "a number is written without a unit".to_owned(),
    })
}

/// How many octets the sign at the start takes, or which operator of another language it is.
fn operator(rest: &str, c: char) -> Result<usize, (String, &'static str)> {
    if let Some((sign, help)) = OPERATORS.iter().find(|(sign, _)| rest.starts_with(sign)) {
        return Err(((*sign).to_owned(), help));
    }
    if PAIRS.iter().any(|pair| rest.starts_with(pair)) {
        return Ok(2);
    }
    match SINGLE.iter().find(|(sign, _)| *sign == c) {
        Some((sign, help)) => Err((sign.to_string(), help)),
        None => Ok(c.len_utf8()),
    }
}

fn mistake(offset: usize, length: usize, message: &str, help: &str) -> ExprError {
    ExprError { message: message.to_owned(), offset, length, help: Some(help.to_owned()) }
}

/// A backslash in a quoted text, before a character that CEL knows no escape for, as in regular expressions.
fn wrong_escape(source: &str, offset: usize, length: usize) -> Option<ExprError> {
    let before = source.get(..offset)?;
    let name = before.len().saturating_sub(before.trim_end_matches(|c: char| c.is_alphanumeric() || c == '_').len());
    if name == 1 && before.ends_with(['r', 'R']) {
        return None;
    }
    let text = source.get(offset..offset.saturating_add(length))?;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            c if escaped => {
                if !matches!(
                    c,
                    'a' | 'b'
                        | 'f'
                        | 'n'
                        | 'r'
                        | 't'
                        | 'v'
                        | '\\'
                        | '?'
                        | '"'
                        | '\''
                        | '`'
                        | 'x'
                        | 'X'
                        | 'u'
                        | 'U'
                        | '0'..='3'
                ) {
                    let message = format!("`\\{c}` is not an escape of a quoted text");
                    let help = format!("write an `r` before the quote, which keeps backslashes: `r{text}`");
                    return Some(mistake(
                        offset.saturating_add(at).saturating_sub(1),
                        1_usize.saturating_add(c.len_utf8()),
                        &message,
                        &help,
                    ));
                }
                escaped = false;
            }
            '\\' => escaped = true,
            _ => {}
        }
    }
    None
}

/// Whether a `/` begins where a value is expected, as a regular expression does elsewhere.
fn regex_between_slashes(source: &str, offset: usize) -> bool {
    source.get(..offset).is_some_and(|before| before.trim_end().ends_with(['(', ',']))
}

fn opening(closing: char) -> char {
    match closing {
        ')' => '(',
        ']' => '[',
        _ => '{',
    }
}

fn word_of(rest: &str) -> &str {
    rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default()
}

/// The octets of the quoted text at the start, quotes included; `None` where it is never closed.
fn quoted(rest: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (offset, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return Some(offset.saturating_add(1)),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_was_meant_is_told_at_its_place() {
        for (source, written, help) in [
            ("policy.mode = 'enforce'", "=", "`==`"),
            ("policy.mode === 'enforce'", "===", "`==`"),
            ("a and b", "and", "`&&`"),
            ("a or b", "or", "`||`"),
            ("not a", "not", "`!`"),
            ("a & b", "&", "`&&`"),
            ("list.all(x => x.y)", "=>", "comma"),
            ("'and' == \"x", "\"", "close it"),
            ("(a && b", "(", "close it"),
            ("a && b)", ")", "remove it"),
            ("[a)", ")", "remove it"),
            ("a <> b", "<>", "`!=`"),
            ("a > 1_209_600", "1_209_600", "1209600"),
            ("a > 14d", "14d", "1209600"),
            ("if a then b", "if", "? one : other"),
            ("a ? b", "?", "? one : other"),
            ("mx.hosts[].name == b", "[]", "for_each"),
            ("a contains 'b'", "contains", "text.contains"),
        ] {
            let slip = slip(source).unwrap();
            assert_eq!(source.get(slip.offset..slip.offset + slip.length), Some(written), "{source}: {slip:?}");
            assert!(slip.help.as_ref().is_some_and(|said| said.contains(help)), "{source}: {slip:?}");
        }
        for sound in [
            "a == b && c != 'x and y' || d >= 1",
            "record.and",
            "[1, 2].all(x, x > 1)",
            "a || ''",
            "a > 1e3 && b == 0x1f",
            "a.contains(b)",
            "a ? b : c",
            "x == []",
        ] {
            assert_eq!(slip(sound), None, "{sound}");
        }
    }
}
