//! The lines around a place in a text, as diagnostics show them. Used by `SourceError` and by the report for people.
//!
//! A text from a stranger may have lines of millions of characters. Of each line only so much is kept as fits beside
//! the others, with an ellipsis where it goes on; the line and the column that are told are those of the whole text.

use std::ops::Range;

use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

use super::printable;

/// The most characters of a line where no width is known.
pub const EXCERPT_WIDTH: usize = 96;
/// How many lines a place may reach over; of a longer one the first line is shown.
const MAX_LINES: usize = 24;
/// Where the place is in a line that is cut on both sides: one part of so many from the left.
const PART_BEFORE: usize = 3;

/// The lines around a place, one before and one after it.
#[derive(Clone, Debug)]
pub struct Excerpt {
    name: String,
    text: String,
    /// The place, in octets of `text`.
    at: Range<usize>,
    /// The line, counted from 0, that `text` begins with.
    first_line: usize,
    /// The line and the column in characters of the place in the whole text, counted from 0.
    place: (usize, usize),
}

impl Excerpt {
    /// The lines of `text`, which diagnostics call `name`, around the octets `offset` to `offset + length`, each cut
    /// to about `width` characters.
    pub fn of(name: &str, text: &str, offset: usize, length: usize, width: usize) -> Self {
        let start = boundary(text, offset);
        let mut end = boundary(text, offset.saturating_add(length)).max(start);
        let line_start = text.get(..start).and_then(|before| before.rfind('\n')).map_or(0, |at| at.saturating_add(1));
        if text.get(start..end).is_some_and(|place| place.matches('\n').count() > MAX_LINES) {
            end = line_end(text, start);
        }
        let mut cut = Cut { text: String::new(), at: None, width: width.max(8) };
        let before = line_start.checked_sub(1).map(|end_before| {
            let from = text.get(..end_before).and_then(|before| before.rfind('\n'));
            from.map_or(0, |at| at.saturating_add(1))..line_start
        });
        cut.line(text, before.clone().unwrap_or(0..0), None);
        let mut from = line_start;
        // The lines of the place, and one after it.
        for after in [false, true] {
            let until = if after { from.saturating_add(1) } else { end.max(from.saturating_add(1)) };
            while from < text.len() && from < until {
                let to = line_end(text, from).saturating_add(1).min(text.len());
                cut.line(text, from..to, (!after).then_some(start.max(from)..end.min(to)));
                from = to;
            }
        }
        let line = text.get(..line_start).unwrap_or_default().matches('\n').count();
        let at = cut.at.unwrap_or(cut.text.len()..cut.text.len());
        Excerpt {
            name: printable(name),
            text: printable(&cut.text),
            at,
            first_line: line.saturating_sub(usize::from(before.is_some())),
            place: (line, text.get(line_start..start).map_or(0, |before| before.chars().count())),
        }
    }

    /// The name of the text.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn octets(&self, span: &SourceSpan) -> &[u8] {
        self.text.as_bytes().get(span.offset()..span.offset().saturating_add(span.len())).unwrap_or_default()
    }

    /// The place, for a label of a diagnostic whose source code is this.
    pub fn label(&self) -> SourceSpan {
        SourceSpan::new(self.at.start.into(), self.at.len())
    }
}

impl SourceCode for Excerpt {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let name = self.name.clone();
        // Without context, only the place itself is asked for, to tell its line and column.
        let contents = if before == 0 && after == 0 {
            let at = self.text.as_bytes().get(self.at.clone()).unwrap_or_default();
            MietteSpanContents::new_named(name, at, *span, self.place.0, self.place.1, 1)
        } else {
            let whole = SourceSpan::new(0.into(), self.text.len());
            let lines = self.text.lines().count();
            MietteSpanContents::new_named(name, self.text.as_bytes(), whole, self.first_line, 0, lines)
        };
        Ok(Box::new(contents))
    }
}

/// Several excerpts as one source code: each with labels of its own, also where they are of different texts.
#[derive(Clone, Debug)]
pub struct Excerpts(Vec<(usize, Excerpt)>);

impl Excerpts {
    /// The excerpts in the order in which they are shown.
    pub fn of(excerpts: Vec<Excerpt>) -> Self {
        let mut base = 0_usize;
        let mut placed = Vec::with_capacity(excerpts.len());
        for excerpt in excerpts {
            let length = excerpt.text.len();
            placed.push((base, excerpt));
            // A gap, so that the end of one is not the beginning of the next.
            base = base.saturating_add(length).saturating_add(1);
        }
        Excerpts(placed)
    }

    /// The place in each of them, for labels of a diagnostic whose source code is this.
    pub fn labels(&self) -> Vec<SourceSpan> {
        let label = |(base, excerpt): &(usize, Excerpt)| {
            SourceSpan::new(excerpt.at.start.saturating_add(*base).into(), excerpt.at.len())
        };
        self.0.iter().map(label).collect()
    }
}

impl SourceCode for Excerpts {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let end = span.offset().saturating_add(span.len());
        let holds = |(base, excerpt): &&(usize, Excerpt)| {
            *base <= span.offset() && end <= base.saturating_add(excerpt.text.len())
        };
        let (base, excerpt) = self.0.iter().find(holds).ok_or(MietteError::OutOfBounds)?;
        let inner = SourceSpan::new(span.offset().saturating_sub(*base).into(), span.len());
        let contents = excerpt.read_span(&inner, before, after)?;
        let shifted = SourceSpan::new(contents.span().offset().saturating_add(*base).into(), contents.span().len());
        let (line, column, lines) = (contents.line(), contents.column(), contents.line_count());
        let data = excerpt.octets(contents.span());
        Ok(Box::new(MietteSpanContents::new_named(excerpt.name.clone(), data, shifted, line, column, lines)))
    }
}

