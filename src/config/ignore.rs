//! Findings that are known and accepted until a day: taken out of reports, and never without a trace.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::file::IgnoreEntry;
use super::layer::Layer;
use super::origin::Origin;
use super::sections::{Section, Sections};
use super::tree::Span;
use crate::outcome::{Check, Confidence, Ignored, Location, Outcome, Report, Severity, Summary};
use crate::rules::{BROKEN_RULE, RuleSet};
use crate::source_text::{escape, printable};

/// The id under which an entry is reported whose last day has passed.
pub const EXPIRED_RULE: &str = "config-ignore-expired";
/// The id under which an entry is told that was not needed in a run.
pub const UNUSED_RULE: &str = "config-ignore-unused";
/// The group of findings about the configuration itself.
pub const CONFIG_GROUP: &str = "config";

/// The `ignore` entries of all configurations.
#[derive(Clone, Debug, Default)]
pub struct Ignores {
    /// The entries.
    pub entries: Vec<Ignore>,
    sections: Arc<Sections>,
}

/// An `ignore` entry with the text that it is in.
#[derive(Clone, Debug)]
pub struct Ignore {
    /// What it says.
    pub entry: IgnoreEntry,
    /// Where it is.
    pub origin: Origin,
    file: String,
    text: String,
    /// The ids of rules that it names by a former one.
    renamed: BTreeSet<String>,
    /// The entry of `domains` that it is in.
    section: Option<usize>,
}

/// What became of an entry in the reports so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Use {
    /// Findings that it took out.
    pub matched: usize,
    /// Reports of domains that it speaks of and in which everything that it speaks of was checked.
    pub judged: usize,
    /// Reports of domains that it speaks of and in which something was not checked: it may be needed there.
    pub undecided: usize,
}

impl Ignores {
    /// The entries of all configurations.
    pub fn of(layers: &[Layer], sections: &Arc<Sections>, rules: &RuleSet) -> Self {
        let renamed = |entry: &IgnoreEntry| -> BTreeSet<String> {
            let Some(pattern) = &entry.rule else { return BTreeSet::new() };
            let named = rules.rules.iter().filter(|rule| rule.formerly.iter().any(|id| pattern.value.matches(id)));
            named.map(|rule| rule.id.clone()).collect()
        };
        let ignore = |layer: &Layer, entry: &IgnoreEntry, section| Ignore {
            entry: entry.clone(),
            origin: layer.origin(entry.at),
            file: layer.source.name.clone(),
            text: layer.source.text.clone(),
            renamed: renamed(entry),
            section,
        };
        let of_layer =
            |layer: &Layer| layer.file.ignore.iter().map(|entry| ignore(layer, entry, None)).collect::<Vec<_>>();
        let of_section = |(index, section): (usize, &Section)| {
            let entries = section.entry.ignore.iter();
            entries.map(|entry| ignore(&section.layer, entry, Some(index))).collect::<Vec<_>>()
        };
        let entries = layers.iter().flat_map(of_layer);
        let entries = entries.chain(sections.list.iter().enumerate().flat_map(of_section)).collect();
        Ignores { entries, sections: Arc::clone(sections) }
    }

    /// Whether an entry speaks of a domain.
    pub fn concerns(&self, ignore: &Ignore, domain: Option<&str>) -> bool {
        let inside = |section: usize| self.sections.membership(domain).sections.contains(&section);
        ignore.concerns(domain) && ignore.section.is_none_or(inside)
    }

