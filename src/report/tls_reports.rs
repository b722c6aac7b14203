//! TLS reports in formats for people and machines: what all of them say, and the formats that are tables or documents.
//!
//! Called by `stslint reports`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::json::document_of;
use super::wording::{one_line, what};
use super::{Unreadable, counted};
use crate::outcome::{Check, Severity};
use crate::source_text::{printable_json, without_runner_commands};
use crate::tls_match::{Comparison, HeldPolicy};
use crate::tls_reports::cause::CauseKind;
use crate::tls_reports::digest::{Cause, Digest, DomainDigest, SenderDigest};
use crate::tls_reports::model::TlsReport;

/// The version of the JSON document.
pub const TLS_REPORTS_SCHEMA: u32 = 1;

/// What `stslint reports` read.
#[derive(Clone, Copy, Debug)]
pub struct TlsResults<'a> {
    /// The sums.
    pub digest: &'a Digest,
    /// Each report.
    pub reports: &'a [TlsReport],
    /// What could not be read.
    pub lost: &'a [Unreadable],
    /// The domains that snapshots were given of, beside what is reported about them.
    pub comparisons: &'a [Comparison],
    /// What rules over all reports together find.
    pub findings: &'a [Check],
}

/// What the table beside the causes is about.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum By {
    /// Each cause.
    Cause,
    /// Each day.
    Day,
    /// Each MX host that a failure names.
    Host,
    /// Each sender.
    #[default]
    Sender,
}

impl By {
    /// The heading of the table.
    pub fn title(self) -> &'static str {
        match self {
            By::Cause => "Causes",
            By::Day => "Days (UTC)",
            By::Host => "MX hosts with failures",
            By::Sender => "Senders",
        }
    }
}

/// A row of the table.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Row {
    /// What it is about.
    pub name: String,
    /// Connections.
    pub connections: u64,
    /// Those that failed.
    pub failed: u64,
}

/// The rows of the table.
pub fn rows(domain: &DomainDigest, by: By) -> Vec<Row> {
    let row = |name: &str, connections: u64, failed: u64| Row { name: name.to_owned(), connections, failed };
    match by {
        By::Cause => {
            let of = |cause: &Cause| row(&cause.explanation, cause.connections, cause.connections);
            domain.causes.iter().map(of).collect()
        }
        By::Day => domain
            .days
            .iter()
            .map(|day| {
                let name = if day.day.is_empty() { "no readable date" } else { &day.day };
                row(name, day.succeeded.saturating_add(day.failed), day.failed)
            })
            .collect(),
        By::Host => {
            let mut hosts: Vec<Row> = Vec::new();
            for cause in &domain.causes {
                let name = cause.host.as_deref().unwrap_or("no host named");
                match hosts.iter_mut().find(|row| row.name == name) {
                    Some(row) => {
                        row.connections = row.connections.saturating_add(cause.connections);
                        row.failed = row.connections;
                    }
                    None => hosts.push(row(name, cause.connections, cause.connections)),
                }
            }
            hosts
        }
        By::Sender => {
            domain.senders.iter().map(|sender| row(&sender.sender, sender.connections, sender.failed)).collect()
        }
    }
}

/// The time that the reports are about.
pub fn period(domain: &DomainDigest) -> String {
    match (domain.first_day.as_str(), domain.last_day.as_str()) {
        ("", _) => "at a time that no report tells".to_owned(),
        (first, last) if first == last => format!("on {first}"),
        (first, last) => format!("from {first} to {last}"),
    }
}

