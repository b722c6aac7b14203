//! Messages: text with expressions in braces.
//!
//! Whatever a peer sent is escaped and shortened on its way into a message, so that no message can move a
//! terminal's cursor or fill a screen.

use cel::{Context, Value};

use super::expr::Expr;
use super::meter;
use super::value_text::{shortened, text_of};

/// The longest message, in characters.
const MAX_MESSAGE: usize = 4_000;

/// A message with expressions in braces; `{{` and `}}` represent braces.
#[derive(Clone, Debug, Default)]
pub struct Template {
    /// Its parts in order.
    pub parts: Vec<Part>,
}

/// A part of a message.
#[derive(Clone, Debug)]
pub enum Part {
    /// An expression and the octet offset of its text in the template.
    Insert(Expr, usize),
    /// Plain text.
    Text(String),
}

/// A brace without its partner, at an octet offset.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct UnbalancedBrace(pub usize);

impl Template {
    /// Reads a template. The expressions are not compiled yet.
    pub fn parse(source: &str) -> Result<Self, UnbalancedBrace> {
        let mut parts = Vec::new();
        let mut text = String::new();
        let mut rest = source.char_indices().peekable();
        while let Some((offset, c)) = rest.next() {
            match c {
                '{' | '}' if rest.peek().is_some_and(|(_, next)| *next == c) => {
                    rest.next();
                    text.push(c);
                }
                '{' => {
                    let start = offset.saturating_add(1);
                    let length =
                        closing_brace(source.get(start..).unwrap_or_default()).ok_or(UnbalancedBrace(offset))?;
                    let end = start.saturating_add(length);
                    if !text.is_empty() {
                        parts.push(Part::Text(std::mem::take(&mut text)));
                    }
                    parts.push(Part::Insert(Expr::new(source.get(start..end).unwrap_or_default()), start));
                    while rest.peek().is_some_and(|(at, _)| *at <= end) {
                        rest.next();
                    }
                }
                '}' => return Err(UnbalancedBrace(offset)),
                _ => text.push(c),
            }
        }
        if !text.is_empty() {
            parts.push(Part::Text(text));
        }
        Ok(Template { parts })
    }

    /// The expressions with their octet offsets in the template.
    pub fn inserts(&self) -> impl Iterator<Item = (&Expr, usize)> {
        self.parts.iter().filter_map(|part| match part {
            Part::Insert(expr, offset) => Some((expr, *offset)),
            Part::Text(_) => None,
        })
    }

    /// The message; what was not observed reads `(not observed)`, and what took too long says so.
    pub fn render(&self, context: &Context<'_, '_>) -> String {
        let insert = |expr: &Expr| match expr.compiled().map(|compiled| compiled.execute(context)) {
            Ok(Ok(value)) => text_of(&value),
            Ok(Err(error)) if meter::is_exhaustion(&error) => "(too long to work out)".to_owned(),
            Ok(Err(_)) | Err(_) => "(not observed)".to_owned(),
        };
        let mut message = String::new();
        for part in &self.parts {
            match part {
                Part::Insert(expr, _) => message.push_str(&insert(expr)),
                Part::Text(text) => message.push_str(text),
            }
            // Four octets are the most of a character: beyond this nothing is shown.
            if message.len() > MAX_MESSAGE.saturating_mul(4) {
                break;
            }
        }
        shortened(&message, MAX_MESSAGE)
    }
}

impl Template {
    /// The text as it is meant to be in a file: nothing escaped, nothing shortened. `None` where a part of it
    /// is not known.
    pub fn replacement(&self, context: &Context<'_, '_>) -> Option<String> {
        let insert = |expr: &Expr| match expr.compiled().ok()?.execute(context).ok()? {
            Value::String(text) => Some(text.to_string()),
            Value::Null => None,
            value => Some(text_of(&value)),
        };
        let part = |part: &Part| match part {
            Part::Insert(expr, _) => insert(expr),
            Part::Text(text) => Some(text.clone()),
        };
        self.parts.iter().map(part).collect()
    }
}

/// Where the brace closes that was opened before `rest`, heeding quotes and inner braces.
fn closing_brace(rest: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut quote = None;
    let mut escaped = false;
    for (offset, c) in rest.char_indices() {
        match (quote, c) {
            _ if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '{') => depth = depth.saturating_add(1),
            (None, '}') if depth == 0 => return Some(offset),
            (None, '}') => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::expr::environment;
    use crate::rules::value_text::MAX_INSERT;

    fn render(source: &str) -> String {
        let mut context = Context::with_env(environment().clone());
        crate::rules::functions::add_to(&mut context, &std::sync::Arc::default());
        context.add_variable_from_value("name", "a\u{1b}[2Jb\n");
        Template::parse(source).unwrap().render(&context)
    }

    #[test]
    fn expressions_are_put_in_and_made_safe() {
        assert_eq!(render("x {1 + 2} {'}'} {{y}} {name}"), "x 3 } {y} a\\u{1b}[2Jb\\n");
        assert_eq!(render("{nope} and {[]} and {['a', 'b']}"), "(not observed) and none and a, b");
        assert_eq!(render("{name}{name}"), "a\\u{1b}[2Jb\\na\\u{1b}[2Jb\\n");
    }

    #[test]
    fn braces_without_partner_are_found() {
        assert_eq!(Template::parse("a {b").unwrap_err(), UnbalancedBrace(2));
        assert_eq!(Template::parse("a }b").unwrap_err(), UnbalancedBrace(2));
        assert_eq!(Template::parse("a {'}").unwrap_err(), UnbalancedBrace(2));
    }

    #[test]
    fn long_texts_are_cut() {
        assert_eq!(text_of(&Value::from("é".repeat(1000))).chars().count(), MAX_INSERT + 1);
    }
}
