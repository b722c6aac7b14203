//! `stslint config`: what configuration is in force and where each value comes from, and one to begin with.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use jiff::civil::Date;
use jiff::{Timestamp, Unit};
use miette::IntoDiagnostic;
use serde::Serialize;
use serde_json::Value;

use super::rule_args::RuleArgs;
use super::{Ended, OutputArgs, UsageError, examples, terminal};
use crate::config::{
    CONFIG_NAME, Change, CommandOption, Configuration, Ignore, InForce, Level, OptionKind, Placed, STARTER, Section,
    Set, utc_day,
};
use crate::files;
use crate::grammar::names::DomainName;
use crate::source_text::{escape, json, printable, yaml};

/// Options of `config`.
#[derive(Args, Debug)]
pub struct ConfigCommandArgs {
    /// What to do.
    #[command(subcommand)]
    command: ConfigCommand,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Write a commented stslint.yaml; an existing one is kept.
    #[command(after_long_help = examples::CONFIG_INIT)]
    Init {
        /// Write to this file.
        #[arg(value_name = "FILE", default_value = CONFIG_NAME)]
        file: PathBuf,
    },
    /// Print what differs from the rules as they are shipped, and where each value comes from.
    #[command(after_long_help = examples::CONFIG_SHOW)]
    Show(ShowArgs),
}

