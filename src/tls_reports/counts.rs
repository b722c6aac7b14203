//! How the connections of one report to one domain went, and what became of the mail whose connection failed.
//!
//! Used by [`sums`](super::sums).

use super::model::{PolicyResult, PolicyType};

/// How the connections of one report to one domain went.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// Connections that were verified, by MTA-STS or DANE.
    pub verified: u64,
    /// Connections of a sender that found no policy.
    pub opportunistic: u64,
    /// Connections that failed.
    pub failed: u64,
    /// Of those, how many were refused.
    pub refused: u64,
    /// Of those, over how many the mail was delivered all the same.
    pub delivered: u64,
}

impl Counts {
    /// Adds up entries, each connection once.
    pub fn of(results: &[&PolicyResult]) -> Counts {
        let of = |kinds: &dyn Fn(&PolicyType) -> bool| {
            let matching = results.iter().filter(|result| kinds(&result.policy_type));
            matching.fold(Counts::default(), |sum, result| {
                let fate = fate(result);
                let if_is = |wanted: Fate| if fate == wanted { result.failed } else { 0 };
                Counts {
                    verified: sum.verified.saturating_add(result.successful),
                    failed: sum.failed.saturating_add(result.failed),
                    refused: sum.refused.saturating_add(if_is(Fate::Refused)),
                    delivered: sum.delivered.saturating_add(if_is(Fate::Delivered)),
                    opportunistic: 0,
                }
            })
        };
        let sts = of(&|kind| *kind == PolicyType::Sts);
        let tlsa = of(&|kind| *kind == PolicyType::Tlsa);
        let none = of(&|kind| !matches!(kind, PolicyType::Sts | PolicyType::Tlsa));
        // A sender that does both counts a connection in both entries: the larger one holds them all.
        let all = |counts: Counts| counts.verified.saturating_add(counts.failed);
        let failed = sts.failed.max(tlsa.failed);
        let refused = sts.refused.max(tlsa.refused);
        Counts {
            verified: all(sts).max(all(tlsa)).saturating_sub(failed),
            opportunistic: none.verified,
            failed: failed.saturating_add(none.failed),
            refused,
            delivered: sts.delivered.min(failed.saturating_sub(refused)).saturating_add(none.failed),
        }
    }
}

/// What becomes of mail whose connection fails.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Fate {
    Delivered,
    Refused,
    Unknown,
}

/// What a failure under this policy does to the mail (RFC 8461 §5, RFC 7672 §2.2).
fn fate(result: &PolicyResult) -> Fate {
    // A sender that gets no policy, and holds none, acts as if there were none (RFC 8461 §3.3).
    let without = ["sts-policy-fetch-error", "sts-policy-invalid", "sts-webpki-invalid"];
    let no_policy = !result.failures.is_empty()
        && result.failures.iter().all(|failure| without.contains(&failure.result_type.as_str()));
    match (&result.policy_type, result.line("mode")) {
        // What is shown then is the policy in the sender's cache, which it went on with (RFC 8461 §5.1).
        (PolicyType::Sts, Some("enforce")) if no_policy => Fate::Delivered,
        (PolicyType::NoPolicyFound, _) | (PolicyType::Sts, Some("testing" | "none")) => Fate::Delivered,
        (PolicyType::Sts, Some("enforce")) | (PolicyType::Tlsa, _) => Fate::Refused,
        (PolicyType::Sts, None) if no_policy => Fate::Delivered,
        _ => Fate::Unknown,
    }
}
