//! Functions of expressions over texts, lists, addresses and times, under the names of CEL's own extensions where CEL
//! has them. Used by `functions`.
//!
//! What a function makes is paid for before it is made: texts come from strangers, and a replacement can be long.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use cel::extractors::{Arguments, This};
use cel::{ExecutionError, Value};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;

use super::function::{Body, Cost, Function};
use super::meter::Meter;
use super::strings;
use super::value_text::text_of;
use crate::facts::{Texts, Type};

/// The functions, as rules see them.
pub fn table() -> Vec<Function> {
    let text = || Type::Text(Texts::Any);
    let list = || Type::List(Arc::new(Type::Any));
    let texts = || Type::List(Arc::new(Type::Text(Texts::Any)));
    vec![
        Function {
            name: "chars",
            method: false,
            arguments: vec![text()],
            result: texts(),
            usage: "chars(text)",
            about: "the characters of the text, as a list",
            cost: Cost::OwnBody,
            body: Body::Ours(|context, name, meter| {
                let meter = Arc::clone(meter);
                let _ = context.add_function(name, move |text: Arc<String>| {
                    meter.spend_on_elements(text.len())?;
                    Ok::<_, ExecutionError>(chars(&text))
                });
            }),
        },
        Function {
            name: "date",
            method: false,
            arguments: vec![text(), text()],
            result: text(),
            usage: "date(text, format)",
            about: "the time that a text names, in RFC 3339 and UTC; the format is that of strftime: \"%Y%m%dT%H%M%SZ\"",
            cost: Cost::FirstArgument,
            body: Body::Ours(|context, name, _| {
                let _ = context
                    .add_function(name, |text: Arc<String>, format: Arc<String>| date(&text, &format).map(Value::from));
            }),
        },
        Function {
            name: "distinct",
            method: true,
            arguments: vec![list()],
            result: list(),
            usage: "list.distinct()",
            about: "the list without what is in it before",
            cost: Cost::FirstArgument,
            body: Body::Ours(|context, name, meter| {
                let meter = Arc::clone(meter);
                let _ = context.add_function(name, move |This(list): This<Arc<Vec<Value>>>| distinct(&meter, &list));
            }),
        },
        Function {
            name: "in_network",
            method: false,
            arguments: vec![text(), text()],
            result: Type::Bool,
            usage: "in_network(ip, cidr)",
            about: "whether the address is in the network, \"192.0.2.0/24\"; bits of the network beyond its number do not count",
            cost: Cost::FirstArgument,
            body: Body::Ours(|context, name, _| {
                let _ = context
                    .add_function(name, |ip: Arc<String>, cidr: Arc<String>| in_network(&ip, &cidr).map(Value::Bool));
            }),
        },
        Function {
            name: "is_date",
            method: false,
            arguments: vec![text(), text()],
            result: Type::Bool,
            usage: "is_date(text, format)",
            about: "whether `date` can read the text; a text that a stranger chose is asked this first",
            cost: Cost::FirstArgument,
            body: Body::Ours(|context, name, _| {
                let _ =
                    context.add_function(name, |text: Arc<String>, format: Arc<String>| date(&text, &format).is_ok());
            }),
        },
        Function {
            name: "network",
            method: false,
            arguments: vec![text(), Type::Int],
            result: text(),
            usage: "network(ip, bits)",
            about: "the network of so many bits that the address is in: \"192.0.2.0/24\"",
            cost: Cost::FirstArgument,
            body: Body::Ours(|context, name, _| {
                let _ = context.add_function(name, |ip: Arc<String>, bits: i64| network(&ip, bits).map(Value::from));
            }),
        },
        Function {
            name: "replace",
            method: true,
            arguments: vec![text(), text(), text()],
            result: text(),
            usage: "text.replace(part, other)",
            about: "the text with the other instead of each part",
            cost: Cost::OwnBody,
            body: Body::Ours(|context, name, meter| {
                let meter = Arc::clone(meter);
                let _ = context.add_function(name, move |This(text): This<Arc<String>>, Arguments(rest): Arguments| {
                    strings::replace(&meter, &text, &rest)
                });
            }),
        },
        Function {
            name: "replace",
            method: true,
            arguments: vec![text(), text(), text(), Type::Int],
            result: text(),
            usage: "text.replace(part, other, limit)",
            about: "the same for so many parts from the start on; for all where the limit is negative",
            cost: Cost::OwnBody,
            body: Body::Above,
        },
        Function {
            name: "sort",
            method: true,
            arguments: vec![list()],
            result: list(),
            usage: "list.sort()",
            about: "the list in order; of numbers, or of texts",
            cost: Cost::FirstArgument,
            body: Body::Ours(|context, name, meter| {
                let meter = Arc::clone(meter);
                let _ = context.add_function(name, move |This(list): This<Arc<Vec<Value>>>| sort(&meter, &list));
            }),
        },
        Function {
            name: "split",
            method: true,
            arguments: vec![text(), text()],
            result: texts(),
            usage: "text.split(separator)",
            about: "what is between the separators, as a list",
            cost: Cost::OwnBody,
            body: Body::Ours(|context, name, meter| {
                let meter = Arc::clone(meter);
                let _ = context.add_function(name, move |This(text): This<Arc<String>>, separator: Arc<String>| {
                    split(&meter, &text, &separator)
                });
            }),
        },
        Function {
            name: "substring",
            method: true,
            arguments: vec![text(), Type::Int],
            result: text(),
            usage: "text.substring(start)",
            about: "the characters from start on, counted from 0",
            cost: Cost::OwnBody,
            body: Body::Ours(|context, name, meter| {
                let meter = Arc::clone(meter);
                let _ =
                    context.add_function(name, move |This(text): This<Arc<String>>, Arguments(numbers): Arguments| {
                        part_of(&meter, &text, &numbers)
                    });
            }),
        },
        Function {
            name: "substring",
            method: true,
            arguments: vec![text(), Type::Int, Type::Int],
            result: text(),
            usage: "text.substring(start, end)",
            about: "the characters from start to before end, counted from 0; what is beyond the text is left out",
            cost: Cost::OwnBody,
            body: Body::Above,
        },
    ]
}

