//! The rules, as SARIF describes them (§3.49 reportingDescriptor).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::rule_page::as_written;
use super::super::{Results, citation_url};
use crate::facts::Over;
use crate::outcome::{Check, Confidence};
use crate::rules::Rule;

/// The descriptors of the rules in force, and where each is.
pub struct Descriptors {
    list: Vec<Value>,
    index: BTreeMap<String, usize>,
}

impl Descriptors {
    /// Those of the rules that are reported, and of what is reported without being one of them.
    pub fn of(results: &Results<'_>) -> Self {
        // Rules over TLS reports say nothing of a domain, and are listed where all are over reports.
        let of_domains = |rule: &Rule| matches!(rule.over, Over::Domain | Over::Domains);
        let reports = !results.rules.rules.iter().any(of_domains);
        let mut descriptors = Descriptors { list: Vec::new(), index: BTreeMap::new() };
        for rule in results.rules.rules.iter().filter(|rule| !rule.off && (of_domains(rule) || reports)) {
            descriptors.add(&rule.id, || described(rule, rule.path.is_none(), &what_to_do(rule, results)));
        }
        for check in results.linted.iter().flat_map(|linted| &linted.report.checks) {
            descriptors.add(&check.rule, || of_check(check));
        }
        descriptors
    }

    /// The descriptors in the order of the rules.
    pub fn list(&self) -> &[Value] {
        &self.list
    }

    /// The place of a rule's descriptor; -1, which is SARIF's word for none, where there is none.
    pub fn index(&self, id: &str) -> i64 {
        self.index.get(id).and_then(|index| i64::try_from(*index).ok()).unwrap_or(-1)
    }

    fn add(&mut self, id: &str, describe: impl FnOnce() -> Value) {
        if !self.index.contains_key(id) {
            self.index.insert(id.to_owned(), self.list.len());
            self.list.push(describe());
        }
    }
}

/// What to do about a rule's findings, where it is the same for all of them: nothing that only one of them is about.
fn what_to_do(rule: &Rule, results: &Results<'_>) -> String {
    let Some(help) = rule.help.as_ref() else { return String::new() };
    if help.inserts().next().is_none() {
        return as_written(help);
    }
    let checks = results.linted.iter().flat_map(|linted| &linted.report.checks);
    let mut said = checks.filter(|check| check.rule == rule.id).filter_map(|check| check.help.as_deref());
    let first = said.next().unwrap_or_default();
    if said.all(|other| other == first) { first.to_owned() } else { String::new() }
}

fn described(rule: &Rule, built_in: bool, what_to_do: &str) -> Value {
    let page = format!("{}/blob/main/docs/rules/{}.md", env!("CARGO_PKG_REPOSITORY"), rule.id);
    let cited = rule.cites.iter().find_map(|cite| citation_url(cite));
    let why = if rule.why.is_empty() { &rule.title } else { &rule.why };
    let mut descriptor = json!({
        "id": rule.id,
        "name": pascal(&rule.id),
        "shortDescription": { "text": rule.title },
        "fullDescription": { "text": why },
        "help": {
            "text": help(rule, why, what_to_do, &|cite| cite.to_owned()),
            "markdown": help(rule, why, what_to_do, &linked),
        },
        "defaultConfiguration": { "level": super::level(rule.severity) },
        "properties": { "tags": ["mta-sts", rule.group] },
    });
    // `precision` is the word that code scanning services know; `confidence` is ours.
    if rule.confidence == Confidence::Deduced
        && let Some(properties) = descriptor.get_mut("properties").and_then(Value::as_object_mut)
    {
        properties.insert("confidence".to_owned(), rule.confidence.word().into());
        properties.insert("precision".to_owned(), "medium".into());
    }
    if let (Some(uri), Some(descriptor)) = (if built_in { Some(page) } else { cited }, descriptor.as_object_mut()) {
        descriptor.insert("helpUri".to_owned(), uri.into());
    }
    descriptor
}

/// What is reported without being a rule, such as an expired entry of the configuration.
fn of_check(check: &Check) -> Value {
    json!({
        "id": check.rule,
        "name": pascal(&check.rule),
        "shortDescription": { "text": check.title },
        "defaultConfiguration": { "level": super::level(check.severity) },
        "properties": { "tags": ["mta-sts", check.group] },
    })
}

fn help(rule: &Rule, why: &str, what_to_do: &str, cited: &dyn Fn(&str) -> String) -> String {
    let cites: Vec<String> = rule.cites.iter().map(|cite| cited(cite)).collect();
    let parts = [why.to_owned(), what_to_do.to_owned(), format!("See {}.", cites.join(", "))];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n\n")
}

fn linked(cite: &str) -> String {
    citation_url(cite).map_or_else(|| cite.to_owned(), |url| format!("[{cite}]({url})"))
}

/// `policy-max-age` as `PolicyMaxAge`.
fn pascal(id: &str) -> String {
    let upper = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect::<String>()
    };
    id.split('-').map(upper).collect()
}
