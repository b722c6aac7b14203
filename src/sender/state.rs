//! The state of a domain in two words, as a conforming sender sees it: the policy in force, and what becomes of mail.
//! Every format says it in these words. Called by `rules::evaluate`.

use schemars::JsonSchema;
use serde::Serialize;

use super::{SenderCache, SenderView};

/// What is in force, as against what is served.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Serialize)]
pub struct DomainState {
    /// The policy that a sender with an empty cache applies: `enforce`, `testing`, `none`, `absent` or `unknown`.
    pub policy: String,
    /// What becomes of mail; the worst for any sender, whether its cache is empty or holds an older policy.
    pub mail: MailFate,
}

/// What becomes of mail.
#[derive(Clone, Copy, Debug, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MailFate {
    /// It is delivered over TLS that was verified.
    Verified,
    /// It is delivered, and nobody verified to whom.
    Unverified,
    /// The domain takes no mail (RFC 7505).
    NotAccepted,
    /// What decides it was not observed.
    Unknown,
    /// No MX host can be found or reached: it waits, and bounces after some days.
    Waiting,
    /// Senders refuse every MX host that they reach (RFC 8461 §5): it waits, and bounces after some days.
    Refused,
}

impl MailFate {
    /// The word that machines read.
    pub fn word(self) -> &'static str {
        match self {
            MailFate::NotAccepted => "not_accepted",
            MailFate::Refused => "refused",
            MailFate::Unknown => "unknown",
            MailFate::Unverified => "unverified",
            MailFate::Verified => "verified",
            MailFate::Waiting => "waiting",
        }
    }

    /// The same for people.
    pub fn label(self) -> &'static str {
        match self {
            MailFate::NotAccepted => "not accepted",
            MailFate::Refused => "refused",
            MailFate::Unknown => "unknown",
            MailFate::Unverified => "delivered unverified",
            MailFate::Verified => "delivered over verified TLS",
            MailFate::Waiting => "waits, no MX host can be reached",
        }
    }
}

impl DomainState {
    /// The state that the views come to; `None` where there is none.
    pub fn of(views: &[SenderView]) -> Option<Self> {
        let empty = views.iter().find(|view| view.cache == SenderCache::Empty)?;
        let mail = views.iter().map(|view| view.mail).max()?;
        Some(DomainState { policy: empty.policy.clone(), mail })
    }

    /// Both words in one phrase.
    pub fn label(&self) -> String {
        format!("policy in force: {}; mail: {}", self.policy, self.mail.label())
    }
}
