//! Whose fault it is that a question has no answer: the domain's, so that every sender meets it, or that of the
//! network and the resolver here. Called by the builders of facts.

use super::fact::Fact;
use crate::snapshot::{DnsOutcome, FailureKind, Lookup, Snapshot};

/// What tells a failure here from one there.
#[derive(Clone, Copy, Debug)]
pub struct Fault {
    /// Whether the resolver answered any of the questions: if not, a time-out is its own.
    answered: bool,
}

impl Fault {
    /// As the questions of a snapshot show it.
    pub fn of(snapshot: &Snapshot) -> Self {
        fn known<R>(lookup: &Option<Lookup<R>>) -> bool {
            lookup.as_ref().is_some_and(|lookup| lookup.known().is_some())
        }
        let host = snapshot.policy_host.as_ref();
        let of_hosts = |host: &crate::snapshot::MxHost| known(&host.ipv4) || known(&host.ipv6) || known(&host.tlsa);
        let answered = known(&snapshot.mx)
            || known(&snapshot.record)
            || known(&snapshot.tlsrpt)
            || host.is_some_and(|host| known(&host.ipv4) || known(&host.ipv6))
            || known(&snapshot.ipv4)
            || known(&snapshot.ipv6)
            || snapshot.mx_hosts.iter().flatten().any(of_hosts);
        Fault { answered }
    }

    /// Whether a question failed, and the failure is that of the resolver, the network or a limit here.
    pub fn is_here<R>(self, lookup: &Lookup<R>) -> bool {
        let Some(outcome) = lookup.outcome().filter(|outcome| outcome.is_failure()) else { return false };
        let kind = lookup.failure.as_ref().map(|failure| failure.kind);
        let silent = outcome == DnsOutcome::Timeout && !self.answered;
        silent || outcome == DnsOutcome::Network || matches!(kind, Some(FailureKind::Limit | FailureKind::Resolver))
    }

    /// Whether a question failed, and every sender meets the same.
    pub fn is_there<R>(self, lookup: &Lookup<R>) -> bool {
        lookup.outcome().is_some_and(DnsOutcome::is_failure) && !self.is_here(lookup)
    }

    /// How a question ended; not observed where it failed here, which tells nothing of the domain.
    pub fn outcome<R>(self, lookup: &Lookup<R>) -> Fact<DnsOutcome> {
        lookup.outcome().filter(|_| !self.is_here(lookup)).into()
    }
}
