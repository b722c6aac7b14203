//! Every check that was made, by group, with how it ended, worst first: folded where nothing in the group failed.

use std::cmp::Reverse;

use super::domain::Domain;
use super::findings;
use super::markup::Markup;
use super::status::Status;
use super::words;
use crate::outcome::{Check, Ignored, Outcome, Severity, Summary};

/// How many checks of one group are shown.
const MAX_CHECKS: usize = 300;
/// How many reasons for checks that were not made are named.
const MAX_REASONS: usize = 12;

/// Fills the part.
pub fn render(domain: &Domain<'_>, html: &mut Markup) {
    html.leaf("p", &[], "Groups in which nothing failed are folded; open one to see what was looked at.");
    let mut groups: Vec<(&str, Vec<&Check>)> = Vec::new();
    for check in &domain.report().checks {
        match groups.iter_mut().find(|(name, _)| *name == check.group) {
            Some((_, checks)) => checks.push(check),
            None => groups.push((&check.group, vec![check])),
        }
    }
    reasons(domain, html);
    for (name, mut checks) in groups {
        checks.sort_by_key(|check| rank(check));
        group(html, name, &checks);
    }
    ignored(domain, html);
}

/// The findings that the configuration accepts, why, and until when.
fn ignored(domain: &Domain<'_>, html: &mut Markup) {
    let ignored = &domain.report().ignored;
    if ignored.is_empty() {
        return;
    }
    html.element("details", &[], |html| {
        html.element("summary", &[], |html| {
            html.leaf("strong", &[], "Ignored by the configuration");
            html.text(" ");
            html.leaf("span", &[("class", "tally")], &words::count(ignored.len(), "finding"));
        });
        html.element("ul", &[("class", "made")], |html| {
            ignored.iter().take(MAX_CHECKS).for_each(|ignored| html.element("li", &[], |html| accepted(html, ignored)));
        });
        words::and_more(html, ignored.len().saturating_sub(MAX_CHECKS), "finding");
    });
}

fn accepted(html: &mut Markup, ignored: &Ignored) {
    html.element("div", &[("class", "ended")], |html| {
        Status::NotApplicable.show(html, &format!("Ignored {}", ignored.severity.word()));
    });
    html.element("div", &[], |html| {
        html.element("p", &[], |html| {
            html.prose(&ignored.message);
            if let Some(subject) = &ignored.subject {
                html.text(" ");
                html.leaf("code", &[], subject);
            }
        });
        html.element("p", &[("class", "because")], |html| {
            html.text("Accepted because: ");
            html.prose(&ignored.reason);
        });
        html.element("p", &[("class", "sources")], |html| {
            html.leaf("code", &[("class", "rule")], &ignored.rule);
            html.leaf("span", &[], &format!("until {}, {}", ignored.until, ignored.by));
        });
    });
}

/// Why checks could not be made: one line a reason, for one missing observation stops many.
fn reasons(domain: &Domain<'_>, html: &mut Markup) {
    let mut reasons: Vec<(&str, usize)> = Vec::new();
    for check in domain.report().checks.iter().filter(|check| check.outcome == Outcome::NotChecked) {
        let reason = check.reason.as_deref().unwrap_or("it is not known why");
        match reasons.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, count)) => *count = count.saturating_add(1),
            None => reasons.push((reason, 1)),
        }
    }
    if reasons.is_empty() {
        return;
    }
    reasons.sort_by_key(|(_, count)| Reverse(*count));
    html.element("ul", &[("class", "plain reasons")], |html| {
        for (reason, count) in reasons.iter().take(MAX_REASONS) {
            html.element("li", &[], |html| {
                Status::NotChecked.show(html, &format!("{} not made: ", words::count(*count, "check")));
                html.prose(reason);
            });
        }
    });
    words::and_more(html, reasons.len().saturating_sub(MAX_REASONS), "reason");
}

/// What failed comes first, worst first, then what could not be told.
fn rank(check: &Check) -> (u8, Reverse<Severity>) {
    match check.outcome {
        Outcome::Fail => (0, Reverse(check.severity)),
        Outcome::NotChecked => (1, Reverse(check.severity)),
        Outcome::Remark => (2, Reverse(Severity::Remark)),
        // These stay in the order of the rules.
        Outcome::Pass => (3, Reverse(Severity::Note)),
        Outcome::NotApplicable => (4, Reverse(Severity::Note)),
    }
}

fn group(html: &mut Markup, name: &str, checks: &[&Check]) {
    let failed = checks.iter().any(|check| check.outcome == Outcome::Fail);
    let open: &[(&str, &str)] = if failed { &[("open", "")] } else { &[] };
    html.element("details", open, |html| {
        html.element("summary", &[], |html| {
            html.leaf("strong", &[], title(name));
            html.text(" ");
            html.element("span", &[("class", "tally")], |html| tally(html, checks));
        });
        html.element("ul", &[("class", "made")], |html| {
            checks.iter().take(MAX_CHECKS).for_each(|check| html.element("li", &[], |html| row(html, check)));
        });
        words::and_more(html, checks.len().saturating_sub(MAX_CHECKS), "check");
    });
}

fn tally(html: &mut Markup, checks: &[&Check]) {
    let owned: Vec<Check> = checks.iter().map(|check| (*check).clone()).collect();
    let summary = Summary::of(&owned);
    let counts = [
        (Status::Error, summary.errors, "error"),
        (Status::Warning, summary.warnings, "warning"),
        (Status::Note, summary.notes, "note"),
        (Status::Remark, summary.remarks, "remark"),
    ];
    for (status, number, word) in counts.into_iter().filter(|(_, number, _)| *number > 0) {
        status.show(html, &words::count(number, word));
        html.text(" ");
    }
    if summary.not_checked > 0 {
        Status::NotChecked.show(html, &format!("{} not checked", summary.not_checked));
        html.text(" ");
    }
    if summary.passed > 0 {
        Status::Passed.show(html, &format!("{} passed", summary.passed));
        html.text(" ");
    }
    if summary.not_applicable > 0 {
        Status::NotApplicable.show(html, &format!("{} not applicable", summary.not_applicable));
    }
}

fn row(html: &mut Markup, check: &Check) {
    let status = Status::of(check);
    html.element("div", &[("class", "ended")], |html| match check.outcome {
        Outcome::Fail => status.show(html, &format!("Failed: {}", status.word().to_lowercase())),
        _ => status.show(html, status.word()),
    });
    html.element("div", &[], |html| {
        html.element("p", &[], |html| {
            html.prose(&check.title);
            if let Some(subject) = &check.subject {
                html.text(" ");
                html.leaf("code", &[], subject);
            }
        });
        if check.is_told() {
            html.element("p", &[("class", "because")], |html| findings::message(html, check));
        } else if let Some(reason) = &check.reason {
            html.element("p", &[("class", "because")], |html| {
                html.text("Because ");
                html.prose(reason);
            });
        }
        html.element("p", &[("class", "sources")], |html| {
            html.leaf("code", &[("class", "rule")], &check.rule);
            html.element("span", &[], |html| words::cites(html, &check.cites));
        });
    });
}

/// What a reader calls a group of rules.
fn title(group: &str) -> &str {
    match group {
        "dane" => "DANE",
        "host" => "Policy host",
        "mx" => "MX hosts and DNS",
        "policy" => "Policy",
        "record" => "MTA-STS record",
        "smtp" => "STARTTLS and certificates of MX hosts",
        "tlsrpt" => "TLS reports",
        other => other,
    }
}
