//! What one configuration file says, every value with its place, and the schema of such a file.
//!
//! `read` makes it of a text; `load` puts files and profiles together.

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::civil::Date;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::Value;

use super::options;
use super::pattern::Pattern;
use super::profiles::PROFILES;
use super::tree::{Placed, Span};
use crate::outcome::Severity;
use crate::rules::{Rule, RuleSet};

/// A configuration of stslint: `stslint.yaml`.
#[derive(Clone, Debug, Default, JsonSchema)]
#[schemars(deny_unknown_fields, default)]
pub struct ConfigFile {
    /// What this configuration begins with: `recommended` (the rules as they are shipped), `strict`, `minimal`
    /// (only rules that can be errors), or other configuration files, relative to this one. Later ones win.
    #[schemars(schema_with = "extends_schema")]
    pub extends: Vec<Placed<String>>,
    /// How rules are set, by their ids.
    #[schemars(schema_with = "rules_schema")]
    pub rules: Vec<(Placed<String>, RuleSetting)>,
    /// The severity of all rules of a group, or `off`. What `rules` says of one of them wins.
    #[schemars(with = "BTreeMap<String, Level>")]
    pub groups: Vec<(Placed<String>, Placed<Level>)>,
    /// Files of your own rules, and folders of such (`*.yaml`, also in folders inside), relative to this file.
    #[schemars(with = "OneOrMore")]
    pub include: Vec<Placed<String>>,
    /// Findings that are known and accepted until a day.
    pub ignore: Vec<IgnoreEntry>,
    /// What holds for some domains only, in this order, after all that is said of all domains.
    pub domains: Vec<DomainEntry>,
    /// Files of senders of your own, such as a gateway, relative to this file: reports say what they do too.
    #[schemars(with = "OneOrMore")]
    pub senders: Vec<Placed<String>>,
    /// Options of `check` for when the command line does not give them.
    #[schemars(schema_with = "options_schema")]
    pub options: Vec<OptionSetting>,
}

/// How a rule is set: a severity or `off`, or a mapping with its severity and its params.
#[derive(Clone, Debug, Default)]
pub struct RuleSetting {
    /// The severity, in every case: conditions under which the rule has another one no longer count.
    pub severity: Option<Placed<Level>>,
    /// New values of the rule's params.
    pub params: Vec<(Placed<String>, Placed<Value>)>,
}

impl RuleSetting {
    /// Whether it sets the rule off.
    pub fn is_off(&self) -> bool {
        self.severity.as_ref().is_some_and(|level| level.value == Level::Off)
    }
}

/// A severity, or `off`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Level {
    /// It fails a run.
    Error,
    /// Worth knowing; never fails a run by default.
    Note,
    /// A remark beside what is published, and no finding.
    Remark,
    /// The rule is not reported. Where another requires it, it is still evaluated.
    Off,
    /// Something is wrong and mail still flows.
    Warning,
}

impl Level {
    /// The words for all of them, the worst first.
    pub const WORDS: [&'static str; 5] = ["error", "warning", "note", "remark", "off"];

    /// The level that a word names.
    pub fn of(word: &str) -> Option<Self> {
        match word {
            "error" => Some(Level::Error),
            "note" => Some(Level::Note),
            "off" => Some(Level::Off),
            "remark" => Some(Level::Remark),
            "warning" => Some(Level::Warning),
            _ => None,
        }
    }

    /// The severity; `None` for off.
    pub fn severity(self) -> Option<Severity> {
        match self {
            Level::Error => Some(Severity::Error),
            Level::Note => Some(Severity::Note),
            Level::Off => None,
            Level::Remark => Some(Severity::Remark),
            Level::Warning => Some(Severity::Warning),
        }
    }

    /// The word for it.
    pub fn word(self) -> &'static str {
        self.severity().map_or("off", Severity::word)
    }
}

/// Findings that are known and accepted until a day. A rule or a group is named, and why.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields, extend("anyOf" = [{ "required": ["rule"] }, { "required": ["group"] }]))]
pub struct IgnoreEntry {
    /// The rule whose findings are ignored; `*` matches any text.
    #[schemars(with = "String", default)]
    pub rule: Option<Placed<Pattern>>,
    /// The group whose rules' findings are ignored.
    #[schemars(with = "String", default)]
    pub group: Option<Placed<String>>,
    /// Only of these domains: `*` matches any text, case does not matter. `*.example.com` is every name below
    /// example.com and not example.com itself.
    #[schemars(with = "String", default)]
    pub domain: Option<Placed<Pattern>>,
    /// Only of these subjects: the MX host, address or line that the finding speaks of. `*` matches any text.
    #[schemars(with = "String", default)]
    pub subject: Option<Placed<Pattern>>,
    /// Why it is accepted: for whoever reads this in a year.
    #[schemars(with = "String", length(min = 1))]
    pub reason: String,
    /// The last day on which it counts, in UTC: YYYY-MM-DD. After it, the finding is reported again, and this entry too.
    #[schemars(with = "String", regex(pattern = r"^\d{4}-\d{2}-\d{2}$"))]
    pub until: Placed<Date>,
    /// Where the entry is.
    #[schemars(skip)]
    pub at: Span,
}

