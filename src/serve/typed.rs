//! A domain as people type or paste it: a URL, a mail address, the name of a record, with what surrounds it in a text.
//! Called for every domain that comes from outside.

use crate::grammar::names::{DomainName, NameError};
use crate::source_text::escape;

/// Names below a domain that people paste, where they mean the domain.
const BELOW: [&str; 4] = ["_mta-sts.", "mta-sts.", "_smtp._tls.", "_stslint."];

/// The domain that is meant.
pub fn domain(text: &str) -> Result<DomainName, NameError> {
    let text: String = text.chars().filter(|c| !c.is_control()).collect();
    let text = unwrapped(&text);
    let text = text.strip_prefix("mailto:").map_or(text, |rest| rest.split('?').next().unwrap_or_default());
    let text = text.strip_prefix("//").unwrap_or(text);
    let host = match DomainName::parse(text) {
        Err(NameError::Url { host, .. }) => host,
        Err(_) => before_port(text.split('/').next().unwrap_or_default()).to_owned(),
        Ok(name) => name.as_str().to_owned(),
    };
    let name = DomainName::parse(&host)?;
    if ends_in_a_number(name.as_str()) {
        return Err(NameError::Address(escape(&host)));
    }
    DomainName::parse(above(name.as_str()))
}

/// The text without the quotes, brackets and commas of where it was copied from; of `Name <address>` the address.
fn unwrapped(text: &str) -> &str {
    let address = text.rsplit_once('<').and_then(|(_, rest)| rest.split_once('>')).map_or(text, |(address, _)| address);
    address.trim_matches(|c: char| c.is_whitespace() || "\"'`“”‘’«»<>(),;".contains(c))
}

/// The host of `host:25`.
fn before_port(text: &str) -> &str {
    match text.split_once(':') {
        Some((host, port)) if !port.is_empty() && port.bytes().all(|octet| octet.is_ascii_digit()) => host,
        _ => text,
    }
}

/// Whether the last label is a number, so that the name is an IPv4 address in one of its forms (URL Standard, "ends in a
/// number").
fn ends_in_a_number(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or_default();
    let hexadecimal =
        last.strip_prefix("0x").is_some_and(|digits| digits.bytes().all(|octet| octet.is_ascii_hexdigit()));
    hexadecimal || last.bytes().all(|octet| octet.is_ascii_digit())
}

/// The domain above a name that is only published for it; not where a registry is above, as of `mta-sts.example`.
fn above(name: &str) -> &str {
    let domain = BELOW.iter().find_map(|prefix| name.strip_prefix(prefix));
    domain.filter(|domain| psl::domain_str(domain).is_some()).unwrap_or(name)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn domains_are_read_as_people_paste_them() {
        for (typed, expected) in [
            ("example.com", "example.com"),
            (" Example.COM. ", "example.com"),
            ("https://example.com/path?x", "example.com"),
            ("https://mta-sts.example.com/.well-known/mta-sts.txt", "example.com"),
            ("HTTPS://User@Example.com:443/x", "example.com"),
            ("//example.com/a", "example.com"),
            ("example.com/", "example.com"),
            ("example.com:25", "example.com"),
            ("user@example.com", "example.com"),
            ("mailto:user@example.com", "example.com"),
            ("mailto:user@example.com?subject=a", "example.com"),
            ("Some One <user@example.com>,", "example.com"),
            ("\"example.com\"", "example.com"),
            ("example.com,", "example.com"),
            ("_mta-sts.example.com", "example.com"),
            ("_smtp._tls.example.com.", "example.com"),
            ("mta-sts.example.com", "example.com"),
            ("mta-sts.org", "mta-sts.org"),
            ("https://mta-sts.co.uk/", "mta-sts.co.uk"),
            ("bücher.example", "xn--bcher-kva.example"),
        ] {
            assert_eq!(domain(typed).unwrap().as_str(), expected, "{typed}");
        }
    }

    #[test]
    fn what_names_no_domain_is_refused() {
        for wrong in [
            "",
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f.1",
            "0x7f000001",
            "[::1]",
            "::ffff:127.0.0.1",
            "user@[127.0.0.1]",
            "http://127.0.0.1:8080/",
            "http://[::1]/",
            "http://2130706433/",
            "a b",
            "/etc/passwd /",
            "exa\u{202e}mple.com",
            "https://",
            "mailto:",
            "<>",
            "a..b",
            "*.example.com",
        ] {
            assert!(domain(wrong).is_err(), "{wrong}: {:?}", domain(wrong));
        }
    }
}
