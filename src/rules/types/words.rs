//! Advice: what was probably meant, and what a message calls an expression.

use cel::common::ast::{Expr as Ast, IdedExpr, LiteralValue, operators};

use crate::facts::Type;
use crate::rules::expr::path_of;
use crate::source_text::nearest;

/// What a text such as "1d" is as a number of seconds.
pub fn in_seconds(expr: &IdedExpr) -> Option<String> {
    let Ast::Literal(LiteralValue::String(text)) = &expr.expr else { return None };
    let seconds = crate::grammar::policy::max_age_meant(text)?;
    Some(format!("write the number of seconds, without quotes: {seconds}"))
}

pub fn type_help(a: &Type, b: &Type, literal: bool) -> Option<String> {
    match (a, b) {
        // The number is written out, and the text is a fact.
        (Type::Int | Type::Double, Type::Text(_)) | (Type::Text(_), Type::Int | Type::Double) if literal => {
            Some("this fact is a text: compare it with one in quotes".to_owned())
        }
        (Type::Int | Type::Double, Type::Text(_)) | (Type::Text(_), Type::Int | Type::Double) => {
            Some("write the number without quotes; times are whole seconds or days, as `stslint facts` says".to_owned())
        }
        (Type::Bool, Type::Text(_)) | (Type::Text(_), Type::Bool) => {
            Some("write `true` or `false` without quotes".to_owned())
        }
        (Type::List(_), _) | (_, Type::List(_)) => Some("`size(list)` counts, `x in list` looks into it".to_owned()),
        _ => None,
    }
}

/// Of a closed vocabulary, the word that was probably meant: the nearest, or one with the same beginning.
pub fn likely_word<'a>(text: &str, words: &'a [String]) -> Option<&'a str> {
    let plain = text.to_ascii_lowercase();
    let lower: Vec<String> = words.iter().map(|word| word.to_ascii_lowercase()).collect();
    let same = |word: &str| word.chars().zip(plain.chars()).take_while(|(a, b)| a.eq_ignore_ascii_case(b)).count();
    let near = nearest(&plain, lower.iter().map(String::as_str));
    let near = near.and_then(|near| words.iter().find(|word| word.eq_ignore_ascii_case(near))).map(String::as_str);
    let within = || {
        words.iter().map(String::as_str).find(|word| word.len() > 1 && plain.starts_with(&word.to_ascii_lowercase()))
    };
    let near = near.or_else(within);
    near.or_else(|| words.iter().map(String::as_str).max_by_key(|word| same(word)).filter(|word| same(word) >= 4))
}

/// Of texts that are known among others, the one that was probably meant. Others are possible, so it must be near.
pub fn nearest_known<'a>(text: &str, known: &'a [String]) -> Option<&'a str> {
    let plain = |text: &str| text.to_ascii_lowercase().replace(['-', '_', ' '], "");
    let alike = known.iter().find(|known| plain(known) == plain(text));
    let distance = |known: &String| strsim::damerau_levenshtein(text, known);
    let near =
        || known.iter().filter(|known| text.len() > 4 && distance(known) <= 2).min_by_key(|known| distance(known));
    alike.or_else(near).map(String::as_str)
}

/// The expression as a message names it.
pub fn spelled(expr: &IdedExpr) -> String {
    match (path_of(expr), &expr.expr) {
        (Some(path), _) => format!("`{}`", path.join(".")),
        (None, Ast::Literal(LiteralValue::String(text))) => format!("{:?}", text.inner()),
        (None, Ast::Literal(LiteralValue::Int(number))) => format!("`{}`", number.inner()),
        (None, Ast::Select(select)) => {
            let operand = spelled(&select.operand);
            format!("`{}.{}`", if operand == "this" { "(…)" } else { operand.trim_matches('`') }, select.field)
        }
        (None, Ast::Call(call)) if call.func_name == operators::INDEX => {
            let list = call.args.first().map(spelled).unwrap_or_default();
            format!("`{}[…]`", list.trim_matches('`'))
        }
        (None, Ast::Call(call))
            if !call.func_name.contains(['_', '@', '!'])
                || call.func_name.chars().all(|c| c.is_alphabetic() || c == '_') =>
        {
            format!("`{}(…)`", call.func_name)
        }
        _ => "this".to_owned(),
    }
}

/// The literal that other languages spell so.
pub fn likely_literal(name: &str) -> Option<&'static str> {
    match name {
        "FALSE" | "False" | "no" | "off" => Some("false"),
        "NULL" | "Nil" | "None" | "Null" | "nil" | "none" | "nothing" | "undefined" => Some("null"),
        "TRUE" | "True" | "on" | "yes" => Some("true"),
        _ => None,
    }
}

pub fn is_macro(name: &str) -> bool {
    ["all", "exists", "exists_one", "filter", "map"].contains(&name)
}

/// The macro that other languages call so.
pub fn likely_macro(name: &str) -> Option<&'static str> {
    match name {
        "any" | "some" => Some("exists"),
        "collect" | "select" => Some("map"),
        "each" | "every" | "forEach" | "for_all" => Some("all"),
        "find" | "where" => Some("filter"),
        _ => None,
    }
}

/// The fact that people call so.
pub fn likely_field(name: &str) -> Option<&'static str> {
    Some(match name {
        "cname" | "CNAME" | "cname_target" | "target" => "alias",
        "cert" | "x509" => "certificate",
        "exchange" | "fqdn" | "hostname" => "name",
        "expires" | "expiry" | "valid_until" | "not_valid_after" => "not_after",
        "ip" | "ip_address" => "address",
        "ips" | "ip_addresses" => "addresses",
        "maxage" | "maxAge" | "lifetime" => "max_age",
        "mx_hosts" => "hosts",
        "patterns" | "mxs" => "mx",
        "prio" | "priority" => "preference",
        "san" | "sans" | "subject_alt_names" => "dns_ids",
        "status_code" | "http_status" => "status",
        "value" | "content" | "txt" => "text",
        _ => return None,
    })
}

/// What represents a function that other languages have.
pub fn likely_function(name: &str) -> Option<&'static str> {
    match name {
        "count" | "len" | "length" => Some("write `size(x)`"),
        "downcase" | "lowerAscii" | "lower_ascii" | "lowercase" | "toLower" | "toLowerCase" | "to_lower" => {
            Some("write `lower(text)`")
        }
        "now" | "timestamp" | "today" => Some(
            "rules have no clock: `collected_at` is the time of the observation, `days(from, until)` the days between",
        ),
        "cidr" | "cidr_match" | "ip_in" | "inNetwork" | "in_cidr" => Some("write `in_network(ip, cidr)`"),
        "parse_date" | "parseDate" | "strptime" | "to_date" | "toDate" => Some("write `date(text, format)`"),
        "slice" | "substr" => Some("write `text.substring(start, end)`"),
        "sorted" => Some("write `list.sort()`"),
        "uniq" | "unique" => Some("write `list.distinct()`"),
        "has_suffix" | "hasSuffix" => Some("write `text.endsWith(suffix)`"),
        "has_prefix" | "hasPrefix" => Some("write `text.startsWith(prefix)`"),
        "includes" => Some("write `text.contains(part)`, or `x in list`"),
        "match" | "regex" | "re_match" | "test" => Some("write `text.matches(regex)`"),
        _ => None,
    }
}
