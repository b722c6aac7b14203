//! The shape of the fact tree: what paths there are, of what type, and which of them can be `null`.
//!
//! It is read off the Rust types of the tree (doc comments included), so that the static check of rules,
//! `stslint facts` and the tree itself cannot disagree.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::over::Over;
use super::texts::{Form, Texts};
use super::tree::{FactTree, ReportTree, ReportsTree};

/// The key of a fact's schema that names the form of its texts.
const FORM: &str = "x-form";
/// The key of a fact's schema that lists the texts that are known among others.
const KNOWN: &str = "x-known";
/// The key of a fact's schema that names the version in which it first appeared, where that is not the first one.
const SINCE: &str = "x-since";
/// The first version: facts that do not say otherwise are as old.
pub const FIRST_VERSION: &str = "0.1.0";

/// A type that an expression can have.
#[derive(Clone, Debug, PartialEq)]
pub enum Type {
    /// Anything: nothing is known of it before it is evaluated.
    Any,
    /// `true` or `false`.
    Bool,
    /// A number with a fraction.
    Double,
    /// An integer.
    Int,
    /// A list.
    List(Arc<Type>),
    /// `null`, and nothing else.
    Null,
    /// A mapping with known keys.
    Object(Arc<BTreeMap<String, Field>>),
    /// A text, one of these.
    Text(Texts),
}

/// A key of an object.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Its type.
    pub shape: Type,
    /// Whether it can be known to be absent, and then is `null`.
    pub nullable: bool,
    /// What it means, with its unit.
    pub about: String,
    /// The version in which it first appeared, where that is not the first one.
    pub since: Option<String>,
}

impl Type {
    /// The word for it in messages.
    pub fn label(&self) -> String {
        match self {
            Type::Any => "anything".to_owned(),
            Type::Bool => "a boolean".to_owned(),
            Type::Double => "a fraction".to_owned(),
            Type::Int => "an integer".to_owned(),
            Type::List(item) => format!("a list ({} each)", item.label()),
            Type::Null => "null".to_owned(),
            Type::Object(_) => "an object".to_owned(),
            Type::Text(_) => "a string".to_owned(),
        }
    }

    /// The CEL name of it, for `stslint facts`.
    pub fn name(&self) -> String {
        match self {
            Type::Any => "dyn".to_owned(),
            Type::Bool => "bool".to_owned(),
            Type::Double => "double".to_owned(),
            Type::Int => "int".to_owned(),
            Type::List(item) => format!("list({})", item.name()),
            Type::Null => "null".to_owned(),
            Type::Object(_) => "object".to_owned(),
            Type::Text(_) => "string".to_owned(),
        }
    }
}

/// The type of the tree.
fn tree_type(over: Over) -> Type {
    match over {
        Over::Domain => generate::<FactTree>(),
        Over::Domains => {
            let about = "Every domain of the run, in the order in which they were given, each with all its facts; of several observations of one domain the latest.";
            let domains = Type::List(Arc::new(generate::<FactTree>()));
            let field = Field { shape: domains, nullable: false, about: about.to_owned(), since: None };
            Type::Object(Arc::new(BTreeMap::from([("domains".to_owned(), field)])))
        }
        Over::Report => generate::<ReportTree>(),
        Over::Reports => generate::<ReportsTree>(),
    }
}

/// The root of a tree: an object whose keys are the variables of every expression over it.
pub fn root(over: Over) -> &'static BTreeMap<String, Field> {
    static ROOTS: OnceLock<BTreeMap<Over, Arc<BTreeMap<String, Field>>>> = OnceLock::new();
    static NONE: BTreeMap<String, Field> = BTreeMap::new();
    let fields = |over: Over| match tree_type(over) {
        Type::Object(fields) => (over, fields),
        _ => (over, Arc::default()),
    };
    ROOTS.get_or_init(|| Over::ALL.iter().copied().map(fields).collect()).get(&over).map_or(&NONE, |fields| fields)
}

/// A path that rules can use.
#[derive(Clone, Debug, Eq, PartialEq, serde::Serialize)]
pub struct FactPath {
    /// The path; elements of lists are written `[]`: `mx.hosts[].name`.
    pub path: String,
    /// Its CEL type; `?` after it where the fact can be known to be absent (`null`).
    #[serde(rename = "type")]
    pub shape: String,
    /// What it means, with its unit.
    pub about: String,
    /// The version in which it first appeared.
    pub since: String,
}

/// Every path, sorted.
pub fn fact_paths(over: Over) -> Vec<FactPath> {
    let mut paths = Vec::new();
    walk("", root(over), &mut paths);
    paths
}

/// Whether any fact has this name: what else a mapping lacks was never a fact.
pub fn is_name(name: &str) -> bool {
    static NAMES: OnceLock<BTreeSet<String>> = OnceLock::new();
    let last = |fact: FactPath| fact.path.rsplit('.').next().unwrap_or_default().to_owned();
    NAMES.get_or_init(|| Over::ALL.iter().copied().flat_map(fact_paths).map(last).collect()).contains(name)
}

