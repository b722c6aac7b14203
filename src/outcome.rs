//! What the rules found: the one value that every output format renders.
//!
//! `rules::evaluate` makes it from the facts; each format in `report` is a thin function over it.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;

pub use crate::facts::Location;
use crate::facts::Over;
use crate::sender::{DomainState, KnownSender, SenderView};
use crate::tls_reports::result_type::ResultType;
use crate::vocabulary::vocabulary;

/// The version of the JSON report.
pub const REPORT_SCHEMA: u32 = 1;

/// The findings on one domain, with the texts that they point into.
#[derive(Clone, Debug, Default, JsonSchema, PartialEq, Serialize)]
pub struct Report {
    /// What the report is over; left out where it is one domain.
    #[serde(skip_serializing_if = "is_one_domain")]
    pub over: Over,
    /// The Policy Domain; `null` where none was given. In the report on all domains together it is `all domains`.
    pub domain: Option<String>,
    /// When the facts were observed: RFC 3339, UTC; `null` where no observation was made.
    pub collected_at: Option<String>,
    /// What is in force, as against what is served; `null` where neither policy nor MX hosts were observed.
    pub state: Option<DomainState>,
    /// How many checks ended how.
    pub summary: Summary,
    /// Every rule's outcome, in the order of the rules.
    pub checks: Vec<Check>,
    /// Findings that the configuration accepts; they are not among the checks.
    pub ignored: Vec<Ignored>,
    /// What a conforming sender does: one with an empty cache, and one that still holds the baseline's policy.
    pub sender: Vec<SenderView>,
    /// What each sender that is known does; nothing where neither record nor policy was observed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub senders: Vec<KnownSender>,
    /// Whether formats for people show these, which is asked for.
    #[serde(skip)]
    pub shows_senders: bool,
    /// Of rules with findings, by their ids: the lines of the configuration that decided something of them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub configured: BTreeMap<String, Vec<Decision>>,
    /// How far the domain is from the documents that profiles of the configuration follow.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub against: Vec<Against>,
    /// The texts that findings point into, by name.
    pub exhibits: BTreeMap<String, String>,
}

fn is_one_domain(over: &Over) -> bool {
    *over == Over::Domain
}

impl Report {
    /// Whether it is about one domain, and not about all of a run.
    pub fn is_over_one_domain(&self) -> bool {
        is_one_domain(&self.over)
    }

