//! Version 1 of the JSON report, frozen: what programs parse stays as it is, whatever becomes of the values inside.
//!
//! Each struct says what is written, in its order, and is filled from its counterpart inside. A field or a word that is new
//! inside is in no report until it is written here too; one that goes away inside does not compile. Fields may be added;
//! one that is renamed, removed or means something else is a version 2 beside this one.

pub mod known;
pub mod sender;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use self::known::KnownSender;
use self::sender::{DomainState, SenderView};
use crate::facts;
use crate::outcome;
use crate::report;
use crate::tls_reports::result_type::ResultType;

/// The JSON document of one or more reports.
#[derive(Debug, JsonSchema, Serialize)]
pub struct JsonReport<'a> {
    /// The version of this format.
    pub schema: u32,
    /// The version of stslint.
    pub stslint: &'static str,
    /// One report a domain, in the order in which they were asked for.
    pub results: Vec<Report<'a>>,
    /// The inputs that could not be read, so that nothing is known of them.
    pub unreadable: Vec<Unreadable<'a>>,
}

/// A line of JSON Lines: one report, with the versions in it.
#[derive(Debug, JsonSchema, Serialize)]
pub struct Line<'a> {
    /// The version of this format.
    pub schema: u32,
    /// The version of stslint.
    pub stslint: &'static str,
    /// The report.
    #[serde(flatten)]
    pub report: Report<'a>,
}

/// An input of which nothing is known: a file that could not be read, or a domain of which nothing could be checked.
#[derive(Debug, JsonSchema, Serialize)]
pub struct Unreadable<'a> {
    /// The file's name as it was given, or the domain.
    pub name: &'a str,
    /// Why, in one sentence.
    pub message: &'a str,
}

impl<'a> From<&'a report::Unreadable> for Unreadable<'a> {
    fn from(it: &'a report::Unreadable) -> Self {
        Unreadable { name: &it.name, message: &it.message }
    }
}

/// The findings on one domain, with the texts that they point into.
#[derive(Debug, JsonSchema, Serialize)]
pub struct Report<'a> {
    /// What the report is over; left out where it is one domain.
    #[serde(skip_serializing_if = "is_one_domain")]
    pub over: Over,
    /// The Policy Domain; `null` where none was given. In the report on all domains together it is `all domains`.
    pub domain: Option<&'a str>,
    /// When the facts were observed: RFC 3339, UTC; `null` where no observation was made.
    pub collected_at: Option<&'a str>,
    /// What is in force, as against what is served; `null` where neither policy nor MX hosts were observed.
    pub state: Option<DomainState>,
    /// How many checks ended how.
    pub summary: Summary,
    /// Every rule's outcome, in the order of the rules.
    pub checks: Vec<Check<'a>>,
    /// Findings that the configuration accepts; they are not among the checks.
    pub ignored: Vec<Ignored<'a>>,
    /// What a conforming sender does: one with an empty cache, and one that still holds the baseline's policy.
    pub sender: Vec<SenderView<'a>>,
    /// What each sender that is known does (`stslint senders list`); left out where neither the record nor the policy was
    /// observed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub senders: Vec<KnownSender<'a>>,
    /// Of rules with findings, by their ids: the lines of the configuration that decided something of them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub configured: BTreeMap<&'a str, Vec<Decision<'a>>>,
    /// How far the domain is from the documents that profiles of the configuration follow.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub against: Vec<Against<'a>>,
    /// The texts that findings point into, by name.
    pub exhibits: BTreeMap<&'a str, &'a str>,
}

impl<'a> From<&'a outcome::Report> for Report<'a> {
    fn from(it: &'a outcome::Report) -> Self {
        Report {
            over: it.over.into(),
            domain: it.domain.as_deref(),
            collected_at: it.collected_at.as_deref(),
            state: it.state.as_ref().map(Into::into),
            summary: (&it.summary).into(),
            checks: it.checks.iter().map(Into::into).collect(),
            ignored: it.ignored.iter().map(Into::into).collect(),
            sender: it.sender.iter().map(Into::into).collect(),
            senders: it.senders.iter().map(Into::into).collect(),
            configured: it
                .configured
                .iter()
                .map(|(rule, lines)| (rule.as_str(), lines.iter().map(Into::into).collect()))
                .collect(),
            against: it.against.iter().map(Into::into).collect(),
            exhibits: it.exhibits.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect(),
        }
    }
}

