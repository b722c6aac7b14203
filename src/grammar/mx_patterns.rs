//! Many `mx` patterns and many hosts: which of them match (RFC 8461 §4.1), without comparing each with each.
//!
//! A pattern is either a whole name or everything one label below one, so that a look into two sorted lists finds it.
//! Used by the facts and by the view of senders.

use std::collections::BTreeMap;

use super::mx_pattern::{MxPattern, compared};

/// Patterns by what they match.
#[derive(Clone, Debug, Default)]
pub struct PatternIndex {
    names: BTreeMap<String, usize>,
    parents: BTreeMap<String, usize>,
}

impl PatternIndex {
    /// The patterns in their order; what is not a valid one matches nothing.
    pub fn of<'a>(patterns: impl IntoIterator<Item = &'a str>) -> Self {
        let mut index = PatternIndex::default();
        for (place, pattern) in patterns.into_iter().enumerate() {
            let Ok(pattern) = MxPattern::parse(pattern) else { continue };
            let among = if pattern.is_wildcard() { &mut index.parents } else { &mut index.names };
            among.entry(pattern.name().to_owned()).or_insert(place);
        }
        index
    }

    /// The place of the first pattern that matches a host.
    pub fn first(&self, host: &str) -> Option<usize> {
        let host = compared(host);
        let by_name = self.names.get(&host).filter(|_| !host.is_empty());
        let by_parent = parent(&host).and_then(|parent| self.parents.get(parent));
        by_name.into_iter().chain(by_parent).min().copied()
    }

    /// Whether `*.NAME` is among the patterns; the name is in lower case.
    pub fn has_wildcard_below(&self, name: &str) -> bool {
        self.parents.contains_key(name)
    }
}

/// Hosts by what matches them.
#[derive(Clone, Debug, Default)]
pub struct HostIndex {
    names: BTreeMap<String, Vec<usize>>,
    parents: BTreeMap<String, Vec<usize>>,
}

impl HostIndex {
    /// The hosts in their order.
    pub fn of<'a>(hosts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut index = HostIndex::default();
        for (place, host) in hosts.into_iter().enumerate() {
            let host = compared(host);
            if let Some(parent) = parent(&host) {
                index.parents.entry(parent.to_owned()).or_default().push(place);
            }
            if !host.is_empty() {
                index.names.entry(host).or_default().push(place);
            }
        }
        index
    }

    /// The places of the hosts that a pattern matches, in their order.
    pub fn matching(&self, pattern: &MxPattern) -> &[usize] {
        let among = if pattern.is_wildcard() { &self.parents } else { &self.names };
        among.get(pattern.name()).map_or(&[], Vec::as_slice)
    }
}

/// What is below the first label.
fn parent(host: &str) -> Option<&str> {
    host.split_once('.').filter(|(label, _)| !label.is_empty()).map(|(_, parent)| parent)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn names() -> impl Strategy<Value = Vec<String>> {
        proptest::collection::vec("(\\*\\.)?[aB]{0,2}(\\.[ab]{1,2}){0,2}\\.?", 0..12)
    }

    proptest! {
        #[test]
        fn the_same_is_found_as_by_comparing_each_with_each(patterns in names(), hosts in names()) {
            let matches =
                |pattern: &String, host: &String| MxPattern::parse(pattern).is_ok_and(|pattern| pattern.matches(host));
            let index = PatternIndex::of(patterns.iter().map(String::as_str));
            for host in &hosts {
                prop_assert_eq!(index.first(host), patterns.iter().position(|pattern| matches(pattern, host)), "{}", host);
            }
            let index = HostIndex::of(hosts.iter().map(String::as_str));
            for pattern in &patterns {
                let Ok(read) = MxPattern::parse(pattern) else { continue };
                let each: Vec<usize> = (0..hosts.len()).filter(|place| matches(pattern, &hosts[*place])).collect();
                prop_assert_eq!(index.matching(&read), each, "{}", pattern);
            }
        }
    }
}
