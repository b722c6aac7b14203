//! The facts: a snapshot, parsed, as the tree that rules see, with the texts that findings point into.
//!
//! Called by `rules::evaluate` and whoever shows facts. Pure: the same snapshot gives the same facts.

mod address;
mod builder;
mod fact;
mod location;
mod schema;
mod tls;
pub mod tree;

use std::collections::BTreeMap;

use serde_json::Value;

pub use self::fact::Fact;
pub use self::location::{Exhibit, Location, Locations, Placed};
pub use self::schema::{Field, Type, root};
use crate::snapshot::Snapshot;

/// Everything that rules can ask about a domain.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// The Policy Domain, where one was given.
    pub domain: Option<String>,
    /// When the facts were observed.
    pub collected_at: Option<String>,
    /// The tree: what was not observed is left out, what is known to be absent is `null`.
    pub tree: Value,
    /// Where each fact was read.
    pub locations: Locations,
    /// Why paths were not observed.
    unobserved: BTreeMap<String, String>,
}

impl Facts {
    /// The facts of a snapshot, and of an older one of the same domain where there is one.
    pub fn of(snapshot: &Snapshot, _baseline: Option<&Snapshot>) -> Self {
        Facts { domain: snapshot.domain.clone(), ..Facts::default() }
    }

    /// Why there is nothing at a path: the reason noted for it or for what is around it.
    pub fn why_unobserved(&self, path: &str) -> String {
        let mut around = path;
        loop {
            if let Some(reason) = self.unobserved.get(around) {
                return reason.clone();
            }
            match around.rfind(['.', '[']).and_then(|at| around.get(..at)) {
                Some(parent) => around = parent,
                None => return format!("`{path}` was not observed"),
            }
        }
    }

    /// The same for the last word of a path.
    pub fn why_unobserved_key(&self, key: &str) -> String {
        let ends = |path: &&String| path.rsplit('.').next() == Some(key);
        match self.unobserved.keys().find(ends) {
            Some(path) => self.why_unobserved(path),
            None => format!("`{key}` was not observed"),
        }
    }
}

/// Whether an `mx` pattern matches an MX host (RFC 8461 §4.1); a pattern that is none matches nothing.
pub fn matches_mx(pattern: &str, host: &str) -> bool {
    crate::grammar::mx_pattern::MxPattern::parse(pattern).is_ok_and(|pattern| pattern.matches(host))
}
