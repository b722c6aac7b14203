//! Paths in the trees of facts: `mx.hosts[2].probes[0].tls`. Used by whoever notes where a fact was read, or why it was not.
//!
//! A path is made of the names of fields, and each name is looked up in the schema of the facts, so that one that is
//! misspelt ends the first test that comes by. A release does not look: what a path leads to is known by then.

use std::fmt;

use super::over::Over;
use super::schema::{Type, root};

/// A path in a tree of facts.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Path(String);

impl Path {
    /// The path of a field of what is at this one.
    pub fn to(&self, field: &str) -> Path {
        Path::checked(format!("{}.{field}", self.0))
    }

    /// The path of an element of the list at this one, counted from 0.
    pub fn nth(&self, index: usize) -> Path {
        Path::checked(format!("{}[{index}]", self.0))
    }

    /// The path as rules write it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn checked(path: String) -> Path {
        debug_assert!(exists(&path), "there is no fact `{path}`: see `stslint facts`");
        Path(path)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for Path {
    fn from(path: &str) -> Self {
        Path::checked(path.to_owned())
    }
}

impl From<&Path> for Path {
    fn from(path: &Path) -> Self {
        path.clone()
    }
}

/// Whether a tree of any scope has something at a path.
fn exists(path: &str) -> bool {
    Over::ALL.iter().copied().any(|over| leads_somewhere(path, over))
}

fn leads_somewhere(path: &str, over: Over) -> bool {
    let mut segments = path.split('.');
    let (first, elements) = parted(segments.next().unwrap_or_default());
    let Some(field) = root(over).get(first) else { return false };
    let Some(mut shape) = element(&field.shape, elements) else { return false };
    for segment in segments {
        let (name, elements) = parted(segment);
        let Type::Object(fields) = shape else { return false };
        match fields.get(name).and_then(|field| element(&field.shape, elements)) {
            Some(inside) => shape = inside,
            None => return false,
        }
    }
    true
}

/// A segment's name, and how many `[…]` follow it.
fn parted(segment: &str) -> (&str, usize) {
    (segment.split('[').next().unwrap_or_default(), segment.matches('[').count())
}

/// The type of the elements of a list of lists, so many deep.
fn element(shape: &Type, depth: usize) -> Option<&Type> {
    match (shape, depth) {
        (shape, 0) => Some(shape),
        (Type::List(inside), depth) => element(inside, depth.saturating_sub(1)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_made_of_the_names_of_facts() {
        let host = Path::from("mx.hosts").nth(2);
        assert_eq!(host.to("probes").nth(0).to("tls").to("handshake").as_str(), "mx.hosts[2].probes[0].tls.handshake");
        for path in ["policy", "policy.mx[3].text", "policies[0].failures[1].result_type", "domains[7].record.id"] {
            assert!(exists(path), "{path}");
        }
        for path in ["", "policy.modus", "policy.mx.text", "policy[0]", "mx.hosts[0].handshake", "mx.dnssec.word"] {
            assert!(!exists(path), "{path}");
        }
    }

    #[test]
    #[should_panic(expected = "there is no fact `mx.hosts[0].handshak`")]
    fn a_misspelt_name_ends_the_test() {
        let _ = Path::from("mx.hosts").nth(0).to("handshak");
    }
}
