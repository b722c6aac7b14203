//! The functions that expressions have besides CEL's own, with their types and meaning.
//!
//! A check that would need more Rust than this lacks a fact, or one function here.

use std::sync::{Arc, OnceLock};

use cel::extractors::This;
use cel::{Context, ExecutionError};

use super::function::Function;
use super::meter::{self, Meter};
use super::texts_and_lists;
use crate::facts::Type;
use crate::snapshot::{duration, instant};

/// Every function: CEL's own that make sense here, and those of the field.
pub fn functions() -> &'static [Function] {
    static FUNCTIONS: OnceLock<Vec<Function>> = OnceLock::new();
    FUNCTIONS.get_or_init(all)
}

fn all() -> Vec<Function> {
    let text = || Type::Text(None);
    let list = || Type::List(Arc::new(Type::Any));
    let function =
        |name, method, arguments, result, usage, about| Function { name, method, arguments, result, usage, about };
    let mut all = vec![
        function(
            "contains",
            true,
            vec![text(), text()],
            Type::Bool,
            "text.contains(part)",
            "whether the text holds the part",
        ),
        function(
            "crlf",
            false,
            vec![text()],
            text(),
            "crlf(text)",
            "the text with every line end (LF, CRLF, CR) as CRLF",
        ),
        function(
            "days",
            false,
            vec![text(), text()],
            Type::Int,
            "days(from, until)",
            "the whole days between two RFC 3339 times",
        ),
        function("double", false, vec![Type::Any], Type::Double, "double(x)", "the number as a fraction"),
        function(
            "duration",
            false,
            vec![Type::Int],
            text(),
            "duration(seconds)",
            "the time in words: 90000 is \"1 day 1 hour\"",
        ),
        function(
            "endsWith",
            true,
            vec![text(), text()],
            Type::Bool,
            "text.endsWith(suffix)",
            "whether the text ends in the suffix",
        ),
        function(
            "in_zone",
            false,
            vec![text(), text()],
            Type::Bool,
            "in_zone(host, domain)",
            "whether the host is the domain or lies below it",
        ),
        function(
            "int",
            false,
            vec![Type::Any],
            Type::Int,
            "int(x)",
            "the number or the digits of a text as a whole number",
        ),
        function("join", false, vec![list(), text()], text(), "join(list, separator)", "the elements as one text"),
        function("lower", false, vec![text()], text(), "lower(text)", "the text with A to Z in lower case"),
        function(
            "matches",
            true,
            vec![text(), text()],
            Type::Bool,
            "text.matches(regex)",
            "whether the regular expression (RE2 style) is found in the text",
        ),
        function(
            "matches_mx",
            false,
            vec![text(), text()],
            Type::Bool,
            "matches_mx(pattern, host)",
            "whether an `mx` pattern matches an MX host (RFC 8461 §4.1)",
        ),
        function(
            "public_suffix",
            false,
            vec![text()],
            text(),
            "public_suffix(name)",
            "the public suffix that a name ends in: \"co.uk\"",
        ),
        function(
            "registrable",
            false,
            vec![text()],
            text(),
            "registrable(name)",
            "the name's registrable domain: \"example.co.uk\"; the name itself where it has none",
        ),
        function(
            "size",
            false,
            vec![Type::Any],
            Type::Int,
            "size(x)",
            "how many elements a list or characters a text has",
        ),
        function("size", true, vec![Type::Any], Type::Int, "x.size()", "the same"),
        function(
            "startsWith",
            true,
            vec![text(), text()],
            Type::Bool,
            "text.startsWith(prefix)",
            "whether the text begins with the prefix",
        ),
        function("string", false, vec![Type::Any], text(), "string(x)", "the number or truth value as a text"),
    ];
    all.extend(texts_and_lists::table());
    all.sort_by_key(|function| function.name);
    all
}

/// Adds the functions of the field to a context, and the meter of what expressions cost.
pub fn add_to(context: &mut Context<'_, '_>, meter: &Arc<Meter>) {
    meter::add_to(context, meter);
    texts_and_lists::add_to(context, meter);
    let (of_regexes, of_joins) = (Arc::clone(meter), Arc::clone(meter));
    // A name that CEL already has would be refused; the test below shows that none is.
    let _ = context.add_function("crlf", |text: Arc<String>| crlf(&text));
    let _ = context.add_function("days", |from: Arc<String>, until: Arc<String>| days(&from, &until));
    let _ = context.add_function("duration", duration);
    let _ = context.add_function("in_zone", |host: Arc<String>, domain: Arc<String>| in_zone(&host, &domain));
    let _ = context.add_function("join", move |list: Arc<Vec<cel::Value>>, separator: Arc<String>| {
        of_joins.spend_on_join(list.len(), separator.len())?;
        Ok::<_, ExecutionError>(cel::Value::from(join(&list, &separator)))
    });
    let _ = context.add_function("lower", |text: Arc<String>| text.to_ascii_lowercase());
    let _ = context.add_function("matches", move |This(text): This<Arc<String>>, regex: Arc<String>| {
        of_regexes.is_match(&text, &regex)
    });
    let _ = context.add_function("matches_mx", |pattern: Arc<String>, host: Arc<String>| matches_mx(&pattern, &host));
    let _ = context.add_function("public_suffix", |name: Arc<String>| public_suffix(&name));
    let _ = context.add_function("registrable", |name: Arc<String>| registrable(&name));
}

fn crlf(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n").replace('\n', "\r\n")
}

fn days(from: &str, until: &str) -> Result<i64, ExecutionError> {
    let time = |text: &str| {
        instant(text).ok_or_else(|| ExecutionError::function_error("days", format!("`{text}` is no RFC 3339 time")))
    };
    Ok(time(until)?.as_second().saturating_sub(time(from)?.as_second()).div_euclid(86_400))
}

fn in_zone(host: &str, domain: &str) -> bool {
    let (host, domain) = (plain_name(host), plain_name(domain));
    host == domain || host.strip_suffix(&domain).is_some_and(|rest| rest.ends_with('.'))
}

fn join(list: &[cel::Value], separator: &str) -> String {
    list.iter().map(super::template::text_of).collect::<Vec<_>>().join(separator)
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
