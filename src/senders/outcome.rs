//! What each sender makes of all that a domain publishes. Called by `facts`, which shows it to rules and reports.

use std::sync::Arc;

use super::applied::AppliedPolicy;
use super::dialect::Compares;
use super::explain::{Input, Served, explain, read_as};
use super::model::{Behaviour, Claim, Enforces, MxAlias, Profile, Testing};
use super::verdict::{Answer, Verdict};
use crate::grammar::policy::Mode;

/// What a domain publishes, as far as it was observed.
#[derive(Clone, Debug, Default)]
pub struct Published {
    /// The TXT records at `_mta-sts`, each with its character-strings joined.
    pub record: Option<Vec<String>>,
    /// The policy.
    pub policy: Option<PublishedPolicy>,
    /// The TXT records at `_smtp._tls`, in the same way.
    pub tlsrpt: Option<Vec<String>>,
}

/// A policy that was asked for.
#[derive(Clone, Debug)]
pub enum PublishedPolicy {
    /// No sender can fetch one, and why.
    Nowhere(String),
    /// It is served.
    Served(Served),
}

/// What a sender makes of what a domain publishes.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The sender.
    pub profile: Arc<Profile>,
    /// The record; `None` where it was not observed.
    pub record: Option<Verdict>,
    /// The policy; `None` where it was not observed.
    pub policy: Option<Verdict>,
    /// The reporting record; `None` where it was not observed.
    pub tlsrpt: Option<Verdict>,
    /// The policy that it applies.
    pub applies: AppliedPolicy,
    /// Why, as a sentence without its end.
    pub because: String,
}

/// What every sender makes of it, in the order given.
pub fn outcomes(profiles: &[Arc<Profile>], all: &[Arc<Profile>], published: &Published) -> Vec<Outcome> {
    profiles.iter().map(|profile| outcome(profile, all, published)).collect()
}

fn outcome(profile: &Arc<Profile>, all: &[Arc<Profile>], published: &Published) -> Outcome {
    let asked = |input: Input| explain(profile, all, &input);
    let record = published.record.clone().map(|texts| asked(Input::Record(texts)));
    let tlsrpt = published.tlsrpt.clone().map(|texts| asked(Input::Tlsrpt(texts)));
    let policy = published.policy.as_ref().map(|policy| match policy {
        PublishedPolicy::Nowhere(why) => Verdict::no(why.clone()),
        PublishedPolicy::Served(served) => asked(Input::Policy(served.clone())),
    });
    let (applies, because) = applied(profile, record.as_ref(), policy.as_ref());
    Outcome { profile: Arc::clone(profile), record, policy, tlsrpt, applies, because }
}

fn applied(profile: &Profile, record: Option<&Verdict>, policy: Option<&Verdict>) -> (AppliedPolicy, String) {
    let enforces = profile.behaviour.enforces.as_ref().map(|claim| claim.is);
    if enforces == Some(Enforces::Never) {
        return (AppliedPolicy::Absent, "it does not enforce policies".to_owned());
    }
    match (record, policy) {
        (Some(Verdict { answer: Answer::No, because, .. }), _) => {
            (AppliedPolicy::Absent, format!("it refuses the record: {because}"))
        }
        (_, Some(Verdict { answer: Answer::No, because, .. })) => {
            (AppliedPolicy::Absent, format!("it refuses the policy: {because}"))
        }
        (None, _) => (AppliedPolicy::Unknown, "the record was not observed".to_owned()),
        (_, None) => (AppliedPolicy::Unknown, "the policy was not observed".to_owned()),
        (Some(Verdict { answer: Answer::Unknown, because, .. }), _)
        | (_, Some(Verdict { answer: Answer::Unknown, because, .. })) => (AppliedPolicy::Unknown, because.clone()),
        (Some(_), Some(policy)) => {
            let mode = policy.reading.mode.as_deref().and_then(Mode::from_word);
            let applies = mode.map_or(AppliedPolicy::Unknown, AppliedPolicy::of);
            (applies, format!("it takes the record and the policy, in mode {applies}"))
        }
    }
}

