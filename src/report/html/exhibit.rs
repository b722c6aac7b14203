//! Texts that were observed, with their lines numbered and the faults in them marked.

use super::markup::Markup;
use crate::outcome::{Fix, Location};

/// How many lines of one text are shown.
const MAX_LINES: usize = 200;
/// How many lines are around a fault.
const CONTEXT: usize = 2;
/// How many lines of one fault are shown.
const MAX_FAULT_LINES: usize = 10;
/// How many characters of a line are shown before a fault, and between faults, where the line is long.
const MAX_BEFORE: usize = 240;

/// A text and the places in it that are at fault, as octets from and to.
#[derive(Debug)]
pub struct Extract<'a> {
    text: &'a str,
    faults: Vec<(usize, usize)>,
}

/// A line of a text: its number from 1, its first octet, itself without its terminator, the octet after that,
/// and whether it is the last.
struct Line<'a> {
    number: usize,
    start: usize,
    text: &'a str,
    next: usize,
    last: bool,
}

impl<'a> Extract<'a> {
    /// The text with these faults.
    pub fn new<'b>(text: &'a str, faults: impl IntoIterator<Item = &'b Location>) -> Self {
        let mut places: Vec<(usize, usize)> = faults
            .into_iter()
            .map(|at| (boundary(text, at.offset), boundary(text, at.offset.saturating_add(at.length))))
            .collect();
        places.sort_unstable();
        let mut faults: Vec<(usize, usize)> = Vec::new();
        for (from, to) in places {
            match faults.last_mut() {
                Some(last) if from <= last.1 => last.1 = last.1.max(to),
                _ => faults.push((from, to)),
            }
        }
        Extract { text, faults }
    }

    /// All of it, as far as it is shown at all.
    pub fn whole(&self, html: &mut Markup) {
        let all = self.lines().count();
        let shown: Vec<Line<'_>> = self.lines().take(MAX_LINES).collect();
        self.list(html, &shown);
        left_out(html, all.saturating_sub(MAX_LINES));
    }

    /// The lines at fault and those around them.
    pub fn around(&self, html: &mut Markup) {
        let touched: Vec<usize> = self.lines().filter(|line| self.touches(line)).map(|line| line.number).collect();
        let (Some(first), Some(last)) = (touched.first(), touched.last()) else { return self.whole(html) };
        let last = (*last).min(first.saturating_add(MAX_FAULT_LINES));
        let shown = first.saturating_sub(CONTEXT)..=last.saturating_add(CONTEXT);
        let shown: Vec<Line<'_>> = self.lines().filter(|line| shown.contains(&line.number)).collect();
        self.list(html, &shown);
    }

    /// The lines that a fix changes, before and after.
    pub fn corrected(&self, html: &mut Markup, fix: &Fix) {
        let from = boundary(self.text, fix.location.offset);
        let to = boundary(self.text, fix.location.offset.saturating_add(fix.location.length));
        let start = self.text.get(..from).and_then(|before| before.rfind('\n')).map_or(0, |at| at.saturating_add(1));
        let end =
            self.text.get(to..).and_then(|after| after.find('\n')).map_or(self.text.len(), |at| to.saturating_add(at));
        let piece = |from: usize, to: usize| self.text.get(from..to).unwrap_or_default();
        let after = format!("{}{}{}", piece(start, from), fix.with, piece(to, end));
        // The end of a line is no part of what changes in it.
        let without_ends = |text: &str| text.replace("\r\n", "\n").trim_end_matches('\r').to_owned();
        html.element("div", &[("class", "lines change")], |html| {
            changed(html, "del", "before: ", &without_ends(piece(start, end)));
            changed(html, "ins", "after: ", &without_ends(&after));
        });
    }

    fn lines(&self) -> impl Iterator<Item = Line<'a>> {
        let mut start = 0_usize;
        self.text.split_inclusive('\n').enumerate().map(move |(index, whole)| {
            let text = whole.strip_suffix('\n').unwrap_or(whole);
            let text = text.strip_suffix('\r').unwrap_or(text);
            let next = start.saturating_add(whole.len());
            let line = Line { number: index.saturating_add(1), start, text, next, last: next == self.text.len() };
            start = next;
            line
        })
    }

    fn touches(&self, line: &Line<'_>) -> bool {
        self.faults.iter().any(|fault| clip(*fault, line).is_some())
    }

    fn list(&self, html: &mut Markup, lines: &[Line<'_>]) {
        html.element("ol", &[("class", "lines")], |html| {
            for line in lines {
                let class = if self.touches(line) { "faulty" } else { "sound" };
                html.element("li", &[("value", &line.number.to_string()), ("class", class)], |html| {
                    html.element("code", &[], |html| self.line(html, line));
                });
            }
        });
    }

    fn line(&self, html: &mut Markup, line: &Line<'_>) {
        let piece = |from: usize, to: usize| line.text.get(from..to).unwrap_or_default();
        let mut at = 0;
        for (from, to) in self.faults.iter().filter_map(|fault| clip(*fault, line)) {
            before_fault(html, piece(at, from));
            if from == to {
                html.element("mark", &[("class", "point")], |html| {
                    html.leaf("span", &[("class", "visually-hidden")], " (here) ");
                });
            } else {
                html.leaf("mark", &[], piece(from, to));
            }
            at = to;
        }
        html.text(piece(at, line.text.len()));
    }
}

