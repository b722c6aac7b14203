//! Two runs compared, for the comment of a pull request.

use std::fmt::Write as _;

use super::{Compared, GROUPS, severity, state, what, word};
use crate::report::counted;
use crate::report::markdown::{cell, code, prose};
use crate::runs::{Change, DomainChange, DomainDiff, caveats};
use crate::source_text::without_runner_commands;

/// The longest comment, in octets: services refuse one of more than 65,536 characters.
const LONGEST: usize = 60_000;
/// So many rows of a table.
const MAX_ROWS: usize = 20;

/// The comparison as one document.
pub fn markdown(compared: &Compared<'_>) -> String {
    let mut text = format!("## stslint: what changed\n\n**{}**\n", prose(&compared.domains()));
    let findings = compared.findings();
    if !findings.is_empty() {
        let _ = write!(text, "\n{}\n", prose(&findings));
    }
    for caveat in caveats(compared.old, compared.new) {
        let _ = write!(text, "\n❔ {}\n", prose(&caveat));
    }
    tables(compared, &mut text);
    let mut left_out = 0_usize;
    for (change, title) in GROUPS.into_iter().filter(|(change, _)| *change != DomainChange::Same) {
        let mut heading = Some(format!("\n### {title}\n"));
        for diff in compared.group(change) {
            let part = format!("{}{}", heading.as_deref().unwrap_or_default(), domain(diff));
            if text.len().saturating_add(part.len()) > LONGEST {
                left_out = left_out.saturating_add(1);
            } else {
                text.push_str(&part);
                heading = None;
            }
        }
    }
    if left_out > 0 {
        let _ = write!(text, "\n{} did not fit in here; `stslint diff` shows more.\n", counted(left_out, "domain"));
    }
    without_runner_commands(&text, "\\#")
}

fn tables(compared: &Compared<'_>, text: &mut String) {
    let (causes, providers) = (compared.causes(), compared.providers());
    if compared.comparison.all() < 2 || causes.is_empty() {
        return;
    }
    text.push_str("\n| rule | domains | new | worse | not known | better | fixed |\n|---|--:|--:|--:|--:|--:|--:|\n");
    for (rule, cause) in causes.iter().take(MAX_ROWS) {
        let it = cause.findings;
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} |",
            cell(rule),
            cause.domains,
            it.new,
            it.worse,
            it.not_known,
            it.better,
            it.fixed
        );
    }
    if providers.is_empty() {
        return;
    }
    text.push_str(
        "\n| provider of the MX hosts | domains | worse | new | gone | better |\n|---|--:|--:|--:|--:|--:|\n",
    );
    for (name, it) in providers.iter().take(MAX_ROWS) {
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} |",
            cell(name),
            it.domains,
            it.worse,
            it.new,
            it.gone,
            it.better
        );
    }
}

fn domain(diff: &DomainDiff) -> String {
    let mut text = format!("\n**{}**\n\n", prose(&diff.domain));
    for line in state(diff).iter().chain(&diff.reason) {
        let _ = writeln!(text, "- {}", prose(line));
    }
    for finding in diff.findings.iter().filter(|finding| finding.change != Change::Remaining) {
        let mark = match finding.change {
            Change::Better | Change::Fixed => "✅",
            Change::NotKnown => "❔",
            _ => "❌",
        };
        let reason = finding.reason.as_ref().map_or_else(String::new, |reason| format!(" ({})", prose(reason)));
        let _ = writeln!(
            text,
            "- {mark} {}: **{}** `{}` {}{reason}",
            word(finding.change),
            severity(finding),
            code(&finding.rule),
            prose(&what(finding))
        );
    }
    text
}
