//! `stslint facts`: what rules can ask for, and what a snapshot answers. `stslint eval`: one expression.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use miette::{IntoDiagnostic, Report as Error};
use serde_json::{Value, json};

use super::input::TextArgs;
use super::{Ended, OutputArgs, UsageError, terminal};
use crate::facts::{Domains, FIRST_VERSION, FactPath, Facts, Field, Over, Type, fact_paths, root};
use crate::report::Page;
use crate::rules::{Answer, Function, ask, functions, needed_of};
use crate::snapshot::{self, Snapshot};
use crate::source_text::{escape, json_line, nearest};
use crate::what_if::unobserved;

/// How wide the column of paths gets at most.
const WIDEST_PATH: usize = 44;

/// Options of `facts`.
#[derive(Args, Debug)]
pub struct FactsArgs {
    /// Only paths under this one, for example `policy` or `mx.hosts`; otherwise, those with all these words in their path or meaning. `domains` first: the facts of rules over many domains; `report` and `reports`: those of one TLS report, and
    /// of all together.
    #[arg(value_name = "PATH|WORD")]
    wanted: Vec<String>,
    /// Show the values in this snapshot.
    #[arg(long, value_name = "FILE")]
    snapshot: Option<PathBuf>,
    /// List the functions of expressions instead.
    #[arg(long, conflicts_with_all = ["snapshot", "wanted"])]
    functions: bool,
    /// The format.
    #[arg(long, value_enum, default_value_t = FactsFormat::Human)]
    format: FactsFormat,
}

