//! Reports as JSON has them, reduced to what is compared. Fields that are not compared are passed over, so that reports of
//! other versions of stslint are read as long as they keep to the published format.

use std::fmt;

use serde::Deserialize;
use serde::de::{IgnoredAny, SeqAccess, Visitor};
use serde_json::Value;

use super::{Entry, Judged, NO_DOMAIN, provider_of};
use crate::outcome::{Outcome, REPORT_SCHEMA, Severity};
use crate::sender::MailFate;

/// A line of JSON Lines: a report, a snapshot, or an input of a scan that could not be answered.
#[derive(Debug, Default, Deserialize)]
pub struct Line {
    schema: Option<u32>,
    stslint: Option<String>,
    /// Present in snapshots.
    snapshot: Option<IgnoredAny>,
    domain: Option<String>,
    state: Option<State>,
    checks: Option<Vec<Check>>,
    #[serde(default)]
    sender: Vec<View>,
    /// What a scan was asked for.
    input: Option<Value>,
    /// Why the scan has no answer.
    error: Option<Value>,
}

#[derive(Debug, Deserialize)]
struct State {
    policy: String,
    mail: String,
}

#[derive(Debug, Deserialize)]
struct Check {
    rule: String,
    outcome: Outcome,
    severity: Severity,
    subject: Option<String>,
    message: Option<String>,
    reason: Option<String>,
}

#[derive(Debug, Deserialize)]
struct View {
    #[serde(default)]
    hosts: Vec<Host>,
}

#[derive(Debug, Deserialize)]
struct Host {
    exchange: String,
}

impl Line {
    /// Whether it is a snapshot, which has to be linted first.
    pub fn is_snapshot(&self) -> bool {
        self.snapshot.is_some() && self.checks.is_none()
    }

    /// The version of stslint that wrote it.
    pub fn version(&self) -> Option<&str> {
        self.stslint.as_deref()
    }

    /// What is compared of it; an error says why it is not a report that this program reads.
    pub fn entry(self) -> Result<Entry, String> {
        if let Some(schema) = self.schema.filter(|schema| *schema != REPORT_SCHEMA) {
            return Err(other_schema(schema));
        }
        if let (None, Some(reason)) = (&self.checks, &self.error) {
            let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let named = self.domain.clone().or_else(|| self.input.as_ref().map(text));
            let name = named.unwrap_or_else(|| NO_DOMAIN.to_owned());
            return Ok(Entry::NotRead { name, reason: text(reason) });
        }
        if self.checks.is_none() {
            return Err("this is neither a report nor a snapshot: it has no `checks`".to_owned());
        }
        Ok(self.judged())
    }

    fn judged(self) -> Entry {
        let mut judged = Judged { domain: self.domain.unwrap_or_else(|| NO_DOMAIN.to_owned()), ..Judged::default() };
        if let Some(state) = self.state {
            judged.mail = MailFate::from_word(&state.mail);
            judged.policy = state.policy;
        }
        let hosts = self.sender.first().into_iter().flat_map(|view| &view.hosts);
        judged.provider = provider_of(hosts.map(|host| host.exchange.as_str()));
        for check in self.checks.unwrap_or_default() {
            let (subject, message, reason) =
                (check.subject.as_deref(), check.message.as_deref(), check.reason.as_deref());
            judged.add(check.outcome, check.severity, &check.rule, subject, message, reason);
        }
        Entry::Judged(Box::new(judged))
    }
}

/// What is said of a report of another version of the format.
fn other_schema(schema: u32) -> String {
    format!("this report has version {schema} of the format; this program reads version {REPORT_SCHEMA}")
}

/// One JSON document: the reports of a run, or a snapshot.
#[derive(Debug, Deserialize)]
pub struct Document {
    schema: Option<u32>,
    stslint: Option<String>,
    snapshot: Option<IgnoredAny>,
    results: Option<Entries>,
    #[serde(default)]
    unreadable: Vec<Unreadable>,
}

#[derive(Debug, Deserialize)]
struct Unreadable {
    name: String,
    message: String,
}

impl Document {
    /// Whether it is a snapshot, which has to be linted first.
    pub fn is_snapshot(&self) -> bool {
        self.snapshot.is_some() && self.results.is_none()
    }

    /// The version of stslint that wrote it.
    pub fn version(&self) -> Option<&str> {
        self.stslint.as_deref()
    }

    /// What is compared of it, and what in it is not a report that this program reads.
    pub fn entries(self) -> Result<Vec<Result<Entry, String>>, String> {
        if let Some(schema) = self.schema.filter(|schema| *schema != REPORT_SCHEMA) {
            return Err(other_schema(schema));
        }
        let Some(Entries(entries)) = self.results else {
            return Err("this is neither a report nor a snapshot: it has no `results`".to_owned());
        };
        let mut entries = entries;
        // A domain of which nothing could be checked is in both lists, and its report says more.
        let known: std::collections::BTreeSet<String> =
            entries.iter().flatten().map(|entry| entry.name().to_owned()).collect();
        let unreadable = self.unreadable.into_iter().filter(|input| !known.contains(&input.name));
        entries.extend(unreadable.map(|input| Ok(Entry::NotRead { name: input.name, reason: input.message })));
        Ok(entries)
    }
}

/// The reports of a document, each reduced as soon as it is read.
#[derive(Debug)]
struct Entries(Vec<Result<Entry, String>>);

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each;
        impl<'de> Visitor<'de> for Each {
            type Value = Entries;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of reports")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut reports: A) -> Result<Entries, A::Error> {
                let mut entries = Vec::new();
                while let Some(line) = reports.next_element::<Line>()? {
                    entries.push(line.entry());
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_seq(Each)
    }
}