    /// Whether a finding, a remark or a decision points into an exhibit.
    pub fn points_into(&self, exhibit: &str) -> bool {
        let decided = self.configured.values().flatten().filter_map(|decision| decision.location.as_ref());
        let of_check = |check: &'_ Check| {
            let fix = check.fix.iter().map(|fix| &fix.location);
            let related = check.related.iter().map(|related| &related.location);
            check.location.iter().chain(related).chain(fix).any(|location| location.exhibit == exhibit)
        };
        self.checks.iter().any(of_check) || decided.into_iter().any(|location| location.exhibit == exhibit)
    }

    /// Leaves out the exhibits that nothing points into.
    pub fn keep_shown_exhibits(&mut self) {
        let decided = self.configured.values().flatten().filter_map(|decision| decision.location.as_ref());
        let of_check = |check: &'_ Check| -> Vec<String> {
            let fix = check.fix.iter().map(|fix| &fix.location);
            let related = check.related.iter().map(|related| &related.location);
            check.location.iter().chain(related).chain(fix).map(|location| location.exhibit.clone()).collect()
        };
        let mut shown: BTreeSet<String> = self.checks.iter().flat_map(of_check).collect();
        shown.extend(decided.map(|location| location.exhibit.clone()));
        self.exhibits.retain(|name, _| shown.contains(name));
    }

    /// The failed checks, worst first, else in the order of the rules.
    pub fn findings(&self) -> Vec<&Check> {
        let mut findings: Vec<&Check> = self.checks.iter().filter(|check| check.outcome == Outcome::Fail).collect();
        findings.sort_by_key(|check| std::cmp::Reverse(check.severity));
        findings
    }

    /// The remarks, in the order of the rules.
    pub fn remarks(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|check| check.outcome == Outcome::Remark)
    }

    /// Why nothing at all could be checked; `None` where something was. Mistakes of the configuration are none of the
    /// domain's checks.
    pub fn nothing_checked(&self) -> Option<&str> {
        let made = |check: &Check| {
            matches!(check.outcome, Outcome::Fail | Outcome::Pass | Outcome::Remark) && check.group != "config"
        };
        if self.checks.iter().any(made) || !self.ignored.is_empty() {
            return None;
        }
        let unchecked = self.checks.iter().find(|check| check.outcome == Outcome::NotChecked)?;
        Some(unchecked.reason.as_deref().unwrap_or("the reason is not known"))
    }

    /// Leaves out the findings below a severity, and counts again.
    pub fn leave_out_below(&mut self, severity: Severity) {
        self.checks.retain(|check| check.outcome != Outcome::Fail || check.severity >= severity);
        self.summary = Summary { ignored: self.ignored.len(), ..Summary::of(&self.checks) };
    }

    /// Keeps the first of each rule's checks that ended the same way, and says how many more there are. The summary still
    /// counts all.
    pub fn shorten(&mut self) {
        let mut counts: BTreeMap<(String, Outcome, Severity), usize> = BTreeMap::new();
        let key = |check: &Check| (check.rule.clone(), check.outcome, check.severity);
        for check in &self.checks {
            let count = counts.entry(key(check)).or_default();
            *count = count.saturating_add(1);
        }
        let mut listed: BTreeMap<(String, Outcome, Severity), usize> = BTreeMap::new();
        let checks = std::mem::take(&mut self.checks).into_iter();
        self.checks = checks
            .filter_map(|check| {
                let key = key(&check);
                let all = counts.get(&key).copied().unwrap_or_default();
                let most = if check.is_told() { MAX_FINDINGS } else { MAX_OTHERS };
                let before = listed.entry(key).or_default();
                *before = before.saturating_add(1);
                match *before {
                    place if all <= most || place < most => Some(check),
                    place if place == most => Some(check.for_the_rest(all.saturating_sub(most).saturating_add(1))),
                    _ => None,
                }
            })
            .collect();
        self.ignored.truncate(MAX_OTHERS);
    }

    /// Lets formats for people show the senders that are known: all, or those of these names alone.
    pub fn show_senders(&mut self, all: bool, names: &[String]) {
        self.shows_senders = all || !names.is_empty();
        if !names.is_empty() {
            let named = |it: &KnownSender| names.iter().any(|name| it.is_called(name));
            self.senders.retain(named);
        }
    }

    /// The worst severity among the findings.
    pub fn worst(&self) -> Option<Severity> {
        self.findings().first().map(|check| check.severity)
    }
}

/// How far a domain is from a document that a profile follows.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Against {
    /// The profile.
    pub profile: String,
    /// How many rules the profile names.
    pub rules: usize,
    /// Those of them with a finding, whether or not it is accepted.
    pub not_met: Vec<String>,
    /// Those of them that could not be checked.
    pub not_checked: Vec<String>,
    /// Those of them of which nothing was asked: neither met nor not met.
    pub not_judged: Vec<NotJudged>,
}

/// A rule that a profile names and of which nothing was asked.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Serialize)]
pub struct NotJudged {
    /// The rule.
    pub rule: String,
    /// Why.
    pub why: WhyNotJudged,
}

/// Why a rule that a profile names was not judged.
#[derive(Clone, Copy, Debug, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WhyNotJudged {
    /// An option of the command line ignores it.
    IgnoredByOption,
    /// It does not apply to the domain as it is.
    NotApplicable,
    /// `--select` does not name it.
    NotSelected,
    /// The configuration sets it off.
    Off,
}

