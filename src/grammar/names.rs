//! Names: domains as people give them, host names, and the DNS-IDs of certificates.

use std::net::IpAddr;

use thiserror::Error;

/// A domain name in A-labels, lower case, without the trailing dot; only valid ones exist.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct DomainName(String);

/// Why a text is not a valid domain name.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum NameError {
    /// It is an address.
    #[error("`{0}` is an IP address; a mail domain is a name such as example.com")]
    Address(String),
    /// A character that no domain name has.
    #[error("`{name}` is not a valid domain name: {character:?} is not allowed")]
    Character {
        /// The name as it was given, escaped.
        name: String,
        /// The first wrong character.
        character: char,
    },
    /// Nothing was given.
    #[error("the domain is empty")]
    Empty,
    /// Two dots follow each other, or a dot comes first.
    #[error("`{0}` is not a valid domain name: it has an empty label (it begins with a dot, or has two in a row)")]
    EmptyLabel(String),
    /// An international name that cannot be written in A-labels.
    #[error("`{0}` is not a valid domain name: it cannot be written in A-labels (IDNA)")]
    Idna(String),
    /// A label of more than 63 octets.
    #[error("`{0}` is not a valid domain name: one of its labels has more than 63 octets")]
    LabelTooLong(String),
    /// More than 253 octets.
    #[error("this domain name has {0} octets, but only 253 are allowed")]
    TooLong(usize),
    /// A URL.
    #[error("`{url}` is a URL; give the mail domain alone: `{host}`")]
    Url {
        /// What was given.
        url: String,
        /// The host in it.
        host: String,
    },
}

impl DomainName {
    /// Reads a domain as people give it: U-labels, upper case, a trailing dot, or `user@domain`.
    pub fn parse(input: &str) -> Result<Self, NameError> {
        let input = input.trim();
        let shown: String = crate::source_text::escape(input).chars().take(300).collect();
        if let Some((_, rest)) = input.split_once("://") {
            let host = rest.split(['/', ':', '?']).next().unwrap_or_default();
            return Err(NameError::Url { url: shown, host: crate::source_text::escape(host) });
        }
        let name = input.rsplit_once('@').map_or(input, |(_, domain)| domain);
        let literal = name.trim_start_matches('[').trim_end_matches(']').trim_start_matches("IPv6:");
        if literal.parse::<IpAddr>().is_ok() {
            return Err(NameError::Address(shown));
        }
        let name = name.strip_suffix(['.', '。']).unwrap_or(name);
        match name {
            "" => return Err(NameError::Empty),
            name if name.len() > 1024 => return Err(NameError::TooLong(name.len())),
            _ => {}
        }
        let ascii = if name.is_ascii() {
            name.to_ascii_lowercase()
        } else {
            idna::domain_to_ascii(name).map_err(|_| NameError::Idna(shown.clone()))?
        };
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if let Some(character) = ascii.chars().find(|c| !allowed(*c)) {
            return Err(NameError::Character { name: shown, character });
        }
        if ascii.split('.').any(str::is_empty) {
            return Err(NameError::EmptyLabel(shown));
        }
        if ascii.split('.').any(|label| label.len() > 63) {
            return Err(NameError::LabelTooLong(shown));
        }
        if ascii.len() > 253 {
            return Err(NameError::TooLong(ascii.len()));
        }
        Ok(DomainName(ascii))
    }

    /// The name in A-labels.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for DomainName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for DomainName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        DomainName::parse(text)
    }
}

/// How a DNS-ID of a certificate names a host (RFC 9525 §6.3).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DnsIdMatch {
    /// Label by label.
    Exact,
    /// Not at all.
    None,
    /// By a `*` that is only part of the left-most label: RFC 9525 has it ignored, RFC 6125 allowed it.
    PartialWildcard,
    /// By a `*` that is the whole left-most label.
    Wildcard,
}

/// How a DNS-ID names a host; case and the root's dot do not matter.
pub fn dns_id_matches(dns_id: &str, host: &str) -> DnsIdMatch {
    let (dns_id, host) = (normalised(dns_id), normalised(host));
    if dns_id.is_empty() || host.is_empty() {
        return DnsIdMatch::None;
    }
    if dns_id == host {
        return if dns_id.contains('*') { DnsIdMatch::None } else { DnsIdMatch::Exact };
    }
    let (Some((first, rest)), Some((label, parent))) = (dns_id.split_once('.'), host.split_once('.')) else {
        return DnsIdMatch::None;
    };
    if rest != parent || rest.contains('*') {
        return DnsIdMatch::None;
    }
    match first.split_once('*') {
        Some(("", "")) => DnsIdMatch::Wildcard,
        Some((before, after)) if !after.contains('*') && label.len() > before.len().saturating_add(after.len()) => {
            let fits = label.starts_with(before) && label.ends_with(after) && !label.starts_with("xn--");
            if fits { DnsIdMatch::PartialWildcard } else { DnsIdMatch::None }
        }
        _ => DnsIdMatch::None,
    }
}