fn is_one_domain(over: &Over) -> bool {
    *over == Over::Domain
}

/// How far a domain is from a document that a profile follows.
#[derive(Debug, JsonSchema, Serialize)]
pub struct Against<'a> {
    /// The profile.
    pub profile: &'a str,
    /// How many rules the profile names.
    pub rules: usize,
    /// Those of them with a finding, whether or not it is accepted.
    pub not_met: Vec<&'a str>,
    /// Those of them that could not be checked.
    pub not_checked: Vec<&'a str>,
    /// Those of them of which nothing was asked: neither met nor not met.
    pub not_judged: Vec<NotJudged<'a>>,
}

/// A rule that a profile names and of which nothing was asked.
#[derive(Debug, JsonSchema, Serialize)]
pub struct NotJudged<'a> {
    /// The rule.
    pub rule: &'a str,
    /// Why.
    pub why: outcome::WhyNotJudged,
}

impl<'a> From<&'a outcome::Against> for Against<'a> {
    fn from(it: &'a outcome::Against) -> Self {
        Against {
            profile: &it.profile,
            rules: it.rules,
            not_met: it.not_met.iter().map(String::as_str).collect(),
            not_checked: it.not_checked.iter().map(String::as_str).collect(),
            not_judged: it.not_judged.iter().map(|it| NotJudged { rule: &it.rule, why: it.why }).collect(),
        }
    }
}

/// How many checks ended how.
#[derive(Debug, JsonSchema, Serialize)]
pub struct Summary {
    /// Findings of severity error.
    pub errors: usize,
    /// Findings of severity warning.
    pub warnings: usize,
    /// Findings of severity note.
    pub notes: usize,
    /// Remarks: what nearly every healthy domain does too, and no finding.
    pub remarks: usize,
    /// Rules that passed.
    pub passed: usize,
    /// Rules that do not concern the domain, or follow from another that failed.
    pub not_applicable: usize,
    /// Rules whose facts were not observed.
    pub not_checked: usize,
    /// Findings that the configuration accepts, which are counted nowhere else.
    pub ignored: usize,
}

impl From<&outcome::Summary> for Summary {
    fn from(it: &outcome::Summary) -> Self {
        Summary {
            errors: it.errors,
            warnings: it.warnings,
            notes: it.notes,
            remarks: it.remarks,
            passed: it.passed,
            not_applicable: it.not_applicable,
            not_checked: it.not_checked,
            ignored: it.ignored,
        }
    }
}

/// One rule's outcome, or one of several where a rule speaks of several things.
#[derive(Debug, JsonSchema, Serialize)]
pub struct Check<'a> {
    /// The rule's id.
    pub rule: &'a str,
    /// The rule's group.
    pub group: &'a str,
    /// What is so when the rule passes.
    pub title: &'a str,
    /// How the check ended.
    pub outcome: Outcome,
    /// How bad it is, or would be.
    pub severity: Severity,
    /// How the rule knows; left out where it is `observed`.
    #[serde(skip_serializing_if = "is_observed")]
    pub confidence: Confidence,
    /// What the check speaks of, where a rule speaks of several things: an MX host, an address, a line.
    pub subject: Option<&'a str>,
    /// The domain that it speaks of, in a report on many domains.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<&'a str>,
    /// What is wrong, or what the remark is; `null` otherwise.
    pub message: Option<&'a str>,
    /// What to do about it; `null` otherwise.
    pub help: Option<&'a str>,
    /// The sections of the standards behind the rule.
    pub cites: Vec<&'a str>,
    /// The RFC 8460 §4.3 result type that a conforming sender reports; `null` where there is none.
    pub reported_as: Option<ResultType>,
    /// Which senders take the text that it is about, and which do not, in a sentence; left out where no difference is
    /// known, and beside the second finding on a text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub senders: Option<&'a str>,
    /// The fact that is underlined.
    pub at: Option<&'a str>,
    /// Where that fact was read.
    pub location: Option<Location<'a>>,
    /// Further places that explain the finding, such as the policy line that was meant to match.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub related: Vec<Related<'a>>,
    /// Why the check was not made or does not apply; `null` where it was made.
    pub reason: Option<&'a str>,
    /// How to fix it; `null` where it cannot be done by replacing text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<Fix<'a>>,
}

