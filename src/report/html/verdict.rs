//! The head of a domain's section: the result in words, when it was observed, what to do first, and the counts.

use super::domain::Domain;
use super::markup::Markup;
use super::status::Status;
use super::words;
use crate::facts::Fact;
use crate::facts::tree::PolicyFacts;
use crate::outcome::{Report, Severity, Summary};
use crate::sender::{AppliedPolicy, SenderCache};

/// The result in a few words.
pub fn words_of(report: &Report) -> &'static str {
    match Status::overall(report) {
        Status::Error => "Needs repair",
        Status::Warning => "Works, with warnings",
        Status::NotChecked => "Nothing could be checked",
        _ if report.state.as_ref().is_some_and(|state| state.policy == AppliedPolicy::None) => "Works, without MTA-STS",
        _ if report.summary.not_checked > 0 => "No fault found",
        _ => "In order",
    }
}

/// Shows it; `heading` is the anchor of the domain's heading.
pub fn show(domain: &Domain<'_>, html: &mut Markup, heading: &str) {
    let report = domain.report();
    let status = Status::overall(report);
    let class = format!("verdict {}", status.class());
    html.element("div", &[("class", &class)], |html| {
        html.leaf(domain.heading(0), &[("id", heading)], domain.name());
        html.element("p", &[("class", "result")], |html| {
            html.leaf("span", &[("class", "visually-hidden")], "Result: ");
            status.show(html, words_of(report));
        });
        html.prose_in("p", &[("class", "meaning")], &meaning(report));
        first(report, html);
        counts(&report.summary, html);
        html.element("p", &[("class", "observed")], |html| match &report.collected_at {
            Some(time) => {
                html.text("Observed on ");
                words::time(html, time);
            }
            None => html.text("No time of observation is known."),
        });
    });
    at_a_glance(domain, html);
}

/// What the result means, in a sentence.
fn meaning(report: &Report) -> String {
    let empty = report.sender.iter().find(|view| view.cache == SenderCache::Empty);
    if let Some(view) = empty.filter(|view| !view.outcome.is_empty()) {
        return view.outcome.clone();
    }
    let summary = &report.summary;
    match Status::overall(report) {
        Status::Error => format!(
            "{} to repair: senders that follow the standards act as if nothing were published, or refuse or misreport mail.",
            words::count(summary.errors, "error")
        ),
        Status::Warning => format!("No error, but {} to look at.", words::count(summary.warnings, "warning")),
        Status::NotChecked => "What the checks need was not observed; the reasons are below.".to_owned(),
        _ if summary.not_checked > 0 => format!(
            "No error and no warning in what was checked; {} could not be made.",
            words::count(summary.not_checked, "check")
        ),
        _ => "No error and no warning in any check.".to_owned(),
    }
}

fn first(report: &Report, html: &mut Markup) {
    let findings = report.findings();
    let Some(worst) = findings.first().filter(|check| check.severity > Severity::Note) else { return };
    let help = worst.help.as_deref().or(worst.message.as_deref()).unwrap_or(&worst.title);
    html.element("p", &[("class", "first")], |html| {
        html.leaf("strong", &[], "Do this first: ");
        html.prose(help);
    });
}

fn counts(summary: &Summary, html: &mut Markup) {
    let counts = [
        (Status::Error, if summary.errors == 1 { "error" } else { "errors" }, summary.errors),
        (Status::Warning, if summary.warnings == 1 { "warning" } else { "warnings" }, summary.warnings),
        (Status::Note, if summary.notes == 1 { "note" } else { "notes" }, summary.notes),
        (Status::Remark, if summary.remarks == 1 { "remark" } else { "remarks" }, summary.remarks),
        (Status::Passed, "passed", summary.passed),
        (Status::NotApplicable, "not applicable", summary.not_applicable),
        (Status::NotChecked, "not checked", summary.not_checked),
    ];
    html.element("ul", &[("class", "counts")], |html| {
        for (status, word, count) in counts {
            let class = if count == 0 { "none" } else { status.class() };
            html.element("li", &[("class", class)], |html| {
                status.icon(html);
                html.leaf("strong", &[], &count.to_string());
                html.text(" ");
                html.text(word);
            });
        }
    });
}

/// The few facts that everybody looks for.
fn at_a_glance(domain: &Domain<'_>, html: &mut Markup) {
    html.element("dl", &[("class", "glance")], |html| {
        for (term, fact) in [
            ("Policy in force", in_force(domain.report())),
            ("Mail", mail(domain.report())),
            ("Mode served", mode(domain)),
            ("Policy life", life(domain)),
            ("MX hosts", hosts(domain)),
            ("TLS reports", reports(domain)),
            ("DNSSEC of MX", dnssec(domain)),
        ] {
            html.element("div", &[], |html| {
                html.leaf("dt", &[], term);
                html.leaf("dd", &[], &fact);
            });
        }
    });
}

/// The policy that senders apply, in a word.
pub fn in_force(report: &Report) -> String {
    report.state.as_ref().map_or_else(|| "not observed".to_owned(), |state| state.policy.word().to_owned())
}

/// What becomes of mail, in a few words.
pub fn mail(report: &Report) -> String {
    report.state.as_ref().map_or("not observed", |state| state.mail.label()).to_owned()
}

/// The mode of the policy in a word or two.
fn mode(domain: &Domain<'_>) -> String {
    let policy = &domain.facts().policy;
    served(policy, policy.at(|policy| &policy.mode), |mode| mode.word().to_owned())
}

/// What the policy says of something, in words.
fn served<T>(policy: &Fact<PolicyFacts>, said: &Fact<Option<T>>, words: impl Fn(&T) -> String) -> String {
    match said.present() {
        Some(said) => words(said),
        None if policy.at(|policy| &policy.body).is_absent() => "no policy".to_owned(),
        None if said.is_absent() => "none valid".to_owned(),
        None => "not observed".to_owned(),
    }
}

fn life(domain: &Domain<'_>) -> String {
    let policy = &domain.facts().policy;
    served(policy, policy.at(|policy| &policy.max_age), |seconds| crate::snapshot::duration(*seconds))
}

fn hosts(domain: &Domain<'_>) -> String {
    let mx = &domain.facts().mx;
    let Some(hosts) = mx.at(|mx| &mx.hosts).known() else { return "not observed".to_owned() };
    if hosts.is_empty() {
        return if mx.at(|mx| &mx.null_mx).is_true() { "none: takes no mail" } else { "none" }.to_owned();
    }
    let covered = hosts.iter().filter(|host| host.covered.present() == Some(&true)).count();
    let judged = hosts.iter().any(|host| host.covered.present().is_some());
    let all = hosts.len();
    if judged { format!("{covered} of {all} named by the policy") } else { all.to_string() }
}

fn reports(domain: &Domain<'_>) -> String {
    let tlsrpt = &domain.facts().tlsrpt;
    let destinations = tlsrpt.at(|record| &record.rua).entries().len();
    match tlsrpt.at(|record| &record.usable).known() {
        Some(true) => format!("asked for, {}", words::count(destinations, "destination")),
        Some(false) if tlsrpt.at(|record| &record.text).is_absent() => "not asked for".to_owned(),
        Some(false) => "the record is not usable".to_owned(),
        None => "not observed".to_owned(),
    }
}

fn dnssec(domain: &Domain<'_>) -> String {
    super::records::proof(domain.facts().mx.at(|mx| &mx.dnssec).known().copied()).to_owned()
}
