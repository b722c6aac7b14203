//! `stslint man`: the manual pages, made from the command line's own types; one page a command.

use std::path::PathBuf;

use clap::{Args, Command};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, italic, roman};
use miette::{IntoDiagnostic, Report};

use super::{Ended, UsageError, exit_codes, terminal};
use crate::files;
use crate::source_text::escape;

const EXIT_STATUS: [(&str, &str); 4] = [
    ("0", "Nothing at or above --fail-on (default: error) was found."),
    ("1", "There are findings, or one of several inputs could not be read."),
    ("2", "Nothing could be done: usage, a wrong rule file or configuration, an unreadable input."),
    ("3", "With --require-complete only: some check was not made."),
];
const FILES: [(&str, &str); 3] = [
    ("stslint.yaml", "The configuration: the nearest one in the working directory or in those above it."),
    ("mta-sts.txt", "A policy. A path that ends in this name is linted as a file, not looked up as a domain."),
    ("/etc/resolv.conf", "Names the resolver for DNS queries, unless --resolver does."),
];
const ENVIRONMENT: [(&str, &str); 5] = [
    ("NO_COLOR", "Where it is set to anything, there is no colour, unless --color always is given."),
    ("CLICOLOR_FORCE", "Where it is set, and not to 0, there is colour even without a terminal."),
    ("COLUMNS", "How wide the terminal is, where the terminal itself does not say."),
    ("LC_ALL, LC_CTYPE, LANG", "Whether the terminal takes UTF-8. Without it, diagnostics are drawn in ASCII."),
    ("TERM", "Where it is dumb, there is no colour."),
];
const EXAMPLES: [(&str, &str); 7] = [
    ("stslint check example.com", "Lint a live domain. With --no-smtp where outbound port 25 is blocked."),
    ("stslint check --policy mta-sts.txt --mx mx1.example.com", "Lint a policy before it is published."),
    ("stslint collect example.com -o example.yaml", "Record what is seen of a domain."),
    ("stslint check --snapshot example.yaml", "Lint the recording, offline."),
    ("stslint check example.com -q --fail-on warning", "Print only findings, and fail on warnings too."),
    ("stslint explain policy-max-age-short", "Show what a rule demands, why, and how to fix it."),
    ("stslint explain - < bounce.eml", "Show what a bounce means, and its possible causes."),
];
const STANDARDS: [(&str, &str); 2] =
    [("RFC 8461", "SMTP MTA Strict Transport Security (MTA-STS)"), ("RFC 8460", "SMTP TLS Reporting")];

/// Options of `man`.
#[derive(Args, Debug)]
#[command(after_long_help = super::examples::MAN)]
pub struct ManArgs {
    /// Write a page for every command into this folder; without it, the main page goes to standard output.
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
}

/// Runs the command.
pub fn run(args: &ManArgs) -> Ended {
    let mut main = exit_codes::command().disable_help_subcommand(true);
    main.build();
    let Some(folder) = &args.folder else {
        terminal::print(&String::from_utf8_lossy(&main_page(&main)?));
        return Ok(0);
    };
    std::fs::create_dir_all(folder).map_err(|error| {
        let message = format!("cannot make the folder {}: {error}", escape(&folder.display().to_string()));
        UsageError::new(message, "name a folder that you may write to")
    })?;
    files::write_whole(&folder.join("stslint.1"), &main_page(&main)?)?;
    for (name, page) in command_pages(&main)? {
        files::write_whole(&folder.join(name), &page)?;
    }
    Ok(0)
}

/// The page of stslint itself, with the sections that no command line can know.
fn main_page(main: &Command) -> Result<Vec<u8>, Report> {
    let mut roff = Roff::new();
    terms(&mut roff, "EXIT STATUS", &EXIT_STATUS);
    terms(&mut roff, "FILES", &FILES);
    terms(&mut roff, "ENVIRONMENT", &ENVIRONMENT);
    terms(&mut roff, "EXAMPLES", &EXAMPLES);
    terms(&mut roff, "STANDARDS", &STANDARDS);
    see_also(&mut roff, main.get_subcommands().map(page_name));
    page(main, &roff)
}

