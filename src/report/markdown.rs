//! Markdown for the comment of a pull request: a table, the findings with what they point at, and folded lists.
//!
//! No text from outside can become a link, an image, HTML or a mention here, or end the block that it is in.

mod tls_reports;

use std::fmt::Write as _;

pub use self::tls_reports::tls_reports as markdown_tls_reports;
use super::fleet::{Fleet, Row};
use super::place::Place;
use super::wording::{counted, decided, domain, one_line, shortened, what};
use super::{Linted, Results, citation_url};
use crate::fix::corrected_line;
use crate::outcome::{Check, Ignored, Outcome, Severity, Summary};
use crate::source_text::{printable, without_runner_commands};

/// The longest comment, in characters: services refuse one of more than 65,536.
const LONGEST: usize = 60_000;
/// The longest summary of a step, in characters of up to four octets: GitHub refuses one of more than a mebibyte.
const LONGEST_SUMMARY: usize = 250_000;
/// The longest text in a sentence, in characters.
const LONGEST_TEXT: usize = 600;
/// The longest line of an excerpt, in characters.
const LONGEST_LINE: usize = 200;
/// The most rows of the table of domains: of more, the most urgent are shown.
const MOST_ROWS: usize = 50;
/// The most rules and causes that are counted by name.
const MOST_SUMMED: usize = 15;
/// The most names in a list.
const MOST_NAMES: usize = 200;
/// What nobody sees, and what keeps a name from being called and an address from being linked.
const NOTHING: char = '\u{200B}';

/// The reports as one document.
pub fn markdown(results: &Results<'_>) -> String {
    document(results, LONGEST)
}

/// The same for the summary of a step of GitHub Actions, which takes more than a comment does.
pub fn step_summary(results: &Results<'_>) -> String {
    document(results, LONGEST_SUMMARY)
}

fn document(results: &Results<'_>, longest: usize) -> String {
    let mut text = "## stslint\n\n".to_owned();
    if !results.linted.is_empty() {
        text.push_str(&table(results, longest));
    }
    for input in results.unreadable.iter().take(MOST_NAMES) {
        text.push_str(&format!("\n❔ {}\n", prose(&input.sentence())));
    }
    let (mut left_out, mut long) = (0_usize, text.chars().count());
    for part in results.linted.iter().flat_map(parts) {
        let longer = long.saturating_add(part.chars().count());
        if longer > longest {
            left_out = left_out.saturating_add(1);
        } else {
            text.push_str(&part);
            long = longer;
        }
    }
    if left_out > 0 {
        let parts = counted(left_out, "part");
        text.push_str(&format!("\n{parts} of this report did not fit in here; `stslint check` shows everything.\n"));
    }
    without_runner_commands(&text, "\\#")
}

/// What very many domains come to: what is in force, and the rules with findings.
fn sums(linted: &[&Linted]) -> String {
    let mut fleet = Fleet::default();
    linted.iter().for_each(|linted| fleet.add(linted));
    let counts = |counts: Vec<(&str, usize)>| {
        counts.iter().map(|(word, count)| format!("{count} {word}")).collect::<Vec<_>>().join(", ")
    };
    let domains = counted(fleet.rows.len(), "domain");
    let mut text =
        format!("**{domains}**, policy in force: {}; mail: {}\n", counts(fleet.by_policy()), counts(fleet.by_mail()));
    let rules = fleet.by_rule();
    if !rules.is_empty() {
        text.push_str("\n| rule | severity | domains |\n|---|---|--:|\n");
    }
    for (rule, count) in rules.iter().take(MOST_SUMMED) {
        let severity = count.worst.map_or("", Severity::word);
        let _ = writeln!(text, "| {} | {severity} | {} |", cell(rule), count.domains);
    }
    let causes = fleet.by_cause();
    if !causes.is_empty() {
        text.push_str("\n| one cause | rule | domains |\n|---|---|--:|\n");
    }
    for (rule, subject, domains) in causes.iter().take(MOST_SUMMED) {
        let _ = writeln!(text, "| {} | {} | {domains} |", cell(subject), cell(rule));
    }
    text + "\n"
}