fn is_observed(confidence: &Confidence) -> bool {
    *confidence == Confidence::Observed
}

impl<'a> From<&'a outcome::Check> for Check<'a> {
    fn from(it: &'a outcome::Check) -> Self {
        Check {
            rule: &it.rule,
            group: &it.group,
            title: &it.title,
            outcome: it.outcome.into(),
            severity: it.severity.into(),
            confidence: it.confidence.into(),
            subject: it.subject.as_deref(),
            domain: it.domain.as_deref(),
            message: it.message.as_deref(),
            help: it.help.as_deref(),
            cites: it.cites.iter().map(String::as_str).collect(),
            reported_as: it.reported_as,
            senders: it.senders.as_deref(),
            at: it.at.as_deref(),
            location: it.location.as_ref().map(Into::into),
            related: it.related.iter().map(Into::into).collect(),
            reason: it.reason.as_deref(),
            fix: it.fix.as_ref().map(Into::into),
        }
    }
}

/// A further place that explains a finding.
#[derive(Debug, JsonSchema, Serialize)]
pub struct Related<'a> {
    /// The fact that is shown.
    pub at: &'a str,
    /// Where that fact was read.
    pub location: Location<'a>,
    /// What it has to do with the finding.
    pub label: &'a str,
}

impl<'a> From<&'a outcome::Related> for Related<'a> {
    fn from(it: &'a outcome::Related) -> Self {
        Related { at: &it.at, location: (&it.location).into(), label: &it.label }
    }
}

/// A line of a configuration that decided something of a finding.
#[derive(Debug, JsonSchema, Serialize)]
pub struct Decision<'a> {
    /// What it decided, in words.
    pub what: &'a str,
    /// Where: `stslint.yaml:12`, a profile, or the command line.
    pub by: &'a str,
    /// The line's place among the exhibits; `null` for a profile and the command line.
    pub location: Option<Location<'a>>,
}

impl<'a> From<&'a outcome::Decision> for Decision<'a> {
    fn from(it: &'a outcome::Decision) -> Self {
        Decision { what: &it.what, by: &it.by, location: it.location.as_ref().map(Into::into) }
    }
}

/// A finding that the configuration accepts until a day.
#[derive(Debug, JsonSchema, Serialize)]
pub struct Ignored<'a> {
    /// The rule's id.
    pub rule: &'a str,
    /// The rule's group.
    pub group: &'a str,
    /// How bad it would be.
    pub severity: Severity,
    /// What the finding speaks of, where a rule speaks of several things.
    pub subject: Option<&'a str>,
    /// What is wrong.
    pub message: &'a str,
    /// Why it is accepted.
    pub reason: &'a str,
    /// The last day on which it is, in UTC: `2027-03-31`.
    pub until: &'a str,
    /// Where the configuration says so: `stslint.yaml:12`.
    pub by: &'a str,
}

impl<'a> From<&'a outcome::Ignored> for Ignored<'a> {
    fn from(it: &'a outcome::Ignored) -> Self {
        Ignored {
            rule: &it.rule,
            group: &it.group,
            severity: it.severity.into(),
            subject: it.subject.as_deref(),
            message: &it.message,
            reason: &it.reason,
            until: &it.until,
            by: &it.by,
        }
    }
}

/// A replacement of text in an exhibit.
#[derive(Debug, JsonSchema, Serialize)]
pub struct Fix<'a> {
    /// Where.
    pub location: Location<'a>,
    /// The new text; empty deletes.
    pub with: &'a str,
    /// Whether it can be applied without a look: the meaning stays what it surely was meant to be.
    pub safe: bool,
}

impl<'a> From<&'a outcome::Fix> for Fix<'a> {
    fn from(it: &'a outcome::Fix) -> Self {
        Fix { location: (&it.location).into(), with: &it.with, safe: it.safe }
    }
}