    /// Moves accepted findings from the report's checks to its `ignored`, adds a finding for each expired entry that
    /// speaks of the domain, and counts in `uses`, which has one place for each entry.
    ///
    /// `today` (UTC) is for reports without a time of observation.
    pub fn apply(&self, report: &mut Report, today: Date, uses: &mut Vec<Use>) {
        uses.resize(self.entries.len(), Use::default());
        let day = report.collected_at.as_deref().and_then(day_of).unwrap_or(today);
        let checks = std::mem::take(&mut report.checks);
        // Of a report on many domains each finding has its own.
        let together = !report.is_over_one_domain();
        let domain = report.domain.clone().filter(|_| !together);
        let speaks = |ignore: &Ignore, check: &Check| !together || self.concerns(ignore, check.domain.as_deref());
        let concerns = |ignore: &Ignore| together || self.concerns(ignore, domain.as_deref());
        let concerned: Vec<(&Ignore, &mut Use)> =
            self.entries.iter().zip(uses).filter(|(ignore, _)| concerns(ignore)).collect();
        let (mut current, expired): (Vec<_>, Vec<_>) =
            concerned.into_iter().partition(|(ignore, _)| day <= ignore.entry.until.value);
        for (ignore, used) in &mut current {
            let named = |check: &&Check| ignore.names(check) && (check.domain.is_none() || speaks(ignore, check));
            let mut checks = checks.iter().filter(named).peekable();
            if checks.peek().is_some() {
                if checks.any(|check| check.outcome == Outcome::NotChecked) {
                    used.undecided = used.undecided.saturating_add(1)
                } else {
                    used.judged = used.judged.saturating_add(1)
                }
            }
        }
        for check in checks {
            match current.iter_mut().find(|(ignore, _)| ignore.accepts(&check) && speaks(ignore, &check)) {
                Some((ignore, used)) => {
                    used.matched = used.matched.saturating_add(1);
                    report.ignored.push(ignore.ignored(check));
                }
                None => report.checks.push(check),
            }
        }
        // The reports on the domains tell them.
        let expired: Vec<&Ignore> = expired.into_iter().map(|(ignore, _)| ignore).filter(|_| !together).collect();
        tell_expired(report, &expired);
        report.summary = Summary { ignored: report.ignored.len(), ..Summary::of(&report.checks) };
    }

    /// The entries that were not needed in a run: all that they speak of was checked, and nothing failed; or every rule
    /// that they name is off, as `is_off` says.
    pub fn unused(&self, uses: &[Use], is_off: &dyn Fn(&Ignore) -> bool) -> Vec<String> {
        let told = |(ignore, used): (&Ignore, &Use)| {
            let why = match (used.matched, used.undecided, used.judged) {
                (0, 0, 0) if is_off(ignore) => "is about rules that are off",
                (0, 0, 1..) => "matched nothing",
                _ => return None,
            };
            let (origin, what) = (&ignore.origin, ignore.what());
            Some(format!("note[{UNUSED_RULE}]: {origin}: the entry that ignores {what} {why}; it can be removed"))
        };
        self.entries.iter().zip(uses).filter_map(told).collect()
    }
}

impl Ignore {
    /// Whether it speaks of a domain. An entry with a pattern never speaks of texts without a domain.
    fn concerns(&self, domain: Option<&str>) -> bool {
        match &self.entry.domain {
            None => true,
            Some(pattern) => domain.is_some_and(|domain| pattern.value.matches(domain)),
        }
    }

    /// What it ignores, in words.
    pub fn what(&self) -> String {
        let rule = self.entry.rule.as_ref().map(|rule| rule.value.to_string());
        escape(&rule.or_else(|| Some(self.entry.group.as_ref()?.value.clone())).unwrap_or_default())
    }

    fn names(&self, check: &Check) -> bool {
        self.names_rule(&check.rule, &check.group)
    }

    /// Whether it is about a rule of this id and group.
    pub fn names_rule(&self, rule: &str, group: &str) -> bool {
        self.entry.rule.as_ref().is_none_or(|named| named.value.matches(rule) || self.renamed.contains(rule))
            && self.entry.group.as_ref().is_none_or(|named| named.value == group)
    }

    fn accepts(&self, check: &Check) -> bool {
        let subject = |pattern: &super::Placed<super::Pattern>| {
            check.subject.as_deref().is_some_and(|subject| pattern.value.matches_subject(subject))
        };
        check.outcome == Outcome::Fail
            && check.rule != BROKEN_RULE
            && self.names(check)
            && self.entry.subject.as_ref().is_none_or(subject)
    }

    fn ignored(&self, check: Check) -> Ignored {
        Ignored {
            rule: check.rule,
            group: check.group,
            severity: check.severity,
            subject: check.subject,
            message: check.message.unwrap_or(check.title),
            reason: escape(&self.entry.reason),
            until: self.entry.until.value.to_string(),
            by: self.origin.to_string(),
            line: match &self.origin {
                Origin::File { text, .. } => text.trim().to_owned(),
                Origin::CommandLine | Origin::Profile { .. } => String::new(),
            },
        }
    }

