//! What a conforming sender does with mail for the domain now (RFC 8461 §5, RFC 7672 for hosts with usable TLSA
//! records), and which RFC 8460 §4.3 result types it puts into its report.
//!
//! `rules::evaluate` adds it to the report; every format may show it.

mod dane;
mod holder;
mod host;
mod known;
#[cfg(test)]
mod model_tests;
mod policy;
mod state;
#[cfg(test)]
mod view_tests;

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;

pub use self::holder::{Holder, OTHER_HOLDERS};
pub use self::known::{KnownHost, KnownSender, Text, known_senders, who_delivers, who_takes};
use self::policy::Applied;
pub use self::state::{DomainState, MailFate};
use crate::facts::Facts;
use crate::facts::tree::{FactTree, MxHostFacts, QuestionFacts, RecordType};
pub use crate::senders::AppliedPolicy;
use crate::tls_reports::result_type::ResultType;

/// What a sender does that begins with a given cache.
#[derive(Clone, Debug, JsonSchema, PartialEq, Serialize)]
pub struct SenderView {
    /// What the sender's cache holds for the domain.
    pub cache: SenderCache,
    /// The resolver that it asks.
    pub resolver: SenderResolver,
    /// The policy that it applies: `enforce`, `testing`, `none`, `absent` (it acts as if there were no policy) or
    /// `unknown` (what decides it was not observed).
    pub policy: AppliedPolicy,
    /// Why it applies that one, in one sentence.
    pub explanation: String,
    /// The result types that it reports about the policy itself (RFC 8460 §4.3.2).
    pub reports: Vec<ResultType>,
    /// Each MX host in order of preference.
    pub hosts: Vec<SenderHost>,
    /// What happens to the mail.
    pub mail: MailFate,
    /// The same in one sentence.
    pub outcome: String,
    /// Where the cache holds a policy that was given alone: the senders of which it is known how long they hold one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub holders: Vec<Holder>,
}

/// What a sender's cache holds.
#[derive(Clone, Copy, Debug, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SenderCache {
    /// The policy of the baseline, not yet expired.
    Baseline,
    /// Nothing.
    Empty,
    /// A policy that was given alone, not yet expired.
    Held,
}

/// The resolver that a sender asks.
#[derive(Clone, Copy, Debug, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SenderResolver {
    /// Whichever: no answer is bogus, so that all get the same.
    Any,
    /// One that hands out answers which DNSSEC shows to be bogus.
    NotValidating,
    /// One that validates, and answers SERVFAIL instead (RFC 4035 §5.5).
    Validating,
}

impl SenderView {
    /// Which resolver it is about, for a heading, after “what a sender does”; empty where that makes no difference.
    pub fn resolver_label(&self) -> &'static str {
        match self.resolver {
            SenderResolver::Any => "",
            SenderResolver::NotValidating => " with a resolver that does not validate DNSSEC",
            SenderResolver::Validating => " with a resolver that validates DNSSEC",
        }
    }
}

/// What a sender does with one MX host.
#[derive(Clone, Debug, JsonSchema, PartialEq, Serialize)]
pub struct SenderHost {
    /// The exchange.
    pub exchange: String,
    /// The preference; `null` for an implicit MX.
    pub preference: Option<i64>,
    /// What it does.
    pub action: SenderAction,
    /// Why, in one sentence.
    pub explanation: String,
    /// The result types that it reports about this host.
    pub reports: Vec<ResultType>,
    /// What a sender that uses DANE does instead: it validates by DNSSEC and TLSA records where they are usable
    /// (RFC 7672), and no policy overrides a failure of that (RFC 8461 §2). `null` where DANE does not apply.
    pub dane: Option<SenderDane>,
}

/// What a sender that uses DANE does with an MX host.
#[derive(Clone, Debug, JsonSchema, PartialEq, Serialize)]
pub struct SenderDane {
    /// What it does.
    pub action: SenderAction,
    /// Why, in one sentence.
    pub explanation: String,
    /// The result types that it reports about this host.
    pub reports: Vec<ResultType>,
}

/// What a sender does with an MX host.
#[derive(Clone, Copy, Debug, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SenderAction {
    /// It delivers over TLS that it verified.
    Deliver,
    /// It delivers and reports what would have failed (mode testing, RFC 8461 §5).
    DeliverAndReport,
    /// It delivers without verifying anything: over TLS where the host offers it, else in the clear.
    DeliverUnverified,
    /// It does not deliver to this host and tries the next.
    Refuse,
    /// It cannot deliver to this host now, and would try again later.
    Retry,
    /// What decides it was not observed.
    Unknown,
}

impl SenderAction {
    /// What it does, in a few words.
    pub fn label(self) -> &'static str {
        match self {
            SenderAction::Deliver => "delivers over verified TLS",
            SenderAction::DeliverAndReport => "delivers and reports",
            SenderAction::DeliverUnverified => "delivers unverified",
            SenderAction::Refuse => "refuses, tries the next",
            SenderAction::Retry => "cannot connect, tries the next",
            SenderAction::Unknown => "unknown",
        }
    }
}

