//! The flat form of an answer: the same columns in every line, for databases and data frames, which like neither lists of
//! objects nor fields that come and go. Used by `answer`; `docs/bulk.md` has the table.

use serde::Serialize;

use super::input::Entry;
use crate::outcome::{Outcome, Report, Severity};
use crate::snapshot::{DnsOutcome, Snapshot, TxtRecord};
use crate::source_text;

/// The version of the columns: a higher one may have more, in other places.
pub const COLUMNS_VERSION: u32 = 1;

/// One row. Every column is in every row; `null` where it is not known or does not apply.
#[derive(Debug, Default, Serialize)]
pub struct Row<'a> {
    /// The number of the line in the input, from 1.
    pub line: u64,
    /// The domain as the line has it.
    pub input: &'a str,
    /// The kind of the error: `line`, `unchecked`, `opted_out`, `internal`.
    pub kind: Option<&'a str>,
    /// Why nothing is known.
    pub error: Option<&'a str>,
    /// Why the line was passed over: `blank`, `comment`.
    pub skipped: Option<&'a str>,
    /// [`COLUMNS_VERSION`].
    pub columns: u32,
    /// The domain in A-labels.
    pub domain: Option<&'a str>,
    /// When it was observed, RFC 3339 in UTC.
    pub collected_at: Option<&'a str>,
    /// How the TXT question at `_mta-sts` ended.
    pub record_outcome: Option<DnsOutcome>,
    /// The first TXT record there that begins like one of MTA-STS.
    pub record: Option<String>,
    /// How the TXT question at `_smtp._tls` ended.
    pub tlsrpt_outcome: Option<DnsOutcome>,
    /// The first TXT record there that begins like one of TLSRPT.
    pub tlsrpt: Option<String>,
    /// Whether a policy was fetched; `null` where that is not known.
    pub policy_served: Option<bool>,
    /// The mode that the policy names, as it is written.
    pub policy_mode: Option<String>,
    /// Its max_age in seconds.
    pub policy_max_age: Option<u64>,
    /// Its `mx` patterns, separated by spaces.
    pub policy_mx: Option<String>,
    /// The MX hosts by preference, separated by spaces.
    pub mx: Option<String>,
    /// How many addresses of MX hosts were tried.
    pub mx_addresses: Option<u64>,
    /// With how many of them TLS came about.
    pub mx_addresses_tls: Option<u64>,
    /// How many MX hosts have TLSA records.
    pub mx_tlsa: Option<u64>,
    /// How many findings are errors.
    pub errors: Option<u64>,
    /// How many are warnings.
    pub warnings: Option<u64>,
    /// How many are notes.
    pub notes: Option<u64>,
    /// How many checks could not be made.
    pub not_checked: Option<u64>,
    /// The rules with findings of severity error, separated by spaces.
    pub error_rules: Option<String>,
    /// Those of severity warning.
    pub warning_rules: Option<String>,
    /// Those of severity note.
    pub note_rules: Option<String>,
}

impl<'a> Row<'a> {
    /// A row of which nothing is known but the line.
    pub fn of(entry: &'a Entry) -> Self {
        Row { line: entry.line, input: &entry.text, columns: COLUMNS_VERSION, ..Row::default() }
    }

    /// The row of a domain.
    pub fn of_report(entry: &'a Entry, report: &'a Report, snapshot: &'a Snapshot) -> Self {
        let rules = |severity: Severity| {
            let found = report.checks.iter().filter(|it| it.outcome == Outcome::Fail && it.severity == severity);
            let mut rules: Vec<&str> = found.map(|check| check.rule.as_str()).collect();
            rules.sort_unstable();
            rules.dedup();
            Some(rules.join(" "))
        };
        let record = snapshot.record.as_ref();
        let tlsrpt = snapshot.tlsrpt.as_ref();
        let policy = snapshot.policy.as_ref();
        let body = policy.and_then(Option::as_ref).map(|policy| policy.body.lossy().into_owned());
        let field = |name| body.as_deref().and_then(|body| values(body, name).into_iter().next());
        let hosts = snapshot.mx_hosts.as_deref();
        let probes = || hosts.into_iter().flatten().filter_map(|host| host.probes.as_ref()).flatten();
        let tried = hosts.map(|_| probes().count() as u64);
        let with_tls = probes().filter(|probe| probe.tls.as_ref().is_some_and(|tls| tls.handshake)).count() as u64;
        let has_tlsa = |lookup: &crate::snapshot::Lookup<_>| !lookup.records.is_empty();
        let tlsa = |hosts: &[crate::snapshot::MxHost]| {
            hosts.iter().filter(|host| host.tlsa.as_ref().is_some_and(has_tlsa)).count() as u64
        };
        let mut mx = snapshot.mx.as_ref().and_then(|mx| mx.known()).map(<[_]>::to_vec);
        if let Some(records) = &mut mx {
            records.sort_by(|a, b| (a.preference, &a.exchange).cmp(&(b.preference, &b.exchange)));
        }
        let names = |records: Vec<crate::snapshot::MxRecord>| {
            records.into_iter().map(|record| record.exchange).collect::<Vec<_>>().join(" ")
        };
        let summary = &report.summary;
        Row {
            domain: report.domain.as_deref(),
            collected_at: report.collected_at.as_deref(),
            record_outcome: record.and_then(|lookup| lookup.outcome),
            record: record.and_then(|lookup| text(&lookup.records, "v=stsv1")),
            tlsrpt_outcome: tlsrpt.and_then(|lookup| lookup.outcome),
            tlsrpt: tlsrpt.and_then(|lookup| text(&lookup.records, "v=tlsrpt")),
            policy_served: policy.map(Option::is_some),
            policy_mode: field("mode"),
            policy_max_age: field("max_age").and_then(|value| value.parse().ok()),
            policy_mx: body.as_deref().map(|body| values(body, "mx").join(" ")),
            mx: mx.map(names),
            mx_addresses: tried,
            mx_addresses_tls: tried.map(|_| with_tls),
            mx_tlsa: hosts.map(tlsa),
            errors: Some(summary.errors as u64),
            warnings: Some(summary.warnings as u64),
            notes: Some(summary.notes as u64),
            not_checked: Some(summary.not_checked as u64),
            error_rules: rules(Severity::Error),
            warning_rules: rules(Severity::Warning),
            note_rules: rules(Severity::Note),
            ..Row::of(entry)
        }
    }

    /// The row as a line of JSON.
    pub fn text(&self) -> String {
        // Texts and numbers are always written.
        source_text::json_line(self).unwrap_or_default()
    }
}

/// The first text that begins like this, whatever its case.
fn text(records: &[TxtRecord], begins: &str) -> Option<String> {
    let mut texts = records.iter().map(|record| String::from_utf8_lossy(&record.joined()).into_owned());
    texts.find(|text| text.get(..begins.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(begins)))
}

/// The values of a field of a policy, whatever is wrong with the policy (RFC 8461 §3.2).
fn values(body: &str, name: &str) -> Vec<String> {
    let pairs = body.lines().filter_map(|line| line.split_once(':'));
    pairs.filter(|(field, _)| field.trim() == name).map(|(_, value)| value.trim().to_owned()).take(64).collect()
}