/// Options of `eval`.
#[derive(Args, Debug)]
pub struct EvalArgs {
    /// The expression in CEL, for example `mx.hosts.all(h, h.covered == true)`.
    #[arg(value_name = "EXPR", allow_hyphen_values = true)]
    expr: String,
    /// The snapshot to evaluate over; with `--over domains` there can be many.
    #[arg(long = "snapshot", value_name = "FILE")]
    snapshots: Vec<PathBuf>,
    /// What the expression covers: one domain, or all domains of the snapshots together.
    #[arg(long, value_enum, value_name = "SCOPE", default_value_t = EvalOver::Domain)]
    over: EvalOver,
    /// An older snapshot of the same domain, for `baseline`.
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Texts instead of what is published.
    #[command(flatten)]
    texts: TextArgs,
    /// The format.
    #[arg(long, value_enum, default_value_t = FactsFormat::Human)]
    format: FactsFormat,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum EvalOver {
    /// One domain.
    Domain,
    /// All domains of the snapshots together.
    Domains,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum FactsFormat {
    /// For people.
    Human,
    /// JSON.
    Json,
}

/// Runs `facts`.
pub fn facts(args: &FactsArgs, output: &OutputArgs) -> Ended {
    let style = terminal::style(output);
    let page = Page { style: &style };
    if args.functions {
        return show_functions(args.format, &page);
    }
    let over = args.wanted.first().and_then(|word| Over::ALL.iter().copied().find(|over| over.word() == word));
    let (over, words) = match over.filter(|over| *over != Over::Domain) {
        Some(over) => (over, args.wanted.get(1..).unwrap_or_default()),
        None => (Over::Domain, args.wanted.as_slice()),
    };
    if over != Over::Domain && args.snapshot.is_some() {
        let help = "leave out --snapshot: it holds the facts of a domain";
        return Err(UsageError::new(format!("a snapshot holds no facts of `{}`", over.word()), help).into());
    }
    let paths = wanted(over, words)?;
    match &args.snapshot {
        Some(path) => show_values(&Facts::of(&read(path)?, None), &paths, args.format),
        None => show_paths(&paths, args.format, &page),
    }
}

/// The paths under a prefix, else those with all the words in them.
fn wanted(over: Over, words: &[String]) -> Result<Vec<FactPath>, UsageError> {
    let all = fact_paths(over);
    let without_brackets = |path: &str| path.replace("[]", "");
    let inside = |fact: &&FactPath, under: &str| {
        let path = without_brackets(&fact.path);
        path == without_brackets(under) || path.starts_with(&format!("{}.", without_brackets(under)))
    };
    let mut found: Vec<FactPath> = match words {
        [] => return Ok(all),
        [under] => all.iter().filter(|fact| inside(fact, under)).cloned().collect(),
        _ => Vec::new(),
    };
    if found.is_empty() {
        let holds = |fact: &FactPath, word: &String| {
            let word = word.to_lowercase();
            fact.path.to_lowercase().contains(&word) || fact.about.to_lowercase().contains(&word)
        };
        found = all.iter().filter(|fact| words.iter().all(|word| holds(fact, word))).cloned().collect();
    }
    if found.is_empty() {
        let words = words.join(" ");
        let near = nearest(&words, all.iter().map(|fact| fact.path.as_str()));
        let help = near.map_or("`stslint facts` lists them all".to_owned(), |near| format!("did you mean `{near}`?"));
        return Err(UsageError::new(format!("there is no fact `{}`", escape(&words)), help));
    }
    Ok(found)
}

fn show_paths(paths: &[FactPath], format: FactsFormat, page: &Page<'_>) -> Ended {
    if format == FactsFormat::Json {
        terminal::print_json(&paths)?;
        return Ok(0);
    }
    let widest = paths.iter().map(|fact| fact.path.len()).max().unwrap_or_default().min(WIDEST_PATH);
    let part = |fact: &FactPath| fact.path.split(['.', '[']).next().unwrap_or_default().to_owned();
    let mut last = paths.first().map(part);
    let mut text = String::new();
    for fact in paths {
        if last.as_deref() != Some(part(fact).as_str()) {
            last = Some(part(fact));
            text.push('\n');
        }
        let first = format!("{:<widest$}  {:<12}  ", fact.path, fact.shape);
        let since = if fact.since == FIRST_VERSION { String::new() } else { format!(" Since {}.", fact.since) };
        let about = format!("{}{since}", fact.about);
        text.push_str(&if first.len() > widest.saturating_add(16) {
            format!("{}\n{}", first.trim_end(), page.paragraph(&" ".repeat(widest.saturating_add(16)), &about))
        } else {
            page.paragraph(&first, &about)
        });
    }
    text.push_str("\nA type with ? can be null: the fact is known to be absent. Every fact can be left out because it was not\n\
        observed; a rule that needs it is then not checked, without a word from you. Elements of lists are written [].\n\
        A fact that names no version has been there since 0.1.0.\n");
    terminal::print_words(&text, page.style);
    Ok(0)
}

fn show_functions(format: FactsFormat, page: &Page<'_>) -> Ended {
    let functions = functions();
    if format == FactsFormat::Json {
        let row = |function: &Function| json!({ "usage": function.usage, "result": function.result.name(), "about": function.about });
        let rows: Vec<Value> = functions.iter().map(row).collect();
        terminal::print_json(&rows)?;
        return Ok(0);
    }
    let widest = functions.iter().map(|function| function.usage.len()).max().unwrap_or_default();
    let row = |function: &Function| {
        let first = format!("{:<widest$}  {:<12}  ", function.usage, function.result.name());
        page.paragraph(&first, function.about)
    };
    let text: String = functions.iter().map(row).collect();
    let text = format!(
        "{text}\nBeside them: && || ! == != < <= > >= in + - * / % ?: and the macros list.all(x, …), list.exists(x, …),\n\
         list.exists_one(x, …), list.filter(x, …), list.map(x, …), has(a.b).\n"
    );
    terminal::print_words(&text, page.style);
    Ok(0)
}

/// A path with its elements numbered, and its value or why there is none.
type Row = (String, Result<Value, String>);

fn show_values(facts: &Facts, paths: &[FactPath], format: FactsFormat) -> Ended {
    let wanted: BTreeSet<&str> = paths.iter().map(|fact| fact.path.as_str()).collect();
    let mut rows: Vec<Row> = Vec::new();
    values(facts, &facts.tree.to_json(), root(Over::Domain), ("", ""), &wanted, &mut rows);
    if format == FactsFormat::Json {
        let row = |(path, value): &Row| match value {
            Ok(value) => json!({ "path": path, "value": value }),
            Err(why) => json!({ "path": path, "not_observed": why }),
        };
        let rows: Vec<Value> = rows.iter().map(row).collect();
        terminal::print_json(&rows)?;
        return Ok(0);
    }
    let line = |(path, value): &Row| match value {
        Ok(value) => format!("{path} = {}\n", escape(&value.to_string())),
        Err(why) => format!("{path}: not observed ({})\n", escape(why)),
    };
    terminal::print_text(&rows.iter().map(line).collect::<String>());
    Ok(0)
}

/// The values of an object's fields, each element of a list with all its fields; `at` is the numbered path and the
/// one of the schema.
fn values(
    facts: &Facts,
    tree: &Value,
    fields: &BTreeMap<String, Field>,
    at: (&str, &str),
    wanted: &BTreeSet<&str>,
    rows: &mut Vec<Row>,
) {
    for (name, field) in fields {
        let join = |at: &str| if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
        let (path, schema) = (join(at.0), join(at.1));
        match (tree.get(name), &field.shape) {
            (None, _) if wanted.contains(schema.as_str()) => {
                let why = facts.reason_unobserved(&path);
                rows.push((path, Err(why)));
            }
            (Some(value @ Value::Object(_)), Type::Object(inner)) => {
                values(facts, value, inner, (&path, &schema), wanted, rows);
            }
            (Some(Value::Array(items)), Type::List(item)) if matches!(**item, Type::Object(_)) && !items.is_empty() => {
                let Type::Object(inner) = &**item else { continue };
                for (index, item) in items.iter().enumerate() {
                    let at = (format!("{path}[{index}]"), format!("{schema}[]"));
                    values(facts, item, inner, (&at.0, &at.1), wanted, rows);
                }
            }
            (Some(value), _) if wanted.contains(schema.as_str()) => rows.push((path, Ok(value.clone()))),
            _ => {}
        }
    }
}

fn read(path: &Path) -> Result<Snapshot, Error> {
    let empty = || UsageError::new("the file holds no snapshot", "give a file that `stslint collect` wrote");
    Ok(snapshot::read(path).next().ok_or_else(empty)??)
}

/// Runs `eval`: exit code 0 with a value, 3 where the answer is not known.
pub fn eval(args: &EvalArgs) -> Ended {
    if args.texts.policies.len() > 1 {
        return Err(UsageError::new("an expression is over one policy", "give --policy once").into());
    }
    if args.snapshots.is_empty() && !args.texts.any() {
        let help = "for example `stslint eval 'policy.max_age' --snapshot example.yaml`";
        return Err(UsageError::new("there are no facts to ask", help).into());
    }
    let facts = match args.over {
        EvalOver::Domain => facts_of_one(args)?,
        EvalOver::Domains => facts_of_all(args)?,
    };
    let answer = ask(&facts, &args.expr)?;
    let (shown, json, code) = match answer {
        Answer::Value(value) => {
            (escape_lines(&serde_json::to_string_pretty(&value).into_diagnostic()?), json!({ "value": value }), 0)
        }
        Answer::NotObserved(why) => (format!("not known: {}", escape(&why)), json!({ "not_observed": why }), 3),
        Answer::Impossible(why) => (format!("cannot be evaluated: {why}"), json!({ "error": why }), 2),
    };
    match args.format {
        FactsFormat::Human => terminal::print_text(&format!("{shown}\n")),
        FactsFormat::Json => terminal::print(&json_line(&json).into_diagnostic()?),
    }
    Ok(code)
}

fn facts_of_one(args: &EvalArgs) -> Result<Facts, Error> {
    let mut snapshot = match args.snapshots.as_slice() {
        [] => unobserved(None, "only what was given on the command line was looked at"),
        [path] => read(path)?,
        _ => {
            let help = "give one, or `--over domains` for an expression over all of them";
            return Err(UsageError::new("there is more than one snapshot", help).into());
        }
    };
    args.texts.read()?.apply(&mut snapshot);
    let baseline = args.baseline.as_deref().map(read).transpose()?;
    Ok(Facts::of(&snapshot, baseline.as_ref()))
}

fn facts_of_all(args: &EvalArgs) -> Result<Facts, Error> {
    if args.texts.any() || args.baseline.is_some() {
        let help = "record each domain with `stslint collect`, and give the snapshots alone";
        return Err(UsageError::new("texts and a baseline are of one domain", help).into());
    }
    let mut domains = Domains::new(needed_of(&args.expr));
    for path in &args.snapshots {
        for snapshot in snapshot::read(path) {
            domains.add(&Facts::of(&snapshot?, None));
        }
    }
    Ok(domains.into_facts())
}

/// Escapes what JSON leaves alone, and keeps its line endings.
fn escape_lines(text: &str) -> String {
    text.lines().map(escape).collect::<Vec<_>>().join("\n")
}
