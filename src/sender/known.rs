//! What each sender that is known does with mail for the domain, and whom a finding concerns.
//!
//! `rules::evaluate` adds both to the report. What a profile does not say stays unknown.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::policy::Applied;
use super::{AppliedPolicy, SenderAction, SenderDane, SenderHost, SenderView, dane, host};
use crate::facts::Facts;
use crate::facts::tree::MxHostFacts;
use crate::senders::{Answer, Compares, DaneOrder, Enforces, Kind, Outcome, Verdict, built_in};

/// How many MX hosts of a domain are looked at for every sender.
const MOST_HOSTS: usize = 20;
/// With more patterns than that, it is not looked at which hosts each sender takes them to name.
const MOST_PATTERNS: usize = 200;
/// How many senders a sentence names.
const MOST_NAMES: usize = 5;

/// What a sender that is known does.
#[derive(Clone, Debug, JsonSchema, PartialEq, Serialize)]
pub struct KnownSender {
    /// Its stable name.
    pub sender: String,
    /// Its name for people.
    pub name: String,
    /// The version that is known; `null` for services.
    pub version: Option<String>,
    /// What kind of sender it is.
    pub kind: Kind,
    /// Whether it refuses delivery where a policy is not met; `null` where that is not known.
    pub enforces: Option<Enforces>,
    /// Whether it takes the `_mta-sts` record.
    pub record: Answer,
    /// Whether it takes the policy.
    pub policy: Answer,
    /// Whether it takes the `_smtp._tls` record.
    pub tlsrpt: Answer,
    /// The policy that it applies.
    pub applies: AppliedPolicy,
    /// Why, as a sentence without its end.
    pub because: String,
    /// What it does with each MX host, of the first twenty.
    pub hosts: Vec<KnownHost>,
    /// Whether it sends TLS reports; `null` where that is not known.
    pub sends_reports: Option<bool>,
    /// For how many seconds it goes on with a policy that it holds once another is published, at most; `null` where that is
    /// not known.
    pub notices_within: Option<i64>,
}

/// What a sender that is known does with an MX host.
#[derive(Clone, Debug, JsonSchema, PartialEq, Serialize)]
pub struct KnownHost {
    /// The exchange.
    pub exchange: String,
    /// What it does.
    pub action: SenderAction,
}

impl KnownSender {
    /// The name with its version.
    pub fn label(&self) -> String {
        match &self.version {
            Some(version) => format!("{} {version}", self.name),
            None => self.name.clone(),
        }
    }

    /// Whether that is its name, in any case of letters: the stable one, or the one for people.
    pub fn is_called(&self, name: &str) -> bool {
        self.sender.eq_ignore_ascii_case(name) || self.name.eq_ignore_ascii_case(name)
    }

    /// Whether it is known never to enforce a policy.
    pub fn never_enforces(&self) -> bool {
        self.enforces == Some(Enforces::Never)
    }
}

/// Every sender that is known; nothing where neither the record nor the policy was observed.
pub fn known_senders(facts: &Facts, views: &[SenderView]) -> Vec<KnownSender> {
    if !facts.senders.iter().any(|it| it.record.is_some() || it.policy.is_some()) {
        return Vec::new();
    }
    facts.senders.iter().map(|outcome| known(facts, views, outcome)).collect()
}

fn known(facts: &Facts, views: &[SenderView], it: &Outcome) -> KnownSender {
    let answer = |verdict: &Option<Verdict>| verdict.as_ref().map_or(Answer::Unknown, |verdict| verdict.answer);
    KnownSender {
        sender: it.profile.sender.clone(),
        name: it.profile.name.clone(),
        version: it.profile.version.clone(),
        kind: it.profile.kind,
        enforces: it.profile.behaviour.enforces.as_ref().map(|claim| claim.is),
        record: answer(&it.record),
        policy: answer(&it.policy),
        tlsrpt: answer(&it.tlsrpt),
        applies: it.applies,
        because: it.because.clone(),
        hosts: if views.is_empty() { Vec::new() } else { hosts(facts, it) },
        sends_reports: it.sends_reports(built_in()),
        notices_within: it.notices_within(built_in()),
    }
}

