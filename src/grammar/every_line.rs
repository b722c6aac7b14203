//! Slips that run through a whole policy: every line indented, quoted or closed by `;`, every `:` written `=`, a front
//! matter, a comment of several lines. Each is one slip of one hand, so it is told once, with one fix for all of its lines.

use std::collections::BTreeSet;

use super::{Offence, Span};

/// What kind of slip an offence in a line is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Slip {
    /// A comment.
    Comment,
    /// A line that belongs to the front matter of a page generator, or its fence.
    FrontMatter,
    /// White space before the name.
    Indented,
    /// An item of a YAML list, `- value`.
    Item,
    /// Quotes around the line.
    Quoted,
    /// A `;` at the end of the line, as between the fields of a TXT record.
    Semicolon,
    /// White space before the `:`.
    Spaced,
    /// `=` instead of `:`.
    Unequal,
    /// A name in the wrong case.
    Case,
    /// Something else, which is told line by line.
    Other,
}

impl Slip {
    /// Whether successive lines of it belong together, wherever they are.
    fn makes_blocks(self) -> bool {
        matches!(self, Slip::Comment | Slip::FrontMatter | Slip::Item)
    }
}

/// An offence, its kind, and the line that it is in.
pub(super) struct Found {
    pub slip: Slip,
    pub line: usize,
    pub offence: Offence,
}

/// Makes one offence of each slip that runs through the policy. Comments, list items and front matter need only
/// are on successive lines; the others must be on every line that is a field, by its number, or was meant as one.
pub(super) fn gather(text: &[u8], found: Vec<Found>, fields: &BTreeSet<usize>) -> Vec<Found> {
    let wrong: BTreeSet<usize> = found.iter().filter(|it| !it.slip.makes_blocks()).map(|it| it.line).collect();
    let meant = fields.union(&wrong).count();
    let everywhere = |slip: Slip| {
        let count = found.iter().filter(|it| it.slip == slip).count();
        // What is pasted into an indented block often keeps its first line at the margin.
        let but_first = slip == Slip::Indented && meant > 2 && count.saturating_add(1) == meant;
        meant > 1 && (count == meant || but_first)
    };
    let whole: Vec<Slip> = [Slip::Indented, Slip::Quoted, Slip::Semicolon, Slip::Spaced, Slip::Unequal, Slip::Case]
        .into_iter()
        .filter(|slip| everywhere(*slip))
        .collect();
    let mut runs: Vec<Vec<Found>> = Vec::new();
    for it in found {
        let follows = |last: &Found| {
            let next = it.line <= last.line.saturating_add(1);
            last.slip == it.slip && ((it.slip.makes_blocks() && next) || whole.contains(&it.slip))
        };
        match runs.last_mut() {
            Some(run) if run.last().is_some_and(follows) => run.push(it),
            _ => runs.push(vec![it]),
        }
    }
    runs.into_iter().filter_map(|run| joined(text, run)).collect()
}

fn joined(text: &[u8], run: Vec<Found>) -> Option<Found> {
    let count = run.len();
    let last = run.last()?.offence.span;
    let with = fixed(text, &run);
    let first = run.into_iter().next()?;
    if count == 1 {
        return Some(first);
    }
    let detail = match first.slip {
        Slip::Comment => "a policy has no comments".to_owned(),
        Slip::FrontMatter => {
            format!("{count} lines are the front matter of a page generator, which must not be served")
        }
        Slip::Indented => format!("there is white space in front of the names on {count} lines"),
        Slip::Item => format!("{count} lines are items of a list, but a policy has no lists"),
        Slip::Quoted => "every line is in quotes".to_owned(),
        Slip::Semicolon => "every line ends in a `;`, which does not belong there".to_owned(),
        Slip::Spaced => "there is white space in front of the `:` on every line".to_owned(),
        Slip::Unequal => "every line has `=` instead of `:`".to_owned(),
        Slip::Case => "none of the names is in lower case".to_owned(),
        Slip::Other => return Some(first),
    };
    let span = Span::between(first.offence.span.offset, last.end());
    Some(Found { offence: Offence { span, detail, suggestion: with, lines: count }, ..first })
}

/// What is there when each of the offences is fixed; `None` where one of them cannot be.
fn fixed(text: &[u8], run: &[Found]) -> Option<String> {
    let mut with = String::new();
    let mut from = run.first()?.offence.span.offset;
    for it in run {
        let suggestion = it.offence.suggestion.as_ref()?;
        with.push_str(&String::from_utf8_lossy(Span::between(from, it.offence.span.offset).of(text)));
        with.push_str(suggestion);
        from = it.offence.span.end();
    }
    // Lines that go altogether take their line ends with them.
    if with.trim().is_empty() { Some(String::new()) } else { Some(with) }
}