impl WhyNotJudged {
    /// In words, after a number.
    pub fn words(self) -> &'static str {
        match self {
            WhyNotJudged::IgnoredByOption => "ignored by `--ignore`",
            WhyNotJudged::NotApplicable => "not applicable",
            WhyNotJudged::NotSelected => "not among those of `--select`",
            WhyNotJudged::Off => "off in the configuration",
        }
    }
}

/// How the reason of a rule begins that another finding hides.
pub const FOLLOWS_FROM: &str = "follows from";

/// So many findings of one rule are listed; the last of them says how many more there are.
pub const MAX_FINDINGS: usize = 32;
/// So many of a rule's checks that ended in another way are listed, and so many accepted findings.
pub const MAX_OTHERS: usize = 64;

/// How many checks ended how.
#[derive(Clone, Copy, Debug, Default, Eq, JsonSchema, PartialEq, Serialize)]
#[non_exhaustive]
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

impl Summary {
    /// Adds the counts of another report.
    pub fn add(&mut self, other: Summary) {
        self.errors = self.errors.saturating_add(other.errors);
        self.warnings = self.warnings.saturating_add(other.warnings);
        self.notes = self.notes.saturating_add(other.notes);
        self.remarks = self.remarks.saturating_add(other.remarks);
        self.passed = self.passed.saturating_add(other.passed);
        self.not_applicable = self.not_applicable.saturating_add(other.not_applicable);
        self.not_checked = self.not_checked.saturating_add(other.not_checked);
        self.ignored = self.ignored.saturating_add(other.ignored);
    }

    /// Counts checks. Ignored findings are not among them.
    #[doc(hidden)]
    pub fn of(checks: &[Check]) -> Self {
        let count = |outcome, severity: Option<Severity>| {
            let counts =
                |check: &&Check| check.outcome == outcome && severity.is_none_or(|severity| check.severity == severity);
            checks.iter().filter(counts).count()
        };
        Summary {
            errors: count(Outcome::Fail, Some(Severity::Error)),
            warnings: count(Outcome::Fail, Some(Severity::Warning)),
            notes: count(Outcome::Fail, Some(Severity::Note)),
            remarks: count(Outcome::Remark, None),
            passed: count(Outcome::Pass, None),
            not_applicable: count(Outcome::NotApplicable, None),
            not_checked: count(Outcome::NotChecked, None),
            ignored: 0,
        }
    }
}

vocabulary! {
    /// How a check ended.
    pub enum Outcome {
        /// The rule is broken.
        Fail = "fail",
        /// The rule does not concern the domain, or follows from another that failed.
        NotApplicable = "not_applicable",
        /// A fact that the rule needs was not observed.
        NotChecked = "not_checked",
        /// The rule is kept.
        Pass = "pass",
        /// The rule is not kept, and need not be: a remark beside what is published, and no finding.
        Remark = "remark",
    }
}

vocabulary! {
    /// How bad a finding is, from the least to the worst.
    pub enum Severity {
        /// No finding at all: what nearly every healthy domain does too, said beside what is published.
        Remark = "remark",
        /// Worth knowing; never fails a run.
        Note = "note",
        /// A SHOULD is broken, or it will be an error soon, or senders differ.
        Warning = "warning",
        /// A conforming sender acts as if nothing were published, or refuses or misreports mail.
        Error = "error",
    }
}

vocabulary! {
    /// How a rule knows what it finds.
    pub enum Confidence {
        /// It is deduced: what was observed points to it, and the owner of the domain may know better.
        Deduced = "deduced",
        /// It is what was observed.
        Observed = "observed",
    }
}

#[allow(clippy::derivable_impls)]
impl Default for Confidence {
    fn default() -> Self {
        Confidence::Observed
    }
}

