//! How long the senders that are known hold a policy, by their files in `rules/senders/`.
//!
//! Called by `sender` for a policy of which nothing else is known.

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;

use crate::senders::{Profile, built_in, held_seconds, read_as};
use crate::snapshot::duration;

/// What is said of senders of which no file says so.
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
    let holding = built_in().iter().filter(|profile| profile.sends_mail());
    holding.filter_map(|profile| holder(held, profile)).collect()
}

/// One of them; `None` where its file does not say whether it notices a newer policy.
fn holder(held: Held, profile: &Profile) -> Option<Holder> {
    let other = read_as(profile, built_in());
    let notices = profile.behaviour.notices.as_ref().or_else(|| other?.behaviour.notices.as_ref())?;
    let after = profile.behaviour.notices_after.as_ref().or_else(|| other?.behaviour.notices_after.as_ref());
    let notices_after = after.filter(|_| notices.is).map(|claim| claim.is);
    let sources = profile.sources.get(&notices.source).or_else(|| other?.sources.get(&notices.source));
    let seconds = held_seconds(profile, other, held.max_age);
    let until = held.last_served.and_then(|served| served.checked_add(SignedDuration::from_secs(seconds)).ok());
    let over = until.zip(held.now).is_some_and(|(until, now)| until < now);
    let until = until.map(|until| until.to_string());
    Some(Holder {
        sender: profile.name.clone(),
        seconds,
        explanation: match &until {
            Some(until) if over => format!("held it until {until} at the latest, and no longer holds it"),
            until => explanation(seconds, until.as_deref(), notices_after, held.newer),
        },
        until,
        notices_after,
        source: sources.map(|source| source.url.clone()).unwrap_or_default(),
    })
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