impl Outcome {
    fn claim<T: Clone>(&self, all: &[Arc<Profile>], of: impl Fn(&Behaviour) -> Option<&Claim<T>>) -> Option<T> {
        let own = of(&self.profile.behaviour).map(|claim| claim.is.clone());
        own.or_else(|| of(&read_as(&self.profile, all)?.behaviour).map(|claim| claim.is.clone()))
    }

    /// For how many seconds it goes on with a policy that it holds once another is published, at most; `None` where that
    /// is not known.
    pub fn notices_within(&self, all: &[Arc<Profile>]) -> Option<i64> {
        match self.claim(all, |it| it.notices.as_ref())? {
            true => self.claim(all, |it| it.notices_after.as_ref()),
            false => self.holds(all),
        }
    }

    /// Whether it notices another policy before the one that it holds has run out; `None` where that is not known.
    pub fn notices(&self, all: &[Arc<Profile>]) -> Option<bool> {
        self.claim(all, |it| it.notices.as_ref())
    }

    /// For how many seconds it holds the policy that is served now, at most; `None` where it takes none.
    pub fn holds(&self, all: &[Arc<Profile>]) -> Option<i64> {
        let max_age = self.policy.as_ref()?.reading.max_age?;
        Some(held_seconds(&self.profile, read_as(&self.profile, all), max_age))
    }

    /// For how many seconds it waits for a policy; `None` where that is not known.
    pub fn fetch_timeout(&self, all: &[Arc<Profile>]) -> Option<i64> {
        self.claim(all, |it| it.fetch_timeout.as_ref()).and_then(|seconds| i64::try_from(seconds).ok())
    }

    /// What it does with an MX record that names an alias; `None` where that is not known.
    pub fn mx_alias(&self, all: &[Arc<Profile>]) -> Option<MxAlias> {
        self.claim(all, |it| it.mx_alias.as_ref())
    }

    /// Whether it sends TLS reports; `None` where that is not known.
    pub fn sends_reports(&self, all: &[Arc<Profile>]) -> Option<bool> {
        self.claim(all, |it| it.sends_reports.as_ref())
    }

    /// Whether it sends them to the first destination alone; `None` where that is not known.
    pub fn first_destination_only(&self, all: &[Arc<Profile>]) -> Option<bool> {
        self.claim(all, |it| it.first_destination_only.as_ref())
    }

    /// Whether it verifies, and reports, in mode testing; `None` where that is not known.
    pub fn reports_in_testing(&self, all: &[Arc<Profile>]) -> Option<bool> {
        self.claim(all, |it| it.testing.as_ref()).map(|testing| testing == Testing::DeliversAndReports)
    }

    /// Whether it compares the patterns with the name of the MX host; `None` where that is not known.
    pub fn compares(&self, all: &[Arc<Profile>]) -> Option<Compares> {
        let own = self.profile.matching.as_ref();
        own.or_else(|| read_as(&self.profile, all)?.matching.as_ref()).and_then(|dialect| dialect.compares)
    }

    /// Whether its patterns name an MX host.
    pub fn covers(&self, all: &[Arc<Profile>], host: &str) -> Answer {
        let patterns = self.policy.as_ref().map(|policy| policy.reading.mx.clone()).unwrap_or_default();
        explain(&self.profile, all, &Input::Host { host: host.to_owned(), patterns }).answer
    }
}

/// For how many seconds a sender holds a policy with this `max_age`, at most.
pub fn held_seconds(profile: &Profile, other: Option<&Profile>, max_age: i64) -> i64 {
    let claim = |of: &dyn Fn(&Behaviour) -> Option<&Claim<i64>>| {
        of(&profile.behaviour).or_else(|| of(&other?.behaviour)).map(|claim| claim.is)
    };
    let below = claim(&|it| it.holds_from.as_ref()).is_some_and(|from| max_age < from);
    let above = claim(&|it| it.holds_to.as_ref()).is_some_and(|to| max_age > to);
    let seconds = match claim(&|it| it.otherwise_holds.as_ref()) {
        Some(otherwise) if below || above => otherwise,
        _ => max_age,
    };
    claim(&|it| it.holds_at_most.as_ref()).map_or(seconds, |most| seconds.min(most))
}
