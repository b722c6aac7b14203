//! `stslint explain`: from what people have in hand (a rule, a group, a result type, the reply of a mail server) to what
//! it means, what is behind it, and how to fix it.

use std::path::Path;

use clap::{Args, ValueEnum};
use miette::IntoDiagnostic;

use super::rule_args::OwnRules;
use super::{Ended, OutputArgs, UsageError, terminal};
use crate::config::{Configuration, EXPIRED_RULE, UNUSED_RULE};
use crate::files;
use crate::report::{rule_page, symptoms as page};
use crate::rules::{BROKEN_RULE, Rule, RuleSet, good_snapshot};
use crate::source_text::{SourceError, escape, nearest, printable_json};
use crate::symptoms::{self, Answer, Explained, RuleLine};

/// The largest bounce that is read: mail providers take no larger mail.
const MAX_BOUNCE: u64 = 64 << 20;

/// What is told of everything that `explain` takes.
const TAKES: &str = "`explain` takes a rule or a group (`stslint rules list` names them), a result type of TLS \
    reports such as sts-webpki-invalid, or what a mail server said: the line of a log, a bounce (`-` reads it from \
    standard input), or its code such as 5.7.323";

/// Options of `explain`.
#[derive(Args, Debug)]
pub struct ExplainArgs {
    /// A rule, such as policy-max-age-short; a group of rules; a result type of TLS reports (RFC 8460 §4.3); or what a
    /// mail server said: a code such as 5.7.323, some words, the line of a log or a whole bounce. `-` reads it from
    /// standard input.
    #[arg(required = true, value_name = "RULE|GROUP|RESULT-TYPE|REPLY")]
    what: Vec<String>,
    /// The format of the answer.
    #[arg(long, value_enum, default_value_t = ExplainFormat::Human, help_heading = "Output")]
    format: ExplainFormat,
    /// Your own rules.
    #[command(flatten)]
    own: OwnRules,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum ExplainFormat {
    /// For people.
    Human,
    /// One JSON document.
    Json,
}

/// What is told of the finding that speaks of the configuration and not of a domain.
const EXPIRED: &str = "config-ignore-expired (warning, group config)

No entry of `ignore` in the configuration has expired.

Why
  An accepted finding is accepted until a day. After it, the finding is reported again, and this one says so, so
  that nobody wonders why.

What to do
  Fix what the entry ignored and remove it, or name a new last day with a reason that still holds.
  `stslint config show` lists every entry with the days that it has left.
";

/// What is told of the note on an entry that is not needed.
const UNUSED: &str = "config-ignore-unused (note, told at the end of a run and not in reports)

Every entry of `ignore` in the configuration was needed.

Why
  An entry that matches nothing, although everything that it speaks of was checked, hides the next such finding
  from whoever believes that it is fixed.

What to do
  Remove the entry.
";

/// What is told of the finding that a rule cannot be evaluated.
const BROKEN: &str = "rule-broken (error, group config)

Every rule can be evaluated over the facts of the domain.

Why
  A rule that ends in an error, such as a number that is divided by 0 or a text that is not a time, says nothing
  about the domain. So that nobody takes its silence for a pass, the run ends with exit code 2.

What to do
  Correct the rule, and give it a case with facts like these: `stslint rules test` runs it.
";

/// Runs the command.
pub fn run(args: &ExplainArgs, configuration: &Configuration, output: &OutputArgs) -> Ended {
    let text = asked(args)?;
    let of_configuration = [(BROKEN_RULE, BROKEN), (EXPIRED_RULE, EXPIRED), (UNUSED_RULE, UNUSED)];
    let known = of_configuration.iter().find(|(rule, _)| *rule == text.trim());
    if let (Some((_, page)), ExplainFormat::Human) = (known, args.format) {
        terminal::print_words(page, &terminal::style(output));
        return Ok(0);
    }
    let rules = args.own.load(configuration)?.rules;
    let rule = rules.get(rules.current(text.trim()));
    if let Some(former) = rules.former(text.trim()) {
        let warning = SourceError::new("", "", None, former.message(text.trim())).with_help(Some(former.help()));
        terminal::print_warnings(&[warning], output);
    }
    let style = terminal::style(output);
    if let (Some(rule), ExplainFormat::Human) = (rule, args.format) {
        terminal::print_words(&rule_page::for_terminal(&rules, rule, &good_snapshot()?, &style), &style);
        return Ok(0);
    }
    let explained = match (known, rule) {
        (Some((id, page)), _) => alone(&text, of_configuration_line(id, page)),
        _ => symptoms::explain(&rules, &text),
    };
    if args.format == ExplainFormat::Json {
        let json = serde_json::to_string_pretty(&explained).into_diagnostic()?;
        terminal::print(&(printable_json(&json) + "\n"));
    }
    if explained.answers.is_empty() {
        return Err(not_known(&explained).into());
    }
    if args.format == ExplainFormat::Human {
        terminal::print_words(&page::symptoms(&explained, &style), &style);
    }
    Ok(0)
}

/// What was asked: the words of the command line, or standard input.
fn asked(args: &ExplainArgs) -> Result<String, miette::Report> {
    match args.what.as_slice() {
        [word] if word == "-" => {
            let octets = files::read_bounded(Path::new("-"), MAX_BOUNCE)?;
            Ok(String::from_utf8_lossy(&octets).into_owned())
        }
        words => Ok(words.join(" ")),
    }
}

fn alone(text: &str, rule: RuleLine) -> Explained {
    Explained { asked: escape(text.trim()), answers: vec![Answer::Rule(rule)], near: Vec::new() }
}

/// A page of the configuration's own findings in one line: its severity is in its first line, its title in the third.
fn of_configuration_line(id: &str, page: &str) -> RuleLine {
    let severity = page.split_once(" (").and_then(|(_, rest)| rest.split([',', ')']).next()).unwrap_or_default();
    let title = page.lines().nth(2).unwrap_or_default().trim_end_matches('.');
    RuleLine { rule: id.to_owned(), severity: severity.to_owned(), title: title.to_owned() }
}

fn not_known(explained: &Explained) -> UsageError {
    let asked: String = explained.asked.chars().take(80).collect();
    let message = if asked.is_empty() {
        "there is nothing to explain".to_owned()
    } else if asked.contains(' ') {
        format!("nothing is known of “{asked}”")
    } else {
        format!("nothing is known of `{asked}`")
    };
    let quoted: Vec<String> =
        explained.near.iter().map(|near| format!("`{}`", escape(near).replace('*', "…"))).collect();
    let help = match quoted.as_slice() {
        [] => TAKES.to_owned(),
        near => format!("did you mean {}? {TAKES}", near.join(" or ")),
    };
    UsageError::new(message, help)
}

/// The rule of that id, or an error that proposes the nearest.
pub fn find<'a>(rules: &'a RuleSet, id: &str) -> Result<&'a Rule, UsageError> {
    rules.get(rules.current(id)).ok_or_else(|| {
        if let Some(former) = rules.former(id) {
            return UsageError::new(former.message(id), former.help());
        }
        let near = nearest(id, rules.rules.iter().map(|rule| rule.id.as_str()));
        let help =
            near.map_or("`stslint rules list` names them all".to_owned(), |near| format!("did you mean `{near}`?"));
        UsageError::new(format!("there is no rule `{}`", escape(id)), help)
    })
}