fn hosts(facts: &Facts, it: &Outcome) -> Vec<KnownHost> {
    let tree = facts.of_domain();
    let mx_hosts = tree.mx.known().and_then(|mx| mx.hosts.known()).map(Vec::as_slice).unwrap_or_default();
    let shown = mx_hosts.get(..MOST_HOSTS).unwrap_or(mx_hosts);
    let applied = Applied::with_coverage(verified(it), coverage(it, shown));
    let of = |(index, mx_host): (usize, &MxHostFacts)| {
        let by_policy = host::of(facts, index, mx_host, &applied, true);
        let by_dane = dane::of(facts, index, mx_host, true);
        let action = match by_dane {
            Some(dane) => with_dane(it, &by_policy, &dane),
            None => by_policy.action,
        };
        KnownHost { exchange: by_policy.exchange, action: doubted(it, mx_host, action) }
    };
    shown.iter().enumerate().map(of).collect()
}

/// The policy by which it verifies: mode testing is as none for a sender that does not report in it.
fn verified(it: &Outcome) -> AppliedPolicy {
    match (it.applies, it.reports_in_testing(built_in())) {
        (AppliedPolicy::Testing, Some(false)) => AppliedPolicy::Absent,
        (AppliedPolicy::Testing, None) => AppliedPolicy::Unknown,
        (applies, _) => applies,
    }
}

/// Which hosts it takes the patterns to name.
fn coverage(it: &Outcome, hosts: &[MxHostFacts]) -> BTreeMap<String, Option<bool>> {
    let few = it.policy.as_ref().is_some_and(|policy| policy.reading.mx.len() <= MOST_PATTERNS);
    let exchanges = hosts.iter().filter_map(|host| host.name.known()).filter(|_| few);
    let covers = |exchange: &String| match it.covers(built_in(), exchange) {
        Answer::Yes => Some(true),
        Answer::No => Some(false),
        Answer::Unknown => None,
    };
    exchanges.map(|exchange| (exchange.clone(), covers(exchange))).collect()
}

/// A sender that compares the patterns with the certificate may take a host that no pattern names, and one whose
/// certificate does not name it.
fn doubted(it: &Outcome, host: &MxHostFacts, action: SenderAction) -> SenderAction {
    let by_certificate = it.compares(built_in()) == Some(Compares::Certificate);
    let shows_names = host.probes.known().is_some_and(|probes| probes.iter().any(|probe| probe.tls.known().is_some()));
    match action {
        SenderAction::Refuse if by_certificate && shows_names => SenderAction::Unknown,
        action => action,
    }
}

/// With a host that has TLSA records.
fn with_dane(it: &Outcome, by_policy: &SenderHost, by_dane: &SenderDane) -> SenderAction {
    let order = it.profile.behaviour.dane.as_ref().map(|claim| claim.is);
    let enforced = matches!(it.applies, AppliedPolicy::Enforce | AppliedPolicy::Testing);
    match order {
        Some(DaneOrder::NoDane) => by_policy.action,
        Some(DaneOrder::DaneAlone) => by_dane.action,
        Some(DaneOrder::StsAlone) if enforced => by_policy.action,
        Some(DaneOrder::StsAlone) => by_dane.action,
        Some(DaneOrder::Both) if by_dane.action == SenderAction::Refuse => SenderAction::Refuse,
        Some(DaneOrder::Both) if by_policy.action == SenderAction::DeliverUnverified => by_dane.action,
        Some(DaneOrder::Both) => by_policy.action,
        None if by_dane.action == by_policy.action => by_policy.action,
        None => SenderAction::Unknown,
    }
}

