//! A rule file as it is written: the YAML that `load` reads and `check` judges.
//!
//! Places are kept for every text that a mistake can be in, so that a diagnostic underlines the very
//! characters. `flatten` and untagged enums would lose them and are not used.

use std::fmt;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::{Value, json};
use serde_yaml::Spanned;

use crate::facts::Over;
use crate::outcome::{Confidence, Severity};
use crate::snapshot::{DnsOutcome, DnssecProof, TrustVerdict};
use crate::tls_reports::result_type::ResultType;

/// A file of rules.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleFile {
    /// The group that the rules belong to in reports, for example `policy` or your organisation's name.
    #[schemars(with = "String", length(max = 64), regex(pattern = "^[a-z][a-z0-9]*(-[a-z0-9]+)*$"))]
    pub group: Spanned<String>,
    /// What the group is about, in one sentence.
    #[serde(default)]
    #[allow(dead_code, reason = "for who reads the file")]
    pub about: String,
    /// What the rules are over, and so which facts they see: `domain` (where nothing is said), `domains` for all domains of a
    /// run together, `report` for each TLS report, or `reports` for all of them together. `stslint facts` lists those of a
    /// domain, `stslint facts domains`, `stslint facts report` and `stslint facts reports` the others.
    #[serde(default)]
    pub over: Over,
    /// A CEL expression: where it is false, no rule of the file applies.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub when: Option<Spanned<String>>,
    /// Why no rule of the file applies there, for people.
    #[serde(default)]
    pub otherwise: Option<String>,
    /// The version in which the rules first appeared, where a rule does not say otherwise: of stslint for built-in rules, of
    /// your own rules for yours.
    #[serde(default)]
    #[schemars(regex(pattern = "[^ ]"))]
    pub since: Option<String>,
    /// Ids of rules that are gone, each with what whoever still names it should know. They are understood, with a warning.
    #[serde(default)]
    #[schemars(with = "std::collections::BTreeMap<String, String>")]
    pub removed: Ordered<String>,
    /// The rules.
    #[schemars(length(min = 1))]
    pub rules: Vec<RuleEntry>,
}

