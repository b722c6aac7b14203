//! The policy that a sender applied, as its report shows it: read once, and asked for each of the failures under it.
//!
//! Made by [`sums`](super::sums) for each policy of a report, asked by [`cause`](super::cause).

use std::cell::OnceCell;

use super::model::{PolicyResult, PolicyType};
use crate::grammar::mx_patterns::PatternIndex;
use crate::grammar::policy;

/// A policy of a report.
#[derive(Debug)]
pub struct Applied<'a> {
    result: &'a PolicyResult,
    patterns: Vec<&'a str>,
    index: PatternIndex,
    invalid: OnceCell<Option<&'static str>>,
}

impl<'a> Applied<'a> {
    /// The policy that these connections were made under.
    pub fn of(result: &'a PolicyResult) -> Self {
        let patterns = result.patterns();
        let index = PatternIndex::of(patterns.iter().copied());
        Applied { result, patterns, index, invalid: OnceCell::new() }
    }

    /// Its `mx` patterns as they are written.
    pub fn patterns(&self) -> &[&'a str] {
        &self.patterns
    }

    /// Whether the policy names the host; `true` where that cannot be told.
    pub fn covers(&self, host: &str) -> bool {
        self.result.policy_type != PolicyType::Sts || self.patterns.is_empty() || self.index.first(host).is_some()
    }

    /// The nearest name of which the policy covers all hosts one label below, and which has the host more than one label
    /// below.
    pub fn wildcard_above<'b>(&self, host: &'b str) -> Option<&'b str> {
        let (_, parent) = host.split_once('.')?;
        let above = std::iter::successors(parent.split_once('.'), |(_, rest)| rest.split_once('.'));
        above.map(|(_, zone)| zone).find(|zone| self.index.has_wildcard_below(zone))
    }

    /// Whether the report shows the policy: what a sender holds in its cache, or fetched.
    pub fn is_shown(&self) -> bool {
        self.result.line("mode").is_some()
    }

    /// The field that makes the policy invalid, where the report shows the text of it.
    pub fn invalid_field(&self) -> Option<&'static str> {
        *self.invalid.get_or_init(|| {
            let text = self.result.policy_string.join("\r\n");
            let parsed = policy::parse(text.as_bytes());
            let missing = [
                ("version", parsed.version.is_none()),
                ("mode", parsed.valid_mode().is_none()),
                ("max_age", parsed.valid_max_age().is_none()),
            ];
            missing.into_iter().find(|(_, missing)| *missing && !text.is_empty()).map(|(name, _)| name)
        })
    }
}
