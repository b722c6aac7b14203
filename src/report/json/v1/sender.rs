//! The parts of the JSON report about what senders do.

use schemars::JsonSchema;
use serde::Serialize;

use crate::sender;
use crate::tls_reports::result_type::ResultType;

/// What is in force, as against what is served.
#[derive(Debug, JsonSchema, Serialize)]
pub struct DomainState {
    /// The policy that a sender with an empty cache applies.
    pub policy: AppliedPolicy,
    /// What becomes of mail; the worst for any sender, whether its cache is empty or holds an older policy.
    pub mail: MailFate,
}

impl From<&sender::DomainState> for DomainState {
    fn from(it: &sender::DomainState) -> Self {
        DomainState { policy: it.policy.into(), mail: it.mail.into() }
    }
}

/// What a sender does that begins with a given cache.
#[derive(Debug, JsonSchema, Serialize)]
pub struct SenderView<'a> {
    /// What the sender's cache holds for the domain.
    pub cache: SenderCache,
    /// The resolver that it asks.
    pub resolver: SenderResolver,
    /// The policy that it applies: `enforce`, `testing`, `none`, `absent` (it acts as if there were no policy) or
    /// `unknown` (what decides it was not observed).
    pub policy: AppliedPolicy,
    /// Why it applies that one, in one sentence.
    pub explanation: &'a str,
    /// The result types that it reports about the policy itself (RFC 8460 §4.3.2).
    pub reports: Vec<ResultType>,
    /// Each MX host in order of preference.
    pub hosts: Vec<SenderHost<'a>>,
    /// What happens to the mail.
    pub mail: MailFate,
    /// The same in one sentence.
    pub outcome: &'a str,
    /// Where the cache holds a policy that was given alone: the senders of which it is known how long they hold one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub holders: Vec<Holder<'a>>,
}

impl<'a> From<&'a sender::SenderView> for SenderView<'a> {
    fn from(it: &'a sender::SenderView) -> Self {
        SenderView {
            cache: it.cache.into(),
            resolver: it.resolver.into(),
            policy: it.policy.into(),
            explanation: &it.explanation,
            reports: it.reports.clone(),
            hosts: it.hosts.iter().map(Into::into).collect(),
            mail: it.mail.into(),
            outcome: &it.outcome,
            holders: it.holders.iter().map(Into::into).collect(),
        }
    }
}

/// What a sender does with one MX host.
#[derive(Debug, JsonSchema, Serialize)]
pub struct SenderHost<'a> {
    /// The exchange.
    pub exchange: &'a str,
    /// The preference; `null` for an implicit MX.
    pub preference: Option<i64>,
    /// What it does.
    pub action: SenderAction,
    /// Why, in one sentence.
    pub explanation: &'a str,
    /// The result types that it reports about this host.
    pub reports: Vec<ResultType>,
    /// What a sender that uses DANE does instead: it validates by DNSSEC and TLSA records where they are usable
    /// (RFC 7672), and no policy overrides a failure of that (RFC 8461 §2). `null` where DANE does not apply.
    pub dane: Option<SenderDane<'a>>,
}

impl<'a> From<&'a sender::SenderHost> for SenderHost<'a> {
    fn from(it: &'a sender::SenderHost) -> Self {
        SenderHost {
            exchange: &it.exchange,
            preference: it.preference,
            action: it.action.into(),
            explanation: &it.explanation,
            reports: it.reports.clone(),
            dane: it.dane.as_ref().map(Into::into),
        }
    }
}

/// What a sender that uses DANE does with an MX host.
#[derive(Debug, JsonSchema, Serialize)]
pub struct SenderDane<'a> {
    /// What it does.
    pub action: SenderAction,
    /// Why, in one sentence.
    pub explanation: &'a str,
    /// The result types that it reports about this host.
    pub reports: Vec<ResultType>,
}

impl<'a> From<&'a sender::SenderDane> for SenderDane<'a> {
    fn from(it: &'a sender::SenderDane) -> Self {
        SenderDane { action: it.action.into(), explanation: &it.explanation, reports: it.reports.clone() }
    }
}

/// A sender that may hold a policy, and for how long.
#[derive(Debug, JsonSchema, Serialize)]
pub struct Holder<'a> {
    /// The sender, as people call it.
    pub sender: &'a str,
    /// For how many seconds it holds the policy after it fetched it, at most.
    pub seconds: i64,
    /// Until when at the latest it holds it, by when the policy was last served: RFC 3339, UTC; `null` where that is
    /// not known.
    pub until: Option<&'a str>,
    /// After how many seconds it notices a newer policy before that; `null` where it does not look for one.
    pub notices_after: Option<i64>,
    /// Both in words.
    pub explanation: &'a str,
    /// The public source that says so.
    pub source: &'a str,
}

