//! What people write where a domain belongs: with quotes, `mailto:` or a comma it means what was meant, and a file gets the
//! very command that reads it. Used for the words of every command that takes domains.
//!
//! No word makes the program read a file as domains: whoever hands on a stranger's domain would hand on the files of the
//! machine. Only what kind of file it is goes into the advice.

use std::io::Read;
use std::path::Path;

use clap::CommandFactory;

use super::{Cli, UsageError};
use crate::grammar::names::{DomainName, NameError};
use crate::source_text::escape;
use crate::source_text::told_apart::FileKind;

/// Signs that people put around a name.
const PAIRS: [(char, char); 7] =
    [('"', '"'), ('\'', '\''), ('`', '`'), ('<', '>'), ('\u{201C}', '\u{201D}'), ('\u{2018}', '\u{2019}'), ('(', ')')];
/// Endings of files that no domain has: none of them is a top-level domain.
const ENDINGS: [&str; 12] = ["csv", "gz", "json", "jsonl", "list", "lst", "ndjson", "tsv", "txt", "yaml", "yml", "zst"];
/// So many octets of a file tell what it is.
const HEAD: u64 = 64 << 10;
/// Names below a domain that hold its records, and are no mail domains.
const RECORDS: [&str; 2] = ["_mta-sts.", "_smtp._tls."];

/// The names in one word of the command line, without what people put around them.
pub fn names(word: &str) -> Vec<&str> {
    let bare = without_surroundings(word);
    let parts: Vec<&str> = bare.split([',', ';']).flat_map(str::split_whitespace).collect();
    // A word that is not a list is named whole in its error.
    if parts.len() > 1 && parts.iter().all(|part| part.contains(['.', '@'])) {
        return parts.into_iter().map(without_surroundings).collect();
    }
    match parts.as_slice() {
        [one] => vec![without_surroundings(one)],
        _ => vec![bare],
    }
}

/// The name alone: without quotes, angle brackets and the name before them, and `mailto:`.
fn without_surroundings(text: &str) -> &str {
    let text = text.trim();
    let inner = PAIRS.iter().find_map(|(open, close)| {
        let inner = text.strip_prefix(*open)?.strip_suffix(*close)?;
        (!inner.contains(*close)).then_some(inner)
    });
    let named = || {
        let (before, address) = text.strip_suffix('>')?.rsplit_once('<')?;
        (!before.contains(['<', ',', ';'])).then_some(address)
    };
    match inner.or_else(named) {
        Some(inner) => without_surroundings(inner),
        None => match text.get(..7).filter(|scheme| scheme.eq_ignore_ascii_case("mailto:")) {
            Some(_) => text.get(7..).unwrap_or_default().split('?').next().unwrap_or_default(),
            None => text,
        },
    }
}

/// The domain that a name is, or what to give instead.
pub fn domain(name: &str) -> Result<DomainName, UsageError> {
    if let Some(mistaken) = file_at(name).or_else(|| file(name)).or_else(|| record(name)) {
        return Err(mistaken);
    }
    DomainName::parse(name).map_err(|error| {
        let meant = meant(name, &error).filter(|meant| DomainName::parse(meant).is_ok());
        let command = |meant: String| format!("`stslint check {}`", quoted(&meant));
        let help = meant.map_or_else(|| "give a mail domain such as example.com".to_owned(), command);
        UsageError::new(error.to_string(), help)
    })
}

/// `@domains.txt`, as other programs take a list.
fn file_at(name: &str) -> Option<UsageError> {
    let path = name.strip_prefix('@')?;
    (has_ending(path) || is_path(path) || (!path.contains('.') && Path::new(path).is_file())).then(|| {
        let message = format!("`{}` is not a domain: a list of domains is read from standard input", escape(name));
        UsageError::new(message, list_command(path))
    })
}

fn file(name: &str) -> Option<UsageError> {
    let path = Path::new(name);
    if name.contains("://") || !(has_ending(name) || is_path(name) || !name.contains(['.', '@'])) {
        return None;
    }
    let shown = escape(name);
    if path.is_dir() && is_path(name) {
        return Some(UsageError::new(
            format!("`{shown}` is a folder, and a domain belongs here"),
            "name the files in it",
        ));
    }
    if path.is_file() {
        return Some(UsageError::new(format!("`{shown}` is a file, and a domain belongs here"), command_for(name)));
    }
    has_ending(name).then(|| {
        let message = format!("`{shown}` is not a domain, and there is no file of that name here");
        UsageError::new(
            message,
            "give a mail domain such as example.com, or `-` and the list of domains on standard input",
        )
    })
}

fn has_ending(name: &str) -> bool {
    let ending = Path::new(name).extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    ENDINGS.iter().any(|known| known.eq_ignore_ascii_case(ending))
}

fn is_path(name: &str) -> bool {
    name.contains('/') || name.contains('\\')
}