/// The pages of the commands below this one, by the names of their files.
fn command_pages(command: &Command) -> Result<Vec<(String, Vec<u8>)>, Report> {
    let mut pages = Vec::new();
    for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
        let mut roff = Roff::new();
        if let Some(notes) = below.get_after_long_help() {
            for (heading, text) in sections(&notes.to_string()) {
                as_written(&mut roff, heading, &text);
            }
        }
        see_also(&mut roff, std::iter::once(page_name(command)).chain(below.get_subcommands().map(page_name)));
        pages.push((format!("{}.1", page_name(below)), page(below, &roff)?));
        pages.extend(command_pages(below)?);
    }
    Ok(pages)
}

/// The parts of what a command's help ends with, under the headings that manuals have for them.
fn sections(notes: &str) -> Vec<(&'static str, String)> {
    let mut sections: Vec<(&'static str, String)> = Vec::new();
    for line in notes.lines() {
        let heading = match line {
            "Examples:" => Some("EXAMPLES"),
            exit_codes::HEADING => Some("EXIT STATUS"),
            // The codes are the last of it, and what follows the examples is about all of the command.
            line if !line.is_empty() && !line.starts_with(' ') => sections
                .last()
                .is_none_or(|(heading, text)| *heading != "NOTES" && (text.is_empty() || text.ends_with("\n\n")))
                .then_some("NOTES"),
            _ => None,
        };
        match (heading, line) {
            (Some(heading), "Examples:" | exit_codes::HEADING) => sections.push((heading, String::new())),
            (Some(heading), line) => sections.push((heading, format!("{line}\n"))),
            (None, line) => {
                if let Some((_, text)) = sections.last_mut() {
                    text.push_str(line);
                    text.push('\n');
                }
            }
        }
    }
    sections.into_iter().map(|(heading, text)| (heading, text.trim_end().to_owned())).collect()
}

/// A page: what clap knows of the command, then the sections of its own.
fn page(command: &Command, sections: &Roff) -> Result<Vec<u8>, Report> {
    // A page without a date would be read as one whose date is the source; a blank one is left out.
    let man = Man::new(command.clone())
        .date(" ")
        .source(concat!("stslint ", env!("CARGO_PKG_VERSION")))
        .manual("stslint manual");
    let mut page = Vec::new();
    man.render_title(&mut page).into_diagnostic()?;
    man.render_name_section(&mut page).into_diagnostic()?;
    synopsis(command).to_writer(&mut page).into_diagnostic()?;
    man.render_description_section(&mut page).into_diagnostic()?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page).into_diagnostic()?;
    }
    man.render_options_section(&mut page).into_diagnostic()?;
    sections.to_writer(&mut page).into_diagnostic()?;
    Ok(page)
}

/// The usage as `--help` has it: every option by name would fill a screen.
fn synopsis(command: &Command) -> Roff {
    let usage = command.clone().render_usage().to_string();
    let mut roff = Roff::new();
    let lines: Vec<&str> = usage.trim_start_matches("Usage:").lines().map(str::trim).collect();
    as_written(&mut roff, "SYNOPSIS", &lines.join("\n"));
    roff
}

/// A section whose lines stay as they are.
fn as_written(roff: &mut Roff, heading: &str, text: &str) {
    roff.control("SH", [heading]);
    roff.control("nf", []);
    for line in text.lines() {
        roff.text([roman(line)]);
    }
    roff.control("fi", []);
}

fn page_name(command: &Command) -> String {
    command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned()
}

fn terms(roff: &mut Roff, heading: &str, terms: &[(&str, &str)]) {
    roff.control("SH", [heading]);
    for (term, meaning) in terms {
        roff.control("TP", []);
        roff.text([bold(*term)]);
        roff.text([roman(*meaning)]);
    }
}

fn see_also(roff: &mut Roff, pages: impl Iterator<Item = String>) {
    roff.control("SH", ["SEE ALSO"]);
    let mut inlines = Vec::new();
    for page in pages {
        if !inlines.is_empty() {
            inlines.push(roman(", "));
        }
        inlines.extend([bold(page), roman("(1)")]);
    }
    roff.text(inlines);
    roff.control("PP", []);
    roff.text([italic(env!("CARGO_PKG_REPOSITORY"))]);
}