/// What became of the mail.
pub fn fate(domain: &DomainDigest) -> String {
    let DomainDigest { connections, verified, opportunistic, failed, refused, .. } = *domain;
    let of_all = match connections {
        0 => return "The reports count no connection.".to_owned(),
        1 => "The one connection".to_owned(),
        all if failed == 0 && verified == all => format!("All {all} connections"),
        all => format!("Of {all} connections, {verified}"),
    };
    let were = if connections == 1 || verified == 1 { "was" } else { "were" };
    let mut text = if connections == 1 && verified == 0 { of_all.clone() } else { format!("{of_all} {were} verified") };
    let one = connections == 1 && verified == 0;
    if opportunistic > 0 {
        let went = "used TLS without a policy to verify it by";
        text.push_str(&if one { format!(" {went}") } else { format!(", {opportunistic} {went}") });
    }
    if failed > 0 {
        text.push_str(&if one { " failed".to_owned() } else { format!(", {failed} failed") });
    }
    let mode = domain.policies.first().and_then(|policy| mode_of(&policy.lines));
    if let Some(mode) = mode.filter(|_| failed == 0 && verified > 0) {
        text.push_str(&format!(", under a policy in mode {mode}"));
    }
    text.push('.');
    text.push_str(&without_policy(domain));
    let unknown = failed.saturating_sub(refused).saturating_sub(domain.delivered);
    if failed == 0 {
        return text + " No mail was lost.";
    }
    let waits = "senders try the next MX host, try again later, and give up after some days.";
    if refused == failed {
        text.push_str(&format!(" The mail was not delivered over these connections: {waits}"));
    } else if refused > 0 {
        text.push_str(&format!(" Over {refused} of them the mail was not delivered: {waits}"));
    } else if unknown == 0 && domain.causes.iter().all(|cause| cause.kind == CauseKind::PolicyFetch) {
        text.push_str(" The mail was delivered all the same: senders used the policy in their cache, or none.");
    } else if unknown == 0 {
        text.push_str(
            " The mail was delivered all the same: no policy in mode enforce and no TLSA record prevented it.",
        );
    }
    if unknown > 0 {
        let of = if unknown == failed { "the mail".to_owned() } else { format!("the mail of {unknown}") };
        text.push_str(&format!(" It is unknown what happened to {of}: the reports do not show the policy."));
    }
    text
}

/// The mode that the lines of a policy name.
fn mode_of(lines: &[String]) -> Option<&str> {
    let fields = lines.iter().filter_map(|line| line.split_once(':'));
    fields.filter(|(name, _)| name.trim() == "mode").map(|(_, mode)| mode.trim()).next()
}

/// Senders that are known to do MTA-STS, by how their names begin.
const DO_MTA_STS: [&str; 3] = ["google", "mail.ru", "microsoft"];

/// What it means that senders found no policy: nothing is wrong, unless they find it at other times.
fn without_policy(domain: &DomainDigest) -> String {
    let finds = |sender: &&SenderDigest| {
        let name = sender.sender.to_ascii_lowercase();
        !sender.policy.is_empty() || DO_MTA_STS.iter().any(|known| name.starts_with(known))
    };
    let (find_it, others): (Vec<_>, Vec<_>) =
        domain.senders.iter().filter(|sender| sender.opportunistic > 0).partition(finds);
    let mut text = String::new();
    if !others.is_empty() {
        text.push_str(
            " Senders that find no policy do neither MTA-STS nor DANE, or looked before you published: that is not your fault.",
        );
    }
    if !find_it.is_empty() {
        let names: Vec<String> = find_it.iter().map(|sender| sender.sender.clone()).collect();
        text.push_str(&format!(
            " {} does MTA-STS, and did not find your record on those days: if it was published, look at your DNS.",
            one_line(&several(&names, 3))
        ));
    }
    text
}

/// The domain that reports are about, in words where none names it.
pub fn name(domain: &DomainDigest) -> &str {
    if domain.domain.is_empty() { "a domain that no report names" } else { &domain.domain }
}

/// Whose mail it was, when, and how many saw it: what follows the domain's name.
pub fn about(domain: &DomainDigest) -> String {
    format!("mail to you, {}, as {} saw it", period(domain), counted(domain.senders.len(), "sender"))
}

/// How bad it is that connections failed: an error where mail was refused, nothing where none failed.
pub fn severity(domain: &DomainDigest) -> Option<Severity> {
    match (domain.failed, domain.refused) {
        (0, _) => None,
        (_, 0) => Some(Severity::Warning),
        _ => Some(Severity::Error),
    }
}

/// What is odd about the reports: each oddity once.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Oddity<'a> {
    /// The rule that it breaks.
    pub rule: &'a str,
    /// What is odd.
    pub message: &'a str,
    /// How often it occurs.
    pub count: u64,
    /// The first report and place where it does: `report.json, /policies/0`.
    pub first: String,
}

