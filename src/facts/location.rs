//! Exhibits: the texts that findings point into, and where in them each fact was read.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::path::Path;
use crate::source_text::escape;

/// Of how many lines of an exhibit places are kept where only some of them are.
const MAX_LINES_KEPT: usize = 1_000;

/// A place in an exhibit.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Serialize)]
#[non_exhaustive]
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

/// A place while the exhibits are written: the exhibit's name, the first octet, and how many octets.
pub type Place = (String, usize, usize);

/// A text as it is shown, made of pieces of what was observed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Exhibit {
    text: String,
}

/// Where the octets of an observed text are in an exhibit.
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

    /// Appends text of our own and tells where it is.
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
    places: BTreeMap<String, Place>,
}

impl Locations {
    /// The exhibit of that name, begun where there was none.
    pub fn exhibit(&mut self, name: &str) -> &mut Exhibit {
        self.exhibits.entry(name.to_owned()).or_default()
    }

    /// Notes where a fact was read: `(first octet, length)`.
    pub fn note(&mut self, path: impl Into<Path>, exhibit: &str, (offset, length): (usize, usize)) {
        self.note_as(path, Some((exhibit.to_owned(), offset, length)));
    }

    /// The place that was noted for exactly this path.
    pub fn get(&self, path: impl Into<Path>) -> Option<Place> {
        self.places.get(path.into().as_str()).cloned()
    }

    /// Notes the same place for another path.
    pub fn note_as(&mut self, path: impl Into<Path>, place: Option<Place>) {
        let path = path.into();
        if let Some(place) = place {
            self.places.insert(path.as_str().to_owned(), place);
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

    /// The places of the wanted paths alone, in exhibits of which only the lines that they begin in are left: all others
    /// are empty, so that lines keep their numbers.
    pub fn only(&self, wanted: &dyn Fn(&str) -> bool) -> Locations {
        let mut places: BTreeMap<&str, Vec<(&str, usize, usize)>> = BTreeMap::new();
        for (path, (exhibit, offset, length)) in self.places.iter().filter(|(path, _)| wanted(path)) {
            places.entry(exhibit).or_default().push((path, *offset, *length));
        }
        let mut kept = Locations::default();
        for (name, places) in places {
            let text = self.exhibits.get(name).map_or("", |exhibit| exhibit.text.as_str());
            let mut shown = Exhibit::default();
            let mut start = 0_usize;
            for line in text.split_inclusive('\n').take(MAX_LINES_KEPT) {
                let end = start.saturating_add(line.trim_end().len());
                let here: Vec<_> = places.iter().filter(|(_, offset, _)| (start..=end).contains(offset)).collect();
                let moved = shown.text.len();
                for (path, offset, length) in &here {
                    let at = moved.saturating_add(offset.saturating_sub(start));
                    let length = (*length).min(end.saturating_sub(*offset));
                    kept.places.insert((*path).to_owned(), (name.to_owned(), at, length));
                }
                if !here.is_empty() {
                    shown.push(line.trim_end());
                }
                shown.push("\n");
                start = start.saturating_add(line.len());
            }
            shown.text.truncate(shown.text.trim_end().len());
            kept.exhibits.insert(name.to_owned(), shown);
        }
        kept
    }

    /// Takes over the places of another, whose paths are below `at` here, in exhibits that are named after `owner`.
    pub fn adopt(&mut self, at: &str, owner: &str, other: Locations) {
        let named = |name: &str| format!("{owner}: {name}");
        for (path, (exhibit, offset, length)) in other.places {
            self.places.insert(format!("{at}.{path}"), (named(&exhibit), offset, length));
        }
        for (name, exhibit) in other.exhibits {
            self.exhibits.insert(named(&name), exhibit);
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
    fn lines_without_a_wanted_place_are_emptied() {
        let mut locations = Locations::default();
        locations.exhibit("policy").push("version: STSv1\nmode: é x\nmx: a\n");
        locations.note("policy", "policy", (0, 32));
        locations.note("policy.mode", "policy", (21, 4));
        let mut all = Locations::default();
        all.adopt("domains[2]", "a.example", locations.only(&|path| path == "policy.mode"));
        assert_eq!(all.texts(), BTreeMap::from([("a.example: policy".to_owned(), "\nmode: é x".to_owned())]));
        let location = all.of("domains[2].policy.mode").unwrap();
        assert_eq!((location.line, location.column, location.offset, location.length), (2, 7, 7, 4));
        assert_eq!(all.of("domains[2].policy.max_age"), None);
        let all = locations.only(&|_| true);
        assert_eq!(all.of("policy").map(|location| location.length), Some(14));
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
