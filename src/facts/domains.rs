//! The domains of a run together, as facts. Used by `check`, and by the cases of rules over many domains.
//!
//! Of each domain only that is kept which some rule names, so that ten thousand of them fit into memory. Every input is
//! an element of the list, whether or not it could be read: of one that could not, no fact was observed.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::tree::Tree;
use super::{Facts, Locations, Path};
use crate::snapshot::instant;
use crate::source_text::escape;

/// What the report on many domains is called where others have the name of their domain.
pub const ALL_DOMAINS: &str = "all domains";
/// The exhibit that lists the domains.
const LIST: &str = "domains";
/// How an element of a list is written in a path.
pub const ELEMENT: &str = "[]";
/// How many domains can be looked at together.
pub const MAX_DOMAINS: usize = 100_000;

/// Paths that are wanted of a tree of facts.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Wanted {
    whole: bool,
    fields: BTreeMap<String, Wanted>,
}

impl Wanted {
    /// Adds a path whose elements of lists are written `[]`; `whole` with everything below it, else that it is there.
    pub fn add(&mut self, path: &[String], whole: bool) {
        match path.split_first() {
            Some((first, rest)) => self.fields.entry(first.clone()).or_default().add(rest, whole),
            None => self.whole |= whole,
        }
    }

    /// What is wanted of the elements of a list at the root.
    pub fn of_elements(&self, list: &str) -> Wanted {
        match self.fields.get(list) {
            Some(list) if list.whole => Wanted { whole: true, fields: BTreeMap::new() },
            Some(list) => list.fields.get(ELEMENT).cloned().unwrap_or_default(),
            None => Wanted::default(),
        }
    }

    /// The part of a tree that is wanted.
    fn of(&self, value: &Value) -> Value {
        if self.whole {
            return value.clone();
        }
        match value {
            Value::Object(map) => {
                let kept =
                    self.fields.iter().filter_map(|(name, wanted)| Some((name.clone(), wanted.of(map.get(name)?))));
                Value::Object(kept.collect::<Map<_, _>>())
            }
            Value::Array(items) => {
                let nothing = Wanted::default();
                let wanted = self.fields.get(ELEMENT).unwrap_or(&nothing);
                Value::Array(items.iter().map(|item| wanted.of(item)).collect())
            }
            other => other.clone(),
        }
    }

    /// Whether something at a numbered path, around it or below it is wanted.
    fn touches(&self, path: &str) -> bool {
        let mut wanted = self;
        for segment in path.split('.') {
            let name = segment.split('[').next().unwrap_or_default();
            let elements = segment.matches('[').count();
            for step in std::iter::once(name).chain(std::iter::repeat_n(ELEMENT, elements)) {
                if wanted.whole {
                    return true;
                }
                match wanted.fields.get(step) {
                    Some(inner) => wanted = inner,
                    None => return false,
                }
            }
        }
        true
    }
}

/// What rules over many domains need of each.
#[derive(Clone, Debug, Default)]
pub struct Needed {
    /// The facts that they ask for.
    pub facts: Wanted,
    /// The facts that their findings point at.
    pub places: Wanted,
}

/// The domains of a run, one after another.
#[derive(Clone, Debug, Default)]
pub struct Domains {
    needed: Needed,
    kept: Vec<Kept>,
    by_name: BTreeMap<String, usize>,
    left_out: usize,
}

/// What is kept of one domain.
#[derive(Clone, Debug, Default)]
struct Kept {
    name: String,
    collected_at: Option<String>,
    tags: BTreeSet<String>,
    tree: Value,
    locations: Locations,
    unobserved: BTreeMap<String, String>,
}

impl Domains {
    /// No domain yet.
    pub fn new(needed: Needed) -> Self {
        Domains { needed, ..Domains::default() }
    }

    /// Takes a domain. Of several observations of one domain the latest counts.
    pub fn add(&mut self, facts: &Facts) {
        let unobserved = facts.unobserved.iter().filter(|(path, _)| self.needed.facts.touches(path));
        let tags = facts.of_domain().tags.entries().iter().cloned().collect();
        let kept = Kept {
            name: facts.domain.clone().unwrap_or_default(),
            collected_at: facts.collected_at.clone(),
            tags,
            tree: self.needed.facts.of(&facts.tree.to_json()),
            locations: facts.locations.only(&|path| self.needed.places.touches(path)),
            unobserved: unobserved.map(|(path, reason)| (path.clone(), reason.clone())).collect(),
        };
        if kept.name.is_empty() {
            return self.push(Kept { name: format!("input {}", self.kept.len().saturating_add(1)), ..kept });
        }
        match self.by_name.entry(kept.name.clone()) {
            Entry::Occupied(taken) => {
                let before = self.kept.get_mut(*taken.get());
                let time = |kept: &Kept| kept.collected_at.as_deref().and_then(instant);
                if let Some(before) = before.filter(|before| time(&kept) >= time(before)) {
                    *before = kept;
                }
            }
            Entry::Vacant(free) if self.kept.len() < MAX_DOMAINS => {
                free.insert(self.kept.len());
                self.kept.push(kept);
            }
            Entry::Vacant(_) => self.left_out = self.left_out.saturating_add(1),
        }
    }

    /// Takes an input of which nothing could be read.
    pub fn add_unread(&mut self, name: &str, reason: &str) {
        let unobserved = BTreeMap::from([(String::new(), reason.to_owned())]);
        self.push(Kept { name: name.to_owned(), tree: json!({}), unobserved, ..Kept::default() });
    }

    fn push(&mut self, kept: Kept) {
        if self.kept.len() < MAX_DOMAINS {
            self.kept.push(kept);
        } else {
            self.left_out = self.left_out.saturating_add(1);
        }
    }

