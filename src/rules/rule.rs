//! A rule, ready to be checked and evaluated. Made by `load` from an entry of a rule file.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value;

use super::expr::Expr;
use super::model::{Cases, Range};
use super::template::Template;
use crate::facts::Over;
use crate::outcome::{Confidence, Severity};
use crate::tls_reports::result_type::ResultType;

/// One rule.
#[derive(Clone, Debug)]
pub struct Rule {
    /// The stable id.
    pub id: String,
    /// Ids that it had before.
    pub formerly: Vec<String>,
    /// The group that it belongs to.
    pub group: String,
    /// What it is over.
    pub over: Over,
    /// What is so when it passes.
    pub title: String,
    /// How bad it is when it fails.
    pub severity: Severity,
    /// How it knows what it finds.
    pub confidence: Confidence,
    /// The version in which it first appeared; `None` where its file does not say.
    pub since: Option<String>,
    /// Other severities under conditions; the first that is true counts.
    pub severity_if: Vec<(Expr, Severity)>,
    /// The sections of the standards behind it.
    pub cites: Vec<String>,
    /// Those that count instead where their condition is true; the first counts.
    pub cites_if: Vec<(Expr, Vec<String>)>,
    /// Why it exists.
    pub why: String,
    /// The values that expressions read as `params.NAME`.
    pub params: BTreeMap<String, Value>,
    /// What the values of some of them may be.
    pub ranges: BTreeMap<String, Range>,
    /// The ids of the rules that must pass first.
    pub requires: Vec<String>,
    /// The ids of the rules that, where one failed, have said what this one would say.
    pub after: Vec<String>,
    /// Where this is false, no rule of its file applies.
    pub group_when: Option<Arc<Expr>>,
    /// Why no rule of its file applies there.
    pub group_otherwise: Option<String>,
    /// Where this is false, it does not apply.
    pub when: Option<Expr>,
    /// Why it does not apply there.
    pub otherwise: Option<String>,
    /// The variables over lists, outermost first: name and path.
    pub scopes: Vec<(String, Vec<String>)>,
    /// Whether each element of the last list is a finding.
    pub forbids: bool,
    /// The value by which its elements are compared with those of other domains.
    pub compare: Option<Expr>,
    /// Whether findings with the same message about elements of the last list are told as one.
    pub together: bool,
    /// What is true when it passes.
    pub assert: Option<Expr>,
    /// What a finding speaks of.
    pub subject: Option<Template>,
    /// The fact that is underlined.
    pub at: Option<Vec<String>>,
    /// Further places that a finding shows.
    pub also: Vec<RuleAlso>,
    /// What is wrong.
    pub message: Template,
    /// What to do.
    pub help: Option<Template>,
    /// The RFC 8460 §4.3 result type.
    pub reported_as: Option<ResultType>,
    /// Result types that count instead where their condition is true.
    pub reported_as_if: Vec<(Expr, ResultType)>,
    /// How to fix it.
    pub fix: Option<RuleFix>,
    /// Its cases.
    pub cases: Arc<Cases>,
    /// The name of the file that it is in.
    pub file: String,
    /// That file; `None` for a built-in rule.
    pub path: Option<PathBuf>,
    /// Whether it is evaluated for others' `requires` only, and never reported.
    pub off: bool,
}

impl Rule {
    /// The worst severity that a finding of the rule can have.
    pub fn worst_severity(&self) -> Severity {
        self.severity_if.iter().map(|(_, severity)| *severity).fold(self.severity, Severity::max)
    }

    /// Whether senders may report what the rule finds under a result type (RFC 8460 §4.3).
    pub fn is_reported_as(&self, result_type: ResultType) -> bool {
        let conditional = self.reported_as_if.iter().map(|(_, kind)| kind);
        self.reported_as.iter().chain(conditional).any(|kind| *kind == result_type)
    }

    /// Whether it applies only beside what was published before: a baseline, or a policy that senders may hold.
    pub fn looks_back(&self) -> bool {
        self.when.as_ref().is_some_and(|when| when.source().contains("baseline != null"))
    }

    /// The mildest severity that a finding of the rule can have.
    pub fn mildest_severity(&self) -> Severity {
        self.severity_if.iter().map(|(_, severity)| *severity).fold(self.severity, Severity::min)
    }
}

/// A further place that a finding shows.
#[derive(Clone, Debug)]
pub struct RuleAlso {
    /// The fact whose place is shown.
    pub at: Vec<String>,
    /// What it has to do with the finding.
    pub label: Template,
    /// Where this is false, it is not shown.
    pub when: Option<Expr>,
}

/// A replacement of text.
#[derive(Clone, Debug)]
pub struct RuleFix {
    /// The fact whose text is replaced.
    pub replace: Vec<String>,
    /// The new text.
    pub with: Template,
    /// Whether it can be applied without a look.
    pub safe: bool,
    /// Where this is false, there is no such fix.
    pub when: Option<Expr>,
    /// Where this is true, it is safe.
    pub safe_when: Option<Expr>,
}
