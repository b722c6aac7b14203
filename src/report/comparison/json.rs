//! Two runs compared, for programs: one document, or a line for each domain and a last one with the sums.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Compared;
use crate::report::json::document_of;
use crate::runs::{CauseCounts, DomainChange, DomainDiff, FindingCounts, ProviderCounts, Side};
use crate::source_text::json_line;

/// The version of this format.
const VERSION: u32 = 1;

/// What the whole comparison comes to.
#[derive(Debug, Serialize)]
struct Sums<'a> {
    old: &'a Side,
    new: &'a Side,
    domains: BTreeMap<&'static str, usize>,
    findings: FindingCounts,
    causes: &'a BTreeMap<String, CauseCounts>,
    providers: &'a BTreeMap<String, ProviderCounts>,
}

/// The one document.
#[derive(Debug, Serialize)]
struct Whole<'a> {
    diff: u32,
    summary: Sums<'a>,
    domains: Vec<&'a DomainDiff>,
}

/// A line about one domain.
#[derive(Debug, Serialize)]
struct DomainLine<'a> {
    diff: u32,
    #[serde(flatten)]
    domain: &'a DomainDiff,
}

/// The last line.
#[derive(Debug, Serialize)]
struct LastLine<'a> {
    diff: u32,
    summary: Sums<'a>,
}

/// The comparison as one JSON document.
pub fn json(compared: &Compared<'_>) -> Result<String, serde_json::Error> {
    let domains = compared.comparison.domains.iter().chain(&compared.comparison.same).collect();
    document_of(&Whole { diff: VERSION, summary: sums(compared), domains })
}

/// A line for each domain, and a last one with the sums.
pub fn json_lines(compared: &Compared<'_>) -> Result<String, serde_json::Error> {
    let mut text = String::new();
    for domain in compared.comparison.domains.iter().chain(&compared.comparison.same) {
        text.push_str(json_line(&DomainLine { diff: VERSION, domain })?.trim_end());
        text.push('\n');
    }
    text.push_str(json_line(&LastLine { diff: VERSION, summary: sums(compared) })?.trim_end());
    text.push('\n');
    Ok(text)
}

fn sums<'a>(compared: &Compared<'a>) -> Sums<'a> {
    let of = |change: &DomainChange| compared.comparison.counts.get(change).copied().unwrap_or_default();
    Sums {
        old: compared.old,
        new: compared.new,
        domains: DomainChange::ALL.iter().map(|change| (change.word(), of(change))).collect(),
        findings: compared.comparison.findings,
        causes: &compared.comparison.causes,
        providers: &compared.comparison.providers,
    }
}
