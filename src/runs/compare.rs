//! What became of one domain between two runs. Used by `comparison`.

use std::collections::{BTreeMap, BTreeSet};

use super::{Change, DomainChange, DomainDiff, Entry, FindingChange, Found, Judged, Key, OldAndNew};
use crate::outcome::Severity;
use crate::sender::MailFate;

/// What became of a domain that at least one of the runs has.
pub fn compare(old: Option<&Entry>, new: Option<&Entry>) -> DomainDiff {
    match (old, new) {
        (Some(Entry::Judged(old)), Some(Entry::Judged(new))) => of_both(old, new),
        (None, Some(Entry::Judged(new))) => {
            let findings = findings(&Judged::default(), new);
            DomainDiff { findings, ..whole(DomainChange::New, None, Some(new)) }
        }
        (Some(Entry::Judged(old)), None) => whole(DomainChange::Gone, Some(old), None),
        (old, new) => not_known(old, new),
    }
}

/// The domain without its findings.
fn whole(change: DomainChange, old: Option<&Judged>, new: Option<&Judged>) -> DomainDiff {
    let policy = |judged: Option<&Judged>| judged.map(|it| it.policy.clone()).filter(|policy| !policy.is_empty());
    let mail = |judged: Option<&Judged>| judged.and_then(|it| it.mail).map(|mail| mail.word().to_owned());
    let named = new.or(old);
    DomainDiff {
        domain: named.map(|it| it.domain.clone()).unwrap_or_default(),
        change,
        provider: named.map(|it| it.provider.clone()).unwrap_or_default(),
        policy: OldAndNew { old: policy(old), new: policy(new) },
        mail: OldAndNew { old: mail(old), new: mail(new) },
        mail_worse: false,
        findings: Vec::new(),
        reason: None,
    }
}

fn not_known(old: Option<&Entry>, new: Option<&Entry>) -> DomainDiff {
    let judged = |entry: Option<&Entry>| match entry {
        Some(Entry::Judged(judged)) => Some(judged.as_ref().clone()),
        _ => None,
    };
    let reason = |which: &str, entry: Option<&Entry>| match entry {
        Some(Entry::NotRead { reason, .. }) => Some(format!("{which} run: {reason}")),
        _ => None,
    };
    let reason = reason("newer", new).or_else(|| reason("older", old));
    let domain = new.or(old).map(|entry| entry.name().to_owned()).unwrap_or_default();
    let (old, new) = (judged(old), judged(new));
    DomainDiff { domain, reason, ..whole(DomainChange::NotKnown, old.as_ref(), new.as_ref()) }
}

fn of_both(old: &Judged, new: &Judged) -> DomainDiff {
    let findings = findings(old, new);
    let (mail_worse, mail_better) = match (old.mail.and_then(rank), new.mail.and_then(rank)) {
        (Some(old), Some(new)) => (new > old, new < old),
        _ => (false, false),
    };
    let diff = DomainDiff { findings, mail_worse, ..whole(DomainChange::Same, Some(old), Some(new)) };
    let any = |changes: &[Change], least: Severity| {
        diff.findings.iter().any(|finding| changes.contains(&finding.change) && finding.severity >= least)
    };
    let change = if mail_worse || any(&[Change::New, Change::Worse], Severity::Warning) {
        DomainChange::Worse
    } else if mail_better || any(&[Change::Fixed], Severity::Warning) || any(&[Change::Better], Severity::Note) {
        DomainChange::Better
    } else if diff.policy.differs()
        || diff.mail.differs()
        || diff.findings.iter().any(|finding| finding.change != Change::Remaining)
    {
        DomainChange::Changed
    } else {
        DomainChange::Same
    };
    DomainDiff { change, ..diff }
}

/// How mail fares, from the best; `None` where there is nothing to compare.
fn rank(mail: MailFate) -> Option<u8> {
    match mail {
        MailFate::Verified => Some(0),
        MailFate::Unverified => Some(1),
        MailFate::Waiting => Some(2),
        MailFate::Refused => Some(3),
        MailFate::NotAccepted | MailFate::Unknown => None,
    }
}

/// What tells groups of findings apart: what became of them, how bad they are and were, the rule, the message, the reason.
type Alike = (Change, std::cmp::Reverse<Severity>, Option<Severity>, String, String, Option<String>);

/// What became of the findings, those of one rule and message together.
fn findings(old: &Judged, new: &Judged) -> Vec<FindingChange> {
    let keys: BTreeSet<&Key> = old.findings.keys().chain(new.findings.keys()).collect();
    let mut groups: BTreeMap<Alike, Vec<String>> = BTreeMap::new();
    for key in keys {
        let (rule, subject) = key;
        let (change, found, was, reason) =
            of_finding(old.findings.get(key), new.findings.get(key), || new.silent.get(rule).cloned());
        let Some(found) = found else { continue };
        let alike = (change, std::cmp::Reverse(found.severity), was, rule.clone(), found.message.clone(), reason);
        let subjects = groups.entry(alike).or_default();
        if !subject.is_empty() {
            subjects.push(subject.clone());
        }
    }
    let change = |((change, severity, was, rule, message, reason), subjects): (Alike, Vec<String>)| FindingChange {
        change,
        rule,
        subjects,
        severity: severity.0,
        was,
        message,
        reason,
    };
    groups.into_iter().map(change).collect()
}

/// What became of one finding, as it is or was, how bad it was before, and why that is not known.
fn of_finding<'a>(
    old: Option<&'a Found>,
    new: Option<&'a Found>,
    silent: impl FnOnce() -> Option<String>,
) -> (Change, Option<&'a Found>, Option<Severity>, Option<String>) {
    match (old, new) {
        (Some(old), Some(new)) if new.severity > old.severity => (Change::Worse, Some(new), Some(old.severity), None),
        (Some(old), Some(new)) if new.severity < old.severity => (Change::Better, Some(new), Some(old.severity), None),
        (Some(_), Some(new)) => (Change::Remaining, Some(new), None, None),
        (None, new) => (Change::New, new, None, None),
        (Some(old), None) => match silent() {
            Some(reason) => (Change::NotKnown, Some(old), None, Some(reason)),
            None => (Change::Fixed, Some(old), None, None),
        },
    }
}
