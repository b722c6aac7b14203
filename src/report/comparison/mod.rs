//! Two runs compared, in the formats of `stslint diff`: text, JSON, JSON Lines, Markdown and HTML.

mod html;
mod json;
mod markdown;
mod text;

pub use self::html::html as html_comparison;
pub use self::json::{json as json_comparison, json_lines as json_lines_comparison};
pub use self::markdown::markdown as markdown_comparison;
pub use self::text::{domain_changes, text as text_comparison};
use crate::runs::{Change, Comparison, DomainChange, DomainDiff, Side};

/// Two runs compared, with what was read.
#[derive(Clone, Copy, Debug)]
pub struct Compared<'a> {
    /// The older run.
    pub old: &'a Side,
    /// The newer run.
    pub new: &'a Side,
    /// What became of the domains.
    pub comparison: &'a Comparison,
}

/// The groups in which domains are shown, with their headings.
const GROUPS: [(DomainChange, &str); 7] = [
    (DomainChange::Worse, "Worse"),
    (DomainChange::New, "New domains"),
    (DomainChange::NotKnown, "Not known"),
    (DomainChange::Gone, "Gone"),
    (DomainChange::Changed, "Changed"),
    (DomainChange::Better, "Better"),
    (DomainChange::Same, "Unchanged"),
];

impl<'a> Compared<'a> {
    /// The domains of a group.
    fn group(&self, change: DomainChange) -> impl Iterator<Item = &'a DomainDiff> + Clone + use<'a> {
        let all = self.comparison.domains.iter().chain(&self.comparison.same);
        all.filter(move |diff| diff.change == change)
    }

    /// `3 domains: 1 worse, 2 unchanged`.
    fn domains(&self) -> String {
        let of = |change: &DomainChange| self.comparison.counts.get(change).copied().unwrap_or_default();
        let words = |change: &DomainChange| match change {
            DomainChange::NotKnown => "not known",
            DomainChange::Same => "unchanged",
            other => other.word(),
        };
        let counts = DomainChange::ALL.iter().filter(|change| of(change) > 0);
        let counts: Vec<String> = counts.map(|change| format!("{} {}", of(change), words(change))).collect();
        format!("{}: {}", super::counted(self.comparison.all(), "domain"), counts.join(", "))
    }

    /// `findings: 1 new, 2 fixed`; empty where there are none.
    fn findings(&self) -> String {
        let counts = self.comparison.findings;
        let counts: Vec<String> = [
            (counts.new, "new"),
            (counts.worse, "worse"),
            (counts.not_known, "not known"),
            (counts.better, "better"),
            (counts.fixed, "fixed"),
            (counts.remaining, "remaining"),
        ]
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
        if counts.is_empty() { String::new() } else { format!("findings: {}", counts.join(", ")) }
    }

    /// Rules with something other than what remained, those with most that is new or worse first.
    fn causes(&self) -> Vec<(&'a str, &'a crate::runs::CauseCounts)> {
        let changed = |counts: &crate::runs::FindingCounts| {
            counts.urgent() > 0 || counts.fixed > 0 || counts.better > 0 || counts.not_known > 0
        };
        let causes = self.comparison.causes.iter().filter(|(_, cause)| changed(&cause.findings));
        let mut causes: Vec<_> = causes.map(|(rule, cause)| (rule.as_str(), cause)).collect();
        causes.sort_by_key(|(rule, cause)| (std::cmp::Reverse((cause.domains, cause.findings.urgent())), *rule));
        causes
    }

    /// Providers with a domain that did not stay as it was, those with most that are worse first.
    fn providers(&self) -> Vec<(&'a str, &'a crate::runs::ProviderCounts)> {
        let changed = |it: &crate::runs::ProviderCounts| it.worse > 0 || it.better > 0 || it.new > 0 || it.gone > 0;
        let providers = self.comparison.providers.iter().filter(|(_, provider)| changed(provider));
        let mut providers: Vec<_> = providers.map(|(name, provider)| (name.as_str(), provider)).collect();
        providers.sort_by_key(|(name, provider)| {
            (std::cmp::Reverse((provider.worse, provider.new, provider.domains)), *name)
        });
        providers
    }
}

/// What became of a finding, in a word.
fn word(change: Change) -> &'static str {
    match change {
        Change::NotKnown => "not known",
        Change::Remaining => "remains",
        other => other.word(),
    }
}

/// What became of the policy and of mail, where it is worth saying.
fn state(diff: &DomainDiff) -> Vec<String> {
    let change = |what: &str, pair: &crate::runs::OldAndNew| match (&pair.old, &pair.new) {
        (Some(old), Some(new)) if old != new => Some(format!("{what}: {old} before, {new} now")),
        (None, Some(new)) if diff.change == DomainChange::New => Some(format!("{what}: {new}")),
        _ => None,
    };
    [change("mail", &diff.mail), change("policy in force", &diff.policy)].into_iter().flatten().collect()
}

/// A finding without what became of it: rule, subjects, message.
fn what(finding: &crate::runs::FindingChange) -> String {
    let unnamed: Vec<&str> =
        finding.subjects.iter().filter(|it| !finding.message.contains(it.as_str())).map(String::as_str).collect();
    let first: Vec<&str> = unnamed.iter().take(6).copied().collect();
    let more = unnamed.len().saturating_sub(first.len());
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    if first.is_empty() { finding.message.clone() } else { format!("{}{more}: {}", first.join(", "), finding.message) }
}

/// How bad a finding is, and how bad it was where that differs: `error, was warning`.
fn severity(finding: &crate::runs::FindingChange) -> String {
    let was = finding.was.map_or_else(String::new, |was| format!(", was {was}"));
    format!("{}{was}", finding.severity)
}
