//! The `mx` patterns of a policy: `["*."] Domain` (RFC 8461 §3.2, §4.1; RFC 5321 §4.1.2).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use super::names::normalised;
use super::placeholder;

/// A valid pattern; only valid ones exist.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MxPattern {
    wildcard: bool,
    name: String,
}

crate::vocabulary::vocabulary! {
    /// Which rule a wrong pattern breaks.
    pub enum MxProblemKind {
        /// A name that is not in A-labels.
        ALabel = "a_label",
        /// An IP address.
        Address = "address",
        /// Several hosts on one line.
        List = "list",
        /// Anything else that the grammar does not allow.
        Syntax = "syntax",
        /// A `*` that is not the whole left-most label.
        Wildcard = "wildcard",
    }
}

/// What is wrong with a pattern.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MxProblem {
    /// Which rule it breaks.
    pub kind: MxProblemKind,
    /// What is wrong, as a part of a sentence.
    pub detail: String,
    /// What was probably meant.
    pub suggestion: Option<String>,
}

impl MxPattern {
    /// Reads a pattern as it is written after `mx:`.
    pub fn parse(text: &str) -> Result<Self, MxProblem> {
        match problem(text) {
            // What is proposed must itself be right.
            Some(found) => {
                Err(MxProblem { suggestion: found.suggestion.filter(|name| problem(name).is_none()), ..found })
            }
            None => Ok(Self::of_valid(text)),
        }
    }

    fn of_valid(text: &str) -> Self {
        match text.strip_prefix("*.") {
            Some(rest) => MxPattern { wildcard: true, name: normalised(rest) },
            None => MxPattern { wildcard: false, name: normalised(text) },
        }
    }

    /// Whether it begins with `*.`.
    pub fn is_wildcard(&self) -> bool {
        self.wildcard
    }

    /// The name, without `*.`, in lower case.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether there is no dot in it.
    pub fn is_single_label(&self) -> bool {
        !self.wildcard && !self.name.contains('.')
    }

    /// Whether it matches an MX host: label by label, `*` for exactly one left-most label (RFC 8461 §4.1).
    pub fn matches(&self, exchange: &str) -> bool {
        let host = compared(exchange);
        if self.wildcard {
            host.split_once('.').is_some_and(|(label, parent)| !label.is_empty() && parent == self.name)
        } else {
            !host.is_empty() && host == self.name
        }
    }
}

/// The name of a host as patterns are compared with it: A-labels, lower case, without the root's dot.
pub fn compared(exchange: &str) -> String {
    if exchange.is_ascii() {
        normalised(exchange)
    } else {
        normalised(&idna::domain_to_ascii(exchange).unwrap_or_default())
    }
}

impl fmt::Display for MxPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.wildcard { "*." } else { "" }, self.name)
    }
}

fn problem(text: &str) -> Option<MxProblem> {
    let wrong = |kind, detail: String, suggestion: Option<String>| Some(MxProblem { kind, detail, suggestion });
    let syntax = |detail: &str, suggestion: Option<String>| wrong(MxProblemKind::Syntax, detail.to_owned(), suggestion);
    if text.is_empty() {
        return syntax("is empty", None);
    }
    if text.len() > 4096 {
        return syntax("is far longer than any name", None);
    }
    if let Some((scheme, rest)) = text.split_once("://") {
        let host = rest.split(['/', ':', '?', '#']).next().unwrap_or_default();
        let what =
            if scheme.is_empty() { "is the rest of a URL".to_owned() } else { "is a URL, not a host name".to_owned() };
        return wrong(MxProblemKind::Syntax, what, Some(host.to_ascii_lowercase()));
    }
    if is_address(text) {
        return wrong(MxProblemKind::Address, "is an IP address, which no MX host can match".to_owned(), None);
    }
    if text.contains(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '.' | '-' | '*'))
        && placeholder::is_name(text)
    {
        return syntax("is a placeholder that nobody filled in", None);
    }
    if let Some(problem) = list_or_preference(text) {
        return Some(problem);
    }
    let bare = text.trim_matches(|c| matches!(c, '<' | '>' | '"' | '\'' | '[' | ']'));
    if bare.len() < text.len() {
        return syntax("has brackets or quotes around it", Some(bare.to_owned()));
    }
    if let Some(problem) = star_problem(text) {
        return Some(problem);
    }
    let name = text.strip_prefix("*.").unwrap_or(text);
    let prefix = if name.len() < text.len() { "*." } else { "" };
    if !text.is_ascii() {
        let ascii = idna::domain_to_ascii(name).ok().map(|name| format!("{prefix}{name}"));
        return wrong(MxProblemKind::ALabel, "is not in A-labels (Punycode)".to_owned(), ascii);
    }
    if let Some((host, port)) = name.rsplit_once(':')
        && port.bytes().all(|c| c.is_ascii_digit())
    {
        return syntax("has a port, but a policy names only hosts", Some(format!("{prefix}{host}")));
    }
    name_problem(name, prefix).or_else(|| false_a_label(name)).or_else(|| numeric_end(name))
}

