//! What the senders that are known make of what a snapshot shows. Called by `facts`.

use std::sync::Arc;

use super::fact::Fact;
use super::tree::{FactTree, SenderFacts};
use crate::senders::{Enforces, Outcome, Profile, Published, PublishedPolicy, Served, Verdict, built_in, outcomes};
use crate::snapshot::{HttpsProbe, Lookup, Snapshot, TxtRecord};

/// What every sender that sends mail makes of it, those of the configuration last.
pub fn of(snapshot: &Snapshot, tree: &FactTree, own: &[Arc<Profile>]) -> Vec<Outcome> {
    let published = published(snapshot, tree);
    if published.record.is_none() && published.policy.is_none() && published.tlsrpt.is_none() {
        return Vec::new();
    }
    let all: Vec<Arc<Profile>> = built_in().iter().chain(own).cloned().collect();
    let senders: Vec<Arc<Profile>> = all.iter().filter(|profile| profile.sends_mail()).cloned().collect();
    outcomes(&senders, &all, &published)
}

fn published(snapshot: &Snapshot, tree: &FactTree) -> Published {
    Published {
        record: texts(snapshot.record.as_ref()),
        policy: policy(snapshot, tree),
        tlsrpt: texts(snapshot.tlsrpt.as_ref()),
    }
}

fn texts(lookup: Option<&Lookup<TxtRecord>>) -> Option<Vec<String>> {
    let records = lookup?.known()?;
    Some(records.iter().map(|record| String::from_utf8_lossy(&record.joined()).into_owned()).collect())
}

fn policy(snapshot: &Snapshot, tree: &FactTree) -> Option<PublishedPolicy> {
    let host = tree.policy_host.known();
    if host.and_then(|host| host.fetchable.known()) == Some(&false) {
        return Some(PublishedPolicy::Nowhere("it cannot be fetched".to_owned()));
    }
    let Some(policy) = snapshot.policy.as_ref()? else {
        return Some(PublishedPolicy::Nowhere("none is served".to_owned()));
    };
    let probes = snapshot.policy_host.as_ref().and_then(|host| host.probes.as_deref()).unwrap_or_default();
    let serves = |probe: &&HttpsProbe| policy.address.is_none_or(|address| probe.address == address);
    let probe = probes.iter().filter(|probe| probe.response.is_some()).find(serves);
    let response = probe.and_then(|probe| probe.response.as_ref());
    let content_type = |name: &str| {
        let header = response?.headers.iter().find(|header| header.name == name);
        Some(header.map(|header| String::from_utf8_lossy(&header.value.0).into_owned()))
    };
    Some(PublishedPolicy::Served(Served {
        body: policy.body.0.clone(),
        truncated: policy.truncated,
        content_type: content_type("content-type"),
        status: response.map(|response| response.status),
        milliseconds: probe.and_then(|probe| probe.elapsed_ms),
    }))
}

/// The same as facts that rules can ask for.
pub fn as_facts(outcomes: &[Outcome]) -> Vec<SenderFacts> {
    outcomes.iter().map(sender).collect()
}

fn sender(it: &Outcome) -> SenderFacts {
    let all = built_in();
    let answer = |verdict: &Option<Verdict>| match verdict {
        Some(verdict) => Fact::Known(verdict.answer),
        None => Fact::Unobserved,
    };
    let because = |verdict: &Option<Verdict>| match verdict {
        Some(verdict) => Fact::Known(verdict.because.clone()),
        None => Fact::Unobserved,
    };
    let enforces = it.profile.behaviour.enforces.as_ref().is_some_and(|claim| claim.is != Enforces::Never);
    SenderFacts {
        sender: Fact::Known(it.profile.sender.clone()),
        name: Fact::Known(it.profile.name.clone()),
        version: Fact::Known(it.profile.version.clone()),
        kind: Fact::Known(it.profile.kind),
        enforces: Fact::Known(enforces),
        record: answer(&it.record),
        record_because: because(&it.record),
        policy: answer(&it.policy),
        policy_because: because(&it.policy),
        tlsrpt: answer(&it.tlsrpt),
        applies: Fact::Known(it.applies),
        because: Fact::Known(it.because.clone()),
        fetch_timeout: Fact::Known(it.fetch_timeout(all)),
        holds: Fact::Known(it.holds(all)),
        notices: Fact::Known(it.notices(all)),
        notices_within: Fact::Known(it.notices_within(all)),
        mx_alias: Fact::Known(it.mx_alias(all)),
        sends_reports: Fact::Known(it.sends_reports(all)),
        first_destination_only: Fact::Known(it.first_destination_only(all)),
    }
}
