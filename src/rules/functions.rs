//! The functions that expressions have besides CEL's own, with their types and meaning.
//!
//! A check that would need more Rust than this lacks a fact, or one function here.

use std::sync::{Arc, OnceLock};

use cel::extractors::{Arguments, This};
use cel::{Context, ExecutionError};

use super::function::{Body, Cost, Function};
use super::meter::{self, Meter};
use super::{strings, texts_and_lists};
use crate::facts::{Form, Texts, Type};
use crate::snapshot::{duration, instant};

/// Every function: CEL's own that make sense here, and those of the field.
pub fn functions() -> &'static [Function] {
    static FUNCTIONS: OnceLock<Vec<Function>> = OnceLock::new();
    FUNCTIONS.get_or_init(all)
}

fn all() -> Vec<Function> {
    let text = || Type::Text(Texts::Any);
    let written = |form| Type::Text(Texts::Written(form, Vec::new()));
    let list = || Type::List(Arc::new(Type::Any));
    let mut all = vec![
        Function {
            name: "contains",
            method: true,
            arguments: vec![text(), text()],
            result: Type::Bool,
            usage: "text.contains(part)",
            about: "whether the text holds the part",
            cost: Cost::FirstArgument,
            body: Body::OfCel,
        },
        Function {
            name: "crlf",
            method: false,
            arguments: vec![text()],
            result: text(),
            usage: "crlf(text)",
            about: "the text with every line ending (LF, CRLF, CR) as CRLF",
            cost: Cost::FirstArgument,
            body: Body::Ours(|context, name, _| {
                let _ = context.add_function(name, |text: Arc<String>| crlf(&text));
            }),
        },
        Function {
            name: "days",
            method: false,
            arguments: vec![text(), text()],
            result: Type::Int,
            usage: "days(from, until)",
            about: "the whole days between two RFC 3339 times",
            cost: Cost::FirstArgument,
            body: Body::Ours(|context, name, _| {
                let _ = context.add_function(name, |from: Arc<String>, until: Arc<String>| days(&from, &until));
            }),
        },
        Function {
            name: "double",
            method: false,
            arguments: vec![Type::Any],
            result: Type::Double,
            usage: "double(x)",
            about: "the number as a fraction",
            cost: Cost::Nothing,
            body: Body::OfCel,
        },
        Function {
            name: "duration",
            method: false,
            arguments: vec![Type::Int],
            result: text(),
            usage: "duration(seconds)",
            about: "the time in words: 90000 is \"1 day 1 hour\"",
            cost: Cost::Nothing,
            body: Body::Ours(|context, name, _| {
                let _ = context.add_function(name, duration);
            }),
        },
        Function {
            name: "endsWith",
            method: true,
            arguments: vec![text(), text()],
            result: Type::Bool,
            usage: "text.endsWith(suffix)",
            about: "whether the text ends in the suffix",
            cost: Cost::Nothing,
            body: Body::OfCel,
        },
        Function {
            name: "in_zone",
            method: false,
            arguments: vec![text(), text()],
            result: Type::Bool,
            usage: "in_zone(host, domain)",
            about: "whether the host is the domain or lies below it",
            cost: Cost::FirstArgument,
            body: Body::Ours(|context, name, _| {
                let _ = context.add_function(name, |host: Arc<String>, domain: Arc<String>| in_zone(&host, &domain));
            }),
        },
        Function {
            name: "int",
            method: false,
            arguments: vec![Type::Any],
            result: Type::Int,
            usage: "int(x)",
            about: "the number or the digits of a string as an integer",
            cost: Cost::Nothing,
            body: Body::OfCel,
        },
        Function {
            name: "join",
            method: false,
            arguments: vec![list(), text()],
            result: text(),
            usage: "join(list, separator)",
            about: "the elements as one string",
            cost: Cost::OwnBody,
            body: Body::Ours(|context, name, meter| {
                let meter = Arc::clone(meter);
                let _ = context.add_function(
                    name,
                    move |This(list): This<Arc<Vec<cel::Value>>>, Arguments(rest): Arguments| {
                        // As a function, the list is the first argument; as a method, there may be no separator.
                        let separator = match rest.last() {
                            Some(cel::Value::String(separator)) => separator.as_str(),
                            _ => "",
                        };
                        meter.spend_on_join(list.len(), separator.len())?;
                        Ok::<_, ExecutionError>(cel::Value::from(join(&list, separator)))
                    },
                );
            }),
        },
        Function {
            name: "join",
            method: true,
            arguments: vec![list()],
            result: text(),
            usage: "list.join()",
            about: "the elements as one text, with nothing between them",
            cost: Cost::OwnBody,
            body: Body::Above,
        },
        Function {
            name: "join",
            method: true,
            arguments: vec![list(), text()],
            result: text(),
            usage: "list.join(separator)",
            about: "the same as `join(list, separator)`",
            cost: Cost::OwnBody,
            body: Body::Above,
        },
        Function {
            name: "lower",
            method: false,
            arguments: vec![text()],
            result: written(Form::Lower),
            usage: "lower(text)",
            about: "the text with A to Z in lower case",
            cost: Cost::FirstArgument,
            body: Body::Ours(|context, name, _| {
                let _ = context.add_function(name, |text: Arc<String>| text.to_ascii_lowercase());
            }),
        },
        Function {
            name: "matches",
            method: true,
            arguments: vec![text(), text()],
            result: Type::Bool,
            usage: "text.matches(regex)",
            about: "whether the regular expression (RE2 style) is found in the text",
            cost: Cost::OwnBody,
            body: Body::Ours(|context, name, meter| {
                let meter = Arc::clone(meter);
                let _ = context.add_function(name, move |This(text): This<Arc<String>>, regex: Arc<String>| {
                    meter.is_match(&text, &regex)
                });
            }),
        },
        Function {
            name: "matches_mx",
            method: false,
            arguments: vec![text(), text()],
            result: Type::Bool,
            usage: "matches_mx(pattern, host)",
            about: "whether an `mx` pattern matches an MX host (RFC 8461 §4.1)",
            cost: Cost::FirstArgument,
            body: Body::Ours(|context, name, _| {
                let _ =
                    context.add_function(name, |pattern: Arc<String>, host: Arc<String>| matches_mx(&pattern, &host));
            }),
        },
        Function {
            name: "public_suffix",
            method: false,
            arguments: vec![text()],
            result: written(Form::Lower),
            usage: "public_suffix(name)",
            about: "the public suffix that a name ends in: \"co.uk\"",
            cost: Cost::FirstArgument,
            body: Body::Ours(|context, name, _| {
                let _ = context.add_function(name, |text: Arc<String>| public_suffix(&text));
            }),
        },
        Function {
            name: "registrable",
            method: false,
            arguments: vec![text()],
            result: written(Form::Lower),
            usage: "registrable(name)",
            about: "the name's registrable domain: \"example.co.uk\"; the name itself where it has none",
            cost: Cost::FirstArgument,
            body: Body::Ours(|context, name, _| {
                let _ = context.add_function(name, |text: Arc<String>| registrable(&text));
            }),
        },
        Function {
            name: "size",
            method: false,
            arguments: vec![Type::Any],
            result: Type::Int,
            usage: "size(x)",
            about: "how many elements a list or characters a text has",
            cost: Cost::FirstArgument,
            body: Body::OfCel,
        },
        Function {
            name: "size",
            method: true,
            arguments: vec![Type::Any],
            result: Type::Int,
            usage: "x.size()",
            about: "the same",
            cost: Cost::FirstArgument,
            body: Body::OfCel,
        },
        Function {
            name: "startsWith",
            method: true,
            arguments: vec![text(), text()],
            result: Type::Bool,
            usage: "text.startsWith(prefix)",
            about: "whether the text begins with the prefix",
            cost: Cost::Nothing,
            body: Body::OfCel,
        },
        Function {
            name: "string",
            method: false,
            arguments: vec![Type::Any],
            result: text(),
            usage: "string(x)",
            about: "the number or boolean as a string",
            cost: Cost::FirstArgument,
            body: Body::OfCel,
        },
    ];
    all.extend(texts_and_lists::table());
    all.extend(strings::functions());
    all.sort_by_key(|function| function.name);
    all
}

