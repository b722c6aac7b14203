//! Which policy a sender applies (RFC 8461 §3.1, §3.3, §5).

use std::collections::BTreeMap;

use super::AppliedPolicy;
use super::holder::{self, Held, Holder};
use crate::facts::tree::{BaselineFacts, PolicyHostFacts, RecordFacts};
use crate::facts::{Facts, gives_policy};
use crate::grammar::mx_patterns::PatternIndex;
use crate::grammar::policy::Mode;
use crate::snapshot::instant;
use crate::tls_reports::result_type::ResultType;

/// The policy that is applied, and why.
#[derive(Clone, Debug)]
pub struct Applied {
    /// Which one.
    pub policy: AppliedPolicy,
    /// Why, in one sentence.
    pub explanation: String,
    /// The result types that are reported about the policy itself.
    pub reports: Vec<ResultType>,
    /// The `mx` patterns of a policy from the cache; else the published one's count.
    patterns: Option<PatternIndex>,
    /// Of a sender that compares in its own way: whether it takes an MX host for named, by the host.
    coverage: Option<BTreeMap<String, Option<bool>>>,
}

impl Applied {
    fn new(policy: AppliedPolicy, explanation: impl Into<String>) -> Self {
        Applied { policy, explanation: explanation.into(), reports: Vec::new(), patterns: None, coverage: None }
    }

    /// For a sender that compares MX hosts with patterns in its own way.
    pub fn with_coverage(policy: AppliedPolicy, coverage: BTreeMap<String, Option<bool>>) -> Self {
        Applied { coverage: Some(coverage), ..Applied::new(policy, "") }
    }

    fn reporting(mut self, kind: ResultType) -> Self {
        self.reports.push(kind);
        self
    }

    /// Whether the policy names an MX host: `None` where that was not observed.
    pub fn covers(&self, exchange: &str, published: Option<bool>) -> Option<bool> {
        if let Some(coverage) = &self.coverage {
            return coverage.get(exchange).copied().flatten();
        }
        match &self.patterns {
            Some(patterns) => Some(patterns.first(exchange).is_some()),
            None => published,
        }
    }
}

/// For a sender without a cached policy.
pub fn with_empty_cache(facts: &Facts) -> Applied {
    let record = facts.of_domain().record.known();
    match record.and_then(|record| record.usable.known()) {
        None if record.is_some_and(lookup_fails) => {
            let text = format!(
                "the record cannot be looked up ({}), and RFC 8461 does not say whether a sender then waits or continues without a policy",
                facts.reason_not_known("record.usable")
            );
            Applied::new(AppliedPolicy::Unknown, text)
        }
        None => Applied::new(AppliedPolicy::Unknown, no_record_observed(facts)),
        // Only with a usable record is a failed fetch reportable (RFC 8461 §6).
        Some(false) => Applied::new(
            AppliedPolicy::Absent,
            format!("{}: the sender acts as if there were no policy (RFC 8461 §3.1)", unusable(record)),
        ),
        Some(true) => fetched(facts),
    }
}

/// Whether every sender gets no answer when it asks for the record.
fn lookup_fails(record: &RecordFacts) -> bool {
    record.outcome.known().is_some_and(|outcome| outcome.is_failure())
}

fn no_record_observed(facts: &Facts) -> String {
    let reason = facts.reason_not_known("record.usable");
    format!("whether a sender finds a usable _mta-sts record was not observed: {reason}")
}

fn unusable(record: Option<&RecordFacts>) -> &'static str {
    match record.and_then(|record| record.count.known()) {
        Some(0) => "no TXT record at _mta-sts begins with `v=STSv1;`",
        Some(1) | None => "the _mta-sts record is not valid",
        Some(_) => "there are several _mta-sts records",
    }
}

