//! The checks that a report lists: one for each failing element, and one for each reason why some were not checked, from
//! what a rule said of all its elements. Used by `evaluate`.

use std::collections::BTreeMap;

use super::rule::Rule;
use super::verdicts::Verdict;
use crate::outcome::{Check, Confidence, Outcome, Severity};

/// The id under which a rule is reported that cannot be evaluated over a domain's facts.
pub const BROKEN_RULE: &str = "rule-broken";

/// How many subjects one finding names.
const MAX_SUBJECTS: usize = 64;

/// The finding that a rule cannot be evaluated: so every format has it, and no run passes because of it.
pub fn broken(id: &str, reason: &str) -> Check {
    Check {
        rule: BROKEN_RULE.to_owned(),
        group: "config".to_owned(),
        title: "Every rule can be evaluated".to_owned(),
        outcome: Outcome::Fail,
        severity: Severity::Error,
        confidence: Confidence::Observed,
        domain: None,
        subject: Some(id.to_owned()),
        message: Some(format!("the rule `{id}` cannot be evaluated: {reason}")),
        help: Some("Correct the rule, and give it a case with facts like these.".to_owned()),
        cites: Vec::new(),
        reported_as: None,
        senders: None,
        at: None,
        location: None,
        related: Vec::new(),
        reason: None,
        fix: None,
    }
}

/// How long the texts of a finding are.
pub fn octets_of(check: &Check) -> usize {
    let fix = check.fix.as_ref().map(|fix| &fix.with);
    let texts = [check.message.as_ref(), check.help.as_ref(), check.subject.as_ref(), fix];
    let labels = check.related.iter().map(|related| &related.label);
    texts.into_iter().flatten().chain(labels).fold(0, |sum, text| sum.saturating_add(text.len()))
}

/// One entry for each failing element and for each reason why some were not checked, else one for the rule.
pub fn summed_up(rule: &Rule, checks: Vec<Check>) -> Vec<Check> {
    let mut told: Vec<Check> = Vec::new();
    let mut subjects: Vec<Vec<&str>> = Vec::new();
    let mut places = BTreeMap::new();
    for check in checks.iter().filter(|check| check.is_told() || check.outcome == Outcome::NotChecked) {
        let same = match check.outcome {
            Outcome::Fail | Outcome::Remark if !rule.together => None,
            Outcome::Fail | Outcome::Remark => {
                Some((check.message.as_deref(), Some(check.severity), check.help.as_deref()))
            }
            _ => Some((check.reason.as_deref(), None, None)),
        };
        let place = same.map_or(told.len(), |same| *places.entry(same).or_insert(told.len()));
        match subjects.get_mut(place) {
            Some(subjects) => {
                subjects.extend(check.subject.as_deref());
                if let Some(first) = told.get_mut(place).filter(|first| first.domain != check.domain) {
                    first.domain = None;
                }
                let cites = told.get_mut(place).map(|first| &mut first.cites);
                cites.into_iter().for_each(|cites| {
                    cites.extend(check.cites.iter().filter(|cite| !cites.contains(cite)).cloned().collect::<Vec<_>>());
                });
            }
            None => {
                told.push(check.clone());
                subjects.push(check.subject.as_deref().into_iter().collect());
            }
        }
    }
    for (check, subjects) in told.iter_mut().zip(subjects).filter(|(_, subjects)| subjects.len() > 1) {
        check.subject = check.is_told().then(|| first_of_many(&subjects));
    }
    if !told.is_empty() {
        return told;
    }
    if checks.iter().any(|check| check.outcome == Outcome::Pass) {
        return vec![whole(rule, Verdict::Pass)];
    }
    checks.into_iter().next().into_iter().collect()
}

/// The subjects of one finding, the first of them where there are very many.
fn first_of_many(subjects: &[&str]) -> String {
    let first = subjects.get(..MAX_SUBJECTS).unwrap_or(subjects);
    let more = subjects.len().saturating_sub(first.len());
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    first.join(", ") + &more
}

/// The check of a rule, without what only a finding has.
pub fn whole(rule: &Rule, verdict: Verdict) -> Check {
    let (outcome, reason) = match verdict {
        Verdict::Fail(_) => (Outcome::Fail, None),
        Verdict::NotApplicable(reason) | Verdict::Silenced(_, reason) => (Outcome::NotApplicable, Some(reason)),
        Verdict::NotChecked(reason) => (Outcome::NotChecked, Some(reason)),
        Verdict::Pass => (Outcome::Pass, None),
    };
    Check {
        rule: rule.id.clone(),
        group: rule.group.clone(),
        title: rule.title.clone(),
        outcome,
        severity: rule.severity,
        confidence: rule.confidence,
        domain: None,
        subject: None,
        message: None,
        help: None,
        cites: rule.cites.clone(),
        reported_as: rule.reported_as,
        senders: None,
        at: None,
        location: None,
        related: Vec::new(),
        reason,
        fix: None,
    }
}