/// Adds the functions of the field to a context, and the meter of what expressions cost.
pub fn add_to(context: &mut Context<'_, '_>, meter: &Arc<Meter>) {
    meter::add_to(context, meter);
    for function in functions() {
        if let Body::Ours(add) = function.body {
            add(context, function.name, meter);
        }
    }
}

fn crlf(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n").replace('\n', "\r\n")
}

fn days(from: &str, until: &str) -> Result<i64, ExecutionError> {
    let time = |text: &str| {
        instant(text).ok_or_else(|| ExecutionError::function_error("days", format!("`{text}` is not an RFC 3339 time")))
    };
    Ok(time(until)?.as_second().saturating_sub(time(from)?.as_second()).div_euclid(86_400))
}

fn in_zone(host: &str, domain: &str) -> bool {
    let (host, domain) = (plain_name(host), plain_name(domain));
    host == domain || host.strip_suffix(&domain).is_some_and(|rest| rest.ends_with('.'))
}

fn join(list: &[cel::Value], separator: &str) -> String {
    list.iter().map(super::value_text::text_of).collect::<Vec<_>>().join(separator)
}

fn matches_mx(pattern: &str, host: &str) -> bool {
    crate::facts::matches_mx(pattern, host)
}

fn public_suffix(name: &str) -> String {
    psl::suffix_str(&plain_name(name)).unwrap_or_default().to_owned()
}

fn registrable(name: &str) -> String {
    let name = plain_name(name);
    psl::domain_str(&name).unwrap_or(&name).to_owned()
}

fn plain_name(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::expr::{Expr, environment};

    #[test]
    fn every_function_answers() {
        let mut context = Context::with_env(environment().clone());
        add_to(&mut context, &Arc::default());
        for source in [
            "days('2026-01-01T00:00:00Z', '2026-01-31T12:00:00Z') == 30",
            "duration(90000) == '1 day 1 hour' && duration(604800) == '1 week' && duration(864000) == '10 days'",
            "duration(0) == '0 seconds' && duration(61) == '1 minute 1 second' && duration(-60) == 'minus 1 minute'",
            "in_zone('mx.Example.com.', 'example.com') && !in_zone('badexample.com', 'example.com')",
            "join(['a', 'b', 1], ', ') == 'a, b, 1'",
            "lower('ABC') == 'abc'",
            "matches_mx('*.example.com', 'MX.example.com.') && !matches_mx('*.example.com', 'a.b.example.com')",
            "public_suffix('a.example.co.uk') == 'co.uk' && registrable('a.example.co.uk') == 'example.co.uk'",
            "size('abc') == 3 && [1, 2].size() == 2 && 'abc'.contains('b') && 'abc'.matches('^a.c$')",
            "int('12') == 12 && string(12) == '12' && double(2) == 2.0 && 'ab'.startsWith('a') && 'ab'.endsWith('b')",
        ] {
            let expr = Expr::new(source);
            let value = expr.compiled().unwrap().execute(&context);
            assert_eq!(value, Ok(cel::Value::Bool(true)), "{source}");
        }
    }

    #[test]
    fn a_wrong_time_is_an_error_and_no_panic() {
        assert!(days("yesterday", "2026-01-31T12:00:00Z").is_err());
    }
}