    /// All of them as facts. Of those beyond the bound no fact was observed.
    pub fn into_facts(mut self) -> Facts {
        if self.left_out > 0 {
            let reason = format!("at most {MAX_DOMAINS} domains are looked at together");
            let unobserved = BTreeMap::from([(String::new(), reason)]);
            let name = format!("{} more domains", self.left_out);
            self.kept.push(Kept { name, tree: json!({}), unobserved, ..Kept::default() });
        }
        let mut trees = Vec::with_capacity(self.kept.len());
        let mut locations = Locations::default();
        let mut unobserved = BTreeMap::new();
        let mut names = Vec::with_capacity(self.kept.len());
        let mut latest: Option<String> = None;
        for (index, kept) in self.kept.into_iter().enumerate() {
            let (path, name) = (Path::from(LIST).nth(index), escape(&kept.name));
            let at = path.to_string();
            let tags = kept.tags.iter().map(|tag| escape(tag)).collect::<Vec<_>>().join(", ");
            let place = locations.exhibit(LIST).push_placed(&name);
            let line = if tags.is_empty() { "\n".to_owned() } else { format!("  # {tags}\n") };
            locations.exhibit(LIST).push(&line);
            locations.note(path, LIST, place);
            locations.adopt(&at, &kept.name, kept.locations);
            for (path, reason) in kept.unobserved {
                let dot = if path.is_empty() { "" } else { "." };
                unobserved.insert(format!("{at}{dot}{path}"), format!("{name}: {reason}"));
            }
            unobserved.entry(at).or_insert_with(|| format!("{name}: this was not observed"));
            let time = |text: &Option<String>| text.as_deref().and_then(instant);
            if time(&kept.collected_at) > time(&latest) {
                latest = kept.collected_at;
            }
            trees.push(kept.tree);
            names.push(kept.name);
        }
        Facts {
            domain: Some(ALL_DOMAINS.to_owned()),
            collected_at: latest,
            tree: Tree::Domains(json!({ LIST: trees })),
            locations,
            names,
            unobserved,
            ..Facts::default()
        }
    }
}

impl Wanted {
    /// Everything.
    pub fn everything() -> Self {
        Wanted { whole: true, fields: BTreeMap::new() }
    }
}

impl Facts {
    /// How many domains they are over.
    pub fn domain_count(&self) -> usize {
        self.names.len().max(1)
    }

    /// The name of the domain that a path of facts over many domains leads to.
    pub fn domain_at(&self, path: &str) -> Option<&str> {
        let rest = path.strip_prefix(LIST)?.strip_prefix('[')?;
        let index: usize = rest.split(']').next()?.parse().ok()?;
        self.names.get(index).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::Snapshot;

    fn wanted(paths: &[&str], whole: bool) -> Wanted {
        let mut wanted = Wanted::default();
        for path in paths {
            wanted.add(&path.split('/').map(str::to_owned).collect::<Vec<_>>(), whole);
        }
        wanted
    }

    #[test]
    fn only_what_is_wanted_is_kept() {
        let tree = json!({ "a": { "b": 1, "c": 2 }, "d": [{ "e": 1, "f": 2 }, { "f": 3 }], "g": null, "h": 1 });
        let kept = |paths: &[&str], whole| wanted(paths, whole).of(&tree);
        assert_eq!(kept(&["a/b", "d/[]/e", "g"], true), json!({ "a": { "b": 1 }, "d": [{ "e": 1 }, {}], "g": null }));
        assert_eq!(kept(&["d/[]"], false), json!({ "d": [{}, {}] }));
        assert_eq!(kept(&["d"], true), json!({ "d": [{ "e": 1, "f": 2 }, { "f": 3 }] }));
        assert!(wanted(&["d/[]/e"], true).touches("d[7].e.x"));
        assert!(wanted(&["d/[]/e"], true).touches("d"));
        assert!(!wanted(&["d/[]/e"], true).touches("d[7].f"));
    }

    #[test]
    fn of_two_observations_of_a_domain_the_later_counts() {
        let at = |time: &str| {
            let snapshot = Snapshot { collected_at: Some(time.to_owned()), ..Snapshot::of(Some("example.com")) };
            Facts::of(&snapshot, None)
        };
        for times in
            [["2026-11-23T10:00:00Z", "2026-11-24T10:00:00Z"], ["2026-11-24T10:00:00Z", "2026-11-23T10:00:00Z"]]
        {
            let mut domains = Domains::new(Needed { facts: wanted(&["collected_at"], true), ..Needed::default() });
            times.iter().for_each(|time| domains.add(&at(time)));
            let facts = domains.into_facts();
            assert_eq!(facts.tree.to_json(), json!({ "domains": [{ "collected_at": "2026-11-24T10:00:00Z" }] }));
        }
    }

    #[test]
    fn an_input_that_was_not_read_is_an_element_without_facts() {
        let mut domains = Domains::new(Needed { facts: wanted(&["policy/mode"], true), ..Needed::default() });
        domains.add(&Facts::of(&Snapshot::of(Some("a.example")), None));
        domains.add_unread("b.yaml", "it is not YAML");
        let facts = domains.into_facts();
        assert_eq!(facts.tree.to_json()["domains"].as_array().map(Vec::len), Some(2));
        assert_eq!(facts.reason_unobserved("domains[1].policy.mode"), "b.yaml: it is not YAML");
        assert!(facts.reason_unobserved("domains[0].policy.mode").starts_with("a.example: "));
        assert_eq!(facts.domain_at("domains[0].mx.hosts[3]"), Some("a.example"));
    }
}
