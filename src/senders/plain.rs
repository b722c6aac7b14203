//! Texts in which every known reader sees the same, so that even a sender of which no property is known takes them.
//! Called by the readers of `senders` for profiles that do not say how a sender reads.

use super::verdict::{Reading, Verdict};

/// Whether it is an extension name (RFC 8461 §3.1).
pub fn is_extension_name(name: &str) -> bool {
    let inner = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'_' | b'-' | b'.');
    let begins = name.bytes().next().is_some_and(|octet| octet.is_ascii_alphanumeric());
    begins && name.len() <= 32 && name.bytes().all(inner)
}

fn is_id(id: &str) -> bool {
    (1..=32).contains(&id.len()) && id.bytes().all(|octet| octet.is_ascii_alphanumeric())
}

/// Whether a sender takes it for a field name: an extension name, which may also begin with `-` or `.` where that is
/// `loose`.
pub fn is_field_name(name: &str, loose: bool) -> bool {
    match name.strip_prefix(['-', '.']) {
        Some(rest) if loose => is_extension_name(&format!("x{rest}")),
        _ => is_extension_name(name),
    }
}

/// The records: exactly one, with the version and the id alone.
pub fn record(texts: &[String]) -> Verdict {
    let id = match texts {
        [text] => text.strip_prefix("v=STSv1;").map(|rest| rest.strip_prefix(' ').unwrap_or(rest)),
        _ => None,
    };
    let id = id.and_then(|rest| rest.strip_prefix("id=")).map(|id| id.strip_suffix(';').unwrap_or(id));
    match id.filter(|id| is_id(id)) {
        Some(id) => Verdict::yes(
            "every known sender takes such a record",
            Reading { id: Some(id.to_owned()), ..Reading::default() },
        ),
        None => Verdict::unknown("not known: how it reads records that are not plain"),
    }
}

/// The policy: each field once, in lower case, nothing else.
pub fn policy(body: &[u8]) -> Verdict {
    let unknown = || Verdict::unknown("not known: how it reads policies that are not plain");
    let Ok(text) = std::str::from_utf8(body) else { return unknown() };
    let mut reading = Reading::default();
    let mut version = false;
    for line in text.lines() {
        let Some((name, value)) = line.split_once(':') else { return unknown() };
        let value = value.strip_prefix(' ').unwrap_or(value);
        let first = match name {
            "version" if value == "STSv1" => !std::mem::replace(&mut version, true),
            "mode" if matches!(value, "enforce" | "testing" | "none") => {
                reading.mode.replace(value.to_owned()).is_none()
            }
            "max_age" if value.bytes().all(|octet| octet.is_ascii_digit()) && !value.starts_with('0') => {
                let age = value.parse().ok().filter(|age| (86_400..=31_557_600).contains(age));
                age.is_some() && std::mem::replace(&mut reading.max_age, age).is_none()
            }
            "mx" if is_pattern(value) => {
                reading.mx.push(value.to_owned());
                true
            }
            _ => false,
        };
        if !first {
            return unknown();
        }
    }
    match version
        && reading.mode.is_some()
        && reading.max_age.is_some()
        && !reading.mx.is_empty()
        && text.ends_with('\n')
    {
        true => Verdict::yes("every known sender takes such a policy", reading),
        false => unknown(),
    }
}

fn is_pattern(value: &str) -> bool {
    let name = value.strip_prefix("*.").unwrap_or(value);
    let label = |label: &str| {
        let inner = label.bytes().all(|octet| octet.is_ascii_lowercase() || octet.is_ascii_digit() || octet == b'-');
        (1..=63).contains(&label.len()) && inner && !label.starts_with('-') && !label.ends_with('-')
    };
    let is_named = name.rsplit('.').next().is_some_and(|last| last.bytes().any(|octet| octet.is_ascii_lowercase()));
    name.len() <= 253 && name.contains('.') && name.split('.').all(label) && is_named
}
