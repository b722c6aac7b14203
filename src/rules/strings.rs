//! The functions of CEL's own extension for strings, as it defines them: positions are counted in characters from 0.

use std::sync::Arc;

use cel::extractors::{Arguments, This};
use cel::{ExecutionError, Value};

use super::function::{Body, Cost, Function};
use super::meter::Meter;
use crate::facts::{Form, Texts, Type};

/// Their rows in the table of functions.
pub fn functions() -> Vec<Function> {
    let text = || Type::Text(Texts::Any);
    let method = |name, arguments: Vec<Type>, result, usage, about, body| Function {
        name,
        method: true,
        arguments,
        result,
        usage,
        about,
        cost: Cost::FirstArgument,
        body,
    };
    vec![
        method(
            "charAt",
            vec![text(), Type::Int],
            text(),
            "text.charAt(index)",
            "the character at the index; nothing at the end of the text, an error beyond it",
            Body::Ours(|context, name, _| {
                let _ = context.add_function(name, |This(text): This<Arc<String>>, index: i64| char_at(&text, index));
            }),
        ),
        method(
            "indexOf",
            vec![text(), text()],
            Type::Int,
            "text.indexOf(part)",
            "where the part first begins; -1 where it is not in the text",
            Body::Ours(|context, name, _| {
                let _ = context.add_function(name, |This(text): This<Arc<String>>, Arguments(rest): Arguments| {
                    place_of("indexOf", &text, &rest, index_of)
                });
            }),
        ),
        method(
            "indexOf",
            vec![text(), text(), Type::Int],
            Type::Int,
            "text.indexOf(part, start)",
            "the same from the index on",
            Body::Above,
        ),
        method(
            "lastIndexOf",
            vec![text(), text()],
            Type::Int,
            "text.lastIndexOf(part)",
            "where the part last begins; -1 where it is not in the text",
            Body::Ours(|context, name, _| {
                let _ = context.add_function(name, |This(text): This<Arc<String>>, Arguments(rest): Arguments| {
                    place_of("lastIndexOf", &text, &rest, last_index_of)
                });
            }),
        ),
        method(
            "lastIndexOf",
            vec![text(), text(), Type::Int],
            Type::Int,
            "text.lastIndexOf(part, start)",
            "the same among those that begin at the index or before",
            Body::Above,
        ),
        method(
            "lowerAscii",
            vec![text()],
            Type::Text(Texts::Written(Form::Lower, Vec::new())),
            "text.lowerAscii()",
            "the text with A to Z in lower case, as `lower(text)`",
            Body::Ours(|context, name, _| {
                let _ = context.add_function(name, |This(text): This<Arc<String>>| text.to_ascii_lowercase());
            }),
        ),
        method(
            "trim",
            vec![text()],
            text(),
            "text.trim()",
            "the text without white space at its ends",
            Body::Ours(|context, name, _| {
                let _ = context.add_function(name, |This(text): This<Arc<String>>| text.trim().to_owned());
            }),
        ),
        method(
            "upperAscii",
            vec![text()],
            text(),
            "text.upperAscii()",
            "the text with a to z in upper case",
            Body::Ours(|context, name, _| {
                let _ = context.add_function(name, |This(text): This<Arc<String>>| text.to_ascii_uppercase());
            }),
        ),
    ]
}

/// `replace` with and without a limit: a negative one is none. The static check has counted the arguments.
pub fn replace(meter: &Meter, text: &str, rest: &[Value]) -> Result<Value, ExecutionError> {
    let (part, other, limit) = match rest {
        [Value::String(part), Value::String(other)] => (part, other, usize::MAX),
        [Value::String(part), Value::String(other), Value::Int(limit)] => {
            (part, other, usize::try_from(*limit).unwrap_or(usize::MAX))
        }
        _ => return Err(ExecutionError::function_error("replace", "it takes two texts, and a limit")),
    };
    let found = text.matches(part.as_str()).count().min(limit);
    meter.spend_on_text(text.len().saturating_add(found.saturating_mul(other.len())))?;
    Ok(Value::from(text.replacen(part.as_str(), other, found)))
}

fn char_at(text: &str, index: i64) -> Result<Value, ExecutionError> {
    let outside = || ExecutionError::function_error("charAt", format!("the text has no character {index}"));
    let index = usize::try_from(index).map_err(|_| outside())?;
    match text.chars().nth(index) {
        Some(c) => Ok(Value::from(c.to_string())),
        None if text.chars().count() == index => Ok(Value::from(String::new())),
        None => Err(outside()),
    }
}

