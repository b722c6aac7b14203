//! Which fact an expression missed, and why it was not observed. Used by `evaluate` and `ask`.

use cel::Value;

use super::elements::member;
use super::expr::Compiled;
use super::reads::reads;
use crate::facts::{ELEMENT, Facts};

/// What a variable represents: its path among the facts, and its value where there is one.
pub type Start<'a> = dyn Fn(&str) -> (String, Option<Value>) + 'a;

/// Why the fact is missing that an expression asked for by its last word `key`: the first path of the expression that is
/// not there, and its reason. `inside` is the path that all of it is below.
pub fn missing(facts: &Facts, compiled: &Compiled, start: &Start<'_>, inside: &str, key: &str) -> String {
    for path in &compiled.paths {
        let Some((root, rest)) = path.split_first() else { continue };
        // What is no fact, such as a parameter of the rule, is never missing.
        let (mut at, Some(mut value)) = start(root) else { continue };
        for segment in rest {
            at = format!("{at}.{segment}");
            let Some(below) = member(&value, segment) else { return facts.reason_unobserved(&at) };
            value = below;
        }
    }
    // The expression may have gone through the elements of a list, with a variable of its own.
    let gone_through = reads(compiled.program.expression());
    let mut places = gone_through.iter().filter_map(|read| {
        let (root, rest) = read.path.split_first().filter(|_| read.path.iter().any(|segment| segment == key))?;
        let (at, value) = start(root);
        first_missing(&value?, at, rest)
    });
    match places.find(|at| at.rsplit('.').next() == Some(key)) {
        Some(at) => facts.reason_unobserved(&at),
        None => facts.reason_key_unobserved(inside, key),
    }
}

/// The first place on a path, through all elements of lists, at which there is nothing.
fn first_missing(value: &Value, at: String, rest: &[String]) -> Option<String> {
    let (segment, rest) = rest.split_first()?;
    if segment != ELEMENT {
        let at = format!("{at}.{segment}");
        return match member(value, segment) {
            Some(value) => first_missing(&value, at, rest),
            // What is known to be absent has nothing below it.
            None => matches!(value, Value::Map(_)).then_some(at),
        };
    }
    let Value::List(list) = value else { return None };
    list.iter().enumerate().find_map(|(index, item)| first_missing(item, format!("{at}[{index}]"), rest))
}