fn walk(prefix: &str, fields: &BTreeMap<String, Field>, paths: &mut Vec<FactPath>) {
    for (name, field) in fields {
        let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        let absent = if field.nullable { "?" } else { "" };
        paths.push(FactPath {
            path: path.clone(),
            shape: format!("{}{absent}", field.shape.name()),
            about: field.about.clone(),
            since: field.since.as_deref().unwrap_or(FIRST_VERSION).to_owned(),
        });
        match &field.shape {
            Type::Object(fields) => walk(&path, fields, paths),
            Type::List(item) => {
                if let Type::Object(fields) = &**item {
                    walk(&format!("{path}[]"), fields, paths);
                }
            }
            _ => {}
        }
    }
}

fn generate<T: JsonSchema>() -> Type {
    let mut settings = SchemaSettings::draft2020_12();
    settings.inline_subschemas = true;
    let schema = settings.into_generator().into_root_schema_for::<T>();
    read(schema.as_value()).0
}

/// The type that a JSON Schema describes, and whether it allows `null`.
fn read(schema: &Value) -> (Type, bool) {
    if let Some(branches) = schema.get("anyOf").and_then(Value::as_array) {
        let nullable = branches.iter().any(is_null);
        // A fact may be narrower than its vocabulary.
        if let Some(words) = words(schema) {
            return (Type::Text(Texts::Only(words)), nullable);
        }
        let other = branches.iter().find(|branch| !is_null(branch));
        return (other.map_or(Type::Any, |branch| read(branch).0), nullable);
    }
    let names: Vec<&str> = match schema.get("type") {
        Some(Value::String(name)) => vec![name],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let nullable = names.contains(&"null");
    let shape = match names.iter().find(|name| **name != "null").copied() {
        Some("boolean") => Type::Bool,
        Some("integer") => Type::Int,
        Some("number") => Type::Double,
        Some("string") => Type::Text(texts(schema)),
        Some("array") => Type::List(Arc::new(match schema.get("items").map_or(Type::Any, |items| read(items).0) {
            // What is said of a list of strings is true of each.
            Type::Text(Texts::Any) => Type::Text(texts(schema)),
            item => item,
        })),
        Some("object") => Type::Object(Arc::new(fields(schema))),
        _ => words(schema).map_or(Type::Any, |words| Type::Text(Texts::Only(words))),
    };
    (shape, nullable)
}

fn is_null(schema: &Value) -> bool {
    schema.get("type").and_then(Value::as_str) == Some("null")
}

/// What texts a schema allows: its words, or the form and the known words that the tree of facts gives it.
fn texts(schema: &Value) -> Texts {
    if let Some(words) = words(schema) {
        return Texts::Only(words);
    }
    let form = schema.get(FORM).and_then(Value::as_str).and_then(Form::from_word);
    let known = schema.get(KNOWN).and_then(Value::as_array).into_iter().flatten();
    let known: Vec<String> = known.filter_map(Value::as_str).map(str::to_owned).collect();
    match form {
        None if known.is_empty() => Texts::Any,
        form => Texts::Written(form.unwrap_or(Form::Any), known),
    }
}

fn words(schema: &Value) -> Option<Vec<String>> {
    let of = |values: &Vec<Value>| values.iter().filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>();
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        return Some(of(values));
    }
    let branches = schema.get("oneOf").and_then(Value::as_array)?;
    let words = branches.iter().filter_map(|branch| branch.get("const")).filter_map(Value::as_str);
    Some(words.map(str::to_owned).collect())
}

/// The texts of a fact that is one, or a list of them.
fn texts_of(shape: &Type) -> Option<&Texts> {
    match shape {
        Type::List(item) => texts_of(item),
        Type::Text(texts) => Some(texts),
        _ => None,
    }
}

fn fields(schema: &Value) -> BTreeMap<String, Field> {
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
        return BTreeMap::new();
    };
    let field = |schema: &Value| {
        let (shape, nullable) = read(schema);
        let about = schema.get("description").and_then(Value::as_str).unwrap_or_default();
        let mut about = about.split_whitespace().collect::<Vec<_>>().join(" ");
        match texts_of(&shape) {
            Some(Texts::Only(words)) => about = format!("{about} One of: {}.", words.join(", ")),
            Some(Texts::Written(_, known)) if !known.is_empty() => {
                about = format!("{about} Among others: {}.", known.join(", "));
            }
            _ => {}
        }
        let since = schema.get(SINCE).and_then(Value::as_str).map(str::to_owned);
        Field { shape, nullable, about, since }
    };
    properties.iter().map(|(name, schema)| (name.clone(), field(schema))).collect()
}