/// The policy as it is served now.
fn fetched(facts: &Facts) -> Applied {
    let policy = facts.of_domain().policy.known();
    let host = facts.of_domain().policy_host.known();
    let fetchable = host.and_then(|host| host.fetchable.known()).copied();
    if let Some(why) = host.and_then(|host| host.unresolved.known()?.as_ref()) {
        let text = format!(
            "the policy host cannot be looked up ({why}), so the policy cannot be fetched: the sender acts as if there were \
            none (RFC 8461 §3.3)"
        );
        return Applied::new(AppliedPolicy::Absent, text).reporting(ResultType::StsPolicyFetchError);
    }
    if fetchable == Some(false) {
        let (why, kind) = fetch_failure(host);
        let text =
            format!("{why}, so the policy cannot be fetched: the sender acts as if there were none (RFC 8461 §3.3)");
        return Applied::new(AppliedPolicy::Absent, text).reporting(kind);
    }
    let usable = policy.and_then(|policy| policy.usable.known()).copied();
    let mode = policy.and_then(|policy| policy.mode.known()).copied().flatten();
    match (usable, mode) {
        (Some(false), _) => {
            let text = "the policy is not valid: the sender acts as if there were none (RFC 8461 §3.2)";
            Applied::new(AppliedPolicy::Absent, text).reporting(ResultType::StsPolicyInvalid)
        }
        (Some(true), Some(mode)) => {
            let text = match at_some_addresses(host) {
                Some(there) => {
                    format!("{there} gets a valid one and applies mode {mode}; elsewhere it acts as if there were none")
                }
                None => format!("the record and the policy are valid: the sender applies mode {mode}"),
            };
            Applied::new(AppliedPolicy::of(mode), text)
        }
        _ => Applied::new(
            AppliedPolicy::Unknown,
            format!("the policy was not observed: {}", facts.reason_not_known("policy.usable")),
        ),
    }
}

/// Of a policy host that serves the policy at some of its addresses only, who gets it there.
fn at_some_addresses(host: Option<&PolicyHostFacts>) -> Option<String> {
    // Of an address that does not answer, senders go on to the next.
    let answering = host?.probes.known()?.iter().filter(|probe| probe.connected.known() == Some(&true));
    let verdicts: Vec<Option<bool>> = answering.map(gives_policy).collect();
    let good = verdicts.iter().filter(|verdict| **verdict == Some(true)).count();
    let bad = verdicts.iter().filter(|verdict| **verdict == Some(false)).count();
    (good > 0 && bad > 0).then(|| {
        format!("{good} of the policy host's {} addresses give the policy: a sender that asks there", verdicts.len())
    })
}

/// Why the policy cannot be fetched, and the result type for it.
fn fetch_failure(host: Option<&PolicyHostFacts>) -> (&'static str, ResultType) {
    let sessions = host.and_then(|host| host.probes.known()).into_iter().flatten();
    let bad_certificate = sessions.filter_map(|probe| probe.tls.known()).any(|tls| {
        let certificate = tls.certificate.known().and_then(Option::as_ref);
        let named = certificate.and_then(|certificate| certificate.name_match.known());
        tls.trusted.known() == Some(&false)
            || certificate
                .is_some_and(|it| it.expired.known() == Some(&true) || it.not_yet_valid.known() == Some(&true))
            || named.is_some_and(|named| !named.names_policy_host())
    });
    match (bad_certificate, host.and_then(|host| host.resolves.known())) {
        (true, _) => ("the policy host's certificate is not valid", ResultType::StsWebpkiInvalid),
        (false, Some(false)) => ("the policy host has no address", ResultType::StsPolicyFetchError),
        _ => ("the policy host does not serve the policy", ResultType::StsPolicyFetchError),
    }
}

/// For a sender that still holds the baseline's policy.
pub fn with_baseline(facts: &Facts, baseline: &BaselineFacts) -> Applied {
    if let Some(Some(why)) = baseline.never_cached.known() {
        return as_empty(facts, &format!("no sender can hold the baseline's policy ({why})"));
    }
    let mode = match baseline.mode.known() {
        None => return Applied::new(AppliedPolicy::Unknown, facts.reason_not_known("baseline.mode")),
        Some(None) => return as_empty(facts, "the baseline holds no valid policy"),
        Some(Some(mode)) => *mode,
    };
    if baseline.expired.known() == Some(&true) {
        return as_empty(facts, "the baseline's policy has expired");
    }
    let cached = |why: String| Applied {
        patterns: baseline.patterns.known().map(|patterns| PatternIndex::of(patterns.iter().map(String::as_str))),
        ..Applied::new(AppliedPolicy::of(mode), format!("{why}: the sender uses the cached policy in mode {mode}"))
    };
    // A failed fetch is reported unless the cached mode is none (RFC 8461 §6).
    let reportable =
        |applied: Applied, kind: ResultType| if mode == Mode::None { applied } else { applied.reporting(kind) };
    let record = facts.of_domain().record.known();
    match record.and_then(|record| record.usable.known()) {
        // Only a policy that is served later takes the place of the cached one (RFC 8461 §3.3).
        None if record.is_some_and(lookup_fails) => {
            let why = format!("the record cannot be looked up ({})", facts.reason_not_known("record.usable"));
            return reportable(cached(why), ResultType::StsPolicyFetchError);
        }
        None => return Applied::new(AppliedPolicy::Unknown, no_record_observed(facts)),
        Some(false) => return reportable(cached(unusable(record).to_owned()), ResultType::StsPolicyFetchError),
        Some(true) => {}
    }
    let id = record.and_then(|record| record.id.known()).and_then(Option::as_ref);
    let old = baseline.id.known().and_then(Option::as_ref);
    if id.is_some() && id == old {
        return cached("the id is that of the cached policy, so nothing is fetched".to_owned());
    }
    let fetched = fetched(facts);
    match (fetched.policy, fetched.reports.first()) {
        (AppliedPolicy::Absent, Some(kind)) => {
            let why = fetched.explanation.split(": the sender").next().unwrap_or_default().to_owned();
            reportable(cached(format!("the id is new, but {why}")), *kind)
        }
        _ => Applied { explanation: format!("the id is new: {}", fetched.explanation), ..fetched },
    }
}

