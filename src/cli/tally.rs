//! What the reports of a run come to: the exit code of `check`, and what is said where it is not about findings.

use clap::ValueEnum;
use miette::Diagnostic;

use crate::outcome::{Outcome, Report, Severity};
use crate::rules::BROKEN_RULE;
use crate::source_text::escape;

/// From which severity on a run fails.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum FailOn {
    /// Errors.
    Error,
    /// Errors and warnings.
    Warning,
    /// Any finding.
    Note,
    /// Never.
    Never,
}

impl FailOn {
    /// The least severity of a finding that makes the run fail; `None` where none does.
    pub fn least(self) -> Option<Severity> {
        match self {
            FailOn::Error => Some(Severity::Error),
            FailOn::Warning => Some(Severity::Warning),
            FailOn::Note => Some(Severity::Note),
            FailOn::Never => None,
        }
    }

    fn fails(self, worst: Option<Severity>) -> bool {
        self.least().zip(worst).is_some_and(|(least, worst)| worst >= least)
    }
}

/// The exit code where checks could not be made and the run asks for all of them.
pub const INCOMPLETE: u8 = 3;

/// A domain of which nothing could be checked.
#[derive(Debug, Diagnostic, thiserror::Error)]
#[error("{domain}: nothing could be checked: {reason}")]
#[diagnostic(help("This says nothing about the domain: check the network and the resolver here, or what you gave."))]
pub struct Unchecked {
    /// The domain.
    pub domain: String,
    reason: String,
}

impl Unchecked {
    /// Of a report in which nothing was checked.
    pub fn of(report: &Report) -> Option<Self> {
        let reason = report.nothing_checked()?.to_owned();
        let domain = report.domain.clone().unwrap_or_else(|| "the texts given".to_owned());
        Some(Unchecked { domain, reason })
    }
}

/// A run that asks for all checks, and could not make some.
#[derive(Debug, Diagnostic, thiserror::Error)]
#[error("{not_checked} checks could not be made, such as {example}")]
#[diagnostic(help(
    "`--require-complete` asks for all of them. Without `--quiet`, the report lists them with their reasons."
))]
pub struct Incomplete {
    not_checked: usize,
    example: String,
}

/// What a run gave, for its exit code.
#[derive(Default)]
pub struct Tally {
    linted: usize,
    /// Inputs that could not be read, and domains of which nothing could be checked.
    pub unreadable: usize,
    failed: bool,
    not_checked: usize,
    /// The first check that could not be made, and why.
    example: Option<String>,
    /// Whether a rule could not be evaluated.
    broken: bool,
}

impl Tally {
    /// Takes a report.
    pub fn count(&mut self, report: &Report, fail_on: FailOn) {
        match report.nothing_checked() {
            Some(_) => self.unreadable = self.unreadable.saturating_add(1),
            None => self.linted = self.linted.saturating_add(1),
        }
        self.count_together(report, fail_on);
    }

    /// Takes the report on many domains, which is about none that has not been counted.
    pub fn count_together(&mut self, report: &Report, fail_on: FailOn) {
        self.failed |= fail_on.fails(report.worst());
        self.not_checked = self.not_checked.saturating_add(report.summary.not_checked);
        let unchecked = report.checks.iter().find(|check| check.outcome == Outcome::NotChecked);
        if let Some(check) = unchecked.filter(|_| self.example.is_none()) {
            let reason = check.reason.as_deref().unwrap_or("the reason is not known");
            self.example = Some(format!("{} ({reason})", check.rule));
        }
        self.broken |= report.checks.iter().any(|check| check.rule == BROKEN_RULE);
    }

    /// What is said where checks are missing.
    pub fn incomplete(&self) -> Incomplete {
        Incomplete { not_checked: self.not_checked, example: escape(self.example.as_deref().unwrap_or("none")) }
    }

    /// The exit code.
    pub fn code(&self, require_complete: bool) -> u8 {
        if self.linted == 0 || self.broken {
            2
        } else if self.failed || self.unreadable > 0 {
            1
        } else if require_complete && self.not_checked > 0 {
            INCOMPLETE
        } else {
            0
        }
    }
}