/// No top-level domain is a number: such a name can only be the slip of an address (RFC 5321 §4.1.2).
fn numeric_end(name: &str) -> Option<MxProblem> {
    let last = name.rsplit('.').next().unwrap_or_default();
    (!last.is_empty() && last.bytes().all(|octet| octet.is_ascii_digit())).then(|| MxProblem {
        kind: MxProblemKind::Address,
        detail: format!("ends in `{last}`, but no host name ends in a number"),
        suggestion: None,
    })
}

fn name_problem(name: &str, prefix: &str) -> Option<MxProblem> {
    let syntax = |detail: String, suggestion: Option<String>| {
        Some(MxProblem { kind: MxProblemKind::Syntax, detail, suggestion })
    };
    if let Some(rest) = name.strip_prefix('.') {
        return syntax("begins with a dot instead of `*.`".to_owned(), Some(format!("*.{rest}")));
    }
    if let Some(host) = name.strip_suffix('.') {
        return syntax("ends in a dot, which the grammar does not allow".to_owned(), Some(format!("{prefix}{host}")));
    }
    let (host, path) = name.split_once('/').unwrap_or((name, ""));
    if !path.is_empty() || name.ends_with('/') {
        return syntax("has a path, but a policy names only hosts".to_owned(), Some(format!("{prefix}{host}")));
    }
    super::names::host_name_problem(name).and_then(|detail| syntax(detail, None))
}

fn is_address(text: &str) -> bool {
    let literal = text.trim_start_matches('[').trim_end_matches(']');
    let literal = literal.strip_prefix("IPv6:").unwrap_or(literal);
    let with_port = literal.rsplit_once(':').is_some_and(|(host, port)| {
        host.trim_end_matches(']').parse::<Ipv4Addr>().is_ok() && port.bytes().all(|c| c.is_ascii_digit())
    });
    // A name whose last label is a number can only have been meant as an address.
    let numeric = !literal.is_empty()
        && literal.split('.').all(|label| !label.is_empty() && label.bytes().all(|c| c.is_ascii_digit()));
    literal.parse::<IpAddr>().is_ok() || with_port || numeric
}

/// Whether a text fits the grammar of an `mx` value (RFC 8461 §3.2, `Domain` of RFC 5321 §4.1.2): numbers with dots
/// between do, though no MX host can match them.
pub fn is_in_grammar(text: &str) -> bool {
    let ends = |label: &str| label.starts_with(alphanumeric) && label.ends_with(alphanumeric);
    let label = |label: &str| ends(label) && label.chars().all(|c| alphanumeric(c) || c == '-');
    let domain = || text.strip_prefix("*.").unwrap_or(text).split('.').all(label);
    problem(text).is_none_or(|found| found.kind == MxProblemKind::Address && domain())
}

fn alphanumeric(c: char) -> bool {
    c.is_ascii_alphanumeric()
}