/// Looks for a part among the characters of a text, from an index on where one is given.
type Find = fn(&[char], &[char], Option<usize>) -> Option<usize>;

fn place_of(name: &'static str, text: &str, rest: &[Value], find: Find) -> Result<Value, ExecutionError> {
    let (part, start) = match rest {
        [Value::String(part)] => (part, None),
        [Value::String(part), Value::Int(start)] => (part, Some(*start)),
        _ => return Err(ExecutionError::function_error(name, "it takes a text, and an index")),
    };
    let outside = |start: i64| ExecutionError::function_error(name, format!("there is no character {start}"));
    let start = start.map(|start| usize::try_from(start).map_err(|_| outside(start))).transpose()?;
    let (text, part): (Vec<char>, Vec<char>) = (text.chars().collect(), part.chars().collect());
    let place = match start {
        Some(start) if !part.is_empty() && start >= text.len() => None,
        start => find(&text, &part, start),
    };
    Ok(Value::Int(place.and_then(|place| i64::try_from(place).ok()).unwrap_or(-1)))
}

fn index_of(text: &[char], part: &[char], start: Option<usize>) -> Option<usize> {
    let start = start.unwrap_or_default();
    if part.is_empty() {
        return Some(start);
    }
    text.windows(part.len()).skip(start).position(|window| window == part).map(|place| place.saturating_add(start))
}

fn last_index_of(text: &[char], part: &[char], start: Option<usize>) -> Option<usize> {
    let start = start.unwrap_or(text.len());
    if part.is_empty() {
        return Some(start);
    }
    let windows = text.windows(part.len()).take(start.saturating_add(1));
    windows.enumerate().rfind(|(_, window)| *window == part).map(|(place, _)| place)
}

#[cfg(test)]
mod tests {
    use cel::Context;

    use super::*;
    use crate::rules::expr::{Expr, environment};

    fn value(source: &str) -> Result<Value, ExecutionError> {
        let mut context = Context::with_env(environment().clone());
        crate::rules::functions::add_to(&mut context, &Arc::default());
        Expr::new(source).compiled().unwrap().execute(&context)
    }

    /// The examples of the extension's own documentation are among these.
    #[test]
    fn every_function_answers_as_the_extension_defines() {
        for source in [
            "'hello'.charAt(4) == 'o' && 'hello'.charAt(5) == '' && 'aé'.charAt(1) == 'é'",
            "'hello mellow'.indexOf('') == 0 && 'hello mellow'.indexOf('ello') == 1",
            "'hello mellow'.indexOf('jello') == -1 && 'hello mellow'.indexOf('', 2) == 2",
            "'hello mellow'.indexOf('ello', 2) == 7 && 'hello mellow'.indexOf('ello', 20) == -1",
            "'hello mellow'.lastIndexOf('') == 12 && 'hello mellow'.lastIndexOf('ello') == 7",
            "'hello mellow'.lastIndexOf('jello') == -1 && 'hello mellow'.lastIndexOf('ello', 6) == 1",
            "'éa'.indexOf('a') == 1 && 'éaéa'.lastIndexOf('éa') == 2 && ''.indexOf('a') == -1",
            "['hello', 'mellow'].join() == 'hellomellow' && ['hello', 'mellow'].join(' ') == 'hello mellow'",
            "[].join() == '' && [].join('/') == '' && join(['a', 'b'], ', ') == 'a, b'",
            "'TacoCat'.lowerAscii() == 'tacocat' && 'TacoCÆt Xii'.lowerAscii() == 'tacocÆt xii'",
            "'TacoCat'.upperAscii() == 'TACOCAT' && 'TacoCÆt Xii'.upperAscii() == 'TACOCÆT XII'",
            "'  \\ttrim\\n    '.trim() == 'trim'",
            "'hello hello'.replace('he', 'we') == 'wello wello' && 'hello hello'.replace('he', 'we', -1) == 'wello wello'",
            "'hello hello'.replace('he', 'we', 1) == 'wello hello' && 'hello hello'.replace('he', 'we', 0) == 'hello hello'",
            "'hello hello'.replace('', '_', 2) == '_h_ello hello'",
        ] {
            assert_eq!(value(source), Ok(Value::Bool(true)), "{source}");
        }
        for source in ["'a'.charAt(2)", "'a'.charAt(-1)", "'a'.indexOf('a', -1)", "'a'.lastIndexOf('a', -1)"] {
            assert!(value(source).is_err(), "{source}");
        }
    }
}