/// A place in an exhibit.
#[derive(Debug, JsonSchema, Serialize)]
pub struct Location<'a> {
    /// The exhibit's name.
    pub exhibit: &'a str,
    /// The line, counted from 1.
    pub line: usize,
    /// The column in characters, counted from 1.
    pub column: usize,
    /// The first octet, counted from 0.
    pub offset: usize,
    /// How many octets.
    pub length: usize,
}

impl<'a> From<&'a outcome::Location> for Location<'a> {
    fn from(it: &'a outcome::Location) -> Self {
        Location { exhibit: &it.exhibit, line: it.line, column: it.column, offset: it.offset, length: it.length }
    }
}

/// How a check ended.
#[derive(Clone, Copy, Debug, Eq, JsonSchema, PartialEq, Serialize)]
pub enum Outcome {
    /// The rule is broken.
    #[serde(rename = "fail")]
    Fail,
    /// The rule does not concern the domain, or follows from another that failed.
    #[serde(rename = "not_applicable")]
    NotApplicable,
    /// A fact that the rule needs was not observed.
    #[serde(rename = "not_checked")]
    NotChecked,
    /// The rule is kept.
    #[serde(rename = "pass")]
    Pass,
    /// The rule is not kept, and need not be: a remark beside what is published, and no finding.
    #[serde(rename = "remark")]
    Remark,
}

impl From<outcome::Outcome> for Outcome {
    fn from(it: outcome::Outcome) -> Self {
        match it {
            outcome::Outcome::Fail => Outcome::Fail,
            outcome::Outcome::NotApplicable => Outcome::NotApplicable,
            outcome::Outcome::NotChecked => Outcome::NotChecked,
            outcome::Outcome::Pass => Outcome::Pass,
            outcome::Outcome::Remark => Outcome::Remark,
        }
    }
}

/// How bad a finding is, from the least to the worst.
#[derive(Clone, Copy, Debug, Eq, JsonSchema, PartialEq, Serialize)]
pub enum Severity {
    /// No finding at all: what nearly every healthy domain does too, said beside what is published.
    #[serde(rename = "remark")]
    Remark,
    /// Worth knowing; never fails a run.
    #[serde(rename = "note")]
    Note,
    /// A SHOULD is broken, or it will be an error soon, or senders differ.
    #[serde(rename = "warning")]
    Warning,
    /// A conforming sender acts as if nothing were published, or refuses or misreports mail.
    #[serde(rename = "error")]
    Error,
}

impl From<outcome::Severity> for Severity {
    fn from(it: outcome::Severity) -> Self {
        match it {
            outcome::Severity::Remark => Severity::Remark,
            outcome::Severity::Note => Severity::Note,
            outcome::Severity::Warning => Severity::Warning,
            outcome::Severity::Error => Severity::Error,
        }
    }
}

/// What rules are over: which tree their expressions see.
#[derive(Clone, Copy, Debug, Eq, JsonSchema, PartialEq, Serialize)]
pub enum Over {
    /// What a domain publishes: `stslint check`.
    #[serde(rename = "domain")]
    Domain,
    /// All domains of a run together: `stslint check`, after the last of them.
    #[serde(rename = "domains")]
    Domains,
    /// One TLS report (RFC 8460 §4): `stslint reports`.
    #[serde(rename = "report")]
    Report,
    /// All TLS reports of a run together: `stslint reports`.
    #[serde(rename = "reports")]
    Reports,
}

impl From<facts::Over> for Over {
    fn from(it: facts::Over) -> Self {
        match it {
            facts::Over::Domain => Over::Domain,
            facts::Over::Domains => Over::Domains,
            facts::Over::Report => Over::Report,
            facts::Over::Reports => Over::Reports,
        }
    }
}

/// How a rule knows what it finds.
#[derive(Clone, Copy, Debug, Eq, JsonSchema, PartialEq, Serialize)]
pub enum Confidence {
    /// It is deduced: what was observed points to it, and the owner of the domain may know better.
    #[serde(rename = "deduced")]
    Deduced,
    /// It is what was observed.
    #[serde(rename = "observed")]
    Observed,
}

impl From<outcome::Confidence> for Confidence {
    fn from(it: outcome::Confidence) -> Self {
        match it {
            outcome::Confidence::Deduced => Confidence::Deduced,
            outcome::Confidence::Observed => Confidence::Observed,
        }
    }
}