/// Which of the texts that a domain publishes a finding is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Text {
    /// The policy.
    Policy,
    /// The `_mta-sts` record.
    Record,
    /// The `_smtp._tls` record.
    Tlsrpt,
}

impl Text {
    /// The text that an exhibit shows.
    pub fn of_exhibit(exhibit: &str) -> Option<Self> {
        match exhibit {
            "policy" | "policy_host" => Some(Text::Policy),
            "record" => Some(Text::Record),
            "tlsrpt" => Some(Text::Tlsrpt),
            _ => None,
        }
    }

    /// What people call it.
    fn name(self) -> &'static str {
        match self {
            Text::Policy => "policy",
            Text::Record | Text::Tlsrpt => "record",
        }
    }
}

/// Who takes a text, who does not, and of whom that is not known, in a sentence or two; `None` where no difference is
/// known.
pub fn who_takes(senders: &[KnownSender], text: Text) -> Option<String> {
    let answer = |it: &KnownSender| match text {
        Text::Policy => it.policy,
        Text::Record => it.record,
        Text::Tlsrpt => it.tlsrpt,
    };
    let concerned = |it: &&KnownSender| match text {
        Text::Policy | Text::Record => it.enforces.is_some_and(|enforces| enforces != Enforces::Never),
        Text::Tlsrpt => it.sends_reports == Some(true),
    };
    // Services first: most mail comes from them.
    let (services, others): (Vec<&KnownSender>, Vec<&KnownSender>) =
        senders.iter().filter(concerned).partition(|it| it.kind == Kind::MailService);
    let with = |wanted: Answer| -> Vec<String> {
        let named = services.iter().chain(&others).filter(|it| answer(it) == wanted);
        named.map(|it| it.name.clone()).collect()
    };
    let (no, yes, unknown) = (with(Answer::No), with(Answer::Yes), with(Answer::Unknown));
    if no.is_empty() || yes.is_empty() {
        return None;
    }
    let name = text.name();
    let unknown = if unknown.is_empty() { String::new() } else { format!("; not known: {}", some_of(&unknown)) };
    Some(format!("The {name} is refused by {}; accepted by {}{unknown}.", listed(&no), listed(&yes)))
}

/// Who delivers to an MX host, who does not, and of whom that is not known, in a sentence; `None` where no difference is
/// known.
pub fn who_delivers(senders: &[KnownSender], exchange: &str) -> Option<String> {
    let enforcing = senders.iter().filter(|it| it.enforces.is_some_and(|enforces| enforces != Enforces::Never));
    let (mut no, mut yes, mut unknown) = (Vec::new(), Vec::new(), Vec::new());
    for sender in enforcing {
        let host = sender.hosts.iter().find(|host| host.exchange == exchange)?;
        match host.action {
            SenderAction::Refuse => no.push(sender.name.clone()),
            SenderAction::Deliver | SenderAction::DeliverAndReport | SenderAction::DeliverUnverified => {
                yes.push(sender.name.clone());
            }
            SenderAction::Retry | SenderAction::Unknown => unknown.push(sender.name.clone()),
        }
    }
    if no.is_empty() || yes.is_empty() {
        return None;
    }
    let unknown = if unknown.is_empty() { String::new() } else { format!("; not known: {}", some_of(&unknown)) };
    let sentence = format!("{exchange} gets no mail from {}; it does from {}{unknown}.", listed(&no), listed(&yes));
    Some(sentence)
}

/// `A, B and C`, the first of them where there are many.
fn listed(names: &[String]) -> String {
    match names {
        [] => "none".to_owned(),
        [one] => one.clone(),
        names if names.len() > MOST_NAMES => some_of(names),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// `A, B, C`, the first of them where there are many.
fn some_of(names: &[String]) -> String {
    let shown = names.get(..MOST_NAMES).unwrap_or(names);
    let more = names.len().saturating_sub(shown.len());
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", shown.join(", "))
}