/// Every oddity, the most frequent first.
pub fn oddities<'a>(reports: &'a [TlsReport]) -> Vec<Oddity<'a>> {
    let mut by_text: BTreeMap<(&str, &str), Oddity<'a>> = BTreeMap::new();
    for report in reports {
        for offence in &report.offences {
            let first = || format!("{}, {}", report.source, if offence.at.is_empty() { "/" } else { &offence.at });
            let (rule, message) = (offence.rule.as_str(), offence.message.as_str());
            let oddity =
                by_text.entry((rule, message)).or_insert_with(|| Oddity { rule, message, count: 0, first: first() });
            oddity.count = oddity.count.saturating_add(1);
        }
    }
    let mut sorted: Vec<Oddity<'a>> = by_text.into_values().collect();
    sorted.sort_by_key(|oddity| std::cmp::Reverse(oddity.count));
    sorted
}

/// How many reports were read, and what nobody vouches for.
pub fn closing(results: &TlsResults<'_>) -> String {
    let digest = results.digest;
    let number = |number: u64| format!("{number} report{}", if number == 1 { "" } else { "s" });
    let mut text = format!("{} read", number(digest.reports));
    if digest.duplicates > 0 {
        text.push_str(&format!(", {} left out as duplicates", digest.duplicates));
    }
    if !results.lost.is_empty() {
        text.push_str(&format!(", {} not readable (named on standard error)", results.lost.len()));
    }
    text + ". Their authors are not verified: DKIM signatures are not checked."
}

/// Until when a sender can hold another policy than the one of now, and what differs.
pub fn held_line(held: &HeldPolicy) -> String {
    let until = held
        .until
        .as_deref()
        .map_or_else(|| "nobody can tell until when".to_owned(), |until| format!("until {until} at the latest"));
    let what = if held.differences.is_empty() { String::new() } else { format!(": {}", held.differences.join("; ")) };
    format!("{}, seen on {}, {until}{what}", held.sender, held.seen)
}

/// A finding about all reports in one sentence: `error[acme-senders]: …`.
pub fn finding_line(check: &Check) -> String {
    let help = check.help.as_deref().map(|help| format!(" {help}")).unwrap_or_default();
    format!("{}[{}]: {}.{help}", check.severity.word(), check.rule, what(check).trim_end_matches('.'))
}

/// The result types, the host, the senders and the days of a cause in one sentence.
pub fn cause_line(cause: &Cause) -> String {
    let connections = format!("{} connection{}", cause.connections, if cause.connections == 1 { "" } else { "s" });
    let days = match (cause.first_day.as_str(), cause.last_day.as_str()) {
        ("", _) => String::new(),
        (first, last) if first == last => format!(" on {first}"),
        (first, last) => format!(" from {first} to {last}"),
    };
    let said = match cause.reasons.as_slice() {
        [] => String::new(),
        reasons => format!("; in their words: {}", several(reasons, 3)),
    };
    let types = several(&cause.result_types, 4);
    one_line(&format!("{connections}{days}, reported as {types} by {}{said}", several(&cause.senders, 4)))
}

fn several(values: &[String], most: usize) -> String {
    let shown: Vec<&str> = values.iter().take(most).map(String::as_str).collect();
    match values.len().checked_sub(most).filter(|more| *more > 0) {
        Some(more) => format!("{} and {more} more", shown.join(", ")),
        None => shown.join(", "),
    }
}

