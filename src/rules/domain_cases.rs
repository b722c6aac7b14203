//! The cases of rules over many domains: patches over three good domains. Used by `cases`.
//!
//! The domains are `example.com`, the good domain, and `example.net` and `example.org`, which are as it is with names,
//! addresses and keys of their own. Paths begin with the number of a domain from 0 on, or `*` for all of them, and go on as
//! in the cases of rules over one domain: `1.policy.body: "…"`, `*.tags: [core]`. `2: null` leaves a domain out, and
//! `snapshots: [FILE, …]` starts from other domains.

use std::path::Path;

use serde_json::Value;

use super::load::RuleSet;
use super::rule::Rule;
use super::snapshot_cases::{Patch, ReadCase, facts_of_snapshot};
use crate::facts::{Domains, Facts};
use crate::snapshot::Snapshot;

/// What is otherwise in the second and in the third domain: in names, in addresses, and in the ends of numbers and digests.
const OTHERS: [[(&str, &str); 3]; 2] = [
    [("example.com", "example.net"), ("93.184.216.", "93.184.217."), ("2606:2800:220:1:", "2606:2800:220:2:")],
    [("example.com", "example.org"), ("93.184.216.", "93.184.218."), ("2606:2800:220:1:", "2606:2800:220:3:")],
];

/// The facts that a case makes of the good domains.
pub fn facts_of_domains(
    rules: &RuleSet,
    rule: &Rule,
    good: &Snapshot,
    case: &Patch,
    read: &ReadCase<'_>,
) -> Result<Facts, String> {
    let snapshots = match case.get("snapshots") {
        Some(files) => named(rule.path.as_deref(), files, read)?,
        None => good_domains(good)?,
    };
    let mut patches: Vec<Option<Patch>> = vec![Some(Patch::new()); snapshots.len()];
    for (path, value) in case.iter().filter(|(path, _)| *path != "snapshots") {
        let (first, rest) = path.split_once('.').unwrap_or((path, ""));
        let number = first.parse::<usize>().ok().filter(|number| *number < snapshots.len());
        if number.is_none() && first != "*" {
            let last = snapshots.len().saturating_sub(1);
            return Err(format!(
                "`{path}`: a path begins with the number of a domain, from 0 to {last}, or `*` for all"
            ));
        }
        for (index, patch) in patches.iter_mut().enumerate() {
            if number.is_some_and(|number| number != index) {
                continue;
            }
            match (rest, value, patch.as_mut()) {
                ("", Value::Null, _) => *patch = None,
                ("", _, _) => {
                    return Err(format!("`{path}`: name what of the domain is otherwise: `{path}.policy.body`"));
                }
                (_, value, Some(patch)) => {
                    patch.insert(rest.to_owned(), value.clone());
                }
                (_, _, None) => {}
            }
        }
    }
    let mut domains = Domains::new(rules.needed_of_domains());
    for (snapshot, patch) in snapshots.iter().zip(patches) {
        if let Some(patch) = patch {
            domains.add(&facts_of_snapshot(rule.path.as_deref(), snapshot, &patch, read)?);
        }
    }
    Ok(domains.into_facts())
}

fn named(rule_file: Option<&Path>, files: &Value, read: &ReadCase<'_>) -> Result<Vec<Snapshot>, String> {
    let names = files.as_array().into_iter().flatten().map(Value::as_str);
    let names: Option<Vec<&str>> = names.collect();
    match names.filter(|names| !names.is_empty()) {
        Some(names) => names.into_iter().map(|name| read(rule_file, name)).collect(),
        None => Err("`snapshots` is a list of files".to_owned()),
    }
}

/// The good domain, and two like it.
fn good_domains(good: &Snapshot) -> Result<Vec<Snapshot>, String> {
    let tree = serde_json::to_value(good).map_err(|error| error.to_string())?;
    let mut domains = vec![good.clone()];
    for (number, words) in OTHERS.iter().enumerate() {
        let mut other = tree.clone();
        renamed(&mut other, words, number.saturating_add(1));
        domains.push(serde_json::from_value(other).map_err(|error| error.to_string())?);
    }
    Ok(domains)
}

fn renamed(tree: &mut Value, words: &[(&str, &str)], number: usize) {
    match tree {
        Value::Array(items) => items.iter_mut().for_each(|item| renamed(item, words, number)),
        Value::Object(map) => {
            for (key, value) in map {
                match value {
                    // Each has keys and certificates of its own.
                    Value::String(text) if key == "serial" || key.ends_with("_sha256") => {
                        text.pop();
                        text.push_str(&number.to_string());
                    }
                    value => renamed(value, words, number),
                }
            }
        }
        Value::String(text) => {
            for (from, to) in words {
                *text = text.replace(from, to);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::good_snapshot;

    #[test]
    fn the_good_domains_have_names_addresses_and_keys_of_their_own() {
        let domains = good_domains(&good_snapshot().unwrap()).unwrap();
        let names: Vec<_> = domains.iter().filter_map(|snapshot| snapshot.domain.as_deref()).collect();
        assert_eq!(names, ["example.com", "example.net", "example.org"]);
        let rules = RuleSet::built_in().unwrap();
        for snapshot in &domains {
            let report = crate::rules::evaluate(&rules, &Facts::of(snapshot, None)).report;
            assert_eq!(report.findings(), Vec::<&crate::outcome::Check>::new(), "{:?}", snapshot.domain);
        }
    }
}
