//! The cases beside the properties of a sender: `stslint senders test` holds one against the other.

use std::sync::Arc;

use super::explain::{Input, Served, explain};
use super::model::{Case, Profile};
use super::verdict::{Answer, Verdict};

/// A case in which the properties give another answer.
#[derive(Clone, Debug)]
pub struct CaseFailure {
    /// Which case of the file, counted from 1.
    pub number: usize,
    /// What the file expects.
    pub expected: Answer,
    /// What the properties give.
    pub given: Verdict,
}

fn input(case: &Case) -> Option<Input> {
    if let Some(texts) = &case.record {
        return Some(Input::Record(texts.clone()));
    }
    if let Some(texts) = &case.tlsrpt {
        return Some(Input::Tlsrpt(texts.clone()));
    }
    if let Some(host) = &case.host {
        return Some(Input::Host { host: host.clone(), patterns: case.patterns.clone() });
    }
    let body = case.policy.as_ref()?.clone().into_bytes();
    let content_type = case.content_type.clone().unwrap_or_else(|| "text/plain".to_owned());
    Some(Input::Policy(Served { body, content_type: Some(Some(content_type)), ..Served::default() }))
}

/// The cases of a sender that its properties contradict.
pub fn check_cases(profile: &Profile, all: &[Arc<Profile>]) -> Vec<CaseFailure> {
    let checked = profile.cases.iter().enumerate().filter_map(|(index, case)| {
        let given = match input(case) {
            Some(input) => explain(profile, all, &input),
            None => Verdict::unknown("the case has no input: `record`, `policy`, `host` or `tlsrpt`"),
        };
        let failed = given.answer != case.accepted;
        failed.then(|| CaseFailure { number: index.saturating_add(1), expected: case.accepted, given })
    });
    checked.collect()
}