/// One rule.
// Of what is required only the id is so for the reader: the check tells what else is missing, beside other mistakes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(
    extend("required" = ["id", "title", "severity", "cites", "message"]),
    extend("oneOf" = [{ "required": ["assert"] }, { "required": ["forbid"] }])
)]
pub struct RuleEntry {
    /// The stable id in kebab-case; configuration and reports name the rule by it.
    #[schemars(with = "String", length(max = 64), regex(pattern = "^[a-z][a-z0-9]*(-[a-z0-9]+)*$"))]
    pub id: Spanned<String>,
    /// Ids that the rule had before: configurations and commands that name one are understood, with a warning.
    #[serde(default)]
    #[schemars(with = "Vec<String>", inner(length(max = 64), regex(pattern = "^[a-z][a-z0-9]*(-[a-z0-9]+)*$")))]
    pub formerly: Vec<Spanned<String>>,
    /// The id of the built-in rule that this one replaces.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub replaces: Option<Spanned<String>>,
    /// What is so when the rule passes, in one line.
    #[serde(default)]
    #[schemars(regex(pattern = "[^ ]"))]
    pub title: String,
    /// How bad it is when the rule fails.
    #[serde(default)]
    #[schemars(with = "Severity")]
    pub severity: Option<Severity>,
    /// How the rule knows: `observed` (where nothing is said), or `deduced` where what was observed only points to it.
    #[serde(default)]
    pub confidence: Confidence,
    /// The version in which the rule first appeared, where its file does not say.
    #[serde(default)]
    #[schemars(regex(pattern = "[^ ]"))]
    pub since: Option<String>,
    /// Where the severity is another one: the first whose `when` is true.
    #[serde(default)]
    pub severity_if: Vec<SeverityIf>,
    /// The sections of the standards behind the rule, such as `RFC 8461 §3.2`, or references of your own.
    #[serde(default)]
    #[schemars(with = "Vec<String>", required, length(min = 1), inner(regex(pattern = "[^ ]")))]
    #[schemars(extend("examples" = [["RFC 8461 §3.2"], ["ACME-SEC-12"]]))]
    pub cites: Vec<Spanned<String>>,
    /// Where a finding rests on other sections: those of the first whose `when` is true.
    #[serde(default)]
    pub cites_if: Vec<CitesIf>,
    /// Why the rule exists: what the standard demands and what senders do. For the documentation.
    #[serde(default)]
    pub why: String,
    /// Values that a configuration can change; expressions read them as `params.NAME`.
    #[serde(default)]
    #[schemars(with = "std::collections::BTreeMap<String, Value>")]
    pub params: Ordered<Spanned<Value>>,
    /// What the values of numeric params may be, for example `{ minimum: { at_least: 0, at_most: 31557600 } }`.
    #[serde(default)]
    #[schemars(with = "std::collections::BTreeMap<String, Range>")]
    pub ranges: Ordered<Range>,
    /// Rules that must pass first; where one does not, this rule is not applicable because of it. Where it failed, and
    /// this one fails too and is worse, both are told. A note may not be named here.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub requires: Vec<Spanned<String>>,
    /// Rules that, where one failed, have said what this one would say, unless this one fails and is worse. Unlike
    /// under `requires`, it does not matter whether they apply or were checked.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub after: Vec<Spanned<String>>,
    /// A CEL expression: where it is false, the rule does not apply.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub when: Option<Spanned<String>>,
    /// Why it does not apply there, for people.
    #[serde(default)]
    pub otherwise: Option<String>,
    /// Judge each element of a list: variable to list, for example `{ host: mx.hosts, probe: host.probes }`.
    #[serde(default)]
    #[schemars(with = "std::collections::BTreeMap<String, String>")]
    pub for_each: Ordered<Spanned<String>>,
    /// Whether findings with the same message about elements of the last list are told as one.
    #[serde(default)]
    pub together: bool,
    /// Of a rule `over: domains`: a CEL expression whose values for all elements are compared. What follows sees
    /// `compared.value`, `compared.usual` (the value that most have), `compared.peers` and `compared.peer_count` (the other
    /// domains with the same value).
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub compare: Option<Spanned<String>>,
    /// A CEL expression that is true when the rule passes.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub assert: Option<Spanned<String>>,
    /// Instead of `assert`: a list of which every element is a finding, for example `{ line: policy.blank_lines }`.
    #[serde(default)]
    #[schemars(with = "std::collections::BTreeMap<String, String>")]
    pub forbid: Ordered<Spanned<String>>,
    /// What a finding speaks of, where there can be several, for example `"{host.name}"`.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub subject: Option<Spanned<String>>,
    /// The fact whose place in its text is underlined, for example `policy.max_age`.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub at: Option<Spanned<String>>,
    /// Further facts whose places are shown beside that one, each with a label: the other side of a mismatch.
    #[serde(default)]
    pub also: Vec<AlsoEntry>,
    /// What is wrong, with CEL expressions in braces: `"max_age is {policy.max_age}"`.
    #[serde(default)]
    #[schemars(with = "String", regex(pattern = "[^ ]"))]
    pub message: Option<Spanned<String>>,
    /// What to do, with CEL expressions in braces.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub help: Option<Spanned<String>>,
    /// The RFC 8460 §4.3 result type that a conforming sender reports.
    #[serde(default)]
    #[schemars(with = "Option<String>", extend("enum" = ResultType::WORDS))]
    pub reported_as: Option<Spanned<String>>,
    /// Where senders report another one: the first whose `when` is true.
    #[serde(default)]
    pub reported_as_if: Vec<ReportedAsIf>,
    /// How to fix it by replacing a text.
    #[serde(default)]
    pub fix: Option<FixEntry>,
    /// Cases: small patches over a good snapshot on which the rule must pass, fail or not apply.
    #[serde(default)]
    pub tests: Cases,
}

/// What a numeric param may be.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Range {
    /// The lowest value.
    #[serde(default)]
    pub at_least: Option<i64>,
    /// The highest value.
    #[serde(default)]
    pub at_most: Option<i64>,
}

