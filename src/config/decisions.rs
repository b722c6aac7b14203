//! Which lines of the configuration decided something of a finding: shown beside it, as a second label.

use std::collections::BTreeMap;

use super::origin::{Origin, Set};
use super::settled::Change;
use crate::outcome::{Decision, Location, Outcome, Report};

/// Adds to a report, for each rule with a finding, the lines that set its severity and its params.
pub fn decisions(report: &mut Report, changes: &BTreeMap<String, Change>) {
    let mut lines: BTreeMap<String, BTreeMap<usize, String>> = BTreeMap::new();
    let mut decided: Vec<(String, Vec<Made>)> = Vec::new();
    for check in report.checks.iter().filter(|check| check.outcome == Outcome::Fail) {
        let Some(change) = changes.get(&check.rule).filter(|_| !decided.iter().any(|(rule, _)| *rule == check.rule))
        else {
            continue;
        };
        let made = made(change);
        for Made { origin, .. } in &made {
            if let Origin::File { name, line, text, .. } = origin {
                lines.entry(name.clone()).or_default().insert(*line, text.to_string());
            }
        }
        if !made.is_empty() {
            decided.push((check.rule.clone(), made));
        }
    }
    let exhibits: BTreeMap<String, (String, String)> =
        lines.iter().map(|(file, lines)| (file.clone(), (name_for(report, file), text_of(lines)))).collect();
    for (rule, made) in decided {
        let decision = |made: Made| Decision {
            location: location(&made.origin, &exhibits),
            what: made.what,
            by: made.origin.to_string(),
        };
        report.configured.insert(rule, made.into_iter().map(decision).collect());
    }
    report.exhibits.extend(exhibits.into_values());
}

/// Something that a line of a configuration decided.
struct Made {
    what: String,
    origin: Origin,
}

fn made(change: &Change) -> Vec<Made> {
    let differs = |level: &&Set<super::Level>| change.conditions || level.value.severity() != Some(change.written);
    let severity = change.level.as_ref().filter(differs).map(|level| Made {
        what: format!("the severity `{}` is set here", level.value.word()),
        origin: level.origin.clone(),
    });
    let param = |(name, (written, set)): (&String, &(serde_json::Value, Set<serde_json::Value>))| {
        (set.value != *written).then(|| Made {
            what: format!("`{name}` is set here; without this it is {written}"),
            origin: set.origin.clone(),
        })
    };
    severity.into_iter().chain(change.params.iter().filter_map(param)).collect()
}

/// A name for the lines of a configuration that no other exhibit has.
fn name_for(report: &Report, file: &str) -> String {
    if report.exhibits.contains_key(file) { format!("settings of {file}") } else { file.to_owned() }
}

/// These lines alone, each in its place: others may hold a password, or what concerns another domain.
fn text_of(lines: &BTreeMap<usize, String>) -> String {
    let last = lines.keys().next_back().copied().unwrap_or_default();
    (1..=last).map(|line| format!("{}\n", lines.get(&line).map_or("", String::as_str))).collect()
}

fn location(origin: &Origin, exhibits: &BTreeMap<String, (String, String)>) -> Option<Location> {
    let Origin::File { name, line, column, length, .. } = origin else { return None };
    let (exhibit, text) = exhibits.get(name)?;
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let offset = start.saturating_add(*column);
    let before = text.get(start..offset).unwrap_or_default();
    Some(Location {
        exhibit: exhibit.clone(),
        line: *line,
        column: before.chars().count().saturating_add(1),
        offset,
        length: *length,
    })
}
