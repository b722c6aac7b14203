//! Fixes: replacements of text that rules propose, applied to the text that they speak of.
//!
//! `cli` applies them to a policy file (`check --fix`) and reports show what a line looks like afterwards.

use crate::outcome::Fix;

/// What became of a text.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct FixedText {
    /// The text afterwards.
    pub text: String,
    /// How many fixes were applied; those that touch the same octets as an earlier one were not.
    pub applied: usize,
}

/// Applies fixes to the text that their locations speak of. Where two overlap, the first in the text is applied:
/// whoever calls lints the result again and gets the other one, if it is still needed.
pub fn apply(text: &str, fixes: &[&Fix]) -> FixedText {
    let mut edits: Vec<Edit> = fixes.iter().filter_map(|fix| Edit::of(text, fix)).collect();
    // The fix of a whole text waits until nothing smaller is left to do.
    edits.sort_by_key(|edit| (edit.is_whole(text), edit.start, edit.end));
    let mut taken: Vec<Edit> = Vec::new();
    for edit in edits {
        if !taken.iter().any(|other| other.touches(&edit)) {
            taken.push(edit);
        }
    }
    taken.sort_by_key(|edit| edit.start);
    let mut fixed = FixedText { text: String::with_capacity(text.len()), applied: taken.len() };
    let mut from = 0;
    for edit in &taken {
        fixed.text.push_str(text.get(from..edit.start).unwrap_or_default());
        fixed.text.push_str(&edit.with);
        from = edit.end;
    }
    fixed.text.push_str(text.get(from..).unwrap_or_default());
    fixed
}

/// The line that a fix changes, as it is afterwards, or the lines that it adds; `None` where nothing would be left
/// of it, or where the fix changes more than one line.
pub fn corrected_line(text: &str, fix: &Fix) -> Option<String> {
    let edit = Edit::of(text, fix)?;
    let before = text.get(..edit.start)?;
    let after = text.get(edit.end..)?;
    let start = before.rfind('\n').map_or(0, |at| at.saturating_add(1));
    let rest = after.split(['\r', '\n']).next().unwrap_or_default();
    if text.get(edit.start..edit.end)?.contains('\n') || edit.is_whole(text) {
        return None;
    }
    if edit.start == edit.end && edit.with.starts_with(['\r', '\n']) && rest.is_empty() {
        return Some(edit.with.trim().replace('\r', ""));
    }
    let line = format!("{}{}{rest}", before.get(start..)?, edit.with);
    Some(line).filter(|line| !line.trim().is_empty())
}

/// Octets of a text and what takes their place.
struct Edit {
    start: usize,
    end: usize,
    with: String,
}

impl Edit {
    /// `None` where the fix changes nothing, or does not fit the text.
    fn of(text: &str, fix: &Fix) -> Option<Self> {
        let start = fix.location.offset;
        let end = start.checked_add(fix.location.length)?;
        let replaced = text.get(start..end)?;
        let mut edit = Edit { start, end, with: with_line_ends_of(text, fix) };
        if edit.with.is_empty() && is_line(text, start, end) {
            edit.end = past_line_end(text, end);
        }
        (edit.with != replaced || edit.end > end).then_some(edit)
    }

    fn touches(&self, other: &Edit) -> bool {
        match self.start == self.end && other.start == other.end {
            // Two insertions at one place follow each other.
            true => false,
            false => self.start <= other.end && other.start <= self.end,
        }
    }

    fn is_whole(&self, text: &str) -> bool {
        self.start == 0 && self.end >= text.len() && text.contains('\n')
    }
}

/// A fix of part of a text uses the line ends of that text.
fn with_line_ends_of(text: &str, fix: &Fix) -> String {
    let whole = fix.location.offset == 0 && fix.location.length >= text.len();
    if !whole && text.contains("\r\n") && !fix.with.contains('\r') {
        fix.with.replace('\n', "\r\n")
    } else {
        fix.with.clone()
    }
}

/// Whether the octets are all of a line.
fn is_line(text: &str, start: usize, end: usize) -> bool {
    let begins =
        text.get(..start).is_some_and(|before| before.is_empty() || before.ends_with(['\n', '\r', '\u{feff}']));
    let ends = text.get(end..).is_some_and(|after| after.is_empty() || after.starts_with(['\n', '\r']));
    begins && ends
}

fn past_line_end(text: &str, end: usize) -> usize {
    let rest = text.get(end..).unwrap_or_default();
    let length = match rest {
        rest if rest.starts_with("\r\n") => 2,
        rest if rest.starts_with(['\n', '\r']) => 1,
        _ => 0,
    };
    end.saturating_add(length)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::outcome::Location;

    fn fix(offset: usize, length: usize, with: &str) -> Fix {
        let location = Location { exhibit: "policy".to_owned(), line: 1, column: 1, offset, length };
        Fix { location, with: with.to_owned(), safe: true }
    }

    fn fixed(text: &str, fixes: &[Fix]) -> String {
        apply(text, &fixes.iter().collect::<Vec<_>>()).text
    }

    #[test]
    fn fixes_are_applied_in_the_order_of_the_text() {
        assert_eq!(fixed("abc", &[fix(2, 1, "z"), fix(0, 1, "x")]), "xbz");
        assert_eq!(
            fixed("mx: a\nmx: b\n", &[fix(11, 0, "\nmx: c"), fix(11, 0, "\nmx: d")]),
            "mx: a\nmx: b\nmx: c\nmx: d\n"
        );
    }

    #[test]
    fn a_line_goes_with_its_end() {
        assert_eq!(fixed("a\r\n\r\nb\r\n", &[fix(3, 0, "")]), "a\r\nb\r\n");
        assert_eq!(fixed("a\n# x\nb\n", &[fix(2, 3, "")]), "a\nb\n");
        assert_eq!(fixed("a b\n", &[fix(1, 1, "")]), "ab\n");
    }

    #[test]
    fn overlapping_fixes_wait_for_the_next_round() {
        let fixed = apply("abc\ndef\n", &[&fix(0, 8, "whole"), &fix(0, 2, "x"), &fix(1, 1, "y")]);
        assert_eq!((fixed.text.as_str(), fixed.applied), ("xc\ndef\n", 1));
    }

    #[test]
    fn new_lines_end_as_the_others_do() {
        assert_eq!(fixed("mx: a\r\nx: y\r\n", &[fix(5, 0, "\nmx: b")]), "mx: a\r\nmx: b\r\nx: y\r\n");
    }

    #[test]
    fn the_corrected_line_is_shown() {
        assert_eq!(corrected_line("a\nmode: Enforce\nb\n", &fix(8, 7, "enforce")).unwrap(), "mode: enforce");
        assert_eq!(corrected_line("a\n# x\nb\n", &fix(2, 3, "")), None);
        assert_eq!(corrected_line("a: 1\r\nb: 2\r\n", &fix(4, 0, "\r\nc: 3")).unwrap(), "c: 3");
    }

    proptest! {
        #[test]
        fn no_fix_panics(text in "(?s).{0,40}", edits in proptest::collection::vec((0usize..60, 0usize..60, "(?s).{0,5}"), 0..6)) {
            let fixes: Vec<Fix> = edits.iter().map(|(offset, length, with)| fix(*offset, *length, with)).collect();
            apply(&text, &fixes.iter().collect::<Vec<_>>());
            fixes.iter().for_each(|fix| { corrected_line(&text, fix); });
        }
    }
}
