//! One line per finding, for logs and for `grep`.

use super::place::Place;
use super::wording::{decided, domain, one_line, what};
use super::{Linted, Unreadable};
use crate::outcome::Check;
use crate::source_text::without_commands;

/// The findings, one per line: `example.com: error[record-id] message (RFC 8461 §3.1)`. A finding in a file begins with
/// its place, which editors open: `mta-sts.txt:2:7: error[policy-mode] …`. What the configuration decided of a finding
/// comes last, in brackets.
pub fn concise(linted: &Linted) -> String {
    let mut text = String::new();
    for check in linted.report.findings() {
        let cites = check.cites.join(", ");
        let decided: String = decided(linted, check).iter().map(|decided| format!(" [{decided}]")).collect();
        let (place, severity, what) = (led_by(linted, check), check.severity.word(), what(check));
        let line = format!("{place}: {severity}[{}] {what} ({cites}){decided}", check.rule);
        text.push_str(&one_line(&line));
        text.push('\n');
    }
    without_commands(&text)
}

/// A line for an input of which nothing is known.
pub fn concise_unreadable(unreadable: &Unreadable) -> String {
    without_commands(&format!("{}\n", one_line(&unreadable.sentence())))
}

fn led_by(linted: &Linted, check: &Check) -> String {
    let place = check.location.as_ref().and_then(|location| Place::of(linted, location));
    let Some(place) = place else { return domain(linted) };
    match (place.file, &linted.report.domain) {
        (Some(file), None) => format!("{file}:{}:{}", place.line, place.column),
        (Some(file), Some(_)) => format!("{file}:{}:{}: {}", place.line, place.column, domain(linted)),
        (None, None) => format!("{}:{}:{}", place.exhibit, place.line, place.column),
        (None, Some(_)) => domain(linted),
    }
}
