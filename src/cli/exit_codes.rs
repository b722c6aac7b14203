//! The exit codes that `--help` of each command ends with, and its page of the manual.

use clap::{Command, CommandFactory};

use super::Cli;

/// The codes of commands that have more than the usual ones, by their words.
const OWN: [(&str, &[(&str, &str)]); 7] = [
    (
        "audit-sender",
        &[
            ("0", "the server did as the standard asks"),
            ("1", "it did not"),
            USUAL_ERROR,
            ("3", "with --require-complete only: something about it remains unknown"),
        ],
    ),
    (
        "check",
        &[
            ("0", "nothing at or above --fail-on (default: error) was found"),
            ("1", "there are findings, or one of several inputs could not be read"),
            ("2", "nothing could be done: usage, a wrong rule file or configuration, an unreadable input"),
            ("3", "with --require-complete only: some check was not made"),
            ("0 to 3", "with --format nagios: OK, WARNING, CRITICAL, UNKNOWN"),
        ],
    ),
    (
        "diff",
        &[
            ("0", "nothing changed, or of two runs nothing at or above --fail-on is new or worse"),
            ("1", "something did, or a line of a run could not be read"),
            USUAL_ERROR,
        ],
    ),
    (
        "reports",
        &[
            ("0", "no connection failed"),
            ("1", "connections failed, or there is a finding of severity error"),
            ("2", "no report could be read, or a rule could not be evaluated"),
        ],
    ),
    ("rules test", &[("0", "every case gave what it expects"), ("1", "some did not"), USUAL_ERROR]),
    ("senders test", &[("0", "every case gave what it expects"), ("1", "some did not"), USUAL_ERROR]),
    ("scan", &[("0", "every line was answered, whatever was found"), USUAL_ERROR, ("130", "it was interrupted")]),
];
const USUAL_ERROR: (&str, &str) = ("2", "it could not be done: the reason is on standard error");
const USUAL: [(&str, &str); 2] = [("0", "it was done"), USUAL_ERROR];
/// How the help begins to tell the codes.
pub const HEADING: &str = "Exit codes:";

/// The command line with the exit codes in the help of each command that does not tell them itself.
pub fn command() -> Command {
    // The main help says them in one sentence.
    below(Cli::command(), "")
}

fn below(command: Command, path: &str) -> Command {
    command.mut_subcommands(|command| {
        let name = command.get_name().to_owned();
        let path = if path.is_empty() { name } else { format!("{path} {name}") };
        let help = command.get_after_long_help().map(ToString::to_string).unwrap_or_default();
        let command = match help.contains(HEADING) {
            true => command,
            false => command.after_long_help(format!("{help}\n\n{}", told(&path)).trim_start().to_owned()),
        };
        below(command, &path)
    })
}

fn told(path: &str) -> String {
    let own = OWN.iter().find(|(own, _)| *own == path).map(|(_, codes)| *codes);
    let codes = own.unwrap_or(&USUAL);
    let widest = codes.iter().map(|(code, _)| code.len()).max().unwrap_or_default();
    let lines: Vec<String> = codes.iter().map(|(code, meaning)| format!("  {code:<widest$}  {meaning}")).collect();
    format!("{HEADING}\n{}", lines.join("\n"))
}