/// What senders do: one with an empty cache and, where there is a baseline or a held policy, one that holds that; each with
/// a resolver that validates DNSSEC and with one that does not, where that makes a difference.
/// Nothing where no fact of a policy or of an MX host was observed.
pub fn views(facts: &Facts) -> Vec<SenderView> {
    let with_resolvers: &[(SenderResolver, &Facts)] = match &facts.validated {
        Some(validated) => &[(SenderResolver::Validating, validated), (SenderResolver::NotValidating, facts)],
        None => &[(SenderResolver::Any, facts)],
    };
    let seen = || with_resolvers.iter().filter(|(_, facts)| is_worth_a_view(facts.of_domain()));
    let empty =
        seen().map(|(resolver, facts)| view(facts, SenderCache::Empty, *resolver, policy::with_empty_cache(facts)));
    let holding = seen().filter_map(|(resolver, facts)| {
        let baseline = facts.of_domain().baseline.known()?.as_ref()?;
        if baseline.held.known() == Some(&true) {
            let view = view(facts, SenderCache::Held, *resolver, policy::with_held(facts, baseline));
            return Some(SenderView { holders: policy::holders(facts, baseline), ..view });
        }
        Some(view(facts, SenderCache::Baseline, *resolver, policy::with_baseline(facts, baseline)))
    });
    empty.chain(holding).collect()
}

/// Every result type that the views name.
pub fn result_types(views: &[SenderView]) -> BTreeSet<ResultType> {
    let of_hosts = views
        .iter()
        .flat_map(|view| &view.hosts)
        .flat_map(|host| host.reports.iter().chain(host.dane.iter().flat_map(|dane| &dane.reports)));
    views.iter().flat_map(|view| &view.reports).chain(of_hosts).copied().collect()
}

/// Whether something of the MX hosts was observed, and of the record or the policy; that a lookup failed counts.
fn is_worth_a_view(tree: &FactTree) -> bool {
    let questions = tree.questions.known().map(Vec::as_slice).unwrap_or_default();
    let asked =
        |is_it: &dyn Fn(&QuestionFacts) -> bool| questions.iter().any(|it| it.local.known().is_some() && is_it(it));
    let of_mail = asked(&|question| question.kind.known() == Some(&RecordType::Mx));
    let of_record = asked(&|question| question.name.known().is_some_and(|name| name.starts_with("_mta-sts.")));
    let hosts = tree.mx.known().is_some_and(|mx| !mx.hosts.is_unobserved() || !mx.outcome.is_unobserved());
    let record = tree.record.known().is_some_and(|record| !record.usable.is_unobserved());
    let policy = tree.policy.known().is_some_and(|policy| !policy.body.is_unobserved());
    (hosts || of_mail) && (record || of_record || policy) && (hosts || record || policy)
}

fn view(facts: &Facts, cache: SenderCache, resolver: SenderResolver, applied: Applied) -> SenderView {
    let tree = facts.of_domain();
    // Without a TLSRPT record nobody asked for reports (RFC 8460 §3).
    let asked_for = tree.tlsrpt.known().is_none_or(|tlsrpt| tlsrpt.usable.known() != Some(&false));
    // Of mail that nobody sends there is nothing to report (RFC 7505 §3).
    let reports_requested = asked_for && tree.mx.known().is_none_or(|mx| mx.null_mx.known() != Some(&true));
    let mx_hosts = tree.mx.known().and_then(|mx| mx.hosts.known()).map(Vec::as_slice).unwrap_or_default();
    let hosts: Vec<SenderHost> = mx_hosts
        .iter()
        .enumerate()
        .map(|(index, host)| with_dane(facts, index, host, &applied, reports_requested))
        .collect();
    let (mail, outcome) = outcome(tree, &applied, &hosts);
    let reports = if reports_requested { applied.reports } else { Vec::new() };
    SenderView {
        cache,
        resolver,
        policy: applied.policy,
        explanation: applied.explanation,
        reports,
        hosts,
        mail,
        outcome,
        holders: Vec::new(),
    }
}

fn with_dane(
    facts: &Facts,
    index: usize,
    mx_host: &MxHostFacts,
    applied: &Applied,
    reports_requested: bool,
) -> SenderHost {
    let mut host = host::of(facts, index, mx_host, applied, reports_requested);
    host.dane =
        dane::of(facts, index, mx_host, reports_requested).map(|dane| beside_policy(dane, &host, applied.policy));
    host
}

/// Where DANE verifies nothing, as with unusable records, a policy still does (RFC 8461 §2).
fn beside_policy(dane: SenderDane, host: &SenderHost, policy: AppliedPolicy) -> SenderDane {
    let verified = matches!(policy, AppliedPolicy::Enforce | AppliedPolicy::Testing);
    if dane.action != SenderAction::DeliverUnverified || !verified {
        return dane;
    }
    let mut reports = dane.reports;
    reports.extend(host.reports.iter().copied());
    reports.sort_unstable();
    reports.dedup();
    let explanation = format!("{}, so the policy decides: {}", dane.explanation, host.explanation);
    SenderDane { action: host.action, explanation, reports }
}

