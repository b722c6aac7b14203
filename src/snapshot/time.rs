//! Times in snapshots: RFC 3339, UTC. `facts` reads them, and the reader of snapshots refuses what is none.

use jiff::Timestamp;
use jiff::civil::DateTime;
use serde::de::Error;
use serde::{Deserialize, Deserializer};

/// The moment that a text names; `None` where it is not a time. What no clock here can count up to, such as the
/// `9999-12-31T23:59:59Z` of certificates without an end (RFC 5280 §4.1.2.5), is the last moment that it can.
pub fn instant(text: &str) -> Option<Timestamp> {
    let beyond = || {
        let local: DateTime = text.strip_suffix('Z')?.parse().ok()?;
        (local.year() == 9999).then_some(Timestamp::MAX)
    };
    text.parse().ok().or_else(beyond)
}

/// Seconds in words, in the two largest units: "2 weeks", "1 day 1 hour", "90 seconds" is "1 minute 30 seconds".
pub fn duration(seconds: i64) -> String {
    const UNITS: [(&str, u64); 5] =
        [("week", 604_800), ("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1)];
    let mut rest = seconds.unsigned_abs();
    let mut parts = Vec::new();
    for (name, size) in UNITS {
        let count = rest.checked_div(size).unwrap_or_default();
        // Weeks only where they come out even: "10 days" is clearer than "1 week 3 days".
        if count == 0 || parts.len() == 2 || (name == "week" && !rest.is_multiple_of(size)) {
            continue;
        }
        rest = rest.saturating_sub(count.saturating_mul(size));
        parts.push(format!("{count} {name}{}", if count == 1 { "" } else { "s" }));
    }
    if parts.is_empty() {
        "0 seconds".to_owned()
    } else {
        format!("{}{}", if seconds < 0 { "minus " } else { "" }, parts.join(" "))
    }
}

/// A time that may be left out.
pub(super) fn optional<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    match &text {
        Some(time) if instant(time).is_none() => {
            Err(D::Error::custom("this is not a valid time: write it like 2026-11-23T10:00:00Z (RFC 3339, UTC)"))
        }
        _ => Ok(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_what_is_none() {
        assert_eq!(instant("1970-01-01T00:01:00Z").map(Timestamp::as_second), Some(60));
        assert_eq!(instant("9999-12-31T23:59:59Z"), Some(Timestamp::MAX));
        for text in ["", "yesterday", "2026-11-23", "2026-13-45T99:00:00Z", "2026-11-23T10:00:00", "Z"] {
            assert_eq!(instant(text), None, "{text}");
        }
    }
}
