//! The profile of the measured sender as a file of the form of `rules/senders/`, which a configuration can name.
//!
//! What was not measured is left out, and is unknown to whoever reads the file.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use super::agreement::Agreement;
use super::inputs::input;
use super::verdict::{Known, Verdicts};
use crate::senders::{Input, SendersError, built_in, check_cases, read_profile};

/// The name of the one source that all is from.
const SOURCE: &str = "audit";

/// Where this measurement is described.
const URL: &str = "https://github.com/stslint/stslint/blob/main/docs/audit-sender.md";

/// What a person says about the sender.
#[derive(Clone, Debug)]
pub struct About<'a> {
    /// The stable name: letters, digits and hyphens.
    pub name: &'a str,
    /// The version, if it was given.
    pub version: Option<&'a str>,
    /// The day of the measurement: `2026-11-28`.
    pub day: &'a str,
}

/// The file.
#[derive(Serialize)]
struct File<'a> {
    sender: &'a str,
    name: &'a str,
    kind: &'static str,
    about: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'a str>,
    seen: &'a str,
    sources: BTreeMap<&'static str, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reads_as: Option<Value>,
    behaviour: BTreeMap<&'static str, Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cases: Vec<Value>,
}

/// The file's text. Cases that its properties do not explain are in a comment at its end.
///
/// # Errors
/// [`SendersError`] where the name or the version cannot be written in such a file.
pub fn profile(about: &About<'_>, verdicts: &Verdicts, agreeing: &[Agreement]) -> Result<String, SendersError> {
    let all = cases(verdicts);
    let text = written(about, verdicts, agreeing, all.iter().map(|(_, case)| case.clone()).collect())?;
    let read = read_profile(about.name, &text)?;
    let unexplained: Vec<usize> = check_cases(&read, built_in()).iter().map(|failure| failure.number).collect();
    let is_explained = |number: usize| !unexplained.contains(&number);
    let numbered = || (1_usize..).zip(&all);
    let kept = numbered().filter(|(number, _)| is_explained(*number)).map(|(_, (_, case))| case.clone());
    let mut text = written(about, verdicts, agreeing, kept.collect())?;
    if !unexplained.is_empty() {
        text.push_str("# Measured, and not explained by the properties above:\n");
    }
    for (_, (name, case)) in numbered().filter(|(number, _)| !is_explained(*number)) {
        text.push_str(&format!("# {name}: {case}\n"));
    }
    Ok(text)
}

fn written(
    about: &About<'_>,
    verdicts: &Verdicts,
    agreeing: &[Agreement],
    cases: Vec<Value>,
) -> Result<String, SendersError> {
    let mut source = json!({
        "known": "run",
        "what": format!("stslint audit-sender, {} domains", verdicts.domains.len()),
        "url": URL,
        "seen": about.day,
    });
    if let (Some(version), Some(fields)) = (about.version, source.as_object_mut()) {
        fields.insert("version".to_owned(), json!(version));
    }
    let reads_as = match agreeing {
        [only] => Some(json!({ "is": only.sender, "source": SOURCE })),
        _ => None,
    };
    let file = File {
        sender: about.name,
        name: about.name,
        kind: "gateway",
        about: "Measured by stslint audit-sender.".to_owned(),
        version: about.version,
        seen: about.day,
        sources: BTreeMap::from([(SOURCE, source)]),
        reads_as,
        behaviour: behaviour(verdicts),
        cases,
    };
    let form = |reason: String| SendersError::Form { file: about.name.to_owned(), reason };
    let yaml = serde_yaml::to_string(&file).map_err(|error| form(error.to_string()))?;
    Ok(format!("# yaml-language-server: $schema=../../schema/senders.schema.json\n{yaml}"))
}

/// The properties that the measurement decides.
fn behaviour(verdicts: &Verdicts) -> BTreeMap<&'static str, Value> {
    let applies = |name: &str| {
        let verdict = verdicts.domains.iter().find(|verdict| verdict.case.name == name)?;
        match verdict.known {
            Known::Applies => Some(true),
            Known::DoesNotApply => Some(false),
            Known::Unknown => None,
        }
    };
    let kept = |is: bool| if is { "kept" } else { "dropped" };
    let media_type = match (applies("host-media-type"), applies("host-media-type-case")) {
        (Some(true), _) => Some("ignored"),
        (Some(false), Some(true)) => Some("text_plain"),
        (Some(false), Some(false)) => Some("text_plain_exactly"),
        _ => None,
    };
    let status = match (applies("host-404"), applies("host-203")) {
        (Some(true), _) => Some("ignored"),
        (Some(false), Some(true)) => Some("successful"),
        (Some(false), Some(false)) => Some("only_200"),
        _ => None,
    };
    let notices = applies("then-new-id").filter(|noticed| *noticed);
    let known = [
        ("enforces", verdicts.enforces.map(|is| json!(if is { "configured" } else { "never" }))),
        ("media_type", media_type.map(|is| json!(is))),
        ("follows_redirects", applies("host-redirect").map(|is| json!(is))),
        ("status", status.map(|is| json!(is))),
        // A sender that does not notice in time may do so later.
        ("notices", notices.map(|is| json!(is))),
        ("record_gone", applies("then-record-gone").map(|is| json!(kept(is)))),
        ("fetch_fails", notices.and_then(|_| applies("then-policy-gone")).map(|is| json!(kept(is)))),
    ];
    let claims = known.into_iter().filter_map(|(name, is)| Some((name, json!({ "is": is?, "source": SOURCE }))));
    claims.collect()
}

/// The inputs with what the sender made of them, by the name of the domain.
fn cases(verdicts: &Verdicts) -> Vec<(&'static str, Value)> {
    let known = verdicts.domains.iter().filter_map(|verdict| {
        let held = match verdict.known {
            Known::Applies => true,
            Known::DoesNotApply => false,
            Known::Unknown => return None,
        };
        Some((verdict.case.name, held, input(verdict.case)?))
    });
    known.filter_map(|(name, held, input)| Some((name, case(name, held, input)?))).collect()
}

fn case(name: &str, held: bool, input: Input) -> Option<Value> {
    let accepted = |is: bool| if is { "yes" } else { "no" };
    match input {
        Input::Record(texts) => Some(json!({ "record": texts, "accepted": accepted(held) })),
        Input::Host { host, patterns } => {
            Some(json!({ "host": host, "patterns": patterns, "accepted": accepted(!held) }))
        }
        // A policy of two modes that is not enforced may have been refused, or taken for the other mode.
        Input::Policy(_) if name.starts_with("policy-mode-") && name != "policy-mode-case" && !held => None,
        Input::Policy(served) if name.starts_with("policy-") => {
            let body = String::from_utf8(served.body).ok()?;
            let content_type = served.content_type.flatten()?;
            Some(json!({ "policy": body, "content_type": content_type, "accepted": accepted(held) }))
        }
        _ => None,
    }
}
