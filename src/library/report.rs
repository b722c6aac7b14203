//! What linting one domain gave.

use jiff::Timestamp;

use super::finding::{Finding, NotChecked};
use super::{Error, Severity};
use crate::format::Format;
use crate::outcome::{Location, Outcome, Summary};
use crate::report::{Linted, Results, Run, Style, WriteError, Written};
use crate::rules::RuleSet;
use crate::source_text::SourceError;

/// What linting one snapshot gave: its findings, and all that a format needs to render them.
#[derive(Clone, Debug)]
pub struct LintReport {
    pub(super) linted: Linted,
    pub(super) broken_rules: Vec<(String, String)>,
}

impl LintReport {
    /// The domain, in A-labels; `None` where the snapshot has none.
    pub fn domain(&self) -> Option<&str> {
        self.linted.report.domain.as_deref()
    }

    /// What is wrong, worst first, otherwise in the order of the rules.
    ///
    /// At most 32 findings of one rule are listed; the last of them says how many more there are.
    pub fn findings(&self) -> Vec<Finding> {
        self.linted.report.findings().into_iter().filter_map(Finding::of).collect()
    }

    /// What nearly every healthy domain does too, and is worth saying: nothing is wrong.
    pub fn remarks(&self) -> Vec<Finding> {
        self.linted.report.remarks().filter_map(Finding::of).collect()
    }

    /// Rules that could not be checked, with the reason. What was not seen does not pass.
    pub fn not_checked(&self) -> Vec<NotChecked> {
        self.linted.report.checks.iter().filter_map(NotChecked::of).collect()
    }

    /// The worst severity among the findings; `None` where there are none.
    pub fn worst(&self) -> Option<Severity> {
        self.linted.report.worst()
    }

    /// Why nothing at all could be checked; `None` where something was.
    pub fn nothing_checked(&self) -> Option<&str> {
        self.linted.report.nothing_checked()
    }

    /// How many checks ended how.
    pub fn counts(&self) -> Summary {
        self.linted.report.summary
    }

    /// Whether a rule passed: checked, and nothing found. `false` for one that was not checked or does not apply.
    pub fn passed(&self, rule: &str) -> bool {
        let mut checks = self.linted.report.checks.iter().filter(|check| check.rule == rule).peekable();
        checks.peek().is_some() && checks.all(|check| check.outcome == Outcome::Pass)
    }

    /// The whole text that a finding points into: the policy, a record as a zone file has it, an SMTP session.
    pub fn text(&self, location: &Location) -> Option<&str> {
        self.linted.report.exhibits.get(&location.exhibit).map(String::as_str)
    }

    /// Rules of your own that could not be evaluated, with the reason: mistakes of the rules, and none of the domain.
    pub fn broken_rules(&self) -> &[(String, String)] {
        &self.broken_rules
    }
}

/// Reports in a format: one after another, or as one document.
pub(super) fn render(reports: &[LintReport], rules: &RuleSet, format: Format) -> Result<String, Error> {
    let text = match format.written() {
        Written::EachDomain { domain, .. } => {
            let style = Style::plain();
            reports.iter().map(|report| domain(&report.linted, &style)).collect::<Result<String, WriteError>>()
        }
        Written::Stream(begin) => {
            let mut stream = begin(&Style::plain());
            let results =
                Results { linted: &[], unreadable: &[], rules, ended_at: Timestamp::now(), run: Run::default() };
            let texts = reports.iter().map(|report| stream.linted(&report.linted));
            let texts: Result<String, WriteError> = texts.collect();
            texts.and_then(|text| Ok(text + &stream.finish(&results)?))
        }
        Written::Document(document) => {
            let linted: Vec<Linted> = reports.iter().map(|report| report.linted.clone()).collect();
            let results =
                Results { linted: &linted, unreadable: &[], rules, ended_at: Timestamp::now(), run: Run::default() };
            document(&results)
        }
    };
    text.map_err(|error| {
        let message = format!("the report cannot be written as {format}: {error}");
        Error::of(SourceError::new("", "", None, message))
    })
}
