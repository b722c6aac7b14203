//! How long the senders that are known hold a policy: the table `rules/senders/caches.yaml`.
//!
//! Called by `sender` for a policy of which nothing else is known.

use std::sync::OnceLock;

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::snapshot::duration;

const TABLE: &str = include_str!("../../rules/senders/caches.yaml");

/// What is said of senders that are not in the table.
pub const OTHER_HOLDERS: &str = "No shorter limit is known for other senders, including Google and Microsoft.";

/// A sender that may hold a policy, and for how long.
#[derive(Clone, Debug, JsonSchema, PartialEq, Serialize)]
pub struct Holder {
    /// The sender, as people call it.
    pub sender: String,
    /// For how many seconds it holds the policy after it fetched it, at most.
    pub seconds: i64,
    /// Until when at the latest it holds it, by when the policy was last served: RFC 3339, UTC; `null` where that is
    /// not known.
    pub until: Option<String>,
    /// After how many seconds it notices a newer policy before that; `null` where it does not look for one.
    pub notices_after: Option<i64>,
    /// Both in words.
    pub explanation: String,
    /// The public source that says so.
    pub source: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Caches {
    senders: Vec<Cache>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cache {
    name: String,
    at_most: Option<i64>,
    notices_after: Option<i64>,
    from: Option<i64>,
    to: Option<i64>,
    otherwise: Option<i64>,
    source: String,
    #[allow(dead_code)]
    seen: String,
}

impl Cache {
    fn seconds(&self, max_age: i64) -> i64 {
        let taken = self.from.is_none_or(|from| max_age >= from) && self.to.is_none_or(|to| max_age <= to);
        let seconds = if taken { max_age } else { self.otherwise.unwrap_or(max_age) };
        self.at_most.map_or(seconds, |most| seconds.min(most))
    }
}

fn caches() -> &'static [Cache] {
    static TABLE_READ: OnceLock<Vec<Cache>> = OnceLock::new();
    // A test reads the table, so that it is never empty.
    TABLE_READ.get_or_init(|| serde_yaml::from_str::<Caches>(TABLE).unwrap_or_default().senders)
}

/// What is known of a policy that senders may hold.
#[derive(Clone, Copy, Debug)]
pub struct Held {
    /// Its life in seconds.
    pub max_age: i64,
    /// When it was last served.
    pub last_served: Option<Timestamp>,
    /// Whether there is a newer one to fetch.
    pub newer: bool,
    /// When that was observed.
    pub now: Option<Timestamp>,
}

/// The senders that are known, with how long they hold it.
pub fn holders(held: Held) -> Vec<Holder> {
    let holder = |cache: &Cache| {
        let seconds = cache.seconds(held.max_age);
        let until = held.last_served.and_then(|served| served.checked_add(SignedDuration::from_secs(seconds)).ok());
        let over = until.zip(held.now).is_some_and(|(until, now)| until < now);
        let until = until.map(|until| until.to_string());
        Holder {
            sender: cache.name.clone(),
            seconds,
            explanation: match &until {
                Some(until) if over => format!("held it until {until} at the latest, and no longer holds it"),
                until => explanation(seconds, until.as_deref(), cache.notices_after, held.newer),
            },
            until,
            notices_after: cache.notices_after,
            source: cache.source.clone(),
        }
    };
    caches().iter().map(holder).collect()
}

fn explanation(seconds: i64, until: Option<&str>, notices_after: Option<i64>, newer: bool) -> String {
    let held = match until {
        Some(until) => format!("until {until} at the latest"),
        None => format!("for up to {} after it was last served", duration(seconds)),
    };
    let noticed = match notices_after {
        None => "does not look for a newer one earlier".to_owned(),
        Some(_) if !newer => "looks for a newer one earlier, but there is none".to_owned(),
        Some(0) => "notices a new id with its next mail".to_owned(),
        Some(seconds) => format!("fetches the policy again every {}", duration(seconds)),
    };
    format!("holds it {held}, and {noticed}")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_table_names_its_sources() {
        let table: Caches = serde_yaml::from_str(TABLE).unwrap();
        assert!(!table.senders.is_empty());
        for cache in &table.senders {
            assert!(cache.source.starts_with("https://"), "{}", cache.name);
            cache.seen.parse::<jiff::civil::Date>().unwrap();
            assert!(cache.at_most.is_some() || cache.notices_after.is_some() || cache.otherwise.is_some());
            assert_eq!(cache.from.is_some() || cache.to.is_some(), cache.otherwise.is_some(), "{}", cache.name);
        }
    }

    #[test]
    fn a_limit_of_the_sender_counts_where_it_is_the_shorter() {
        let of = |max_age: i64, name: &str| {
            let served = "2026-11-01T00:00:00Z".parse().unwrap();
            let now = "2026-11-03T00:00:00Z".parse().unwrap();
            let found = holders(Held { max_age, last_served: Some(served), newer: true, now: Some(now) });
            found.into_iter().find(|holder| holder.sender == name).unwrap()
        };
        assert_eq!(of(86_400, "Postfix with postfix-tlspol").until.as_deref(), Some("2026-11-02T00:00:00Z"));
        assert_eq!(of(31_557_600, "Postfix with postfix-tlspol").until.as_deref(), Some("2026-12-01T00:00:00Z"));
        assert_eq!(of(600, "Stalwart").seconds, 86_400);
        assert!(of(600, "Stalwart").explanation.contains("no longer holds it"));
        assert_eq!(of(i64::MAX, "mox").until, None, "no time that late can be written");
    }
}
