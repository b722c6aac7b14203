//! `stslint schema`: the JSON Schemas of the files that stslint reads and writes, made from its own types.

use clap::{Args, ValueEnum};
use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema};

use super::{Ended, terminal};
use crate::config::ConfigFile;
use crate::report::{JsonLine, JsonReport};
use crate::rules::model::RuleFile;
use crate::senders::Profile;
use crate::snapshot::Snapshot;

/// Options of `schema`.
#[derive(Args, Debug)]
pub struct SchemaArgs {
    /// Of which file.
    #[arg(value_enum)]
    kind: Kind,
}

/// The files that have a schema.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum Kind {
    /// The configuration: stslint.yaml.
    Config,
    /// The report of `check --format json`.
    Report,
    /// A line of `check --format jsonl`.
    ReportLine,
    /// A file of rules.
    Rules,
    /// The file of a sender.
    Senders,
    /// A recorded snapshot.
    Snapshot,
}

/// Runs the command.
pub fn run(args: &SchemaArgs) -> Ended {
    let schema = match args.kind {
        Kind::Config => schema::<ConfigFile>("config", "A configuration of stslint", SchemaSettings::draft2020_12()),
        Kind::Report => schema::<JsonReport<'static>>(
            "report",
            "A report of stslint",
            SchemaSettings::draft2020_12().for_serialize(),
        ),
        Kind::ReportLine => schema::<JsonLine<'static>>(
            "report-line",
            "A line of a report of stslint",
            SchemaSettings::draft2020_12().for_serialize(),
        ),
        Kind::Rules => schema::<RuleFile>("rules", "A file of stslint rules", SchemaSettings::draft2020_12()),
        Kind::Senders => schema::<Profile>("senders", "A sender of stslint", SchemaSettings::draft2020_12()),
        Kind::Snapshot => schema::<Snapshot>("snapshot", "A snapshot of stslint", SchemaSettings::draft2020_12()),
    };
    terminal::print_json(&schema)?;
    Ok(0)
}

/// The schema of a type, under the address that `schema/` has in the repository.
fn schema<T: JsonSchema>(name: &str, title: &str, settings: SchemaSettings) -> Schema {
    // Validators refuse formats that they do not know, and some know none.
    let without_formats = RecursiveTransform(|schema: &mut Schema| _ = schema.remove("format"));
    let mut schema = settings.with_transform(without_formats).into_generator().into_root_schema_for::<T>();
    let id = format!("{}/raw/main/schema/{name}.schema.json", env!("CARGO_PKG_REPOSITORY"));
    schema.insert("title".to_owned(), title.into());
    schema.insert("$id".to_owned(), id.into());
    schema
}
