//! The examples that `--help` of each command ends with. Used by the definitions of the commands.
//!
//! A test below parses every one of them, so that none can name an option that does not exist.

/// Of the program as a whole.
pub const ALL: &str = "\
Exit codes: 0 nothing at or above --fail-on; 1 findings; 2 could not run; 3 with --require-complete only: some check was not made.

Examples:
  stslint check example.com                                  a live domain
  stslint explain policy-mode                                what a rule asks for, and why
  stslint rules list                                         every rule, and how bad it is";
/// Of `audit-sender`.
#[cfg(feature = "lab")]
pub const AUDIT_SENDER: &str = "\
Examples:
  stslint audit-sender --list                                the domains, and what is odd about each
  stslint audit-sender --send localhost:25                   hand the mails to the server of this machine
  stslint audit-sender --send mail.example.net:25 --listen 10.99.0.0/24
                                                             a server elsewhere, which reaches us at these addresses
  stslint audit-sender --only mx-not-covered                 one question, and the controls

The server needs three things: DNS from here, our authority trusted, and a way to our addresses. docs/audit-sender.md
shows the settings for Postfix, mox, Stalwart and others.";
/// Of `check`.
pub const CHECK: &str = "\
Examples:
  stslint check example.com                                  a live domain
  stslint check - --format jsonl < domains.txt               many, one line of JSON each
  stslint check --snapshot example.yaml                      a recording, offline
  stslint check --policy mta-sts.txt --mx mx1.example.com    a policy before it is published
  stslint check example.com --held old-mta-sts.txt           after a move: who still refuses
  stslint check example.com --rules rules/                   with rules of your own";
/// Of `collect`.
pub const COLLECT: &str = "\
Examples:
  stslint collect example.com -o example.yaml                record what is seen of a domain
  stslint collect example.com --no-smtp -o example.yaml      without speaking to its MX hosts";
/// Of `completions`.
pub const COMPLETIONS: &str = "\
Examples:
  stslint completions bash > ~/.local/share/bash-completion/completions/stslint
  stslint completions zsh > ~/.zfunc/_stslint
  stslint completions fish > ~/.config/fish/completions/stslint.fish
  stslint completions powershell >> $PROFILE
  stslint completions elvish > ~/.config/elvish/lib/stslint.elv

zsh reads ~/.zfunc with `fpath+=~/.zfunc` before `compinit` in ~/.zshrc, elvish its script with `use stslint` in
~/.config/elvish/rc.elv.

Packages put them into /usr/share/bash-completion/completions/stslint,
/usr/share/zsh/site-functions/_stslint and /usr/share/fish/vendor_completions.d/stslint.fish.";
/// Of `config`.
pub const CONFIG: &str = "\
Examples:
  stslint config init                                        write ./stslint.yaml
  stslint config show pay.example.com                        what is in force for one domain";
/// Of `config init`.
pub const CONFIG_INIT: &str = "\
Examples:
  stslint config init                                        write ./stslint.yaml";
/// Of `config show`.
pub const CONFIG_SHOW: &str = "\
Examples:
  stslint config show                                        what differs from the rules as they are shipped
  stslint config show pay.example.com                        what is in force for one domain";
/// Of `demo`.
#[cfg(feature = "lab")]
pub const DEMO: &str = "\
Examples:
  stslint demo                                               lint domains of an embedded internet";
/// Of `diff`.
pub const DIFF: &str = "\
Examples:
  stslint diff last-week.yaml today.yaml                     what changed, fact by fact
  stslint diff yesterday.jsonl today.jsonl                   two runs over many domains: new, worse, fixed
  stslint diff main.json branch.json --format markdown       for the comment of a pull request";
/// Of `eval`.
pub const EVAL: &str = "\
Examples:
  stslint eval 'mx.hosts.map(h, h.name)' --snapshot example.yaml
  stslint eval 'policy.max_age >= 604800' --policy mta-sts.txt";
/// Of `explain`.
pub const EXPLAIN: &str = "\
Examples:
  stslint explain policy-max-age-short                       a rule of stslint
  stslint explain acme-max-age --rules acme.yaml             a rule of your own
  stslint explain dane                                       a group: its rules, one per line
  stslint explain sts-webpki-invalid                         a result type of a TLS report, and its causes
  stslint explain 5.7.323                                    a code of a bounce
  stslint explain 'Server certificate not verified'          the words of a bounce or a log
  stslint explain - < bounce.eml                             a whole bounce";
/// Of `facts`.
pub const FACTS: &str = "\
Examples:
  stslint facts                                              everything that a rule can ask
  stslint facts policy                                       a part of it
  stslint facts certificate days                             those with these words in path or meaning
  stslint facts mx.hosts --snapshot example.yaml             their values
  stslint facts --functions                                  the functions of expressions";
/// Of `init`.
pub const INIT: &str = "\
Examples:
  stslint init example.com                                   propose a policy and records";
/// Of `man`.
pub const MAN: &str = "\
Examples:
  stslint man ~/.local/share/man/man1                        the pages for one user
  stslint man /usr/local/share/man/man1                      the pages for everybody
  stslint man | man -l -                                     read now

The folder is made if it is not there. Each page is written whole or not at all.";
/// Of `profiles`.
pub const PROFILES: &str = "\
Examples:
  stslint profiles list                                      the profiles, and what each is for
  stslint profiles show uk-gov                               what one of them sets";
/// Of `profiles list`.
pub const PROFILES_LIST: &str = "\
Examples:
  stslint profiles list                                      the profiles, and what each is for";
