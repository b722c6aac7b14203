//! What a sender takes for a name or an address. Called by `senders::policy` and `senders::reports`.

use std::net::IpAddr;

/// Whether every known sender takes it as a pattern: lower-case labels with at least one dot, optionally after `*.`.
pub fn is_plain_pattern(value: &str) -> bool {
    let name = value.strip_prefix("*.").unwrap_or(value);
    let lower = |octet: u8| octet.is_ascii_lowercase() || octet.is_ascii_digit() || octet == b'-';
    let inner = |label: &str| label.bytes().all(lower) && label.get(2..4).is_none_or(|hyphens| hyphens != "--");
    let named = name.rsplit('.').next().is_some_and(|last| last.bytes().any(|octet| octet.is_ascii_lowercase()));
    name.contains('.') && named && is_dns_name(name) && name.split('.').all(inner)
}

/// Labels of 1 to 63 letters, digits and inner hyphens; no address.
pub fn is_dns_name(name: &str) -> bool {
    name.len() <= 253 && name.parse::<IpAddr>().is_err() && is_host_name(name)
}

/// Labels of 1 to 63 letters, digits and inner hyphens.
pub fn is_host_name(name: &str) -> bool {
    let label = |label: &str| {
        let inner = label.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-');
        (1..=63).contains(&label.len()) && inner && !label.starts_with('-') && !label.ends_with('-')
    };
    name.split('.').all(label)
}

/// A domain by the grammar of RFC 5321 §4.1.2 whose labels are valid for IDNA: no address, no hyphen at an end of a
/// label or at its third and fourth place, and valid A-labels.
pub fn is_domain(name: &str) -> bool {
    let label = |label: &str| {
        let inner = label.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-');
        let hyphens = label.get(2..4) == Some("--");
        let a_label = label.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("xn--"));
        let idna = if a_label { idna::domain_to_unicode(label).1.is_ok() } else { !hyphens };
        !label.is_empty() && inner && idna && !label.starts_with('-') && !label.ends_with('-')
    };
    name.parse::<IpAddr>().is_err() && name.split('.').all(label)
}

/// Whether it is an address with a local part and a domain; `None` where validators disagree.
pub fn is_mailbox(address: &str) -> Option<bool> {
    let Some((local, domain)) = address.rsplit_once('@') else { return Some(false) };
    let atom = |octet: u8| octet.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&octet);
    if local.is_empty() || local.len() > 64 || local.starts_with('.') || local.ends_with('.') || local.contains("..") {
        return Some(false);
    }
    if !local.bytes().all(atom) {
        return None;
    }
    is_public_domain(domain)
}

/// Whether it is a domain under a top-level domain; `None` for an address, and for one that may not exist.
pub fn is_public_domain(domain: &str) -> Option<bool> {
    if domain.parse::<IpAddr>().is_ok() || !domain.is_ascii() {
        return None;
    }
    if !domain.contains('.') || !is_host_name(domain) {
        return Some(false);
    }
    let suffix = psl::suffix(domain.to_ascii_lowercase().as_bytes()).map(|suffix| suffix.is_known());
    suffix.filter(|known| *known)
}
