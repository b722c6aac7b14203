//! What is built in, as a whole: ids that files of other people name are not renamed, dropped or doubled unseen, and each
//! rule and fact has what the contributors' guide asks for.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::facts::{Over, fact_paths};
use crate::outcome::Severity;
use crate::rules::{RuleSet, built_in_sources};

#[test]
fn the_ids_of_rules_are_as_they_were_reviewed() {
    let rules = RuleSet::built_in().unwrap().rules;
    let ids: BTreeSet<&str> = rules.iter().map(|rule| rule.id.as_str()).collect();
    let groups: BTreeSet<&str> = rules.iter().map(|rule| rule.group.as_str()).collect();
    assert_eq!(ids.len(), rules.len(), "each id is that of one rule");
    assert!(ids.is_disjoint(&groups), "`--select` takes both");
    let line = |rule: &crate::rules::Rule| {
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

#[test]
fn each_rule_has_its_page() {
    for rule in RuleSet::built_in().unwrap().rules {
        let page = PathBuf::from(format!("docs/rules/{}.md", rule.id));
        assert!(page.is_file(), "{}: {} has no page {}: run `cargo bless`", rule.file, rule.id, page.display());
    }
}

#[test]
fn each_fact_says_what_it_means() {
    for fact in Over::ALL.iter().copied().flat_map(fact_paths) {
        assert!(!fact.about.trim().is_empty(), "{}: its field in src/facts/tree has no doc comment", fact.path);
    }
}

#[test]
fn minimal_switches_off_what_can_never_be_an_error() {
    let rules = RuleSet::built_in().unwrap();
    let mut text = "# yaml-language-server: $schema=../../schema/config.schema.json\n\
        # The profile `minimal`: only rules that can be errors. `cargo bless` writes it again.\nrules:\n"
        .to_owned();
    for rule in &rules.rules {
        let worst = rule.severity_if.iter().map(|(_, severity)| *severity).chain([rule.severity]).max();
        if worst < Some(Severity::Error) {
            text.push_str(&format!("  {}: off\n", rule.id));
        }
    }
    let path = "rules/profiles/minimal.yaml";
    if std::env::var_os("STSLINT_BLESS").is_some() {
        std::fs::write(path, &text).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), text, "run `cargo bless`");
}

#[test]
fn every_rule_file_is_built_in() {
    let names: Vec<String> = built_in_sources().into_iter().map(|source| source.name).collect();
    let files = std::fs::read_dir(Path::new("rules")).unwrap().map(|entry| entry.unwrap().path());
    for path in files.filter(|path| path.is_file()) {
        assert!(names.contains(&path.display().to_string()), "{}", path.display());
    }
}
