//! One TLS report as facts, with the place of each in the report's JSON. Used by whoever judges reports by rules.

use std::ops::Range;

use super::tree::{
    ArrivedFacts, OdditiesFacts, OddityFacts, ReportTree, ReportedFailureFacts, ReportedPolicyFacts, Tree,
};
use super::{Fact, Facts, Locations, Path};
use crate::tls_reports::model::{About, FailureDetail, Oddity, PolicyResult, TlsReport};
use crate::tls_reports::when::instant_of;

/// The exhibit that is the report's JSON.
const REPORT: &str = "report";

/// The lists of oddities, with what they are about.
const LISTS: [(&str, About); 8] = [
    ("counts", About::Counts),
    ("date_range", About::DateRange),
    ("extra", About::Extra),
    ("fields", About::Fields),
    ("json", About::Json),
    ("mx_host", About::MxHost),
    ("policy", About::Policy),
    ("policy_string", About::PolicyString),
];

impl Facts {
    /// The facts of one report. `asked_for` are the domains whose reports are expected, where that is known.
    pub fn of_report(report: &TlsReport, asked_for: Option<&[String]>) -> Self {
        let tree = ReportTree {
            organization_name: Fact::Known(report.organization_name.clone()),
            contact_info: Fact::Known(report.contact_info.clone()),
            report_id: Fact::Known(report.report_id.clone()),
            start: Fact::Known(report.start.and_then(instant_of)),
            end: Fact::Known(report.end.and_then(instant_of)),
            policies: Fact::Known(report.policies.iter().map(policy).collect()),
            arrived: Fact::Known(arrived(report)),
            asked_for: Fact::Known(asked_for.map(<[String]>::to_vec)),
            oddities: Fact::Known(oddities(report)),
        };
        Facts { tree: Tree::Report(Box::new(tree)), locations: locations(report), ..Facts::default() }
    }
}

fn count(number: u64) -> Fact<i64> {
    Fact::Known(i64::try_from(number).unwrap_or(i64::MAX))
}

fn policy(result: &PolicyResult) -> ReportedPolicyFacts {
    ReportedPolicyFacts {
        policy_type: Fact::Known(result.policy_type.word().to_owned()),
        policy_domain: Fact::Known(result.policy_domain.clone()),
        policy_string: Fact::Known(result.policy_string.clone()),
        mode: Fact::Known(result.line("mode").map(str::to_owned)),
        mx_host: Fact::Known(result.mx_host.clone()),
        successful: count(result.successful),
        failed: count(result.failed),
        failures: Fact::Known(result.failures.iter().map(failure).collect()),
    }
}

fn failure(detail: &FailureDetail) -> ReportedFailureFacts {
    ReportedFailureFacts {
        result_type: Fact::Known(detail.result_type.clone()),
        result_type_written: Fact::Known(detail.written.clone()),
        sending_mta_ip: Fact::Known(detail.sending_mta_ip.clone()),
        receiving_mx_hostname: Fact::Known(detail.receiving_mx_hostname.clone()),
        receiving_mx_helo: Fact::Known(detail.receiving_mx_helo.clone()),
        receiving_ip: Fact::Known(detail.receiving_ip.clone()),
        failed_session_count: count(detail.failed_session_count),
        additional_information: Fact::Known(detail.additional_information.clone()),
        failure_reason_code: Fact::Known(detail.failure_reason_code.clone()),
    }
}

fn arrived(report: &TlsReport) -> ArrivedFacts {
    let mail = report.mail.as_ref();
    ArrivedFacts {
        file_name: Fact::Known(report.file_name.clone()),
        media_type: Fact::Known(report.media_type.clone()),
        from: Fact::Known(mail.and_then(|mail| mail.from.clone())),
        report_domain: Fact::Known(mail.and_then(|mail| mail.report_domain.clone())),
        submitter: Fact::Known(mail.and_then(|mail| mail.submitter.clone())),
    }
}

/// The oddities about one thing, in the order of their places.
fn about(report: &TlsReport, about: About) -> impl Iterator<Item = &Oddity> {
    report.oddities.iter().filter(move |oddity| oddity.about == about)
}

fn oddities(report: &TlsReport) -> OdditiesFacts {
    let list = |kind: About| {
        let facts = |oddity: &Oddity| OddityFacts {
            pointer: Fact::Known(oddity.at.clone()),
            message: Fact::Known(oddity.message.clone()),
        };
        Fact::Known(about(report, kind).map(facts).collect())
    };
    OdditiesFacts {
        counts: list(About::Counts),
        date_range: list(About::DateRange),
        extra: list(About::Extra),
        fields: list(About::Fields),
        json: list(About::Json),
        mx_host: list(About::MxHost),
        policy: list(About::Policy),
        policy_string: list(About::PolicyString),
    }
}

fn locations(report: &TlsReport) -> Locations {
    let mut locations = Locations::default();
    locations.exhibit(REPORT).push(&report.text);
    let mut note = |path: &Path, span: &Range<usize>| {
        locations.note(path, REPORT, (span.start, span.end.saturating_sub(span.start)));
    };
    for (name, kind) in LISTS {
        for (index, oddity) in about(report, kind).enumerate() {
            note(&Path::from("oddities").to(name).nth(index), &oddity.span);
        }
    }
    for (index, policy) in report.policies.iter().enumerate() {
        let path = Path::from("policies").nth(index);
        note(&path, &policy.span);
        note(&path.to("policy_domain"), &policy.domain_span);
        for (number, failure) in policy.failures.iter().enumerate() {
            let path = path.to("failures").nth(number);
            note(&path.to("result_type"), &failure.result_type_span);
            note(&path, &failure.span);
        }
    }
    locations
}

/// The JSON Pointer (RFC 6901) of what a fact of a report was read from; empty for the whole report.
pub fn json_pointer(report: &TlsReport, path: &str) -> String {
    if let Some((name, index)) = path.strip_prefix("oddities.").and_then(indexed) {
        let kind = LISTS.iter().find(|(list, _)| *list == name).map(|(_, kind)| *kind);
        let oddity = kind.and_then(|kind| about(report, kind).nth(index));
        return oddity.map(|oddity| oddity.at.clone()).unwrap_or_default();
    }
    let mut pointer = String::new();
    for segment in path.split('.') {
        let (name, index) = indexed(segment).map_or((segment, None), |(name, index)| (name, Some(index)));
        let written = match name {
            "arrived" | "asked_for" | "oddities" => return String::new(),
            "end" => "/date-range/end-datetime".to_owned(),
            "failed" => "/summary/total-failure-session-count".to_owned(),
            "failures" => "/failure-details".to_owned(),
            "mode" => "/policy/policy-string".to_owned(),
            "mx_host" | "policy_domain" | "policy_string" | "policy_type" => {
                format!("/policy/{}", name.replace('_', "-"))
            }
            "result_type_written" => "/result-type".to_owned(),
            "start" => "/date-range/start-datetime".to_owned(),
            "successful" => "/summary/total-successful-session-count".to_owned(),
            name => format!("/{}", name.replace('_', "-")),
        };
        pointer.push_str(&written);
        if let Some(index) = index {
            pointer.push_str(&format!("/{index}"));
        }
    }
    pointer
}

/// `policies[2]` as its name and its number.
fn indexed(segment: &str) -> Option<(&str, usize)> {
    let (name, rest) = segment.split_once('[')?;
    Some((name, rest.split(']').next()?.parse().ok()?))
}
