//! The state of a domain in two words, as a conforming sender sees it: the policy in force, and what becomes of mail.
//! Every format says it in these words. Called by `rules::evaluate`.

use schemars::JsonSchema;
use serde::Serialize;

use super::{AppliedPolicy, SenderCache, SenderView};
use crate::vocabulary::vocabulary;

/// What is in force, as against what is served.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Serialize)]
pub struct DomainState {
    /// The policy that a sender with an empty cache applies.
    pub policy: AppliedPolicy,
    /// What becomes of mail; the worst for any sender, whether its cache is empty or holds an older policy.
    pub mail: MailFate,
}

vocabulary! {
    /// What becomes of mail, from the best to the worst.
    pub enum MailFate {
        /// It is delivered over TLS that was verified.
        Verified = "verified",
        /// It is delivered, and nobody verified to whom.
        Unverified = "unverified",
        /// The domain takes no mail (RFC 7505).
        NotAccepted = "not_accepted",
        /// What decides it was not observed.
        Unknown = "unknown",
        /// No MX host can be found or reached: it waits, and bounces after some days.
        Waiting = "waiting",
        /// Senders refuse every MX host that they reach (RFC 8461 §5): it waits, and bounces after some days.
        Refused = "refused",
    }
}

impl MailFate {
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
        Some(DomainState { policy: empty.policy, mail })
    }

    /// Both words in one phrase.
    pub fn label(&self) -> String {
        format!("policy in force: {}; mail: {}", self.policy, self.mail.label())
    }
}