    /// The finding that its last day has passed.
    fn expired(&self, location: Location) -> Check {
        let (what, until) = (self.what(), self.entry.until.value);
        let reason = escape(&self.entry.reason);
        let help = "Fix what it ignored and remove the entry, or set a new last day with a reason that still holds.";
        Check {
            rule: EXPIRED_RULE.to_owned(),
            group: CONFIG_GROUP.to_owned(),
            title: "No entry of `ignore` has expired".to_owned(),
            outcome: Outcome::Fail,
            severity: Severity::Warning,
            confidence: Confidence::Observed,
            domain: None,
            subject: Some(what.clone()),
            message: Some(format!(
                "the entry that ignores {what} counted until {until} and no longer does; its reason was: {reason}"
            )),
            help: Some(help.to_owned()),
            cites: vec!["stslint.yaml, `ignore`".to_owned()],
            reported_as: None,
            senders: None,
            at: None,
            location: Some(location),
            related: Vec::new(),
            reason: None,
            fix: None,
        }
    }

    /// Whether a line of its file, counted from 1, is part of it.
    fn holds(&self, line: usize) -> bool {
        let at = self.entry.at;
        let text = self.text.get(at.offset..at.offset.saturating_add(at.length)).unwrap_or_default();
        (at.line..=at.line.saturating_add(text.matches('\n').count())).contains(&line)
    }
}

/// Adds a finding for each entry, and the lines of the entries as an exhibit for each file.
fn tell_expired(report: &mut Report, expired: &[&Ignore]) {
    let mut files: Vec<(&str, Vec<&Ignore>)> = Vec::new();
    for ignore in expired {
        match files.iter_mut().find(|(file, _)| *file == ignore.file) {
            Some((_, entries)) => entries.push(ignore),
            None => files.push((&ignore.file, vec![ignore])),
        }
    }
    for (file, entries) in files {
        let name = printable(file);
        let taken = report.exhibits.contains_key(&name);
        let name = if taken { format!("configuration {name}") } else { name };
        let shown = lines_of(&entries);
        let found =
            entries.iter().map(|ignore| ignore.expired(location(&name, &shown, ignore.entry.until.at, &ignore.text)));
        report.checks.extend(found);
        report.exhibits.insert(name, shown);
    }
}

/// The text of a configuration with the lines of these entries only: all others are left empty, since they may
/// hold a password, or what concerns another domain.
fn lines_of(entries: &[&Ignore]) -> String {
    let text = entries.first().map_or("", |ignore| ignore.text.as_str());
    let lines = text.split_inclusive('\n').enumerate().map(|(index, line)| {
        let shown = entries.iter().any(|ignore| ignore.holds(index.saturating_add(1)));
        if shown { printable(line) } else { "\n".to_owned() }
    });
    lines.collect::<String>().trim_end().to_owned() + "\n"
}

/// The place in `shown` of what is at `at` in the whole text.
fn location(exhibit: &str, shown: &str, at: Span, text: &str) -> Location {
    let line_start = text.get(..at.offset).and_then(|before| before.rfind('\n')).map_or(0, |end| end.saturating_add(1));
    let within = at.offset.saturating_sub(line_start);
    let start: usize = shown.split_inclusive('\n').take(at.line.saturating_sub(1)).map(str::len).sum();
    let offset = start.saturating_add(within);
    let before = shown.get(start..offset).unwrap_or_default();
    Location {
        exhibit: exhibit.to_owned(),
        line: at.line,
        column: before.chars().count().saturating_add(1),
        offset,
        length: at.length,
    }
}

/// The day of a time of observation, in UTC.
fn day_of(time: &str) -> Option<Date> {
    let time: Timestamp = time.parse().ok()?;
    Some(utc_day(time))
}

/// The day of a time, in UTC.
pub fn utc_day(time: Timestamp) -> Date {
    time.to_zoned_datetime(TimeZone::UTC).date()
}