/// Of `profiles show`.
pub const PROFILES_SHOW: &str = "\
Examples:
  stslint profiles show uk-gov                               what it sets, and the sentences behind it";
/// Of `senders`.
pub const SENDERS: &str = "\
Examples:
  stslint senders list                                       the senders, and which of them enforce policies
  stslint senders show postfix-tlspol                        its properties, each with its source
  stslint senders explain all 'v=STSv1; id=1; '              who takes this record, who does not, who is not known
  stslint senders explain mox mta-sts.txt                    what one sender makes of a policy";
/// Of `senders explain`.
pub const SENDERS_EXPLAIN: &str = "\
Examples:
  stslint senders explain all 'v=STSv1; id=1; '              who takes this record, who does not, who is not known
  stslint senders explain mox mta-sts.txt                    what one sender makes of a policy
  stslint senders explain kumomta mta-sts.txt --content-type Text/Plain
  stslint senders explain all --mx mx.eu.example.com --pattern '*.example.com'";
/// Of `senders list`.
pub const SENDERS_LIST: &str = "\
Examples:
  stslint senders list                                       the senders, and which of them enforce policies";
/// Of `senders show`.
pub const SENDERS_SHOW: &str = "\
Examples:
  stslint senders show postfix-tlspol                        its properties, each with its source";
/// Of `senders test`.
pub const SENDERS_TEST: &str = "\
Examples:
  stslint senders test                                       the cases of every built-in sender
  stslint senders test gateway.yaml                          those of one of your own";
/// Of `reports`.
pub const REPORTS: &str = "\
Examples:
  stslint reports report.json.gz                             read a TLS report
  stslint reports inbox.mbox --format html > page.html       every mail of a mailbox, as a page with a chart
  stslint reports reports/ --since 2026-11-20 --format digest  a few lines for a chat";
/// Of `rules`.
pub const RULES: &str = "\
Examples:
  stslint rules new acme-max-age                             a rule of your own to begin with
  stslint rules test rules/                                  whether every rule does what its cases say
  stslint rules show policy-mode                             a built-in rule as it is written";
/// Of `rules docs`.
pub const RULES_DOCS: &str = "\
Examples:
  stslint rules docs pages/ --rules acme.yaml                a page of Markdown for each rule";
/// Of `rules list`.
pub const RULES_LIST: &str = "\
Examples:
  stslint rules list                                         the rules of stslint
  stslint rules list --rules acme.yaml                       and those of your own";
/// Of `rules new`.
pub const RULES_NEW: &str = "\
Examples:
  stslint rules new acme-max-age -o acme.yaml                a file to begin with";
/// Of `rules show`.
pub const RULES_SHOW: &str = "\
Examples:
  stslint rules show policy-max-age-short                    a rule as it is written";
/// Of `rules test`.
pub const RULES_TEST: &str = "\
Examples:
  stslint rules test acme.yaml                               check a file and run its cases
  stslint rules test rules/ --format json                    all files of a folder, for a program";
/// Of `scan`.
pub const SCAN: &str = "\
Examples:
  stslint scan domains.txt -o scan.jsonl                     a line of JSON for each line
  stslint scan domains.txt -o scan.jsonl --resume            go on after Ctrl-C, a kill or a full disk
  stslint scan top.csv.zst --column domain -o s.jsonl   a column of a table";
/// Of `schema`.
pub const SCHEMA: &str = "\
Examples:
  stslint schema rules > rules.schema.json                   for editors that check rule files";
/// Of `serve`.
#[cfg(feature = "serve")]
pub const SERVE: &str = "\
Examples:
  stslint serve                                              the web validator on a port of this machine";

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::super::{Cli, exit_codes};

    /// The words of a line as a shell has them, up to the remark after three spaces or to a redirection.
    fn words(line: &str) -> Vec<String> {
        let command = line.trim_start().split("   ").next().unwrap_or_default();
        let command = command.split(['>', '<', '|']).next().unwrap_or_default();
        let quoted = command.split('\'').enumerate();
        let part = |(index, part): (usize, &str)| match index % 2 {
            0 => part.split_whitespace().map(str::to_owned).collect(),
            _ => vec![part.to_owned()],
        };
        quoted.flat_map(part).collect::<Vec<String>>()
    }

    fn examples(command: &clap::Command, path: &str, found: &mut Vec<String>, without: &mut Vec<String>) {
        let help = command.get_after_long_help().map(ToString::to_string).unwrap_or_default();
        let under_heading = help.split_once("Examples:\n").map(|(_, rest)| rest).unwrap_or_default();
        let lines = under_heading.lines().take_while(|line| line.starts_with("  "));
        let lines: Vec<String> = lines.filter(|line| line.starts_with("  stslint ")).map(str::to_owned).collect();
        if lines.is_empty() || !help.contains(exit_codes::HEADING.trim_end_matches(':')) {
            without.push(path.to_owned());
        }
        found.extend(lines);
        for below in command.get_subcommands() {
            examples(below, &format!("{path} {}", below.get_name()), found, without);
        }
    }

    #[test]
    fn every_command_has_examples_and_each_of_them_parses() {
        let (mut found, mut without) = (Vec::new(), Vec::new());
        examples(&exit_codes::command(), "stslint", &mut found, &mut without);
        assert_eq!(without, [""; 0]);
        for line in found {
            let words = words(&line);
            assert!(Cli::command().try_get_matches_from(&words).is_ok(), "{words:?}");
        }
    }
}