/// The valid patterns of a list on one line; empty where one of them is not valid.
pub fn list_items(text: &str) -> Vec<String> {
    let text = if is_slashed_list(text) { text.replace('/', " ") } else { text.to_owned() };
    let items: Vec<String> = parts(&text).into_iter().map(|part| part.trim_end_matches('.').to_owned()).collect();
    if items.iter().all(|item| problem(item).is_none()) { items } else { Vec::new() }
}

fn parts(text: &str) -> Vec<&str> {
    text.split(|c: char| matches!(c, ',' | ';' | '|') || c.is_ascii_whitespace())
        .filter(|part| !part.is_empty())
        .collect()
}

/// Whether `/` is between hosts of one domain, and not before a path.
fn is_slashed_list(text: &str) -> bool {
    let last = |host: &str| host.rsplit_once('.').map(|(_, last)| last.to_owned());
    let mut hosts = text.split('/');
    let first = hosts.next().and_then(last);
    text.contains('/')
        && first.is_some()
        && hosts.all(|host| super::names::host_name_problem(host).is_none() && last(host) == first)
}

fn list_or_preference(text: &str) -> Option<MxProblem> {
    if is_slashed_list(text) {
        return list_or_preference(&text.replace('/', " "));
    }
    let parts = parts(text);
    let separators = text.contains([',', ';', '|', ' ', '\t', '\n', '\r']);
    match parts.as_slice() {
        [preference, host] if text.contains(' ') && preference.bytes().all(|c| c.is_ascii_digit()) => Some(MxProblem {
            kind: MxProblemKind::Syntax,
            detail: "has a preference, which belongs only in the MX record".to_owned(),
            suggestion: Some(host.trim_end_matches('.').to_owned()),
        }),
        [host, mark, ..] if mark.starts_with(['#', '(']) || mark.starts_with("//") => Some(MxProblem {
            kind: MxProblemKind::Syntax,
            detail: "has a comment after the name, and a policy has no comments".to_owned(),
            suggestion: Some(host.trim_end_matches('.').to_owned()),
        }),
        [_, _, ..] => Some(MxProblem {
            kind: MxProblemKind::List,
            detail: format!("lists {} hosts on one line", parts.len()),
            suggestion: None,
        }),
        [one] if separators => Some(MxProblem {
            kind: MxProblemKind::Syntax,
            detail: "has a separator in front of or after the name".to_owned(),
            suggestion: Some((*one).to_owned()),
        }),
        _ => None,
    }
}

fn star_problem(text: &str) -> Option<MxProblem> {
    let stars = text.matches('*').count();
    if stars == 0 || (stars == 1 && text.strip_prefix("*.").is_some_and(|rest| !rest.is_empty())) {
        return None;
    }
    let detail = match text {
        "*" | "*." => "would match every host: a wildcard needs a domain after it",
        _ if stars > 1 => "has more than one `*`",
        _ if text.starts_with('*') => "needs a dot after `*`",
        _ => "has a `*` that is not the whole left-most label",
    };
    let suggestion = text
        .strip_prefix('*')
        .filter(|rest| stars == 1 && rest.contains('.'))
        .map(|rest| format!("*.{}", rest.trim_start_matches('.')));
    let suggestion = suggestion.filter(|_| text.starts_with('*') && text.len() > 2);
    Some(MxProblem { kind: MxProblemKind::Wildcard, detail: detail.to_owned(), suggestion })
}

