//! Exhibits: the texts that findings point into, and where in them each fact was read.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::source_text::escape;

/// A place in an exhibit.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Location {
    /// The exhibit's name.
    pub exhibit: String,
    /// The line, counted from 1.
    pub line: usize,
    /// The column in characters, counted from 1.
    pub column: usize,
    /// The first octet, counted from 0.
    pub offset: usize,
    /// How many octets.
    pub length: usize,
}

/// A text as it is shown, made of pieces of what was observed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Exhibit {
    text: String,
}

/// Where the octets of an observed text stand in an exhibit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Placed {
    /// For each octet of the observed text, and for its end, the octet of the exhibit.
    offsets: Vec<usize>,
}

impl Placed {
    /// Joins the places of a text that is observed directly behind this one.
    pub fn append(&mut self, mut other: Placed) {
        // The end of the first is the start of the second, wherever the exhibit puts that.
        self.offsets.pop();
        self.offsets.append(&mut other.offsets);
    }

    /// The exhibit's octets for those from `offset` on, `length` of them: first octet and length.
    pub fn range(&self, offset: usize, length: usize) -> (usize, usize) {
        let last = self.offsets.last().copied().unwrap_or_default();
        let at = |index: usize| self.offsets.get(index).copied().unwrap_or(last);
        let start = at(offset);
        (start, at(offset.saturating_add(length)).saturating_sub(start))
    }
}

impl Exhibit {
    /// The text so far.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Appends text of our own.
    pub fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Appends text of our own and tells where it stands.
    pub fn push_placed(&mut self, text: &str) -> (usize, usize) {
        let start = self.text.len();
        self.text.push_str(text);
        (start, self.text.len())
    }

    /// Appends octets of a policy body: as they are where they are UTF-8, else with `\xHH` for the others.
    pub fn push_body(&mut self, octets: &[u8]) -> Placed {
        self.push_with(octets, |c| c.to_string())
    }

    /// Appends a TXT character-string as a zone file writes it between quotes.
    pub fn push_zone_string(&mut self, octets: &[u8]) -> Placed {
        self.push_with(octets, |c| match c {
            '"' | '\\' => format!("\\{c}"),
            c if c.is_control() => escape(&c.to_string()),
            c => c.to_string(),
        })
    }

    fn push_with(&mut self, octets: &[u8], write: impl Fn(char) -> String) -> Placed {
        let mut offsets = Vec::with_capacity(octets.len().saturating_add(1));
        for chunk in octets.utf8_chunks() {
            for c in chunk.valid().chars() {
                offsets.extend(std::iter::repeat_n(self.text.len(), c.len_utf8()));
                self.text.push_str(&write(c));
            }
            for octet in chunk.invalid() {
                offsets.push(self.text.len());
                self.text.push_str(&format!("\\x{octet:02X}"));
            }
        }
        offsets.push(self.text.len());
        Placed { offsets }
    }
}

/// Where in which exhibit each fact was read, by its path.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Locations {
    exhibits: BTreeMap<String, Exhibit>,
    places: BTreeMap<String, (String, usize, usize)>,
}

impl Locations {
    /// The exhibit of that name, begun where there was none.
    pub fn exhibit(&mut self, name: &str) -> &mut Exhibit {
        self.exhibits.entry(name.to_owned()).or_default()
    }

    /// Notes where a fact was read: `(first octet, length)`.
    pub fn note(&mut self, path: impl Into<String>, exhibit: &str, (offset, length): (usize, usize)) {
        self.places.insert(path.into(), (exhibit.to_owned(), offset, length));
    }

    /// The place that was noted for exactly this path.
    pub fn clone_of(&self, path: &str) -> Option<(String, usize, usize)> {
        self.places.get(path).cloned()
    }

    /// Notes the same place for another path.
    pub fn note_as(&mut self, path: impl Into<String>, place: Option<(String, usize, usize)>) {
        if let Some(place) = place {
            self.places.insert(path.into(), place);
        }
    }

    /// The place of a fact, or of the nearest thing around it that has one.
    pub fn of(&self, path: &str) -> Option<Location> {
        let mut path = path;
        loop {
            if let Some((exhibit, offset, length)) = self.places.get(path) {
                return self.location(exhibit, *offset, *length);
            }
            path = path.get(..path.rfind(['.', '['])?)?;
        }
    }

    /// The exhibits' texts.
    pub fn texts(&self) -> BTreeMap<String, String> {
        self.exhibits.iter().map(|(name, exhibit)| (name.clone(), exhibit.text.clone())).collect()
    }

    fn location(&self, name: &str, offset: usize, length: usize) -> Option<Location> {
        let text = &self.exhibits.get(name)?.text;
        let before = text.get(..offset)?;
        let line_start = before.rfind('\n').map_or(0, |at| at.saturating_add(1));
        Some(Location {
            exhibit: name.to_owned(),
            line: before.matches('\n').count().saturating_add(1),
            column: before.get(line_start..)?.chars().count().saturating_add(1),
            offset,
            length: length.min(text.len().saturating_sub(offset)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octets_that_are_no_text_keep_their_places() {
        let mut exhibit = Exhibit::default();
        exhibit.push("TXT \"");
        let placed = exhibit.push_zone_string(b"a\"\xff\xc3\xa9\x1b;");
        assert_eq!(exhibit.text(), "TXT \"a\\\"\\xFFé\\u{1b};");
        assert_eq!(placed.range(2, 1), (8, 4));
        assert_eq!(placed.range(6, 1), (exhibit.text().len() - 1, 1));
        assert_eq!(placed.range(7, 5), (exhibit.text().len(), 0));
    }

    #[test]
    fn a_fact_without_a_place_stands_where_its_parent_stands() {
        let mut locations = Locations::default();
        locations.exhibit("policy").push("version: STSv1\nmode: é x\n");
        locations.note("policy", "policy", (0, 5));
        locations.note("policy.mx[0]", "policy", (24, 1));
        assert_eq!(locations.of("policy.mode").unwrap().line, 1);
        let location = locations.of("policy.mx[0].text").unwrap();
        assert_eq!((location.line, location.column), (2, 9));
        assert_eq!(locations.of("record.id"), None);
    }
}
