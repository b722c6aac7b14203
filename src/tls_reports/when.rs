//! The date-times of reports (RFC 3339 §5.6), read as tolerantly as senders write them.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

/// A date-time and how it was written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum When {
    /// A date alone, read as its midnight in UTC.
    DateOnly(i64),
    /// As RFC 3339 asks: with its offset.
    Exact(i64),
    /// Without an offset, read as UTC.
    NoZone(i64),
    /// As seconds since 1970.
    Seconds(i64),
}

impl When {
    /// Reads a date-time; `None` where it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Ok(timestamp) = text.parse::<Timestamp>() {
            return Some(When::Exact(timestamp.as_second()));
        }
        if text.len() >= 9
            && let Ok(seconds) = text.parse::<i64>()
        {
            return Timestamp::from_second(seconds).ok().map(|_| When::Seconds(seconds));
        }
        let utc = |civil: DateTime| TimeZone::UTC.to_timestamp(civil).ok().map(Timestamp::as_second);
        if text.len() > 10 {
            return utc(text.parse::<DateTime>().ok()?).map(When::NoZone);
        }
        utc(text.parse::<Date>().ok()?.to_datetime(jiff::civil::Time::midnight())).map(When::DateOnly)
    }

    /// Seconds since 1970.
    pub fn seconds(self) -> i64 {
        match self {
            When::DateOnly(seconds) | When::Exact(seconds) | When::NoZone(seconds) | When::Seconds(seconds) => seconds,
        }
    }
}

/// The day of a second in UTC: `2026-11-23`; empty where it is out of range.
pub fn day(seconds: i64) -> String {
    Timestamp::from_second(seconds)
        .map(|timestamp| timestamp.to_zoned_datetime(TimeZone::UTC).date().to_string())
        .unwrap_or_default()
}

/// A second as a time: `2026-11-23T00:00:00Z`; `None` where it is out of range.
pub fn instant_of(seconds: i64) -> Option<String> {
    Timestamp::from_second(seconds).ok().map(|timestamp| timestamp.to_string())
}

/// The midnight at which a day begins, in seconds since 1970 (UTC); `None` where the text is not a day.
pub fn seconds_of_day(day: &str) -> Option<i64> {
    match When::parse(day)? {
        When::DateOnly(seconds) => Some(seconds),
        When::Exact(_) | When::NoZone(_) | When::Seconds(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_senders_write() {
        let cases = [
            ("2026-11-23T00:00:00Z", Some(When::Exact(1_795_392_000))),
            ("2026-11-23T01:00:00+01:00", Some(When::Exact(1_795_392_000))),
            ("2026-11-23T00:00:00", Some(When::NoZone(1_795_392_000))),
            ("2026-11-23 00:00:00", Some(When::NoZone(1_795_392_000))),
            ("2026-11-23", Some(When::DateOnly(1_795_392_000))),
            ("1795392000", Some(When::Seconds(1_795_392_000))),
            ("99999999999999999999", None),
            ("20261123", Some(When::DateOnly(1_795_392_000))),
            ("yesterday", None),
            ("", None),
            ("2026-13-41T00:00:00Z", None),
        ];
        for (text, expected) in cases {
            assert_eq!(When::parse(text), expected, "{text}");
        }
        assert_eq!(day(1_795_392_000), "2026-11-23");
        assert_eq!(day(i64::MAX), "");
    }
}