/// The command that reads a file, by what it holds.
fn command_for(name: &str) -> String {
    let mut head = Vec::new();
    let read = std::fs::File::open(name).and_then(|file| file.take(HEAD).read_to_end(&mut head));
    let kind = read.ok().and_then(|_| FileKind::of(&String::from_utf8_lossy(&head)));
    let list = list_command(name);
    let name = quoted(name);
    match kind {
        Some(FileKind::Configuration) => format!("it is a configuration: `stslint check DOMAIN --config {name}`"),
        Some(FileKind::Policy) => format!("it is a policy: `stslint check --policy {name}`"),
        Some(FileKind::Rules) => format!("it holds rules: `stslint check DOMAIN --rules {name}`"),
        Some(FileKind::Snapshot) => format!("it is a snapshot: `stslint check --snapshot {name}`"),
        Some(FileKind::TlsReport) => format!("it is a TLS report: `stslint reports {name}`"),
        None => format!("{list}; `--policy {name}` lints it as a policy, `--snapshot {name}` as a recording"),
    }
}

/// The command that checks the domains in a file.
fn list_command(path: &str) -> String {
    let (quoted, ending) = (quoted(path), Path::new(path).extension().and_then(|it| it.to_str()).unwrap_or_default());
    if ["csv", "gz", "jsonl", "ndjson", "tsv", "zst"].contains(&ending) && has_command("scan") {
        return format!("`stslint scan {quoted}` checks the domains in it");
    }
    match ending {
        "csv" => format!("`cut -d, -f1 {quoted} | stslint check -` checks the domains in its first column"),
        "tsv" => format!("`cut -f1 {quoted} | stslint check -` checks the domains in its first column"),
        "gz" => format!("`zcat {quoted} | stslint check -` checks the domains in it"),
        "zst" => format!("`zstdcat {quoted} | stslint check -` checks the domains in it"),
        _ => format!("`stslint check - < {quoted}` checks the domains in it, one per line"),
    }
}

fn has_command(name: &str) -> bool {
    Cli::command().find_subcommand(name).is_some()
}

/// `_mta-sts.example.com`: the name of a record, where the domain belongs.
fn record(name: &str) -> Option<UsageError> {
    let lower = name.to_ascii_lowercase();
    let domain = RECORDS.iter().find_map(|prefix| lower.strip_prefix(prefix)).filter(|rest| !rest.is_empty())?;
    let (name, domain) = (escape(name), quoted(domain));
    let message = format!("`{name}` is where a record is published, and the mail domain belongs here");
    Some(UsageError::new(message, format!("`stslint check {domain}`")))
}

/// What was most likely meant by a name that is not a domain.
fn meant(name: &str, error: &NameError) -> Option<String> {
    let alone = |host: &str| host.split([':', '/', '?', '#']).next().unwrap_or_default().to_owned();
    match error {
        NameError::Url { host, .. } => {
            let of_policy = name.contains("/.well-known/").then(|| host.strip_prefix("mta-sts.")).flatten();
            Some(of_policy.unwrap_or(host).to_owned())
        }
        NameError::Character { character: '*', .. } => name.strip_prefix("*.").map(str::to_owned),
        NameError::Character { character: ':' | '/' | '?' | '#', .. } => Some(alone(name)),
        NameError::EmptyLabel(_) => Some(name.split('.').filter(|part| !part.is_empty()).collect::<Vec<_>>().join(".")),
        _ => None,
    }
}

/// A word as a shell takes it, safe to print.
pub fn quoted(word: &str) -> String {
    let word = escape(word);
    let plain = |c: char| c.is_alphanumeric() || "-_./+:@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) { word } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_surrounds_a_name_is_taken_off() {
        for word in [
            "example.com",
            " example.com ",
            "\"example.com\"",
            "'example.com'",
            "<example.com>",
            "example.com,",
            "\u{201C}example.com\u{201D}",
            "mailto:example.com",
            "MAILTO:example.com?subject=x",
            "'mailto:example.com'",
            "A Name <example.com>",
            "`example.com`",
            ";example.com",
        ] {
            assert_eq!(names(word), ["example.com"], "{word}");
        }
        for word in [
            "a.example,b.example",
            "a.example, b.example",
            "a.example;b.example,",
            "\"a.example b.example\"",
            "a.example\nb.example",
            "'a.example','b.example'",
        ] {
            assert_eq!(names(word), ["a.example", "b.example"], "{word}");
        }
        assert_eq!(names("ex ample.com"), ["ex ample.com"]);
        assert_eq!(names("a.example,owner"), ["a.example,owner"]);
        assert_eq!(names(""), [""]);
        assert_eq!(names("\u{e9}\u{e9}\u{e9}\u{e9}"), ["\u{e9}\u{e9}\u{e9}\u{e9}"]);
    }

    #[test]
    fn words_are_quoted_for_a_shell() {
        assert_eq!(quoted("a-b.txt"), "a-b.txt");
        assert_eq!(quoted("my list.txt"), "'my list.txt'");
        assert_eq!(quoted("it's"), "'it'\\''s'");
    }
}
