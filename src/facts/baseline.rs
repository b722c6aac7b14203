//! The facts of what was published before, an older observation or a policy alone: what senders may still hold in their
//! caches.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::builder::Builder;
use super::fact::Fact;
use super::held::{Before, HeldPolicy};
use super::path::Path;
use super::tree::{BaselineFacts, FactTree, MxHostFacts};
use crate::grammar::mx_patterns::PatternIndex;
use crate::grammar::policy::{Mode, Policy};
use crate::grammar::{Span, policy, sts_record};
use crate::snapshot::{Lookup, Snapshot, duration, instant};

/// The exhibit of the policy that was published before.
const EXHIBIT: &str = "earlier_policy";

/// The facts of what was published before, `then` being its own, seen beside the present MX hosts.
pub fn baseline_facts(
    builder: &mut Builder<'_>,
    before: Before<'_>,
    then: &FactTree,
    present: &Fact<Option<Policy>>,
    hosts: &Fact<Vec<MxHostFacts>>,
) -> BaselineFacts {
    let (older, held) = (before.snapshot(), before.held());
    let unserved = match held {
        Some(_) => "it was not said when the policy was last served (--last-served)",
        None => "a baseline does not say when its policy was last served",
    };
    builder.note_unobserved("baseline.last_served", unserved);
    builder.note_unobserved("baseline.until", unserved);
    builder
        .note_unobserved("baseline.expired", "the baseline or the current observation does not say when it was made");
    builder.note_unobserved("baseline.same_policy", "there are no two policies to compare");
    for field in ["id", "body", "mode", "max_age", "never_cached", "patterns", "uncovered", "collected_at"] {
        let reason = match held {
            Some(_) => "only the text of the held policy is known".to_owned(),
            None => format!("the baseline does not hold what `baseline.{field}` needs"),
        };
        builder.note_unobserved(Path::from("baseline").to(field), reason);
    }
    let records = older.record.as_ref().and_then(Lookup::known);
    let id = records.map(|records| {
        let parsed = records.iter().map(|record| sts_record::parse(&record.joined()));
        parsed.filter(|record| record.begins).find_map(|record| record.id).map(|id| id.text)
    });
    let facts = BaselineFacts {
        held: Fact::Known(held.is_some()),
        name: Fact::Known(name(older, held)),
        how_long: Fact::Known(String::new()),
        last_served: held.and_then(|held| held.last_served).map(|served| served.to_string()).into(),
        collected_at: older.collected_at.clone().into(),
        id: id.into(),
        ..BaselineFacts::default()
    };
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
    exhibit(builder, &served.body.0, &parsed);
    let index = PatternIndex::of(parsed.mx.iter().map(|mx| mx.pattern.text.as_str()));
    let never_cached = never_cached(builder, older, then);
    let max_age = parsed.valid_max_age().and_then(|seconds| i64::try_from(seconds).ok());
    let until = held.and_then(|held| held.last_served).map(|served| max_age.and_then(|age| later(served, age)));
    let uncovered: Option<Vec<String>> = hosts.known().map(|hosts| {
        let names = hosts.iter().filter_map(|host| host.name.known());
        names.filter(|name| index.first(name).is_none()).cloned().collect()
    });
    for (index, host) in uncovered.iter().flatten().enumerate() {
        let record = builder.mx_lines.get(host).cloned();
        builder.locations.note_as(Path::from("baseline").to("uncovered").nth(index), record);
    }
    BaselineFacts {
        body: Fact::Known(Some(served.body.lossy().into_owned())),
        mode: Fact::Known(parsed.valid_mode().filter(|_| never_cached.is_none())),
        never_cached: Fact::Known(never_cached),
        max_age: Fact::Known(max_age),
        how_long: Fact::Known(how_long(held, max_age, until.flatten())),
        until: until.map(|until| until.map(|until| until.to_string())).into(),
        patterns: Fact::Known(parsed.mx.iter().map(|mx| mx.pattern.text.clone()).collect()),
        uncovered: uncovered.into(),
        expired: expired(builder, fetched(older, held), max_age).into(),
        same_policy: present.clone().map(|present| present.is_some_and(|present| says_the_same(&present, &parsed))),
        ..facts
    }
}

/// The earlier policy as a text that findings point into, with its `mx` patterns.
fn exhibit(builder: &mut Builder<'_>, body: &[u8], parsed: &Policy) {
    let placed = builder.locations.exhibit(EXHIBIT).push_body(body);
    builder.locations.note("baseline.body", EXHIBIT, placed.range(0, body.len()));
    for (index, mx) in parsed.mx.iter().enumerate() {
        let place = placed.range(mx.pattern.span.offset, mx.pattern.span.length);
        builder.locations.note(Path::from("baseline").to("patterns").nth(index), EXHIBIT, place);
    }
    if let (Some(first), Some(last)) = (parsed.mx.first(), parsed.mx.last()) {
        let span = Span::between(first.pattern.span.offset, last.pattern.span.end());
        builder.locations.note("baseline.patterns", EXHIBIT, placed.range(span.offset, span.length));
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

/// What people call its policy.
fn name(older: &Snapshot, held: Option<&HeldPolicy>) -> String {
    match (held, &older.collected_at) {
        (Some(_), _) => "the policy that was given".to_owned(),
        (None, Some(then)) => format!("the policy of {then}"),
        (None, None) => "the policy of the baseline".to_owned(),
    }
}

/// How long senders may hold its policy, in words.
fn how_long(held: Option<&HeldPolicy>, max_age: Option<i64>, until: Option<Timestamp>) -> String {
    match (max_age, until) {
        (_, Some(until)) => format!("until {until} at the latest"),
        (Some(seconds), None) if held.is_some() => format!("for up to {} after it was last served", duration(seconds)),
        (Some(seconds), None) => format!("for up to {}", duration(seconds)),
        (None, None) => String::new(),
    }
}

/// The latest time at which senders can have fetched its policy, as far as that is known.
fn fetched(older: &Snapshot, held: Option<&HeldPolicy>) -> Option<Timestamp> {
    match held {
        Some(held) => held.last_served,
        None => instant(older.collected_at.as_deref()?),
    }
}

fn later(served: Timestamp, seconds: i64) -> Option<Timestamp> {
    served.checked_add(SignedDuration::from_secs(seconds)).ok()
}

/// Whether a policy that was fetched then has run out by now.
fn expired(builder: &Builder<'_>, fetched: Option<Timestamp>, max_age: Option<i64>) -> Option<bool> {
    let Some(max_age) = max_age else { return Some(false) };
    let age = builder.now?.as_second().saturating_sub(fetched?.as_second());
    Some(age > max_age)
}

/// Whether two policies that are valid ask the same of senders; line endings, order and extensions do not matter.
fn says_the_same(present: &Policy, older: &Policy) -> bool {
    let terms = |policy: &Policy| -> Option<(Mode, u64, BTreeSet<String>)> {
        let valid = policy.markup.is_none() && policy.syntax.is_empty() && policy.encoding.is_empty();
        let version = policy.version.as_ref().is_some_and(|version| version.text == "STSv1");
        let mx: BTreeSet<String> = policy.mx.iter().map(|mx| mx.pattern.text.to_ascii_lowercase()).collect();
        (valid && version).then_some((policy.valid_mode()?, policy.valid_max_age()?, mx))
    };
    terms(present).is_some_and(|present| terms(older) == Some(present))
}