/// What happens to the mail, and the same in one sentence.
fn outcome(tree: &FactTree, applied: &Applied, hosts: &[SenderHost]) -> (MailFate, String) {
    let null_mx = tree.mx.known().is_some_and(|mx| mx.null_mx.known() == Some(&true));
    let (fate, sentence) = fate(tree, applied, hosts, null_mx);
    // A null MX beside others forbids what they ask for (RFC 7505 §3).
    let contradicted =
        tree.mx.known().and_then(|mx| mx.null_records.known()).is_some_and(|count| *count > 0) && !null_mx;
    let beside = if contradicted { " Senders that heed the null MX beside it send none." } else { "" };
    (fate, format!("{sentence}{beside}"))
}

fn fate(tree: &FactTree, applied: &Applied, hosts: &[SenderHost], null_mx: bool) -> (MailFate, String) {
    let action = |action: SenderAction| hosts.iter().filter(move |host| host.action == action);
    let first_delivered = hosts.iter().find(|host| delivers(host.action));
    let undecided = action(SenderAction::Unknown).next();
    let refused = action(SenderAction::Refuse).count();
    let (fate, sentence) = match (first_delivered, undecided) {
        _ if null_mx => {
            (MailFate::NotAccepted, "No mail is sent: the null MX says that the domain takes none (RFC 7505).")
        }
        _ if is_unanswered(tree) => (
            MailFate::Waiting,
            "No mail is sent for now: the MX records cannot be looked up, and mail waits in the sender's queue until \
            they can (RFC 5321 §5.1).",
        ),
        _ if tree.mx.known().is_none_or(|mx| mx.hosts.is_unobserved()) => {
            (MailFate::Unknown, "Not known: the MX hosts were not observed.")
        }
        _ if hosts.is_empty() => (MailFate::Waiting, "No mail can be sent: the domain has no MX host and no address."),
        (_, Some(_)) if applied.policy == AppliedPolicy::Unknown => {
            (MailFate::Unknown, "Not known: what decides which policy is applied was not observed.")
        }
        (None, Some(host)) => return (MailFate::Unknown, format!("Not known: {}.", host.explanation)),
        (None, None) if refused > 0 => (
            MailFate::Refused,
            "No mail is delivered: it waits in the sender's queue while the sender looks for a newer policy, and \
            bounces after some days (RFC 8461 §5).",
        ),
        (None, None) => (
            MailFate::Waiting,
            "No MX host can be reached: mail waits in the sender's queue, and bounces after some days.",
        ),
        (Some(host), _) => {
            let verified = host.action == SenderAction::Deliver;
            let fate = if verified { MailFate::Verified } else { MailFate::Unverified };
            return (fate, delivered(host, hosts));
        }
    };
    (fate, sentence.to_owned())
}

/// Whether every sender gets no answer when it asks where mail for the domain goes (RFC 5321 §5.1).
fn is_unanswered(tree: &FactTree) -> bool {
    let known = tree.mx.known().is_some_and(|mx| !mx.hosts.is_unobserved());
    let domain = tree.domain.known().and_then(Option::as_ref);
    let fails = |question: &QuestionFacts| {
        let about_mail = matches!(question.kind.known(), Some(RecordType::Mx | RecordType::A | RecordType::Aaaa));
        about_mail
            && question.needed.known() == Some(&true)
            && question.name.known() == domain
            && question.outcome.known().is_some_and(|outcome| outcome.is_failure())
    };
    !known && tree.questions.known().is_some_and(|questions| questions.iter().any(fails))
}

fn delivers(action: SenderAction) -> bool {
    matches!(action, SenderAction::Deliver | SenderAction::DeliverAndReport | SenderAction::DeliverUnverified)
}

fn delivered(first: &SenderHost, hosts: &[SenderHost]) -> String {
    let how = match first.action {
        SenderAction::Deliver => "over verified TLS",
        SenderAction::DeliverAndReport => "whatever TLS shows, and what would have failed is reported",
        _ => "without verification: over TLS where the host offers it, else in the clear",
    };
    let skipped = hosts.iter().take_while(|host| !delivers(host.action)).count();
    let later = hosts.iter().skip(skipped).filter(|host| host.action == SenderAction::Refuse).count();
    let unknown = hosts.iter().take(skipped).find(|host| host.action == SenderAction::Unknown);
    let before = match skipped {
        0 => "Mail is delivered".to_owned(),
        1 => "One MX host is not used; mail is delivered".to_owned(),
        count => format!("{count} MX hosts are not used; mail is delivered"),
    };
    let before = unknown.map_or(before, |host| {
        format!("What is done with {} is not known; where it gets no mail, mail is delivered", host.exchange)
    });
    let after = match later {
        0 => String::new(),
        1 => "; one host of lower preference would be refused when it is needed".to_owned(),
        count => format!("; {count} hosts of lower preference would be refused when they are needed"),
    };
    format!("{before} to {} {how}{after}.", first.exchange)
}