/// A further place that explains a finding.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AlsoEntry {
    /// The fact whose place in its text is shown too.
    #[schemars(with = "String")]
    pub at: Spanned<String>,
    /// What it has to do with the finding, in a few words, with CEL expressions in braces.
    #[schemars(with = "String")]
    pub label: Spanned<String>,
    /// A CEL expression: where it is false, the place is not shown.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub when: Option<Spanned<String>>,
}

/// Another severity under a condition.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SeverityIf {
    /// A CEL expression.
    #[schemars(with = "String")]
    pub when: Spanned<String>,
    /// The severity where it is true.
    pub severity: Severity,
}

/// Other sections under a condition.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CitesIf {
    /// A CEL expression.
    #[schemars(with = "String")]
    pub when: Spanned<String>,
    /// What the finding rests on where it is true.
    #[schemars(with = "Vec<String>")]
    pub cites: Vec<Spanned<String>>,
}

/// Another result type under a condition.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportedAsIf {
    /// A CEL expression.
    #[schemars(with = "String")]
    pub when: Spanned<String>,
    /// The RFC 8460 §4.3 result type where it is true.
    #[schemars(with = "String", extend("enum" = ResultType::WORDS))]
    pub reported_as: Spanned<String>,
}

/// A replacement of text.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FixEntry {
    /// The fact whose text is replaced.
    #[schemars(with = "String")]
    pub replace: Spanned<String>,
    /// The new text, with CEL expressions in braces; empty deletes.
    #[schemars(with = "String")]
    pub with: Spanned<String>,
    /// A CEL expression: where it is false, there is no such fix.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub when: Option<Spanned<String>>,
    /// Whether the meaning stays what it surely was meant to be; `--fix` applies only these.
    #[serde(default)]
    pub safe: bool,
    /// A CEL expression: where it is true, the fix is safe.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub safe_when: Option<Spanned<String>>,
}

/// The cases of a rule: RFC 7396 style patches with dotted keys over a good snapshot.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cases {
    /// The rule passes.
    #[serde(default)]
    #[schemars(schema_with = "cases_schema")]
    pub pass: Vec<Case>,
    /// The rule fails.
    #[serde(default)]
    #[schemars(schema_with = "cases_schema")]
    pub fail: Vec<Case>,
    /// The rule is not applicable.
    #[serde(default)]
    #[schemars(schema_with = "cases_schema")]
    pub not_applicable: Vec<Case>,
    /// The rule cannot be checked.
    #[serde(default)]
    #[schemars(schema_with = "cases_schema")]
    pub not_checked: Vec<Case>,
}

/// The schema of cases: a list of patches in which what has certain words in a snapshot has them too.
fn cases_schema(_: &mut SchemaGenerator) -> Schema {
    fn words(of: &[&str]) -> Value {
        // `null` removes.
        of.iter().map(|word| json!(word)).chain([Value::Null]).collect()
    }
    let outcome: Vec<&str> = DnsOutcome::ALL.iter().map(|outcome| outcome.word()).collect();
    let dnssec: Vec<&str> = DnssecProof::ALL.iter().map(|proof| proof.word()).collect();
    let verdict: Vec<&str> = TrustVerdict::ALL.iter().map(|verdict| verdict.word()).collect();
    json_schema!({
        "type": "array",
        "items": {
            "type": "object",
            "patternProperties": {
                "[.]outcome$": { "enum": words(&outcome) },
                "(ipv4|ipv6|mx|ptr|record|tlsa|tlsrpt)[.]dnssec$": { "enum": words(&dnssec) },
                "[.]trust[.]verdict$": { "enum": words(&verdict) },
            },
        },
    })
}

/// A patch: dotted paths to new values; `null` removes, and what is removed was not observed.
pub type Case = Spanned<std::collections::BTreeMap<String, Value>>;

/// A mapping that keeps its order.
#[derive(Debug)]
pub struct Ordered<V>(pub Vec<(Spanned<String>, V)>);

impl<V> Default for Ordered<V> {
    fn default() -> Self {
        Ordered(Vec::new())
    }
}

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Ordered<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<V>(PhantomData<V>);

        impl<'de, V: Deserialize<'de>> Visitor<'de> for Entries<V> {
            type Value = Ordered<V>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a mapping")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Ordered<V>, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Ordered(entries))
            }
        }

        deserializer.deserialize_map(Entries(PhantomData))
    }
}
