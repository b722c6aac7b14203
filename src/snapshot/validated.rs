//! A snapshot as a resolver that validates DNSSEC would have given it: without the answers that are bogus.
//! Called by `facts`, for what senders with such a resolver do.

use super::{DnsOutcome, DnssecProof, Failure, FailureKind, Lookup, Snapshot};

impl Snapshot {
    /// The same where each answer that is bogus is SERVFAIL (RFC 4035 §5.5), without what was seen by way of it.
    /// `None` where nothing is: TLSA answers do not count, for who asks for them validates.
    pub fn as_validated(&self) -> Option<Snapshot> {
        let mut validated = self.clone();
        let mut refused = withhold(&mut validated.record) | withhold(&mut validated.tlsrpt);
        if withhold(&mut validated.ipv4) | withhold(&mut validated.ipv6) {
            refused = true;
        }
        if withhold(&mut validated.mx) {
            validated.mx_hosts = None;
            refused = true;
        }
        if let Some(host) = &mut validated.policy_host
            && (withhold(&mut host.ipv4) | withhold(&mut host.ipv6))
        {
            host.probes = None;
            validated.policy = None;
            refused = true;
        }
        for host in validated.mx_hosts.iter_mut().flatten() {
            if withhold(&mut host.ipv4) | withhold(&mut host.ipv6) {
                host.probes = None;
                refused = true;
            }
        }
        refused.then_some(validated)
    }
}

/// Puts SERVFAIL in place of a bogus answer, and says whether it was one.
fn withhold<R>(lookup: &mut Option<Lookup<R>>) -> bool {
    let Some(bogus) = lookup.as_mut().filter(|lookup| lookup.dnssec == Some(DnssecProof::Bogus)) else { return false };
    let failure = Failure { kind: FailureKind::Other, step: None, detail: "the answer is bogus".to_owned() };
    *bogus = Lookup {
        name: bogus.name.take(),
        outcome: Some(DnsOutcome::Servfail),
        dnssec: bogus.dnssec,
        failure: Some(failure),
        ..Lookup::default()
    };
    true
}
