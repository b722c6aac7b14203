//! What makes a finding the same finding in the next run, for the services that follow findings over time.

use std::collections::BTreeMap;

use ring::digest::{SHA256, digest};

use super::Linted;
use crate::outcome::Check;

/// Names findings one after another.
#[derive(Debug, Default)]
pub struct Fingerprints {
    seen: BTreeMap<String, u32>,
}

impl Fingerprints {
    /// The SHA-256 over rule, domain and subject, in hexadecimal. Lines do not count, since an edit above a finding
    /// does not make it another one; of several findings alike, the second and later ones are numbered.
    pub fn of(&mut self, linted: &Linted, check: &Check) -> String {
        self.named(linted, &check.rule, check.subject.as_ref())
    }

    /// The same of a finding that is not a check any more, because the configuration accepts it.
    pub fn named(&mut self, linted: &Linted, rule: &String, subject: Option<&String>) -> String {
        // A text without a domain is told from others by its file.
        let domain = linted.report.domain.as_ref().or(linted.policy_file.as_ref());
        let parts = [Some(rule), domain, subject];
        // A part's length before it: no two sets of parts make one key.
        let key: String = parts
            .into_iter()
            .map(|part| part.map_or("-".to_owned(), |part| format!("{}:{part}", part.len())))
            .collect();
        let times = self.seen.entry(key.clone()).or_default();
        *times = times.saturating_add(1);
        let numbered = if *times > 1 { format!("{key}#{times}") } else { key };
        digest_of(&numbered)
    }
}

/// The SHA-256 of a text, in hexadecimal.
pub fn digest_of(text: &str) -> String {
    digest(&SHA256, text.as_bytes()).as_ref().iter().map(|octet| format!("{octet:02x}")).collect()
}
