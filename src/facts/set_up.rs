//! Whether a domain shows any trace of MTA-STS: who has none has not set it up, which is not a fault of what is there.
//! Called by `facts`.

use super::Fact;
use super::builder::Builder;
use super::tree::RecordFacts;
use crate::snapshot::{AddressRecord, Lookup};

/// A record (a broken, misplaced or delegated one too), a policy, a policy host, or an older observation of one of them.
pub fn is_set_up(builder: &mut Builder<'_>, record: &RecordFacts, held: bool) -> Fact<bool> {
    let snapshot = builder.snapshot;
    let at_record = snapshot.record.as_ref().and_then(|lookup| {
        let named = |records: &[crate::snapshot::TxtRecord]| {
            records.iter().any(|record| record.joined().to_ascii_lowercase().windows(3).any(|word| word == b"sts"))
        };
        if lookup.aliases.is_empty() { lookup.known().map(named) } else { Some(true) }
    });
    let elsewhere = record.misplaced.known().map(|misplaced| !misplaced.is_empty());
    let policy = snapshot.policy.as_ref().map(Option::is_some);
    let host = |lookup: Option<&Lookup<AddressRecord>>| {
        let lookup = lookup?;
        if lookup.aliases.is_empty() { lookup.known().map(|records| !records.is_empty()) } else { Some(true) }
    };
    let policy_host = snapshot.policy_host.as_ref();
    let ipv4 = host(policy_host.and_then(|it| it.ipv4.as_ref()));
    let ipv6 = host(policy_host.and_then(|it| it.ipv6.as_ref()));
    // Where the policy host has no address, nobody can have asked it for a policy.
    let policy = policy.or_else(|| (ipv4 == Some(false) && ipv6 == Some(false)).then_some(false));
    let traces = [at_record, elsewhere, policy, ipv4, ipv6, Some(held)];
    if traces.contains(&Some(true)) {
        return Fact::Known(true);
    }
    if traces.contains(&None) {
        builder
            .note_unobserved("record.set_up", "it was not seen whether there is a record, a policy or a policy host");
        return Fact::Unobserved;
    }
    Fact::Known(false)
}