/// For a sender that holds a policy of which nothing is known but its text: whether the present id is another one
/// than it has, nobody can tell, so it goes on with what it holds until it has looked (RFC 8461 §5.1).
pub fn with_held(facts: &Facts, held: &BaselineFacts) -> Applied {
    if let Some(Some(why)) = held.never_cached.known() {
        return as_empty(facts, &format!("no sender can hold the policy that was given ({why})"));
    }
    let Some(mode) = held.mode.known().copied().flatten() else {
        return as_empty(facts, "the policy that was given is not valid, and no sender can hold it");
    };
    if held.expired.known() == Some(&true) {
        return as_empty(facts, "the held policy has expired");
    }
    let how_long = held.how_long.known().cloned().unwrap_or_default();
    let goes_on = format!("the sender uses the held policy in mode {mode}");
    let (explanation, reports) = match newer(facts) {
        Newer::There(newer) => (
            format!(
                "{goes_on} until it finds a new id and applies mode {newer} of the policy that is served now (RFC 8461 §5.1); it may hold the old one {how_long}"
            ),
            Vec::new(),
        ),
        Newer::None(why) => (
            format!("{why}, so there is no newer policy: {goes_on} {how_long}"),
            if mode == Mode::None { Vec::new() } else { vec![ResultType::StsPolicyFetchError] },
        ),
        Newer::Unknown => (format!("{goes_on} {how_long}; whether there is a newer one was not observed"), Vec::new()),
    };
    Applied {
        patterns: held.patterns.known().map(|patterns| PatternIndex::of(patterns.iter().map(String::as_str))),
        reports,
        ..Applied::new(AppliedPolicy::of(mode), explanation)
    }
}

/// Whether a newer policy can be fetched.
enum Newer {
    /// It cannot, and why.
    None(String),
    /// It can, and has this mode.
    There(&'static str),
    /// That was not observed.
    Unknown,
}

fn newer(facts: &Facts) -> Newer {
    let record = facts.of_domain().record.known();
    match record.and_then(|record| record.usable.known()) {
        None if record.is_some_and(lookup_fails) => {
            return Newer::None(format!(
                "the record cannot be looked up ({})",
                facts.reason_not_known("record.usable")
            ));
        }
        None => return Newer::Unknown,
        Some(false) => return Newer::None(unusable(record).to_owned()),
        Some(true) => {}
    }
    let fetched = fetched(facts);
    match fetched.policy {
        AppliedPolicy::Absent => {
            Newer::None(fetched.explanation.split(": the sender").next().unwrap_or_default().to_owned())
        }
        AppliedPolicy::Unknown => Newer::Unknown,
        word => Newer::There(word.word()),
    }
}

/// The senders of which it is known how long they hold it; none where nobody can hold it any more.
pub fn holders(facts: &Facts, held: &BaselineFacts) -> Vec<Holder> {
    let nobody = held.expired.known() == Some(&true) || held.mode.known().is_none_or(Option::is_none);
    let served = held.last_served.known().and_then(|served| instant(served));
    let max_age = held.max_age.known().copied().flatten().filter(|_| !nobody);
    let newer = matches!(newer(facts), Newer::There(_));
    let now = facts.collected_at.as_deref().and_then(instant);
    let held = |max_age| Held { max_age, last_served: served, newer, now };
    max_age.map(|max_age| holder::holders(held(max_age))).unwrap_or_default()
}

fn as_empty(facts: &Facts, why: &str) -> Applied {
    let applied = with_empty_cache(facts);
    Applied { explanation: format!("{why}, so it is as with an empty cache: {}", applied.explanation), ..applied }
}