impl<'a> From<&'a sender::Holder> for Holder<'a> {
    fn from(it: &'a sender::Holder) -> Self {
        Holder {
            sender: &it.sender,
            seconds: it.seconds,
            until: it.until.as_deref(),
            notices_after: it.notices_after,
            explanation: &it.explanation,
            source: &it.source,
        }
    }
}

/// The policy that a sender applies: its mode, or why there is none.
#[derive(Clone, Copy, Debug, Eq, JsonSchema, PartialEq, Serialize)]
pub enum AppliedPolicy {
    /// The sender acts as if there were no policy.
    #[serde(rename = "absent")]
    Absent,
    /// Mode enforce.
    #[serde(rename = "enforce")]
    Enforce,
    /// Mode none.
    #[serde(rename = "none")]
    None,
    /// Mode testing.
    #[serde(rename = "testing")]
    Testing,
    /// What decides it was not observed.
    #[serde(rename = "unknown")]
    Unknown,
}

impl From<sender::AppliedPolicy> for AppliedPolicy {
    fn from(it: sender::AppliedPolicy) -> Self {
        match it {
            sender::AppliedPolicy::Absent => AppliedPolicy::Absent,
            sender::AppliedPolicy::Enforce => AppliedPolicy::Enforce,
            sender::AppliedPolicy::None => AppliedPolicy::None,
            sender::AppliedPolicy::Testing => AppliedPolicy::Testing,
            sender::AppliedPolicy::Unknown => AppliedPolicy::Unknown,
        }
    }
}

/// What becomes of mail, from the best to the worst.
#[derive(Clone, Copy, Debug, Eq, JsonSchema, PartialEq, Serialize)]
pub enum MailFate {
    /// It is delivered over TLS that was verified.
    #[serde(rename = "verified")]
    Verified,
    /// It is delivered, and nobody verified to whom.
    #[serde(rename = "unverified")]
    Unverified,
    /// The domain takes no mail (RFC 7505).
    #[serde(rename = "not_accepted")]
    NotAccepted,
    /// What decides it was not observed.
    #[serde(rename = "unknown")]
    Unknown,
    /// No MX host can be found or reached: it waits, and bounces after some days.
    #[serde(rename = "waiting")]
    Waiting,
    /// Senders refuse every MX host that they reach (RFC 8461 §5): it waits, and bounces after some days.
    #[serde(rename = "refused")]
    Refused,
}

impl From<sender::MailFate> for MailFate {
    fn from(it: sender::MailFate) -> Self {
        match it {
            sender::MailFate::Verified => MailFate::Verified,
            sender::MailFate::Unverified => MailFate::Unverified,
            sender::MailFate::NotAccepted => MailFate::NotAccepted,
            sender::MailFate::Unknown => MailFate::Unknown,
            sender::MailFate::Waiting => MailFate::Waiting,
            sender::MailFate::Refused => MailFate::Refused,
        }
    }
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

impl From<sender::SenderCache> for SenderCache {
    fn from(it: sender::SenderCache) -> Self {
        match it {
            sender::SenderCache::Baseline => SenderCache::Baseline,
            sender::SenderCache::Empty => SenderCache::Empty,
            sender::SenderCache::Held => SenderCache::Held,
        }
    }
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

impl From<sender::SenderResolver> for SenderResolver {
    fn from(it: sender::SenderResolver) -> Self {
        match it {
            sender::SenderResolver::Any => SenderResolver::Any,
            sender::SenderResolver::NotValidating => SenderResolver::NotValidating,
            sender::SenderResolver::Validating => SenderResolver::Validating,
        }
    }
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

impl From<sender::SenderAction> for SenderAction {
    fn from(it: sender::SenderAction) -> Self {
        match it {
            sender::SenderAction::Deliver => SenderAction::Deliver,
            sender::SenderAction::DeliverAndReport => SenderAction::DeliverAndReport,
            sender::SenderAction::DeliverUnverified => SenderAction::DeliverUnverified,
            sender::SenderAction::Refuse => SenderAction::Refuse,
            sender::SenderAction::Retry => SenderAction::Retry,
            sender::SenderAction::Unknown => SenderAction::Unknown,
        }
    }
}
