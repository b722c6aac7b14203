//! Options that stslint does not have and people try all the same: the very option that does it. Used where the command
//! line cannot be read.

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::format::Format;

/// What people try, and what does it here.
const MEANT: [(&[&str], &str); 7] = [
    (
        &["--domain", "--domains", "--domains-file", "--file", "--input", "--input-file", "--list", "-i", "-l"],
        "domains are words of the command: 'stslint check example.com', and 'stslint check - < FILE' reads a list",
    ),
    (
        &["--dns", "--dns-server", "--name-server", "--nameserver", "--server"],
        "'--resolver ADDRESS' names who answers DNS queries",
    ),
    (&["--exclude", "--skip"], "'--ignore RULE|GROUP' leaves rules out"),
    (&["--no-color", "--no-colour", "--nocolor"], "'--color never' does that"),
    (&["--out", "--output-file", "--report", "--report-file"], "'--output FORMAT=FILE' writes a report to a file"),
    (&["--policy-file"], "'--policy FILE' lints a policy file"),
    (&["--strict", "--warnings-as-errors", "-W"], "'--fail-on warning' makes warnings fail the run, too"),
];

/// The error, with the option that was meant.
pub fn with_what_was_meant(mut error: clap::Error) -> clap::Error {
    if error.kind() != ErrorKind::UnknownArgument {
        return error;
    }
    let Some(ContextValue::String(given)) = error.get(ContextKind::InvalidArg) else { return error };
    let given = given.split('=').next().unwrap_or_default().to_owned();
    let format = given.strip_prefix("--").and_then(Format::from_word);
    let tip = match format {
        Some(format) => {
            Some(format!("'--format {format}' prints that format, '--output {format}=FILE' writes it to a file"))
        }
        None => MEANT.iter().find(|(tried, _)| tried.contains(&given.as_str())).map(|(_, tip)| (*tip).to_owned()),
    };
    if let Some(tip) = tip {
        // Clap's own guess goes by letters alone.
        error.insert(ContextKind::SuggestedArg, ContextValue::None);
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    }
    error
}