/// One rule's outcome, or one of several where a rule speaks of several things.
#[derive(Clone, Debug, JsonSchema, PartialEq, Serialize)]
pub struct Check {
    /// The rule's id.
    pub rule: String,
    /// The rule's group.
    pub group: String,
    /// What is so when the rule passes.
    pub title: String,
    /// How the check ended.
    pub outcome: Outcome,
    /// How bad it is, or would be.
    pub severity: Severity,
    /// How the rule knows.
    pub confidence: Confidence,
    /// What the check speaks of, where a rule speaks of several things: an MX host, an address, a line.
    pub subject: Option<String>,
    /// The domain that it speaks of, in a report on many domains.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// What is wrong, or what the remark is; `null` otherwise.
    pub message: Option<String>,
    /// What to do about it; `null` otherwise.
    pub help: Option<String>,
    /// The sections of the standards behind the rule.
    pub cites: Vec<String>,
    /// The RFC 8460 §4.3 result type that a conforming sender reports; `null` where there is none.
    pub reported_as: Option<ResultType>,
    /// Which senders take the text that it is about, and which do not, in a sentence; `null` where no difference is known,
    /// and beside the second finding on a text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub senders: Option<String>,
    /// The fact that is underlined.
    pub at: Option<String>,
    /// Where that fact was read.
    pub location: Option<Location>,
    /// Further places that explain the finding, such as the policy line that was meant to match.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub related: Vec<Related>,
    /// Why the check was not made or does not apply; `null` where it was made.
    pub reason: Option<String>,
    /// How to fix it; `null` where it cannot be done by replacing text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<Fix>,
}

impl Check {
    /// Whether it is a finding or a remark, which have a message.
    pub fn is_told(&self) -> bool {
        matches!(self.outcome, Outcome::Fail | Outcome::Remark)
    }

    /// A check in place of so many that ended as this one did.
    fn for_the_rest(self, more: usize) -> Self {
        let told = format!("{more} more checks of this rule ended the same way; only the first are listed");
        let failed = self.is_told();
        Check {
            subject: Some(format!("{more} more")),
            domain: None,
            message: failed.then(|| told.clone()),
            reason: (!failed && self.outcome != Outcome::Pass).then_some(told),
            help: self.help.filter(|_| failed),
            senders: None,
            at: None,
            location: None,
            related: Vec::new(),
            fix: None,
            ..self
        }
    }
}

/// A further place that explains a finding.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Related {
    /// The fact that is shown.
    pub at: String,
    /// Where that fact was read.
    pub location: Location,
    /// What it has to do with the finding.
    pub label: String,
}

/// A line of a configuration that decided something of a finding.
#[derive(Clone, Debug, JsonSchema, PartialEq, Serialize)]
pub struct Decision {
    /// What it decided, in words.
    pub what: String,
    /// Where: `stslint.yaml:12`, a profile, or the command line.
    pub by: String,
    /// The line's place among the exhibits; `null` for a profile and the command line.
    pub location: Option<Location>,
}

/// A finding that the configuration accepts until a day.
#[derive(Clone, Debug, JsonSchema, PartialEq, Serialize)]
pub struct Ignored {
    /// The rule's id.
    pub rule: String,
    /// The rule's group.
    pub group: String,
    /// How bad it would be.
    pub severity: Severity,
    /// What the finding speaks of, where a rule speaks of several things.
    pub subject: Option<String>,
    /// What is wrong.
    pub message: String,
    /// Why it is accepted.
    pub reason: String,
    /// The last day on which it is, in UTC: `2027-03-31`.
    pub until: String,
    /// Where the configuration says so: `stslint.yaml:12`.
    pub by: String,
    /// The first line of the entry that says so.
    pub line: String,
}

/// A replacement of text in an exhibit.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Fix {
    /// Where.
    pub location: Location,
    /// The new text; empty deletes.
    pub with: String,
    /// Whether it can be applied without a look: the meaning stays what it surely was meant to be.
    pub safe: bool,
}