fn table(results: &Results<'_>, longest: usize) -> String {
    let mut text = "| domain | in force | mail | errors | warnings | notes | passed | not applicable | not checked |\n|---|---|---|--:|--:|--:|--:|--:|--:|\n".to_owned();
    let mut sorted: Vec<&Linted> = results.linted.iter().collect();
    if sorted.len() > MOST_ROWS {
        text = sums(&sorted) + &text;
        sorted.sort_by_cached_key(|linted| Row::of(linted).urgency());
    }
    for (index, linted) in sorted.iter().enumerate() {
        if text.len() > longest / 2 || index >= MOST_ROWS {
            let more = results.linted.len().saturating_sub(index);
            return text + &format!("\nand {more} more\n");
        }
        let Summary { errors, warnings, notes, passed, not_applicable, not_checked, .. } = linted.report.summary;
        let name = cell(&domain(linted));
        let (in_force, mail) =
            linted.report.state.as_ref().map_or(("", ""), |state| (state.policy.word(), state.mail.label()));
        let _ = writeln!(
            text,
            "| {} {name} | {in_force} | {mail} | {errors} | {warnings} | {notes} | {passed} | {not_applicable} | {not_checked} |",
            mark(&linted.report.summary)
        );
    }
    text
}

fn mark(summary: &Summary) -> &'static str {
    match summary {
        Summary { errors: 1.., .. } => "❌",
        Summary { warnings: 1.., .. } => "⚠️",
        Summary { passed: 0, .. } => "❔",
        _ => "✅",
    }
}

/// A domain's findings, each a part, and its folded lists.
fn parts(linted: &Linted) -> Vec<String> {
    let mut parts = Vec::new();
    let heading = format!("\n### {}\n", prose(&domain(linted)));
    for check in linted.report.findings() {
        let first = if parts.is_empty() { heading.as_str() } else { "" };
        parts.push(format!("{first}{}", finding(linted, check)));
    }
    let lists = lists(linted);
    if linted.report.shows_senders {
        parts.push(senders(linted));
    }
    parts.push(if parts.is_empty() { format!("{heading}\nNo findings.\n{lists}") } else { lists });
    parts
}

/// What each sender that is known does; shown where it is asked for.
fn senders(linted: &Linted) -> String {
    let mut text = "\n| sender | record | policy | applies | why |\n|---|---|---|---|---|\n".to_owned();
    for it in &linted.report.senders {
        let (name, why) = (cell(&it.label()), cell(&it.because));
        let _ = writeln!(text, "| {name} | {} | {} | {} | {why} |", it.record, it.policy, it.applies);
    }
    text
}

fn finding(linted: &Linted, check: &Check) -> String {
    let mark = match check.severity {
        Severity::Error => "❌",
        Severity::Note | Severity::Remark => "💡",
        Severity::Warning => "⚠️",
    };
    let mut text = format!("\n{mark} **{}** `{}`: {}\n", check.severity.word(), code(&check.rule), prose(&what(check)));
    if let Some(place) = check.location.as_ref().and_then(|location| Place::of(linted, location)) {
        let _ = write!(text, "\n{}\n\n{}", name(&place), fenced(&excerpt(&place)));
    }
    for related in &check.related {
        if let Some(place) = Place::of(linted, &related.location) {
            let label = prose(&related.label);
            let _ = write!(text, "\n{} {label}\n\n{}", name(&place), fenced(&excerpt(&place)));
        }
    }
    for decided in decided(linted, check) {
        let _ = write!(text, "\n{}\n", prose(&decided));
    }
    if let Some(help) = &check.help {
        let _ = write!(text, "\n**What to do:** {}\n", prose(help));
    }
    if let Some(senders) = &check.senders {
        let _ = write!(text, "\n{}\n", prose(senders));
    }
    let fix =
        check.fix.as_ref().and_then(|fix| corrected_line(linted.report.exhibits.get(&fix.location.exhibit)?, fix));
    if let Some(line) = fix {
        let _ = write!(text, "\nCorrected:\n\n{}", fenced(&line));
    }
    let cites: Vec<String> = check.cites.iter().map(|cite| cited(cite)).collect();
    let _ = write!(text, "\nSee {}\n", cites.join(", "));
    text
}

fn name(place: &Place<'_>) -> String {
    format!("In {}, line {}:", prose(place.file.unwrap_or(place.exhibit)), place.line)
}

/// The lines that the finding points at, with one around them, and marks under what is meant.
fn excerpt(place: &Place<'_>) -> String {
    let first = place.line.saturating_sub(1).max(1);
    let lines = place.text.split('\n').enumerate().map(|(index, line)| (index.saturating_add(1), line));
    let mut text = String::new();
    for (number, line) in
        lines.skip(first.saturating_sub(1)).take_while(|(number, _)| *number <= first.saturating_add(4))
    {
        if number > place.line.saturating_add(1) && number > place.end_line.saturating_add(1) {
            break;
        }
        let _ = writeln!(text, "{number:>4} | {}", shortened(line.trim_end(), LONGEST_LINE));
        let until = if place.end_line == place.line {
            place.end_column
        } else {
            line.trim_end().chars().count().saturating_add(1)
        };
        if number == place.line && until <= LONGEST_LINE {
            let marks = "^".repeat(until.saturating_sub(place.column).max(1));
            let _ = writeln!(text, "     | {}{marks}", " ".repeat(place.column.saturating_sub(1)));
        }
    }
    text
}

