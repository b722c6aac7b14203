//! What a configuration says of some domains only: the entries of `domains`, by patterns and tags.
//!
//! Entries count in their order, after everything that the configuration says of all domains. An entry gives tags and
//! a group's name to the domains that it is about, and an entry below it can be about the domains with a tag.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use super::file::DomainEntry;
use super::layer::Layer;
use super::settled::Settled;
use crate::rules::Members;
use crate::source_text::escape;

/// The id under which a pattern of `domains` is told that matched none, and nearly one.
const UNMATCHED: &str = "config-domains-unmatched";
/// How many different sets of rules are kept for domains that fall under different entries.
const MAX_KEPT: usize = 64;

/// An entry with the configuration that it is in, and the profiles that it begins with.
#[derive(Clone, Debug)]
pub struct Section {
    /// What it says.
    pub entry: DomainEntry,
    /// The configuration that it is in.
    pub layer: Layer,
    /// The profiles that it extends, the weakest first.
    pub profiles: Vec<Layer>,
}

/// The entries of all configurations, the weakest first.
#[derive(Clone, Debug, Default)]
pub struct Sections {
    /// The entries.
    pub list: Vec<Section>,
}

/// What the entries say of one domain.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Membership {
    /// The entries that are about it, by their place in the list.
    pub sections: Vec<usize>,
    /// The tags that they give it, sorted.
    pub tags: BTreeSet<String>,
    /// The names of those entries, sorted.
    pub groups: BTreeSet<String>,
}

impl Sections {
    /// The entries of all configurations.
    pub fn of(layers: &[Layer]) -> Self {
        let of_layer = |layer: &Layer| {
            let profiles = layer.profiles_of_domains.iter();
            let entries = layer.file.domains.iter().zip(profiles);
            let section = |(entry, profiles): (&DomainEntry, &Vec<Layer>)| Section {
                entry: entry.clone(),
                layer: layer.clone(),
                profiles: profiles.clone(),
            };
            entries.map(section).collect::<Vec<_>>()
        };
        Sections { list: layers.iter().flat_map(of_layer).collect() }
    }

    /// The entries that are about a domain, with the tags and the names that they give it.
    pub fn membership(&self, domain: Option<&str>) -> Membership {
        let mut membership = Membership::default();
        let Some(domain) = domain else { return membership };
        for (index, section) in self.list.iter().enumerate() {
            let entry = &section.entry;
            let named = entry.names.iter().any(|pattern| pattern.value.matches(domain));
            let tagged = entry.tagged.iter().any(|tag| membership.tags.contains(&tag.value));
            if named || tagged {
                membership.sections.push(index);
                membership.tags.extend(entry.tags.iter().map(|tag| tag.value.clone()));
                membership.groups.extend(entry.name.iter().map(|name| name.value.clone()));
            }
        }
        membership
    }
}

impl Sections {
    /// All tags and groups that domains can have.
    pub fn members(&self) -> Members {
        let entries = || self.list.iter().map(|section| &section.entry);
        Members {
            groups: entries().filter_map(|entry| Some(entry.name.as_ref()?.value.clone())).collect(),
            tags: entries().flat_map(|entry| &entry.tags).map(|tag| tag.value.clone()).collect(),
        }
    }

    /// Patterns of `names` that none of these domains matches, where one that falls under no entry is nearly it; and
    /// those of all names below a domain that itself falls under none.
    pub fn nearly(&self, domains: &BTreeSet<String>) -> Vec<String> {
        let outside = || domains.iter().filter(|domain| self.membership(Some(domain)).sections.is_empty());
        let mut told = Vec::new();
        for section in &self.list {
            for pattern in &section.entry.names {
                let apex = pattern.value.domain_above();
                if let Some(apex) = apex.and_then(|apex| outside().find(|domain| domain.eq_ignore_ascii_case(apex))) {
                    let (origin, apex) = (section.layer.origin(pattern.at), escape(apex));
                    let pattern = escape(&pattern.value.to_string());
                    told.push(format!(
                        "note[{UNMATCHED}]: {origin}: {apex} falls under no entry: `{pattern}` is every name below it, and not {apex} itself; write `names: [{apex}, \"{pattern}\"]` where it belongs to them"
                    ));
                    continue;
                }
                let idle = !domains.iter().any(|domain| pattern.value.matches(domain));
                let near = outside().find(|domain| idle && pattern.value.nearly_matches(domain));
                if let Some(near) = near {
                    let (origin, pattern) = (section.layer.origin(pattern.at), escape(&pattern.value.to_string()));
                    told.push(format!(
                        "note[{UNMATCHED}]: {origin}: no domain of this run matches `{pattern}`; {} nearly does, and falls under no entry",
                        escape(near)
                    ));
                }
            }
        }
        told
    }
}

/// The rules for the domains that fall under the same entries, made once for each set of entries.
#[derive(Debug, Default)]
pub struct Kept(Mutex<BTreeMap<Vec<usize>, Arc<Settled>>>);

impl Kept {
    /// The rules for a set of entries; `make` makes them.
    pub fn of(&self, sections: &[usize], make: impl FnOnce() -> Settled) -> Arc<Settled> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(settled) = kept.get(sections) {
            return Arc::clone(settled);
        }
        let settled = Arc::new(make());
        if kept.len() >= MAX_KEPT {
            kept.pop_first();
        }
        kept.insert(sections.to_vec(), Arc::clone(&settled));
        settled
    }
}
