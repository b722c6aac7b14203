//! What a sender did with one domain, sorted out of the lab's journal.

use std::time::Duration;

use serde::Serialize;

use crate::lab::{Event, EventKind, HandshakeEnd};

/// What was seen of a sender at one domain, for one mail. All of it happened; what did not happen may just not have
/// happened yet.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Observation {
    /// Whether TXT `_mta-sts` was queried.
    pub record_asked: bool,
    /// Whether the domain's MX records were queried.
    pub mx_asked: bool,
    /// Whether the address of the policy host was queried.
    pub policy_host_asked: bool,
    /// How the last TLS handshake with the policy host ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_host_tls: Option<String>,
    /// How often the policy was requested.
    pub policy_requests: usize,
    /// How often the sender connected to the MX host.
    pub connections: usize,
    /// How the last TLS handshake with the MX host ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mx_tls: Option<String>,
    /// Whether a client that completed a handshake with the MX host named it (SNI).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mx_named: Option<bool>,
    /// Whether a recipient was named to the MX host.
    pub recipient_named: bool,
    /// Whether the mail was delivered, and if so, whether inside TLS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivered: Option<Delivery>,
    /// How long after the lab's start the sender did something last.
    #[serde(skip)]
    pub last: Option<Duration>,
    /// What the client that fetched the policy calls itself.
    #[serde(skip)]
    pub agent: Option<String>,
}

/// How a mail came.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    /// Without TLS.
    Clear,
    /// Inside TLS.
    Tls,
}

impl Observation {
    /// What was seen at a domain in these events.
    pub fn of<'a>(domain: &str, events: impl IntoIterator<Item = &'a Event>) -> Self {
        let mut seen = Self::default();
        for event in events {
            if seen.takes(domain, &event.kind) {
                seen.last = Some(event.at);
            }
        }
        seen
    }

    /// Whether the sender has tried to do anything about the mail.
    pub fn tried(&self) -> bool {
        self.mx_asked || self.record_asked || self.connections > 0 || self.delivered.is_some()
    }

    /// Whether nothing more is to be expected: the mail was delivered, or nothing happened for some time.
    pub fn settled(&self, now: Duration, quiet: Duration) -> bool {
        let long_ago = |last: Duration| now.saturating_sub(last) >= quiet;
        self.delivered.is_some() || (self.tried() && self.last.is_some_and(long_ago))
    }

    /// Takes in an event, if it is about the domain.
    fn takes(&mut self, domain: &str, event: &EventKind) -> bool {
        let ours =
            |name: &str| name.strip_suffix(domain).is_some_and(|labels| labels.is_empty() || labels.ends_with('.'));
        match event {
            EventKind::Query { name, kind } if ours(name) => {
                let labels = name.strip_suffix(domain).unwrap_or_default();
                self.record_asked |= labels == "_mta-sts." && kind == "TXT";
                self.policy_host_asked |= labels == "mta-sts.";
                self.mx_asked |= labels.is_empty() && kind == "MX";
            }
            EventKind::WebHandshake { host, end } if ours(host) => self.policy_host_tls = Some(handshake(end)),
            EventKind::Request { host, agent, .. } if ours(host) => {
                self.policy_requests += 1;
                self.agent.clone_from(agent);
            }
            EventKind::MailConnection { host } if ours(host) => self.connections += 1,
            EventKind::MailHandshake { host, end } if ours(host) => {
                self.mx_tls = Some(handshake(end));
                if let HandshakeEnd::Complete { named } = end {
                    self.mx_named = Some(*named);
                }
            }
            EventKind::Recipient { domain: named, .. } if named == domain => self.recipient_named = true,
            EventKind::Delivered { domain: whose, tls, .. } if whose == domain => {
                self.delivered = Some(if *tls { Delivery::Tls } else { Delivery::Clear });
            }
            _ => return false,
        }
        true
    }
}

/// How a handshake ended, in words.
fn handshake(end: &HandshakeEnd) -> String {
    match end {
        HandshakeEnd::Alert(alert) => format!("alert {alert}"),
        HandshakeEnd::Complete { .. } => "complete".to_owned(),
        HandshakeEnd::Failed => "failed".to_owned(),
    }
}