/// The lines as they are cut.
struct Cut {
    text: String,
    at: Option<Range<usize>>,
    width: usize,
}

impl Cut {
    /// Adds a line, and where the place lies in it, both in octets of the text.
    fn line(&mut self, text: &str, line: Range<usize>, place: Option<Range<usize>>) {
        let whole = text.get(line.clone()).unwrap_or_default();
        let content = whole.trim_end_matches(['\n', '\r']);
        let (kept, shift) = self.kept(content, place.as_ref().map(|place| place.start.saturating_sub(line.start)));
        let begin = self.text.len().saturating_add(if kept.start > 0 { '…'.len_utf8() } else { 0 });
        if kept.start > 0 {
            self.text.push('…');
        }
        self.text.push_str(content.get(kept.clone()).unwrap_or_default());
        if kept.end < content.len() {
            self.text.push('…');
        }
        let within = self.text.len();
        self.text.push_str(whole.get(content.len()..).unwrap_or_default());
        let Some(place) = place else { return };
        let in_line = |at: usize| at.saturating_sub(line.start);
        let position = |at: usize| match in_line(at) > kept.end && kept.end < content.len() {
            // It lies in what is left out: the ellipsis represents it.
            true => within,
            false => begin.saturating_add(in_line(at).saturating_sub(shift)).min(self.text.len()),
        };
        let (start, end) = (position(place.start), position(place.end));
        self.at = Some(self.at.take().map_or(start, |at| at.start)..end);
    }

    /// Which octets of a line are kept, and how many are left out before them.
    fn kept(&self, content: &str, place: Option<usize>) -> (Range<usize>, usize) {
        let count = content.chars().count();
        if count <= self.width {
            return (0..content.len(), 0);
        }
        let place = content.get(..place.unwrap_or(0).min(content.len())).map_or(0, |before| before.chars().count());
        let last = count.saturating_sub(self.width);
        let first = if place < self.width.saturating_sub(self.width / PART_BEFORE) {
            0
        } else {
            place.saturating_sub(self.width / PART_BEFORE).min(last)
        };
        let octet = |index: usize| content.char_indices().nth(index).map_or(content.len(), |(at, _)| at);
        let start = octet(first);
        (start..octet(first.saturating_add(self.width)), start)
    }
}

/// The end of the line that an octet is in, before its line feed.
fn line_end(text: &str, from: usize) -> usize {
    text.get(from..).and_then(|rest| rest.find('\n')).map_or(text.len(), |at| from.saturating_add(at))
}

/// The octet, or the begin of the character that it is a part of.
fn boundary(text: &str, octet: usize) -> usize {
    (0..=octet.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a diagnostic shows: the lines, the marked part of them, and the place that it tells.
    fn shown(text: &str, offset: usize, length: usize, width: usize) -> (String, String, usize, usize) {
        let excerpt = Excerpt::of("a", text, offset, length, width);
        let label = excerpt.label();
        let place = excerpt.read_span(&label, 0, 0).unwrap();
        let whole = excerpt.read_span(&label, 1, 1).unwrap();
        let lines = String::from_utf8(whole.data().to_vec()).unwrap();
        let marked = lines.get(label.offset()..label.offset() + label.len()).unwrap().to_owned();
        assert_eq!(place.data(), marked.as_bytes());
        (lines, marked, place.line() + 1, place.column() + 1)
    }

    #[test]
    fn short_lines_are_kept_whole() {
        let text = "one\ntwo\nthree\nfour\n";
        assert_eq!(shown(text, 4, 3, 40), ("one\ntwo\nthree\n".to_owned(), "two".to_owned(), 2, 1));
        assert_eq!(shown(text, 1, 1, 40), ("one\ntwo\n".to_owned(), "n".to_owned(), 1, 2));
        assert_eq!(shown(text, 5, 7, 40), ("one\ntwo\nthree\nfour\n".to_owned(), "wo\nthre".to_owned(), 2, 2));
        assert_eq!(shown("{\n", 2, 1, 40), ("{\n".to_owned(), String::new(), 2, 1));
        assert_eq!(shown("", 0, 1, 40), (String::new(), String::new(), 1, 1));
    }

    #[test]
    fn long_lines_are_cut_around_the_place() {
        let text = format!("{}\n{}key{}\nx\n", "a".repeat(50), "b".repeat(70_000), "c".repeat(70_000));
        let (lines, marked, line, column) = shown(&text, 51 + 70_000, 3, 12);
        assert_eq!(lines, format!("{}…\n…bbbbkeyccccc…\nx\n", "a".repeat(12)));
        assert_eq!((marked.as_str(), line, column), ("key", 2, 70_001));
        let (lines, marked, ..) = shown(&text, 51 + 70_000, 70_003, 12);
        assert_eq!(lines, format!("{}…\n…bbbbkeyccccc…\nx\n", "a".repeat(12)));
        assert_eq!(marked, "keyccccc…");
        let (lines, marked, ..) = shown(&text, 51, 5, 12);
        assert_eq!((lines.lines().nth(1).unwrap(), marked.as_str()), ("bbbbbbbbbbbb…", "bbbbb"));
    }

    proptest! {
        #[test]
        fn any_place_in_any_text_is_shown(text in "[aé\n\r😀\u{202e}]{0,60}", offset in 0_usize..90, length in 0_usize..90, width in 0_usize..20) {
            let (lines, _, line, _) = shown(&text, offset, length, width);
            prop_assert!(line <= text.matches('\n').count() + 1);
            prop_assert!(lines.lines().all(|line| line.chars().count() <= 8.max(width) * 4 + 2));
        }
    }
}
