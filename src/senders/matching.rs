//! How a sender compares an MX host with the patterns of a policy. Called by `senders::explain`.

use regex::Regex;

use super::addresses;
use super::dialect::{Case, Idn, MatchDialect, Wildcard};
use super::verdict::{Reading, Stop, Verdict, known};

/// Whether one of the patterns names the host.
pub fn read(dialect: &MatchDialect, host: &str, patterns: &[String]) -> Verdict {
    let mut undecided = None;
    for pattern in patterns {
        match names(dialect, host, pattern) {
            Ok(true) => return Verdict::yes(format!("the pattern `{pattern}` names it"), Reading::default()),
            Ok(false) => {}
            Err(Stop::Unknown(why) | Stop::No(why)) => undecided = Some(why),
        }
    }
    match undecided {
        Some(why) => Verdict::unknown(why),
        None => Verdict::no("no pattern names it"),
    }
}

/// Whether the pattern names the host.
fn names(dialect: &MatchDialect, host: &str, pattern: &str) -> Result<bool, Stop> {
    let is_plain = |text: &str| {
        text.bytes().all(|octet| octet.is_ascii_lowercase() || octet.is_ascii_digit() || b".-".contains(&octet))
    };
    if dialect.wildcard.is_none() && is_plain(host) && addresses::is_plain_pattern(pattern) {
        return plain(host, pattern);
    }
    let wildcard = known(&dialect.wildcard, "how deep its `*` reaches")?;
    let host = match host.strip_suffix('.') {
        Some(bare) if known(&dialect.drops_host_dot, "what it does with a dot at the end of the host")? => bare,
        _ => host,
    };
    let pattern = match pattern.strip_suffix('.') {
        Some(bare) if known(&dialect.drops_pattern_dot, "what it does with a dot at the end of a pattern")? => bare,
        _ => pattern,
    };
    let host = folded(host, &dialect.host_case)?;
    let pattern = folded(pattern, &dialect.pattern_case)?;
    let (host, pattern) = match host.is_ascii() && pattern.is_ascii() {
        true => (host, pattern),
        false => match known(&dialect.idn, "how it compares internationalised names")? {
            Idn::AsWritten => (host, pattern),
            Idn::Both => (a_labels(&host), a_labels(&pattern)),
            Idn::LatinHost if host.contains(|c: char| ('\u{7e}'..='\u{ff}').contains(&c)) => (a_labels(&host), pattern),
            Idn::LatinHost => (host, pattern),
            Idn::Pattern => (host, a_labels(&pattern)),
        },
    };
    Ok(match (wildcard, pattern.strip_prefix("*.")) {
        (Wildcard::RegularExpression, _) => matches_expression(&host, &pattern)?,
        (_, None) => host == pattern,
        (Wildcard::OneLabel, Some(parent)) => host.split_once('.').is_some_and(|(_, rest)| rest == parent),
        (Wildcard::AnyDepth, Some(parent)) => {
            host.strip_suffix(parent).and_then(|start| start.strip_suffix('.')).is_some_and(|start| !start.is_empty())
        }
    })
}

/// Where every sender agrees: a full name, or one label in place of `*`.
fn plain(host: &str, pattern: &str) -> Result<bool, Stop> {
    let Some(parent) = pattern.strip_prefix("*.") else { return Ok(host == pattern) };
    match host.strip_suffix(parent).and_then(|start| start.strip_suffix('.')) {
        Some(label) if label.contains('.') => Err(Stop::Unknown("not known: how deep its `*` reaches".to_owned())),
        Some(label) => Ok(!label.is_empty()),
        None => Ok(false),
    }
}

fn folded(text: &str, case: &Option<Case>) -> Result<String, Stop> {
    if !text.bytes().any(|octet| octet.is_ascii_uppercase()) {
        return Ok(text.to_owned());
    }
    Ok(match known(case, "whether it folds case")? {
        Case::Any => text.to_lowercase(),
        Case::Exact => text.to_owned(),
    })
}

/// The name with A-labels; as it is where it has none. `*` stays.
fn a_labels(name: &str) -> String {
    let (star, rest) = match name.strip_prefix("*.") {
        Some(rest) => ("*.", rest),
        None => ("", name),
    };
    idna::domain_to_ascii(rest).map_or_else(|_| name.to_owned(), |rest| format!("{star}{rest}"))
}

fn matches_expression(host: &str, pattern: &str) -> Result<bool, Stop> {
    // Characters that mean something else in other engines are not guessed at.
    if pattern.contains(['\\', '&', '[', '(']) || pattern.len() > 253 {
        return Err(Stop::Unknown("not known: what the pattern means as a regular expression".to_owned()));
    }
    let expression = format!("^(?:{})$", pattern.replace('*', ".*"));
    Regex::new(&expression)
        .map(|expression| expression.is_match(host))
        .map_err(|_| Stop::Unknown("not known: what the pattern means as a regular expression".to_owned()))
}