fn distinct(meter: &Meter, list: &[Value]) -> Result<Value, ExecutionError> {
    list.iter().try_for_each(|value| meter.spend_on_text(octets_of(value)))?;
    let mut seen = BTreeSet::new();
    Ok(list_of(list.iter().filter(|value| seen.insert(key_of(value))).cloned()))
}

fn sort(meter: &Meter, list: &[Value]) -> Result<Value, ExecutionError> {
    list.iter().try_for_each(|value| meter.spend_on_text(octets_of(value).saturating_mul(4)))?;
    sorted(list).map(|sorted| list_of(sorted.into_iter()))
}

/// `substring` with one number or two: the static check has counted them.
fn part_of(meter: &Meter, text: &str, numbers: &[Value]) -> Result<Value, ExecutionError> {
    match numbers {
        [Value::Int(start)] => substring(meter, text, *start, i64::MAX),
        [Value::Int(start), Value::Int(end)] => substring(meter, text, *start, *end),
        _ => Err(ExecutionError::function_error("substring", "it takes one or two integers")),
    }
}

fn list_of(values: impl Iterator<Item = Value>) -> Value {
    Value::List(values.collect::<Vec<_>>().into())
}

fn octets_of(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        _ => 0,
    }
}

/// What tells values apart: their type and their text.
fn key_of(value: &Value) -> (String, String) {
    (value.type_of().to_string(), text_of(value))
}

fn substring(meter: &Meter, text: &str, start: i64, end: i64) -> Result<Value, ExecutionError> {
    meter.spend_on_text(text.len())?;
    let from = usize::try_from(start.max(0)).unwrap_or(usize::MAX);
    let length = usize::try_from(end.saturating_sub(start.max(0)).max(0)).unwrap_or_default();
    Ok(Value::from(text.chars().skip(from).take(length).collect::<String>()))
}

/// The texts between the separators; an empty separator lies between any two characters, as in CEL's extension.
fn split(meter: &Meter, text: &str, separator: &str) -> Result<Value, ExecutionError> {
    meter.spend_on_elements(text.matches(separator).count().saturating_add(1))?;
    meter.spend_on_text(text.len())?;
    Ok(pieces(text, separator))
}

fn pieces(text: &str, separator: &str) -> Value {
    if separator.is_empty() { chars(text) } else { list_of(text.split(separator).map(Value::from)) }
}

fn chars(text: &str) -> Value {
    list_of(text.chars().map(|c| Value::from(c.to_string())))
}

fn sorted(list: &[Value]) -> Result<Vec<Value>, ExecutionError> {
    let mut sorted = list.to_vec();
    let comparable = list.iter().zip(list.iter().skip(1)).all(|(a, b)| a.partial_cmp(b).is_some());
    if !comparable {
        return Err(ExecutionError::function_error("sort", "the list holds values that have no order"));
    }
    sorted.sort_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
    Ok(sorted)
}

fn date(text: &str, format: &str) -> Result<String, ExecutionError> {
    let wrong = |why: String| ExecutionError::function_error("date", why);
    let parsed = strtime::parse(format, text).map_err(|_| wrong(format!("`{text}` is not a time as `{format}`")))?;
    let civil = || parsed.to_datetime().or_else(|_| parsed.to_date().map(DateTime::from));
    let in_utc = |civil: DateTime| TimeZone::UTC.to_timestamp(civil);
    let time: Result<Timestamp, jiff::Error> = parsed.to_timestamp().or_else(|_| civil().and_then(in_utc));
    time.map(|time| time.to_string()).map_err(|_| wrong(format!("`{text}` is not a time as `{format}`")))
}

fn address(function: &str, ip: &str) -> Result<IpAddr, ExecutionError> {
    ip.parse().map_err(|_| ExecutionError::function_error(function, format!("`{ip}` is not an IP address")))
}

/// Why a format that is written out reads no time, if so.
pub fn wrong_format(format: &str) -> Option<String> {
    strtime::format(format, Timestamp::UNIX_EPOCH).err().map(|why| why.to_string())
}

