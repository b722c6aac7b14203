//! Reads the files of senders: those in `rules/senders/`, which are part of the program, and an organisation's own.

use std::sync::{Arc, OnceLock};

use miette::Diagnostic;
use thiserror::Error;

use super::model::Profile;
use crate::source_text::{escape, printable};

/// A file with its text.
macro_rules! files {
    ($($name:literal,)*) => { &[$(($name, include_str!(concat!("../../rules/senders/", $name, ".yaml"))),)*] };
}

/// The files that are built in, by the name of the sender.
const FILES: &[(&str, &str)] = files![
    "amazon-ses",
    "chasquid",
    "cisco-secure-email-gateway",
    "conforming",
    "danmarg-smtp-sts",
    "exchange-online",
    "exim",
    "fastmail",
    "gmail",
    "go-mtasts",
    "haraka",
    "hmailserver",
    "kumomta",
    "maddy",
    "mailauth",
    "mailgun",
    "mimecast-mta-sts",
    "mox",
    "postfix-mta-sts-resolver",
    "postfix-tlspol",
    "proton-mail",
    "sparkpost",
    "stalwart",
    "sys4-tlsrpt",
    "tuta",
    "yahoo",
    "zonemta",
];

/// Why a file of a sender cannot be used.
#[derive(Debug, Diagnostic, Error)]
pub enum SendersError {
    /// It is not YAML of a sender.
    #[error("{file} does not describe a sender: {reason}")]
    #[diagnostic(code(stslint::senders), help("`stslint schema senders` prints what such a file may have"))]
    Form {
        /// The file.
        file: String,
        /// What is wrong, with its place.
        reason: String,
    },
    /// A property names a source that the file does not have.
    #[error("{file}: `{property}` names the source `{wanted}`, which is not among `sources`")]
    #[diagnostic(code(stslint::senders), help("add the source, with `known`, `what`, `url` and `seen`"))]
    Source {
        /// The file.
        file: String,
        /// The property.
        property: String,
        /// The source that it names.
        wanted: String,
    },
}

/// A file of a sender: its properties, each with a source that is there.
pub fn read_profile(file: &str, text: &str) -> Result<Profile, SendersError> {
    let profile: Profile = serde_yaml::from_str(text)
        .map_err(|error| SendersError::Form { file: file.to_owned(), reason: printable(&error.to_string()) })?;
    let value: serde_json::Value = serde_yaml::from_str(text)
        .map_err(|error| SendersError::Form { file: file.to_owned(), reason: printable(&error.to_string()) })?;
    let mut named = Vec::new();
    sources_named(&value, "", &mut named);
    match named.into_iter().find(|(_, source)| !profile.sources.contains_key(source)) {
        Some((property, wanted)) => {
            Err(SendersError::Source { file: file.to_owned(), property: escape(&property), wanted: escape(&wanted) })
        }
        None => Ok(profile),
    }
}

/// Every `source` in the file, with the property that has it.
fn sources_named(value: &serde_json::Value, at: &str, found: &mut Vec<(String, String)>) {
    let Some(map) = value.as_object() else { return };
    for (name, inner) in map {
        match (name.as_str(), inner.as_str()) {
            ("source", Some(source)) => found.push((at.to_owned(), source.to_owned())),
            ("cases" | "sources", _) => {}
            _ if at.is_empty() => sources_named(inner, name, found),
            _ => sources_named(inner, &format!("{at}.{name}"), found),
        }
    }
}

/// The files that are built in: the name of each with its text.
pub fn built_in_sources() -> &'static [(&'static str, &'static str)] {
    FILES
}

/// The senders that are built in, by name, without their cases.
pub fn built_in() -> &'static [Arc<Profile>] {
    static PROFILES: OnceLock<Vec<Arc<Profile>>> = OnceLock::new();
    // A test reads every file whole, so that none is left out here. The cases, which are last, would take the most time.
    let properties = |text: &str| serde_yaml::from_str(text.split("\ncases:\n").next().unwrap_or_default()).ok();
    PROFILES.get_or_init(|| FILES.iter().filter_map(|(_, text)| properties(text).map(Arc::new)).collect())
}

/// The sender of a name, in any case: its stable name, the name for people, or another that its file gives.
pub fn find<'a>(profiles: &'a [Arc<Profile>], wanted: &str) -> Option<&'a Arc<Profile>> {
    let is_it = |name: &str| name.eq_ignore_ascii_case(wanted);
    profiles.iter().find(|it| is_it(&it.sender) || is_it(&it.name) || it.also.iter().any(|name| is_it(name)))
}