/// The part of a fault that lies in a line, as octets of the line; empty where something is missing there.
fn clip((from, to): (usize, usize), line: &Line<'_>) -> Option<(usize, usize)> {
    let begins = from < line.next || (line.last && from == line.next);
    let ends = to > line.start || (from == to && from == line.start);
    // The terminator belongs to its line: a fault that is only that is shown at the line's end.
    let at = |offset: usize| offset.saturating_sub(line.start).min(line.text.len());
    (begins && ends).then(|| (at(from), at(to)))
}

/// The nearest octet at or before `offset` where a character begins.
fn boundary(text: &str, offset: usize) -> usize {
    let offset = offset.min(text.len());
    (0..=offset).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

fn before_fault(html: &mut Markup, text: &str) {
    let left = text.chars().count().saturating_sub(MAX_BEFORE);
    if left > 0 {
        html.leaf("span", &[("class", "more")], &format!("{left} characters left out … "));
    }
    html.text(&text.chars().skip(left).collect::<String>());
}

fn changed(html: &mut Markup, tag: &'static str, word: &str, text: &str) {
    if text.is_empty() {
        return;
    }
    let all = text.lines().count();
    for line in text.lines().take(MAX_FAULT_LINES) {
        html.element(tag, &[], |html| {
            html.leaf("span", &[("class", "visually-hidden")], word);
            html.leaf("code", &[], line);
        });
    }
    left_out(html, all.saturating_sub(MAX_FAULT_LINES));
}

/// Says how many lines are not shown, where there are any.
fn left_out(html: &mut Markup, count: usize) {
    if count > 0 {
        html.leaf("p", &[("class", "more")], &format!("… and {count} more lines"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn location(offset: usize, length: usize) -> Location {
        Location { exhibit: "policy".to_owned(), line: 1, column: 1, offset, length }
    }

    fn shown(text: &str, places: &[(usize, usize)]) -> String {
        let faults: Vec<Location> = places.iter().map(|(offset, length)| location(*offset, *length)).collect();
        let mut html = Markup::default();
        Extract::new(text, &faults).whole(&mut html);
        html.into_html()
    }

    #[test]
    fn faults_are_marked_in_their_lines() {
        let html = shown("a: 1\r\nb: 2\n", &[(3, 1), (9, 1)]);
        assert_eq!(
            html,
            "<ol class=\"lines\"><li value=\"1\" class=\"faulty\"><code>a: <mark>1</mark></code></li>\n\
             <li value=\"2\" class=\"faulty\"><code>b: <mark>2</mark></code></li>\n</ol>\n"
        );
    }

    #[test]
    fn a_fault_over_two_lines_is_marked_in_both() {
        let html = shown("ab\ncd\nef\n", &[(1, 3)]);
        assert!(html.contains("a<mark>b</mark>") && html.contains("<mark>c</mark>d"), "{html}");
        assert!(html.contains("<li value=\"3\" class=\"sound\">"), "{html}");
    }

    #[test]
    fn what_is_missing_has_its_place() {
        for (text, place) in [("ab\ncd", (2, 0)), ("ab\ncd", (2, 1)), ("ab\r\ncd", (2, 2)), ("ab\r\ncd", (3, 1))] {
            let html = shown(text, &[place]);
            assert!(html.contains("ab<mark class=\"point\">"), "{text:?} {place:?} {html}");
            assert!(html.contains("<li value=\"2\" class=\"sound\">"), "{text:?} {place:?} {html}");
        }
    }

    #[test]
    fn places_outside_of_the_text_or_inside_a_character_do_no_harm() {
        for place in [(0, 99), (1, 1), (7, 3), (99, 1)] {
            assert!(shown("é\né", &[place]).contains("<ol"), "{place:?}");
        }
        assert_eq!(shown("", &[(0, 0)]), "<ol class=\"lines\"></ol>\n");
    }

    #[test]
    fn long_texts_are_cut() {
        assert!(shown(&"x\n".repeat(250), &[]).ends_with("… and 50 more lines</p>\n"));
        let html = shown(&"x".repeat(1_000), &[(900, 1)]);
        assert!(html.contains("660 characters left out … </span>"), "{html}");
    }

    #[test]
    fn only_the_lines_at_fault_and_those_around_them_are_shown() {
        let text: String = (1..=30).map(|number| format!("line {number}\n")).collect();
        let offset = text.find("line 10").unwrap();
        let mut html = Markup::default();
        Extract::new(&text, [&location(offset, 4)]).around(&mut html);
        let html = html.into_html();
        assert!(html.contains("value=\"8\"") && html.contains("value=\"12\""), "{html}");
        assert!(!html.contains("value=\"7\"") && !html.contains("value=\"13\""), "{html}");
    }

    #[test]
    fn a_fix_shows_the_lines_before_and_after() {
        let mut html = Markup::default();
        let fix = Fix { location: location(11, 1), with: "86400".to_owned(), safe: true };
        Extract::new("x\nmax_age: 1\ny\n", []).corrected(&mut html, &fix);
        let html = html.into_html();
        assert!(html.contains("<code>max_age: 1</code></del>"), "{html}");
        assert!(html.contains("<code>max_age: 86400</code></ins>"), "{html}");
        let mut html = Markup::default();
        let fix = Fix { location: location(12, 1), with: "86400\r\nmx: b".to_owned(), safe: true };
        Extract::new("x\r\nmax_age: 1\r\ny\r\n", []).corrected(&mut html, &fix);
        assert!(!html.into_html().contains("\\r"), "the ends of lines are shown");
    }
}