/// Whether a text is a network with its bits: "192.0.2.0/24".
pub fn is_network(cidr: &str) -> bool {
    in_network("192.0.2.1", cidr).is_ok()
}

/// The network that a text with bits beyond its number most likely means: "192.0.2.0/24" for "192.0.2.7/24".
pub fn network_meant(cidr: &str) -> Option<String> {
    let (address, bits) = cidr.split_once('/')?;
    let address: IpAddr = address.parse().ok()?;
    let network = masked(address, bits.parse().ok()?)?;
    (network != address).then(|| format!("{network}/{bits}"))
}

fn in_network(ip: &str, cidr: &str) -> Result<bool, ExecutionError> {
    let wrong =
        || ExecutionError::function_error("in_network", format!("`{cidr}` is not a network such as 192.0.2.0/24"));
    let (of_network, bits) = cidr.split_once('/').ok_or_else(wrong)?;
    let of_network: IpAddr = of_network.parse().map_err(|_| wrong())?;
    let bits: u32 = bits.parse().map_err(|_| wrong())?;
    let address = address("in_network", ip)?;
    if address.is_ipv4() != of_network.is_ipv4() {
        return if masked(of_network, bits).is_some() { Ok(false) } else { Err(wrong()) };
    }
    Ok(masked(address, bits).ok_or_else(wrong)? == masked(of_network, bits).ok_or_else(wrong)?)
}

fn network(ip: &str, bits: i64) -> Result<String, ExecutionError> {
    let address = address("network", ip)?;
    let masked = u32::try_from(bits).ok().and_then(|bits| masked(address, bits));
    let wrong = || ExecutionError::function_error("network", format!("`{ip}` has no network of {bits} bits"));
    masked.map(|masked| format!("{masked}/{bits}")).ok_or_else(wrong)
}

/// The address with all but the first bits 0; `None` where it has fewer.
fn masked(address: IpAddr, bits: u32) -> Option<IpAddr> {
    Some(match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32_u32.checked_sub(bits)?).unwrap_or_default();
            IpAddr::V4((address.to_bits() & mask).into())
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128_u32.checked_sub(bits)?).unwrap_or_default();
            IpAddr::V6((address.to_bits() & mask).into())
        }
    })
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

    #[test]
    fn every_function_answers() {
        for source in [
            "chars('aé') == ['a', 'é'] && chars('') == []",
            "date('20261123T100000Z', '%Y%m%dT%H%M%SZ') == '2026-11-23T10:00:00Z'",
            "date('2026-11-23', '%Y-%m-%d') == '2026-11-23T00:00:00Z'",
            "days(date('20261120', '%Y%m%d'), '2026-11-23T10:00:00Z') == 3",
            "['a', 'b', 'a'].distinct() == ['a', 'b'] && [1, 1, 2].distinct().size() == 2",
            "in_network('192.0.2.7', '192.0.2.0/24') && !in_network('192.0.3.7', '192.0.2.0/24')",
            "in_network('2001:db8::1', '2001:db8::/32') && !in_network('192.0.2.7', '2001:db8::/32')",
            "in_network('192.0.2.7', '0.0.0.0/0') && in_network('192.0.2.7', '192.0.2.7/32')",
            "network('192.0.2.7', 24) == '192.0.2.0/24' && network('2001:db8:1::1', 32) == '2001:db8::/32'",
            "'a-b-c'.replace('-', '') == 'abc'",
            "[3, 1, 2].sort() == [1, 2, 3] && ['b', 'a'].sort() == ['a', 'b'] && [].sort() == []",
            "'a,b,,c'.split(',') == ['a', 'b', '', 'c']",
            "'aébc'.substring(1, 3) == 'éb' && 'ab'.substring(1, 99) == 'b' && 'ab'.substring(5, 9) == ''",
            "'ab'.substring(-3, 1) == 'a' && 'ab'.substring(1, 0) == ''",
            "'aébc'.substring(1) == 'ébc' && 'ab'.substring(2) == '' && 'ab'.substring(-1) == 'ab'",
            "'aéb'.split('') == ['a', 'é', 'b'] && ''.split(',') == ['']",
            "is_date('20261120', '%Y%m%d') && !is_date('20261320', '%Y%m%d') && !is_date('x', '%Y')",
        ] {
            assert_eq!(value(source), Ok(Value::Bool(true)), "{source}");
        }
    }

    #[test]
    fn what_cannot_be_answered_is_an_error_and_what_is_long_ends() {
        for source in [
            "date('soon', '%Y')",
            "in_network('x', '192.0.2.0/24')",
            "in_network('192.0.2.1', '192.0.2.0/33')",
            "in_network('192.0.2.1', '2001:db8::/129')",
            "network('192.0.2.1', 33)",
            "network('192.0.2.1', -1)",
            "[1, 'a'].sort()",
        ] {
            assert!(value(source).is_err(), "{source}");
        }
        let long = "x".repeat(300);
        let doubled = (0..3).fold(format!("'{long}'"), |text, _| format!("{text}.replace('x', '{long}')"));
        assert!(value(&doubled).is_err(), "a text of 2 GB is not made");
    }
}