/// The name in lower case without the root's dot.
pub fn normalised(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

/// Why a name is not a host name that a certificate could name (RFC 5321 §4.1.2, RFC 1123 §2.1), if it is none.
pub fn host_name_problem(name: &str) -> Option<String> {
    let bare = name.strip_suffix('.').unwrap_or(name);
    if bare.is_empty() {
        return Some("is empty".to_owned());
    }
    if bare.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().is_ok() {
        return Some("is an IP address".to_owned());
    }
    if bare.len() > 253 {
        return Some(format!("has {} octets, and 253 is the most", bare.len()));
    }
    bare.split('.').find_map(label_problem)
}

/// Why a label cannot be one of a host name.
fn label_problem(label: &str) -> Option<String> {
    let shown = crate::source_text::escape(label);
    if label.is_empty() {
        Some("has an empty label".to_owned())
    } else if label.len() > 63 {
        Some("has a label of more than 63 octets".to_owned())
    } else if label.contains('_') {
        Some(format!("has `_` in the label `{shown}`"))
    } else if label.chars().any(|c| !c.is_ascii_alphanumeric() && c != '-') {
        Some(format!("has a character in the label `{shown}` that no host name has"))
    } else if label.starts_with('-') || label.ends_with('-') {
        Some(format!("has `-` at an edge of the label `{shown}`"))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn domains_as_people_give_them() {
        for (given, name) in [
            ("Example.COM.", "example.com"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("postmaster@Example.com", "example.com"),
            (" example.com ", "example.com"),
            ("xn--bcher-kva.example", "xn--bcher-kva.example"),
            ("_dmarc.example.com", "_dmarc.example.com"),
            ("localhost", "localhost"),
        ] {
            assert_eq!(DomainName::parse(given).unwrap().as_str(), name);
        }
    }

    #[test]
    fn impossible_names_say_why() {
        let label = "a".repeat(64);
        let long = vec!["abcdefgh"; 30].join(".");
        for (given, word) in [
            ("", "empty"),
            (".", "empty"),
            ("user@", "empty"),
            ("a..b", "an empty label"),
            (".example.com", "an empty label"),
            ("exa mple.com", "is not allowed"),
            ("192.0.2.1", "IP address"),
            ("user@[192.0.2.1]", "IP address"),
            ("2001:db8::1", "IP address"),
            ("https://example.com/x", "a URL; give the mail domain alone: `example.com`"),
            (label.as_str(), "63"),
            (long.as_str(), "253"),
            ("exa\u{1b}mple.com", "is not allowed"),
            ("*.example.com", "is not allowed"),
        ] {
            let error = DomainName::parse(given).unwrap_err().to_string();
            assert!(error.contains(word), "{given}: {error}");
            assert!(!error.contains('\u{1b}'), "{given}");
        }
    }

    #[test]
    fn dns_ids_name_hosts_as_rfc_9525_says() {
        use DnsIdMatch::{Exact, None, PartialWildcard, Wildcard};
        for (dns_id, host, expected) in [
            ("mail.example.com", "MAIL.example.com.", Exact),
            ("*.example.com", "mail.example.com", Wildcard),
            ("*.example.com", "example.com", None),
            ("*.example.com", "a.mail.example.com", None),
            ("mx*.example.com", "mx1.example.com", PartialWildcard),
            ("m*1.example.com", "mx1.example.com", PartialWildcard),
            ("mx*.example.com", "mail.example.com", None),
            ("*.*.com", "mail.example.com", None),
            ("mail.*.com", "mail.example.com", None),
            ("*", "example", None),
            ("example.com", "mail.example.com", None),
            ("", "", None),
        ] {
            assert_eq!(dns_id_matches(dns_id, host), expected, "{dns_id} {host}");
        }
    }

    #[test]
    fn host_names_and_others() {
        for good in ["mx1.example.com", "MX1.Example.com.", "a", "1.2.example", "xn--bcher-kva.example"] {
            assert_eq!(host_name_problem(good), Option::None, "{good}");
        }
        for bad in ["", ".", "192.0.2.1", "[192.0.2.1]", "my_host.example", "-a.example", "a..b", "bü.example", "a b"]
        {
            assert!(host_name_problem(bad).is_some(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(a in ".*", b in ".*") {
            let _ = DomainName::parse(&a);
            let _ = host_name_problem(&a);
            let _ = dns_id_matches(&a, &b);
        }
    }
}
