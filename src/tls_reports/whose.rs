//! Whose mail a policy of a report is about, where the report does not name the domain or names the MX host instead.
//!
//! Used by [`sums`](super::sums), which sorts what reports count by domain.

use std::collections::{BTreeMap, BTreeSet};

use super::model::{PolicyResult, PolicyType, TlsReport};
use crate::grammar::mx_pattern::{MxPattern, compared};
use crate::grammar::names::DomainName;

/// The most patterns that are kept of one domain.
const PATTERNS: usize = 100;

/// The domains of the MTA-STS policies in some reports, by what their `mx` patterns match.
#[derive(Debug, Default)]
pub struct Owners {
    domains: BTreeSet<String>,
    names: BTreeMap<String, Covering>,
    parents: BTreeMap<String, Covering>,
}

/// The domains whose policies have a pattern.
#[derive(Debug)]
enum Covering {
    One(String),
    Several,
}

impl Owners {
    /// The owners that these reports tell of.
    pub fn of(reports: &[TlsReport]) -> Self {
        let mut patterns: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
        for result in reports.iter().flat_map(|report| &report.policies) {
            if let (PolicyType::Sts, Some(domain)) = (&result.policy_type, &result.policy_domain) {
                let of_domain = patterns.entry(a_labels(domain)).or_default();
                let room = PATTERNS.saturating_sub(of_domain.len());
                of_domain.extend(result.patterns().into_iter().take(room));
            }
        }
        let mut owners = Owners::default();
        for (domain, patterns) in patterns {
            for pattern in patterns.into_iter().filter_map(|pattern| MxPattern::parse(pattern).ok()) {
                owners.add(&pattern, &domain);
            }
            owners.domains.insert(domain);
        }
        owners
    }

    fn add(&mut self, pattern: &MxPattern, domain: &str) {
        let among = if pattern.is_wildcard() { &mut self.parents } else { &mut self.names };
        let covering = among.entry(pattern.name().to_owned()).or_insert_with(|| Covering::One(domain.to_owned()));
        if matches!(covering, Covering::One(known) if known != domain) {
            *covering = Covering::Several;
        }
    }

    /// The domain that the mail was for. A TLSA entry may name the MX host instead (RFC 8460 leaves it open): it belongs
    /// to the one domain of the reports whose MTA-STS policy covers this host.
    pub fn mail_domain(&self, report: &TlsReport, result: &PolicyResult) -> String {
        let named = result.policy_domain.clone().or_else(|| told_elsewhere(report)).unwrap_or_default();
        let named = a_labels(&named);
        if result.policy_type != PolicyType::Tlsa || self.domains.contains(&named) {
            return named;
        }
        self.only_one_that_covers(&named).map_or(named.clone(), str::to_owned)
    }

    fn only_one_that_covers(&self, host: &str) -> Option<&str> {
        let by_name = self.names.get(host);
        let parent = host.split_once('.').filter(|(label, _)| !label.is_empty()).map(|(_, parent)| parent);
        let by_parent = parent.and_then(|parent| self.parents.get(parent));
        match (by_name, by_parent) {
            (Some(Covering::One(domain)), None) | (None, Some(Covering::One(domain))) => Some(domain),
            (Some(Covering::One(domain)), Some(Covering::One(other))) if domain == other => Some(domain),
            _ => None,
        }
    }
}

/// A name in A-labels, so that both forms of a name are one domain; what cannot be converted stays as it is.
fn a_labels(name: &str) -> String {
    let converted = if name.is_ascii() { String::new() } else { compared(name) };
    if converted.is_empty() { name.to_owned() } else { converted }
}

/// The domain where a policy does not name it: in the mail's header, the name of the file, or the end of the report's id.
fn told_elsewhere(report: &TlsReport) -> Option<String> {
    let in_mail = report.mail.as_ref().and_then(|mail| mail.report_domain.clone());
    let in_name = || report.file_name.as_deref()?.split('!').nth(1).map(str::to_owned);
    let in_id = || report.report_id.as_deref()?.rsplit(['_', '+', '!']).next().map(str::to_owned);
    let is_domain = |text: &String| {
        text.contains('.') && text.parse::<f64>().is_err() && DomainName::parse(text).is_ok() && !text.contains(':')
    };
    let told = in_mail.or_else(|| in_name().filter(is_domain)).or_else(|| in_id().filter(is_domain));
    told.map(|domain| domain.trim_end_matches('.').to_ascii_lowercase())
}