/// Whether the reports speak for mode enforce: only where senders applied a policy in mode testing last.
pub fn readiness(domain: &DomainDigest) -> Option<String> {
    let latest = domain.policies.first()?;
    let testing = latest.lines.iter().any(|line| {
        line.split_once(':').is_some_and(|(name, value)| name.trim() == "mode" && value.trim() == "testing")
    });
    if !testing {
        return None;
    }
    let days = domain.days.iter().filter(|day| !day.day.is_empty()).count();
    let evidence = format!(
        "{} over {} with {} verified",
        counted(domain.senders.len(), "sender"),
        counted(days, "day"),
        counted(usize::try_from(domain.verified).unwrap_or(usize::MAX), "connection"),
    );
    Some(if domain.failed > 0 {
        format!(
            "Not yet: {} failed, and mode enforce would have stopped this mail. Fix the causes first.",
            domain.failed
        )
    } else if domain.senders.len() < 2 || days < 7 {
        format!("Perhaps, but there are few reports: {evidence}. Wait for a week of reports from at least two senders.")
    } else {
        format!("Yes, as far as these reports show: {evidence}, and no failure.")
    })
}

/// The JSON document.
#[derive(Debug, JsonSchema, Serialize)]
pub struct TlsReportsDocument<'a> {
    /// The version of this format.
    pub schema: u32,
    /// The version of stslint.
    pub stslint: &'static str,
    /// The sums.
    pub digest: &'a Digest,
    /// Each report.
    pub reports: &'a [TlsReport],
    /// What could not be read.
    pub unreadable: &'a [Unreadable],
    /// The domains that snapshots were given of, beside what is reported about them.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub comparisons: &'a [Comparison],
    /// What rules over all reports together find.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub findings: &'a [Check],
}

/// Everything as one indented JSON document.
pub fn json(results: &TlsResults<'_>) -> Result<String, serde_json::Error> {
    document_of(&TlsReportsDocument {
        schema: TLS_REPORTS_SCHEMA,
        stslint: env!("CARGO_PKG_VERSION"),
        digest: results.digest,
        reports: results.reports,
        unreadable: results.lost,
        comparisons: results.comparisons,
        findings: results.findings,
    })
}

/// One line of JSON per report.
pub fn json_lines(results: &TlsResults<'_>) -> Result<String, serde_json::Error> {
    let line = |report: &TlsReport| serde_json::to_string(report).map(|text| printable_json(&text) + "\n");
    results.reports.iter().map(line).collect()
}

/// The columns of [`csv`].
const COLUMNS: [&str; 14] = [
    "source",
    "sender",
    "report_id",
    "start",
    "end",
    "policy_type",
    "policy_domain",
    "successful",
    "failed",
    "result_type",
    "failed_sessions",
    "receiving_mx_hostname",
    "receiving_ip",
    "failure_reason_code",
];

/// A table: one row per failure, and one row without a result type per policy that has none (RFC 4180).
pub fn csv(results: &TlsResults<'_>) -> String {
    let mut text = COLUMNS.join(",") + "\r\n";
    for report in results.reports {
        for policy in &report.policies {
            let time = |seconds: Option<i64>| seconds.map_or_else(String::new, |seconds| seconds.to_string());
            let head = [
                report.source.clone(),
                report.sender(),
                report.report_id.clone().unwrap_or_default(),
                time(report.start),
                time(report.end),
                policy.policy_type.word().to_owned(),
                policy.policy_domain.clone().unwrap_or_default(),
                policy.successful.to_string(),
                policy.failed.to_string(),
            ];
            let mut row = |tail: [String; 5]| {
                let cells: Vec<String> = head.iter().chain(&tail).map(|cell| csv_cell(cell)).collect();
                text.push_str(&(cells.join(",") + "\r\n"));
            };
            if policy.failures.is_empty() {
                row(std::array::from_fn(|_| String::new()));
            }
            for failure in &policy.failures {
                let word = |value: &Option<String>| value.clone().unwrap_or_default();
                row([
                    failure.result_type.clone(),
                    failure.failed_session_count.to_string(),
                    word(&failure.receiving_mx_hostname),
                    word(&failure.receiving_ip),
                    word(&failure.failure_reason_code),
                ]);
            }
        }
    }
    text
}

/// A cell in one line, quoted where it must be. A leading sign that a spreadsheet takes for a formula is disarmed, and so
/// is what a runner of CI jobs takes for a command.
fn csv_cell(text: &str) -> String {
    let text = without_runner_commands(&one_line(text), "\\#");
    let text = if text.starts_with(['=', '+', '-', '@']) || text.starts_with("::") { format!("'{text}") } else { text };
    if text.contains([',', '"']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}
