//! The cases of rules over one domain: patches over a good snapshot. Used by `cases` and `domain_cases`.
//!
//! A patch is RFC 7396 style with dotted keys: `policy.body: "…"`, `mx_hosts.0.probes.*.tls.trust.verdict:
//! self_signed`. `null` removes, and what is removed was not observed; `policy: absent` is known to be absent.
//! `record.text` and `tlsrpt.text` set the one TXT record, `snapshot: FILE` starts from another snapshot, `held: TEXT` is a
//! policy that senders may hold and `last_served: TIME` when it was last served, `tags: [core]` and `groups: [retail]` say what the configuration would.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Value, json};

use super::patch::set;
use crate::facts::{Before, Facts, HeldPolicy};
use crate::snapshot::{self, Snapshot};
use crate::source_text::nearest;

/// Dotted paths to new values.
pub type Patch = BTreeMap<String, Value>;

/// The text of the snapshot of a domain that does everything right: what cases patch.
pub const GOOD: &str = include_str!("../../fixtures/good/snapshot.yaml");

/// The snapshot of a domain that does everything right: what cases patch.
pub fn good_snapshot() -> Result<Snapshot, snapshot::ReadError> {
    snapshot::parse("fixtures/good/snapshot.yaml", GOOD, Some(snapshot::Format::Yaml))
}

/// Reads the snapshot that a case names: the rule's file first, `None` for a built-in rule, then the case's.
pub type ReadCase<'a> = dyn Fn(Option<&Path>, &str) -> Result<Snapshot, String> + 'a;

/// The facts that a case makes of the good snapshot; the rule's file is where the files that it names lie.
pub fn facts_of_snapshot(
    rule_file: Option<&Path>,
    good: &Snapshot,
    case: &Patch,
    read: &ReadCase<'_>,
) -> Result<Facts, String> {
    let (snapshot, baseline) = applied(rule_file, good, case, read)?;
    let held = held(case)?;
    let before = held.as_ref().map(Before::Held).or(baseline.as_ref().map(Before::Baseline));
    Ok(with_membership(Facts::beside(&snapshot, before), case))
}

/// The policy that a case says senders may hold.
fn held(case: &Patch) -> Result<Option<HeldPolicy>, String> {
    let Some(Value::String(body)) = case.get("held") else { return Ok(None) };
    let served = match case.get("last_served") {
        Some(Value::String(time)) => Some(snapshot::instant(time).ok_or(format!("`{time}` is not a valid time"))?),
        _ => None,
    };
    Ok(Some(HeldPolicy::new(body.clone().into_bytes(), served)))
}

/// What a case says beside its snapshot.
const OUTSIDE: [&str; 5] = ["baseline", "groups", "held", "last_served", "tags"];

/// The facts with the tags and groups that a case gives its domain, as a configuration would.
fn with_membership(facts: Facts, case: &Patch) -> Facts {
    let names = |key: &str| -> BTreeSet<String> {
        match case.get(key) {
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            Some(Value::String(name)) => BTreeSet::from([name.clone()]),
            _ => BTreeSet::new(),
        }
    };
    facts.with_membership(&names("tags"), &names("groups"))
}

/// What a case says beside its snapshot is read, or is a mistake.
fn outside_is_sound(case: &Patch) -> Result<(), String> {
    let is_names = |value: &Value| match value {
        Value::Array(names) => names.iter().all(Value::is_string),
        value => value.is_string(),
    };
    for (path, value) in case {
        let (sound, wanted) = match path.as_str() {
            "groups" | "tags" => (is_names(value), "a list of strings"),
            "held" => (value.is_string(), "the text of a policy"),
            "last_served" => (value.is_string() && case.contains_key("held"), "a time, beside `held`,"),
            "snapshot" => (value.is_string(), "the name of a file"),
            _ => continue,
        };
        if !sound {
            return Err(format!("`{path}`: {wanted} belongs here"));
        }
    }
    Ok(())
}

/// The snapshot of a case, and its baseline where it speaks of one.
fn applied(
    rule_file: Option<&Path>,
    good: &Snapshot,
    case: &Patch,
    read: &ReadCase<'_>,
) -> Result<(Snapshot, Option<Snapshot>), String> {
    outside_is_sound(case)?;
    let mut base = good.clone();
    let mut patch = case.clone();
    if let Some(Value::String(file)) = case.get("snapshot") {
        patch.remove("snapshot");
        base = read(rule_file, file)?;
    }
    let older: Patch = patch
        .iter()
        .filter_map(|(path, value)| Some((path.strip_prefix("baseline.")?.to_owned(), value.clone())))
        .collect();
    patch.retain(|path, _| !path.starts_with("baseline.") && !OUTSIDE.contains(&path.as_str()));
    let with_baseline = case.keys().any(|path| path.starts_with("baseline"));
    let baseline = if with_baseline { Some(patched(good, &older)?) } else { None };
    Ok((patched(&base, &patch)?, baseline))
}

