//! The facts of an older observation of the same domain: what senders may still hold in their caches.

use std::collections::BTreeSet;

use super::builder::Builder;
use super::fact::Fact;
use super::tree::{BaselineFacts, FactTree, MxHostFacts};
use crate::grammar::mx_patterns::PatternIndex;
use crate::grammar::policy::{Mode, Policy};
use crate::grammar::{policy, sts_record};
use crate::snapshot::{Lookup, Snapshot, instant};

/// The facts of an older snapshot, `then` being its own, seen beside the present MX hosts.
pub fn baseline_facts(
    builder: &mut Builder<'_>,
    older: &Snapshot,
    then: &FactTree,
    present: &Fact<Option<Policy>>,
    hosts: &Fact<Vec<MxHostFacts>>,
) -> BaselineFacts {
    builder.why("baseline.expired", "the baseline or the present observation does not say when it was made");
    builder.why("baseline.same_policy", "there are no two policies to compare");
    for field in ["id", "body", "mode", "max_age", "never_cached", "patterns", "uncovered", "collected_at"] {
        builder.why(format!("baseline.{field}"), format!("the baseline does not hold what `baseline.{field}` needs"));
    }
    let records = older.record.as_ref().and_then(Lookup::known);
    let id = records.map(|records| {
        let parsed = records.iter().map(|record| sts_record::parse(&record.joined()));
        parsed.filter(|record| record.begins).find_map(|record| record.id).map(|id| id.text)
    });
    let facts =
        BaselineFacts { collected_at: older.collected_at.clone().into(), id: id.into(), ..BaselineFacts::default() };
    let Some(served) = &older.policy else { return facts };
    let Some(served) = served else {
        return BaselineFacts {
            body: Fact::Known(None),
            mode: Fact::Known(None),
            never_cached: Fact::Known(Some("it holds no policy".to_owned())),
            max_age: Fact::Known(None),
            patterns: Fact::Known(Vec::new()),
            uncovered: Fact::Known(Vec::new()),
            expired: Fact::Known(false),
            same_policy: present.clone().map(|present| present.is_none()),
            ..facts
        };
    };
    let parsed = policy::parse(&served.body.0);
    let index = PatternIndex::of(parsed.mx.iter().map(|mx| mx.pattern.text.as_str()));
    let never_cached = never_cached(builder, older, then);
    let uncovered = hosts.known().map(|hosts| {
        let names = hosts.iter().filter_map(|host| host.name.known());
        names.filter(|name| index.first(name).is_none()).cloned().collect()
    });
    BaselineFacts {
        body: Fact::Known(Some(served.body.lossy().into_owned())),
        mode: Fact::Known(parsed.valid_mode().filter(|_| never_cached.is_none())),
        never_cached: Fact::Known(never_cached),
        max_age: Fact::Known(parsed.valid_max_age().and_then(|seconds| i64::try_from(seconds).ok())),
        patterns: Fact::Known(parsed.mx.iter().map(|mx| mx.pattern.text.clone()).collect()),
        uncovered: uncovered.into(),
        expired: expired(builder, older, parsed.valid_max_age()).into(),
        same_policy: present.clone().map(|present| present.is_some_and(|present| says_the_same(&present, &parsed))),
        ..facts
    }
}

/// Why no sender can have put the policy of the baseline into its cache; what the baseline does not hold is taken to have
/// been in order.
fn never_cached(builder: &Builder<'_>, older: &Snapshot, then: &FactTree) -> Option<String> {
    let fetched = older.collected_at.as_deref().and_then(instant);
    let is_newer = fetched.zip(builder.now).is_some_and(|(fetched, now)| fetched > now);
    let not = |fact: Option<&Fact<bool>>| fact.and_then(Fact::known) == Some(&false);
    let reason = if is_newer {
        "it is newer than this observation"
    } else if not(then.record.known().map(|record| &record.usable)) {
        "its record was not usable"
    } else if not(then.policy.known().map(|policy| &policy.usable)) {
        "its policy was not valid"
    } else if not(then.policy_host.known().map(|host| &host.fetchable)) {
        "its policy could not be fetched"
    } else {
        return None;
    };
    Some(reason.to_owned())
}

/// Whether a policy that was fetched when the baseline was made has run out by now.
fn expired(builder: &Builder<'_>, older: &Snapshot, max_age: Option<u64>) -> Option<bool> {
    let Some(max_age) = max_age else { return Some(false) };
    let fetched = instant(older.collected_at.as_deref()?)?;
    let age = builder.now?.as_second().saturating_sub(fetched.as_second());
    Some(age > i64::try_from(max_age).unwrap_or(i64::MAX))
}

/// Whether two policies that are valid ask the same of senders; line ends, order and extensions do not matter.
fn says_the_same(present: &Policy, older: &Policy) -> bool {
    let terms = |policy: &Policy| -> Option<(Mode, u64, BTreeSet<String>)> {
        let valid = policy.markup.is_none() && policy.syntax.is_empty() && policy.encoding.is_empty();
        let version = policy.version.as_ref().is_some_and(|version| version.text == "STSv1");
        let mx: BTreeSet<String> = policy.mx.iter().map(|mx| mx.pattern.text.to_ascii_lowercase()).collect();
        (valid && version).then_some((policy.valid_mode()?, policy.valid_max_age()?, mx))
    };
    terms(present).is_some_and(|present| terms(older) == Some(present))
}
