//! Findings as values that stay the same while the inside changes.

use crate::outcome::{Check, Location, Outcome};
use crate::report::citation_url;

pub use crate::outcome::{Confidence, Severity};

/// Something that is wrong with a domain.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Finding {
    /// The stable id of the rule, in kebab-case. `stslint explain ID` says more.
    pub rule: String,
    /// The group that the rule belongs to, such as `policy`.
    pub group: String,
    /// How bad it is. Never [`Severity::Remark`] except among [`LintReport::remarks`](super::LintReport::remarks).
    pub severity: Severity,
    /// How the rule knows: from what was observed itself, or deduced from it.
    pub confidence: Confidence,
    /// What the rule expects, in one line.
    pub title: String,
    /// What it is about, where a rule can find several things: an MX host, an address, a line.
    pub subject: Option<String>,
    /// What is wrong and what becomes of mail, in one or two sentences of plain text. Never empty.
    pub message: String,
    /// What to do about it. `None` where the rule, one of your own perhaps, does not say.
    pub help: Option<String>,
    /// What the rule rests on.
    pub citations: Vec<Citation>,
    /// The result type of RFC 8460 §4.3 that senders report, such as `sts-policy-invalid`; `None` where they report
    /// nothing.
    pub reported_as: Option<String>,
    /// Where it is, in which text; `None` where nothing published can be pointed at, for example a missing record.
    /// [`LintReport::text`](super::LintReport::text) gives the text.
    pub location: Option<Location>,
}

/// A section of a standard, or a reference of your own.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Citation {
    /// As it is written: `RFC 8461 §3.2`.
    pub text: String,
    /// Where to read it; `None` where it is not an RFC.
    pub url: Option<String>,
}

/// A rule that could not be checked, because something was not observed. It says nothing about the domain.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct NotChecked {
    /// The id of the rule.
    pub rule: String,
    /// What it would have been about, where a rule can find several things.
    pub subject: Option<String>,
    /// What was not observed, and why.
    pub reason: String,
}

impl Finding {
    /// The finding or remark that a check ended with; `None` where it ended otherwise.
    pub(super) fn of(check: &Check) -> Option<Self> {
        if !check.is_told() {
            return None;
        }
        let cite = |text: &String| Citation { url: citation_url(text), text: text.clone() };
        Some(Finding {
            rule: check.rule.clone(),
            group: check.group.clone(),
            severity: check.severity,
            confidence: check.confidence,
            title: check.title.clone(),
            subject: check.subject.clone(),
            // The evaluation gives every finding a message; the title says what is expected, should it ever not.
            message: check.message.clone().unwrap_or_else(|| check.title.clone()),
            help: check.help.clone(),
            citations: check.cites.iter().map(cite).collect(),
            reported_as: check.reported_as.map(|kind| kind.word().to_owned()),
            location: check.location.clone(),
        })
    }
}

impl NotChecked {
    /// Why a check was not made; `None` where it was.
    pub(super) fn of(check: &Check) -> Option<Self> {
        (check.outcome == Outcome::NotChecked).then(|| NotChecked {
            rule: check.rule.clone(),
            subject: check.subject.clone(),
            reason: check.reason.clone().unwrap_or_default(),
        })
    }
}