/// What passed, what does not apply and what was not checked, folded; checks with the same reason are together.
fn lists(linted: &Linted) -> String {
    let of = |outcome| linted.report.checks.iter().filter(move |check| check.outcome == outcome);
    let mut text = String::new();
    for (outcome, title) in [
        (Outcome::Remark, "remarks"),
        (Outcome::NotChecked, "not checked"),
        (Outcome::NotApplicable, "not applicable"),
        (Outcome::Pass, "passed"),
    ] {
        let mut said: Vec<(&str, Vec<String>)> = Vec::new();
        for check in of(outcome).take(MOST_NAMES) {
            let what = check.message.as_deref().or(check.reason.as_deref()).unwrap_or(&check.title);
            let name = format!("`{}`", code(&check.rule));
            match said.iter_mut().find(|(known, _)| *known == what) {
                Some((_, names)) if names.contains(&name) => {}
                Some((_, names)) => names.push(name),
                None => said.push((what, vec![name])),
            }
        }
        if said.is_empty() {
            continue;
        }
        let _ = write!(text, "\n<details><summary>{} {title}</summary>\n\n", of(outcome).count());
        for (what, names) in said {
            let _ = writeln!(text, "- {}: {}", prose(what), names.join(", "));
        }
        text.push_str("\n</details>\n");
    }
    text.push_str(&ignored(&linted.report.ignored));
    text
}

/// What the configuration accepts, why, and until when.
fn ignored(ignored: &[Ignored]) -> String {
    if ignored.is_empty() {
        return String::new();
    }
    let mut text = format!("\n<details><summary>{} ignored by the configuration</summary>\n\n", ignored.len());
    for ignored in ignored.iter().take(MOST_NAMES) {
        let (what, why) = (prose(&ignored.message), prose(&ignored.reason));
        let _ = writeln!(text, "- `{}`: {what} (accepted until {}: {why})", code(&ignored.rule), prose(&ignored.until));
    }
    text + "\n</details>\n"
}

fn cited(cite: &str) -> String {
    match citation_url(cite) {
        Some(url) => format!("[{}]({url})", prose(cite)),
        None => prose(cite),
    }
}

/// The text as a block that nothing in it can end.
fn fenced(text: &str) -> String {
    let fence = "`".repeat(longest_run(text).saturating_add(1).max(3));
    format!("{fence}text\n{}\n{fence}\n", printable(&text.replace('\r', "")).trim_end_matches('\n'))
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or_default()
}

/// A rule's id between backticks.
pub fn code(id: &str) -> String {
    one_line(id).replace('`', "'")
}

/// The text in one line, in which no character means anything to Markdown, HTML or a service that reads both. What
/// is between backticks stays code.
pub fn prose(text: &str) -> String {
    let text = shortened(&one_line(text), LONGEST_TEXT);
    let parts: Vec<&str> = text.split('`').collect();
    let mut safe = String::with_capacity(text.len());
    for (index, part) in parts.iter().enumerate() {
        let closed = index.saturating_add(1) < parts.len();
        match (index % 2 == 1, closed) {
            // No part holds a backtick, so that none can end its own span.
            (true, true) if !part.trim().is_empty() => safe.push_str(&format!("`{part}`")),
            (true, closed) => safe.push_str(&format!("\\`{}{}", inert(part), if closed { "\\`" } else { "" })),
            (false, _) => safe.push_str(&inert(part)),
        }
    }
    safe
}

/// Text outside of code.
fn inert(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '\\' | '*' | '_' | '{' | '}' | '[' | ']' | '~' | '|' | '$' | '!' | '#' => safe.extend(['\\', c]),
            c => safe.push(c),
        }
        // A backslash stops Markdown; services look for names and addresses in the page that Markdown has made.
        let next = rest.peek().copied().unwrap_or(' ');
        let calls = matches!(c, '@' | '#' | '!' | '$' | '%' | '~' | '&') && next.is_alphanumeric();
        let links = (c == ':' && next == '/') || (matches!(c, 'w' | 'W') && next == '.');
        if calls || links || c == '$' {
            safe.push(NOTHING);
        }
    }
    safe
}

/// The text in a cell of a table, where a bar ends even code.
pub fn cell(text: &str) -> String {
    inert(&shortened(&one_line(text).replace('`', "'"), LONGEST_TEXT))
}