#[derive(Args, Debug)]
struct ShowArgs {
    /// Show what is in force for this domain: what the entries of `domains` set, and which entries of `ignore`
    /// concern it.
    #[arg(value_name = "DOMAIN")]
    domain: Option<String>,
    /// The format.
    #[arg(long, value_enum, default_value_t = ShowFormat::Yaml)]
    format: ShowFormat,
    /// Which rules.
    #[command(flatten)]
    rules: RuleArgs,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum ShowFormat {
    /// JSON.
    Json,
    /// YAML.
    Yaml,
}

impl ConfigCommandArgs {
    /// Whether the command looks at the configuration.
    pub fn uses_configuration(&self) -> bool {
        matches!(self.command, ConfigCommand::Show(_))
    }
}

/// Runs the command.
pub fn run(args: &ConfigCommandArgs, configuration: &Configuration, output: &OutputArgs) -> Ended {
    match &args.command {
        ConfigCommand::Init { file } => {
            files::write_new(file, STARTER.as_bytes())?;
            let name = escape(&file.display().to_string());
            terminal::remark(&format!("wrote {name}; `stslint config show` prints what it sets"), output);
        }
        ConfigCommand::Show(args) => terminal::print(&show(args, configuration)?),
    }
    Ok(0)
}

fn show(args: &ShowArgs, configuration: &Configuration) -> Result<String, miette::Report> {
    let domain = args.domain.as_deref().map(|domain| {
        DomainName::parse(domain)
            .map_err(|error| UsageError::new(error.to_string(), "give a mail domain such as example.com"))
    });
    let domain = domain.transpose()?;
    let in_force = args.rules.load(configuration)?;
    let shown = Shown::of(configuration, &in_force, domain.as_ref().map(DomainName::as_str), utc_day(Timestamp::now()));
    match args.format {
        ShowFormat::Json => json(&shown).into_diagnostic(),
        ShowFormat::Yaml => yaml(&shown).map(|text: String| printable(&text)).map_err(miette::Report::msg),
    }
}

/// What is in force, as it is printed.
#[derive(Serialize)]
struct Shown {
    /// The configurations and profiles, the weakest first: later ones win.
    configurations: Vec<String>,
    /// The entries of `domains`; for a domain, those that it falls under.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    domains: Vec<ShownSection>,
    /// The tags that the domain has.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<String>,
    rules: BTreeMap<String, ShownRule>,
    rule_files: Vec<ShownFile>,
    ignore: Vec<ShownIgnore>,
    options: BTreeMap<&'static str, ShownValue<Value>>,
}

#[derive(Serialize)]
struct ShownRule {
    #[serde(skip_serializing_if = "Option::is_none")]
    severity: Option<ShownChange<&'static str>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    params: BTreeMap<String, ShownChange<Value>>,
}

#[derive(Serialize)]
struct ShownSection {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    names: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tagged: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    extends: Vec<String>,
    from: String,
}

fn section(section: &Section) -> ShownSection {
    let texts = |texts: &[Placed<String>]| texts.iter().map(|text| printable(&text.value)).collect();
    let entry = &section.entry;
    ShownSection {
        name: entry.name.as_ref().map(|name| printable(&name.value)),
        names: entry.names.iter().map(|pattern| printable(&pattern.value.to_string())).collect(),
        tagged: texts(&entry.tagged),
        extends: texts(&entry.extends),
        from: section.layer.origin(entry.at).to_string(),
    }
}

#[derive(Serialize)]
struct ShownChange<T> {
    value: T,
    default: T,
    from: String,
}

#[derive(Serialize)]
struct ShownValue<T> {
    value: T,
    from: String,
}

#[derive(Serialize)]
struct ShownFile {
    file: String,
    from: String,
}

#[derive(Serialize)]
struct ShownIgnore {
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    domain: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    reason: String,
    until: String,
    /// Days after today on which it still counts; below zero where it has expired.
    days_left: i64,
    from: String,
}

impl Shown {
    fn of(configuration: &Configuration, in_force: &InForce, domain: Option<&str>, today: Date) -> Self {
        let concerned = |ignore: &&Ignore| domain.is_none() || in_force.ignores.concerns(ignore, domain);
        let (settled, membership) = in_force.for_domain(domain);
        let changes = settled.as_ref().map_or(&in_force.changes, |settled| &settled.changes);
        let sections = in_force.sections.list.iter().enumerate();
        let sections = sections.filter(|(index, _)| domain.is_none() || membership.sections.contains(index));
        let rule_file = |file: &Set<crate::rules::Source>| ShownFile {
            file: printable(&file.value.name),
            from: file.origin.to_string(),
        };
        let option = |(key, set): (&'static str, Set<String>)| {
            (key, ShownValue { value: as_written(key, &set.value), from: set.origin.to_string() })
        };
        Shown {
            configurations: configuration.layers.iter().map(|layer| printable(&layer.source.name)).collect(),
            domains: sections.map(|(_, it)| section(it)).collect(),
            tags: membership.tags.into_iter().map(|tag| printable(&tag)).collect(),
            rules: changes.iter().filter_map(|(id, change)| Some((id.clone(), rule(change)?))).collect(),
            rule_files: configuration.rule_files.iter().map(rule_file).collect(),
            ignore: in_force.ignores.entries.iter().filter(concerned).map(|entry| ignore(entry, today)).collect(),
            options: configuration.options().into_iter().map(option).collect(),
        }
    }
}

/// What of a rule differs, if anything does.
fn rule(change: &Change) -> Option<ShownRule> {
    let differs = |level: &&Set<Level>| change.conditions || level.value.severity() != Some(change.written);
    let severity = change.level.as_ref().filter(differs).map(|level| ShownChange {
        value: level.value.word(),
        default: change.written.word(),
        from: level.origin.to_string(),
    });
    let param = |(name, (written, set)): (&String, &(Value, Set<Value>))| {
        let shown = ShownChange { value: set.value.clone(), default: written.clone(), from: set.origin.to_string() };
        (set.value != *written).then(|| (name.clone(), shown))
    };
    let params: BTreeMap<_, _> = change.params.iter().filter_map(param).collect();
    (severity.is_some() || !params.is_empty()).then_some(ShownRule { severity, params })
}

fn ignore(ignore: &Ignore, today: Date) -> ShownIgnore {
    let entry = &ignore.entry;
    let until = entry.until.value;
    ShownIgnore {
        rule: entry.rule.as_ref().map(|rule| rule.value.to_string()),
        group: entry.group.as_ref().map(|group| group.value.clone()),
        domain: entry.domain.as_ref().map(|pattern| pattern.value.to_string()),
        subject: entry.subject.as_ref().map(|pattern| pattern.value.to_string()),
        reason: entry.reason.clone(),
        until: until.to_string(),
        days_left: today.until((Unit::Day, until)).map_or(0, |span| i64::from(span.get_days())),
        from: ignore.origin.to_string(),
    }
}

/// The value of an option as a configuration has it, without the user name and the password that a proxy's address
/// may hold.
fn as_written(key: &str, value: &str) -> Value {
    let kind = CommandOption::of(key).map(|option| option.kind);
    match (kind, value.split_once("://"), value.rsplit_once('@')) {
        (Some(OptionKind::Bool), ..) => Value::Bool(value == "true"),
        (Some(OptionKind::Inverted), ..) => Value::Bool(value != "true"),
        (Some(OptionKind::Seconds), ..) => value.parse().map_or(Value::Null, Value::Number),
        (_, Some((scheme, _)), Some((_, endpoint))) if key == "smtp_proxy" => {
            format!("{scheme}://***@{endpoint}").into()
        }
        _ => value.into(),
    }
}