/// The snapshot with a patch applied.
pub(super) fn patched(snapshot: &Snapshot, patch: &Patch) -> Result<Snapshot, String> {
    let good = serde_json::to_value(snapshot).map_err(|error| error.to_string())?;
    let mut tree = good.clone();
    for (path, value) in patch {
        apply(&mut tree, path, value)?;
    }
    let error = match serde_json::from_value(tree) {
        Ok(snapshot) => return Ok(snapshot),
        Err(error) => error,
    };
    // Which of the changes it was: the first that cannot be read by itself.
    for (path, value) in patch {
        let mut alone = good.clone();
        apply(&mut alone, path, value)?;
        if let Err(error) = serde_json::from_value::<Snapshot>(alone) {
            return Err(format!("`{path}`: {}", in_plain_words(&error.to_string())));
        }
    }
    Err(in_plain_words(&error.to_string()))
}

/// What the reader of snapshots says, as the rest of the program speaks.
fn in_plain_words(said: &str) -> String {
    if let Some((field, known)) = said.strip_prefix("unknown field `").and_then(|rest| rest.split_once('`')) {
        let known: Vec<&str> = known.split('`').skip(1).step_by(2).collect();
        let help = match nearest(field, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("known there: {}", known.join(", ")),
        };
        return format!("a snapshot has no `{field}` there; {help}");
    }
    match said.strip_prefix("invalid type: ").and_then(|rest| rest.split_once(", expected ")) {
        Some((found, wanted)) => {
            let number =
                wanted.len() <= 4 && wanted.starts_with(['i', 'u']) && wanted.ends_with(|c: char| c.is_ascii_digit());
            let wanted = match wanted {
                "a boolean" => "`true` or `false`".to_owned(),
                _ if number => "an integer".to_owned(),
                _ if wanted.starts_with("struct ") => "a mapping, or `absent`,".to_owned(),
                wanted => wanted.replace("a sequence", "a list"),
            };
            format!("this is {}, where {wanted} belongs", found.replace("string", "the text"))
        }
        None => said.to_owned(),
    }
}

fn apply(tree: &mut Value, path: &str, value: &Value) -> Result<(), String> {
    if let Some(lookup) = path.strip_suffix(".text").filter(|lookup| ["record", "tlsrpt"].contains(lookup)) {
        let texts = match value {
            Value::Array(texts) => texts.clone(),
            text => vec![text.clone()],
        };
        let records: Vec<Value> = texts.iter().map(|text| json!({ "strings": [text] })).collect();
        merge(tree, lookup, &json!({ "outcome": "answer", "records": records }));
        return Ok(());
    }
    if value == "absent" && !path.contains('.') {
        // Known to be absent, where `null` would only remove.
        if let Some(tree) = tree.as_object_mut() {
            tree.insert(path.to_owned(), Value::Null);
        }
        return Ok(());
    }
    let segments: Vec<&str> = path.split('.').collect();
    set(tree, &segments, value).map_err(|segment| format!("`{path}`: there is no `{segment}` in the good snapshot"))
}

fn merge(tree: &mut Value, key: &str, patch: &Value) {
    if let (Some(tree), Some(patch)) = (tree.as_object_mut(), patch.as_object()) {
        let target = tree.entry(key).or_insert_with(|| json!({}));
        for (key, value) in patch {
            if let Some(target) = target.as_object_mut() {
                target.insert(key.clone(), value.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patches_reach_into_lists_and_remove() {
        let mut tree = json!({ "a": [{ "b": 1 }, { "b": 2 }], "c": { "d": 1 } });
        for (path, value) in
            [("a.*.b", json!(3)), ("a.1.e", json!("x")), ("c.d", Value::Null), ("f.g", json!(1)), ("a.0", Value::Null)]
        {
            apply(&mut tree, path, &value).unwrap();
        }
        assert_eq!(tree, json!({ "a": [{ "b": 3, "e": "x" }], "c": {}, "f": { "g": 1 } }));
        assert!(apply(&mut tree, "a.7.b", &json!(1)).unwrap_err().contains("`7`"));
    }
}
