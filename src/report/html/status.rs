//! The state of something: always a sign and a word together, so that colour is never needed to read it.

use super::markup::Markup;
use crate::outcome::{Check, Outcome, Report, Severity};

/// The state of something.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Status {
    /// An error.
    Error,
    /// A rule that does not concern the domain.
    NotApplicable,
    /// Not observed.
    NotChecked,
    /// Worth knowing.
    Note,
    /// In order.
    Passed,
    /// Said beside what is published, and no finding.
    Remark,
    /// A warning.
    Warning,
}

impl Status {
    /// How a check ended.
    pub fn of(check: &Check) -> Self {
        match (check.outcome, check.severity) {
            (Outcome::Fail, Severity::Error) => Status::Error,
            (Outcome::Fail, Severity::Note) => Status::Note,
            (Outcome::Fail, Severity::Remark) | (Outcome::Remark, _) => Status::Remark,
            (Outcome::Fail, Severity::Warning) => Status::Warning,
            (Outcome::NotApplicable, _) => Status::NotApplicable,
            (Outcome::NotChecked, _) => Status::NotChecked,
            (Outcome::Pass, _) => Status::Passed,
        }
    }

    /// The worst that a whole report has.
    pub fn overall(report: &Report) -> Self {
        match report.worst() {
            Some(Severity::Error) => Status::Error,
            Some(Severity::Warning) => Status::Warning,
            _ if report.summary.passed == 0 => Status::NotChecked,
            _ => Status::Passed,
        }
    }

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Status::Error => "Error",
            Status::NotApplicable => "Not applicable",
            Status::NotChecked => "Not checked",
            Status::Note => "Note",
            Status::Passed => "Passed",
            Status::Remark => "Remark",
            Status::Warning => "Warning",
        }
    }

    /// The class that colours it.
    pub fn class(self) -> &'static str {
        match self {
            Status::Error => "error",
            Status::NotApplicable => "not-applicable",
            Status::NotChecked => "not-checked",
            Status::Note => "note",
            Status::Passed => "passed",
            Status::Remark => "remark",
            Status::Warning => "warning",
        }
    }

    /// The sign and a text of one's own.
    pub fn show(self, html: &mut Markup, text: &str) {
        let class = format!("status {}", self.class());
        html.element("span", &[("class", &class)], |html| {
            self.icon(html);
            html.text(text);
        });
    }

    /// The sign alone; the word for it must be beside it.
    pub fn icon(self, html: &mut Markup) {
        let symbol = format!("#icon-{}", if self == Status::Remark { "note" } else { self.class() });
        html.element("svg", &[("class", "icon"), ("aria-hidden", "true"), ("viewBox", "0 0 16 16")], |html| {
            html.leaf("use", &[("href", &symbol)], "");
        });
    }
}
