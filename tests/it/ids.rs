//! Ids of rules and facts, which files of other people name: none is renamed, dropped or doubled unseen.

use std::collections::BTreeSet;

use stslint::facts::{Over, fact_paths};
use stslint::rules::RuleSet;

#[test]
fn the_ids_of_rules_are_as_they_were_reviewed() {
    let rules = RuleSet::built_in().unwrap().rules;
    let ids: BTreeSet<&str> = rules.iter().map(|rule| rule.id.as_str()).collect();
    let groups: BTreeSet<&str> = rules.iter().map(|rule| rule.group.as_str()).collect();
    assert_eq!(ids.len(), rules.len(), "each id is that of one rule");
    assert!(ids.is_disjoint(&groups), "`--select` takes both");
    let line = |rule: &stslint::rules::Rule| {
        let since = rule.since.as_deref().unwrap_or_else(|| panic!("{} does not say since when it exists", rule.id));
        assert!(version(since) <= version(env!("CARGO_PKG_VERSION")), "{}: {since} is yet to come", rule.id);
        format!("{} since {since} in {}, {}\n", rule.id, rule.group, rule.confidence)
    };
    let mut lines: Vec<String> = rules.iter().map(line).collect();
    lines.sort();
    insta::assert_snapshot!("rule_ids", lines.concat());
}

#[test]
fn the_names_of_facts_are_as_they_were_reviewed() {
    let mut text = String::new();
    for over in Over::ALL {
        // Facts over all domains are those of each.
        for fact in fact_paths(*over).into_iter().filter(|fact| !fact.path.starts_with("domains[].")) {
            assert!(
                version(&fact.since) <= version(env!("CARGO_PKG_VERSION")),
                "{}: {} is yet to come",
                fact.path,
                fact.since
            );
            text.push_str(&format!("{over}: {} since {}\n", fact.path, fact.since));
        }
    }
    insta::assert_snapshot!("fact_names", text);
}

/// The numbers of a version.
fn version(text: &str) -> Vec<u32> {
    let numbers: Vec<u32> = text.split('.').map(|number| number.parse().unwrap()).collect();
    assert_eq!(numbers.len(), 3, "{text}");
    numbers
}
