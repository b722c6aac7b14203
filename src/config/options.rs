//! The options of `check` that a configuration can set: one table, read by the reader, the schema and `cli`.

use schemars::{Schema, json_schema};
use serde_json::Value;

use crate::format::Format;

/// An option: its key in a configuration, and its name on the command line.
#[derive(Clone, Copy, Debug)]
pub struct CommandOption {
    /// The key.
    pub key: &'static str,
    /// The name of the command line's option, without its dashes.
    pub flag: &'static str,
    /// What can be written.
    pub kind: OptionKind,
    /// What it sets, in one sentence.
    pub about: &'static str,
}

/// What can be written as an option's value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OptionKind {
    /// `true` or `false`.
    Bool,
    /// A name of a file, relative to the configuration, or one of these words.
    File(&'static [&'static str]),
    /// `true` or `false`, where the command line says the opposite.
    Inverted,
    /// Seconds, with or without a fraction.
    Seconds,
    /// A text.
    Text,
    /// One of these words.
    Word(&'static [&'static str]),
}

/// All of them, in the order of their keys.
pub const OPTIONS: [CommandOption; 14] = [
    CommandOption {
        key: "authoritative",
        flag: "authoritative",
        kind: OptionKind::Bool,
        about: "Ask the zone's own name servers too, past every cache.",
    },
    CommandOption {
        key: "deadline",
        flag: "deadline",
        kind: OptionKind::Seconds,
        about: "The time limit of everything about one domain, in seconds.",
    },
    CommandOption {
        key: "dnssec",
        flag: "dnssec",
        kind: OptionKind::Word(&["validate", "trust-ad", "off"]),
        about: "How DNSSEC is judged.",
    },
    CommandOption {
        key: "fail_on",
        flag: "fail-on",
        kind: OptionKind::Word(&["error", "warning", "note", "never"]),
        about: "Exit with code 1 if there is a finding of at least this severity.",
    },
    CommandOption {
        key: "format",
        flag: "format",
        kind: OptionKind::Word(Format::WORDS),
        about: "The format of the report.",
    },
    CommandOption { key: "helo", flag: "helo", kind: OptionKind::Text, about: "The name to give in EHLO." },
    CommandOption {
        key: "min_severity",
        flag: "min-severity",
        kind: OptionKind::Word(&["error", "warning", "note"]),
        about: "Findings below this severity are not reported.",
    },
    CommandOption {
        key: "only_public",
        flag: "only-public",
        kind: OptionKind::Bool,
        about: "Connect only to public addresses.",
    },
    CommandOption {
        key: "require_complete",
        flag: "require-complete",
        kind: OptionKind::Bool,
        about: "Exit with code 3 if a check could not be made.",
    },
    CommandOption {
        key: "resolver",
        flag: "resolver",
        kind: OptionKind::Text,
        about: "Who answers DNS queries: `system`, an address, `tls://…` or `https://…`.",
    },
    CommandOption {
        key: "roots",
        flag: "roots",
        kind: OptionKind::File(&["mozilla", "system"]),
        about: "The authorities to trust: `mozilla`, `system`, or a PEM file of certificates.",
    },
    CommandOption {
        key: "smtp",
        flag: "no-smtp",
        kind: OptionKind::Inverted,
        about: "Whether MX hosts are spoken to.",
    },
    CommandOption {
        key: "smtp_proxy",
        flag: "smtp-proxy",
        kind: OptionKind::Text,
        about: "Reach MX hosts through this SOCKS5 proxy.",
    },
    CommandOption {
        key: "timeout",
        flag: "timeout",
        kind: OptionKind::Seconds,
        about: "The time limit of each step, in seconds.",
    },
];

impl CommandOption {
    /// The option of that key.
    pub fn of(key: &str) -> Option<&'static CommandOption> {
        OPTIONS.iter().find(|option| option.key == key)
    }

    fn schema(&self) -> Schema {
        let mut schema = match self.kind {
            OptionKind::Bool | OptionKind::Inverted => json_schema!({ "type": "boolean" }),
            OptionKind::File(_) | OptionKind::Text => json_schema!({ "type": "string" }),
            OptionKind::Seconds => json_schema!({ "type": "number", "minimum": 0.01, "maximum": 600 }),
            // YAML 1.1 reads `off` as `false`.
            OptionKind::Word(words) if words.contains(&"off") => {
                let words: Vec<Value> =
                    words.iter().map(|word| Value::from(*word)).chain([Value::Bool(false)]).collect();
                json_schema!({ "enum": words })
            }
            OptionKind::Word(words) => json_schema!({ "enum": words }),
        };
        schema.insert("description".to_owned(), self.about.into());
        schema
    }
}

/// The schema of the whole mapping.
pub fn schema() -> Schema {
    let properties: serde_json::Map<String, Value> =
        OPTIONS.iter().map(|option| (option.key.to_owned(), option.schema().into())).collect();
    json_schema!({ "type": "object", "properties": properties, "additionalProperties": false })
}