/// What holds for some domains only. Names, tags or both say which.
#[derive(Clone, Debug, Default, JsonSchema)]
#[schemars(deny_unknown_fields, default, extend("anyOf" = [{ "required": ["names"] }, { "required": ["tagged"] }]))]
pub struct DomainEntry {
    /// A name for these domains, which rules see in `groups`.
    #[schemars(with = "String")]
    pub name: Option<Placed<String>>,
    /// The domains: `*` matches any text, so `*.example.com` is every name below example.com and not itself.
    #[schemars(with = "AtLeastOne")]
    pub names: Vec<Placed<Pattern>>,
    /// The domains to which an entry above gives one of these tags.
    #[schemars(with = "AtLeastOne")]
    pub tagged: Vec<Placed<String>>,
    /// Tags that these domains get, which rules see in `tags`.
    #[schemars(with = "OneOrMore")]
    pub tags: Vec<Placed<String>>,
    /// Profiles that the rules of these domains begin with, on top of what holds for all.
    #[schemars(schema_with = "profiles_schema")]
    pub extends: Vec<Placed<String>>,
    /// How rules are set for these domains, by their ids.
    #[schemars(schema_with = "rules_schema")]
    pub rules: Vec<(Placed<String>, RuleSetting)>,
    /// The severity of all rules of a group, or `off`.
    #[schemars(with = "BTreeMap<String, Level>")]
    pub groups: Vec<(Placed<String>, Placed<Level>)>,
    /// Findings of these domains that are known and accepted until a day.
    pub ignore: Vec<IgnoreEntry>,
    /// Where the entry is.
    #[schemars(skip)]
    pub at: Span,
}

/// An option of the command line.
#[derive(Clone, Debug)]
pub struct OptionSetting {
    /// Its key.
    pub key: Placed<String>,
    /// Its value as the command line would have it.
    pub value: Placed<String>,
}

/// One text, or a list of strings.
struct OneOrMore;

impl JsonSchema for OneOrMore {
    fn schema_name() -> Cow<'static, str> {
        "OneOrMore".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }] })
    }
}

/// One text, or a list of strings.
struct AtLeastOne;

impl JsonSchema for AtLeastOne {
    fn schema_name() -> Cow<'static, str> {
        "AtLeastOne".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [{ "type": "string" }, { "type": "array", "minItems": 1, "items": { "type": "string" } }] })
    }
}

impl JsonSchema for Level {
    fn schema_name() -> Cow<'static, str> {
        "Level".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A severity, or `off`: the rule is not reported. YAML 1.1 reads `off` as `false`.",
            "enum": ["error", "warning", "note", "remark", "off", false]
        })
    }
}

impl JsonSchema for RuleSetting {
    fn schema_name() -> Cow<'static, str> {
        "RuleSetting".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let description = "A severity or `off`, or a mapping with the severity and the params of the rule.";
        let params = json_schema!({ "description": "New values of the rule's params.", "type": "object" });
        setting_schema(generator, description, params)
    }
}

fn setting_schema(generator: &mut SchemaGenerator, description: &str, params: Schema) -> Schema {
    let level = generator.subschema_for::<Level>();
    json_schema!({
        "description": description,
        "anyOf": [
            level,
            {
                "type": "object",
                "properties": { "severity": level, "params": params },
                "additionalProperties": false
            }
        ]
    })
}

/// Every built-in rule by its id and with its params, so that editors propose them; rules of one's own beside them.
fn rules_schema(generator: &mut SchemaGenerator) -> Schema {
    let own = generator.subschema_for::<RuleSetting>();
    let mut properties = serde_json::Map::new();
    for rule in RuleSet::built_in().map(|rules| rules.rules).unwrap_or_default() {
        let description = format!("{} ({})", rule.title, rule.severity.word());
        let setting = setting_schema(generator, &description, params_schema(&rule));
        properties.insert(rule.id, setting.into());
    }
    json_schema!({ "type": "object", "properties": properties, "additionalProperties": own })
}

fn params_schema(rule: &Rule) -> Schema {
    let param = |(name, value): (&String, &Value)| {
        let kind = match value {
            Value::Array(_) => "array",
            Value::Bool(_) => "boolean",
            Value::Null => "null",
            Value::Number(number) if number.is_f64() => "number",
            Value::Number(_) => "integer",
            Value::Object(_) => "object",
            Value::String(_) => "string",
        };
        let mut schema = serde_json::json!({ "type": kind, "default": value });
        if let (Some(range), Some(schema)) = (rule.ranges.get(name), schema.as_object_mut()) {
            schema.extend(range.at_least.map(|least| ("minimum".to_owned(), least.into())));
            schema.extend(range.at_most.map(|most| ("maximum".to_owned(), most.into())));
        }
        (name.clone(), schema)
    };
    let properties: serde_json::Map<String, Value> = rule.params.iter().map(param).collect();
    json_schema!({ "type": "object", "properties": properties, "additionalProperties": false })
}

/// A profile, or a configuration that is named by its path; or several of them.
fn extends_schema(_: &mut SchemaGenerator) -> Schema {
    let one = serde_json::json!({ "anyOf": [
        { "enum": PROFILES.map(|(name, _)| name) },
        { "type": "string", "pattern": r"[./\\]" }
    ] });
    json_schema!({ "anyOf": [one, { "type": "array", "items": one }] })
}

/// A profile, or several of them.
fn profiles_schema(_: &mut SchemaGenerator) -> Schema {
    let one = serde_json::json!({ "enum": PROFILES.map(|(name, _)| name) });
    json_schema!({ "anyOf": [one, { "type": "array", "items": one }] })
}

fn options_schema(_: &mut SchemaGenerator) -> Schema {
    options::schema()
}