/// An `xn--` label that no U-label gives.
fn false_a_label(name: &str) -> Option<MxProblem> {
    let has_a_label = name.split('.').any(|label| label.to_ascii_lowercase().starts_with("xn--"));
    let (_, result) = idna::domain_to_unicode(name);
    (has_a_label && result.is_err()).then(|| MxProblem {
        kind: MxProblemKind::ALabel,
        detail: "has a label that begins with `xn--` and is not a valid A-label".to_owned(),
        suggestion: None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn matching_as_rfc_8461_says() {
        for (pattern, host, expected) in [
            ("mail.example.com", "mail.example.com.", true),
            ("mail.example.com", "MAIL.EXAMPLE.COM", true),
            ("*.example.com", "mail.example.com", true),
            ("*.example.com", "example.com", false),
            ("*.example.com", "foo.bar.example.com", false),
            ("example.com", "mail.example.com", false),
            ("*.mx.example.net", "a1.mx.example.net", true),
            ("*.google.com", "aspmx.l.google.com", false),
            ("*.example.com", "xn--bcher-kva.example.com", true),
            ("xn--bcher-kva.example", "bücher.example", true),
            ("*.example.com", "mailXexample.com", false),
            ("*.example.com", "mail.example.com.evil.test", false),
            ("*.com", "example.com", true),
            ("*.example.com", ".", false),
            ("*.example.com", ".example.com", false),
            ("MAIL.Example.COM", "mail.example.com", true),
        ] {
            assert_eq!(MxPattern::parse(pattern).unwrap().matches(host), expected, "{pattern} {host}");
        }
    }

    #[test]
    fn wrong_patterns_break_one_rule_each() {
        use MxProblemKind::{ALabel, Address, List, Syntax, Wildcard};
        let label = format!("{}.example", "a".repeat(64));
        let long = vec!["abcdefgh"; 30].join(".");
        for (text, kind, suggestion) in [
            ("", Syntax, None),
            ("mail.example.com.", Syntax, Some("mail.example.com")),
            ("*.example.com.", Syntax, Some("*.example.com")),
            (".example.com", Syntax, Some("*.example.com")),
            ("*", Wildcard, None),
            ("*.", Wildcard, None),
            ("*.*.example.com", Wildcard, None),
            ("m*.example.com", Wildcard, None),
            ("*mx.example.com", Wildcard, Some("*.mx.example.com")),
            ("mail.*.com", Wildcard, None),
            ("192.0.2.1", Address, None),
            ("[192.0.2.1]", Address, None),
            ("2001:db8::1", Address, None),
            ("192.0.2.1:25", Address, None),
            ("host.example:25", Syntax, Some("host.example")),
            ("smtp://mx.example.com:25/", Syntax, Some("mx.example.com")),
            ("://google.com", Syntax, Some("google.com")),
            ("10 host.example", Syntax, Some("host.example")),
            (".", Syntax, None),
            ("-host.example", Syntax, None),
            ("my_host.example", Syntax, None),
            ("a..example", Syntax, None),
            ("a.example, b.example", List, None),
            ("a.example b.example", List, None),
            ("[a.example, b.example]", List, None),
            ("a.example,", Syntax, Some("a.example")),
            ("<a.example>", Syntax, Some("a.example")),
            ("\"a.example\"", Syntax, Some("a.example")),
            ("bücher.example", ALabel, Some("xn--bcher-kva.example")),
            ("*.bücher.example", ALabel, Some("*.xn--bcher-kva.example")),
            ("xn--a-ecp.ru", ALabel, None),
            ("a/b", Syntax, Some("a")),
            (label.as_str(), Syntax, None),
            (long.as_str(), Syntax, None),
        ] {
            let problem = MxPattern::parse(text).expect_err(text);
            assert_eq!((problem.kind, problem.suggestion.as_deref()), (kind, suggestion), "{text}: {}", problem.detail);
        }
    }

    #[test]
    fn good_patterns_stay() {
        for text in ["mail.example.com", "*.com", "localhost", "MAIL.Example.COM", "1.example", "xn--bcher-kva.example"]
        {
            MxPattern::parse(text).unwrap();
        }
        assert!(MxPattern::parse("localhost").unwrap().is_single_label());
    }

    proptest! {
        #[test]
        fn no_text_panics_and_no_suggestion_is_wrong(text in "[*.a-c0-9 ,:/é_<>\\[\\]-]{0,24}|.*", host in ".*") {
            match MxPattern::parse(&text) {
                Ok(pattern) => drop(pattern.matches(&host)),
                Err(problem) => {
                    if let Some(suggestion) = problem.suggestion {
                        prop_assert!(MxPattern::parse(&suggestion).is_ok(), "{} -> {}", text, suggestion);
                    }
                }
            }
        }
    }
}
