//! The examples that `--help` of each command ends with. Used by the definitions of the commands.
//!
//! A test below parses every one of them, so that none can name an option that does not exist.

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
  stslint diff last-week.yaml today.yaml                     what changed, fact by fact";
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
/// Of `profiles list`.
pub const PROFILES_LIST: &str = "\
Examples:
  stslint profiles list                                      the profiles, and what each is for";
/// Of `profiles show`.
pub const PROFILES_SHOW: &str = "\
Examples:
  stslint profiles show uk-gov                               what it sets, and the sentences behind it";
/// Of `reports`.
pub const REPORTS: &str = "\
Examples:
  stslint reports report.json.gz                             read a TLS report
  stslint reports inbox.mbox --format html > page.html       every mail of a mailbox, as a page with a chart
  stslint reports reports/ --since 2026-11-20 --format digest  a few lines for a chat";
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

    use super::super::Cli;

    /// The words of a line as a shell has them, up to the remark after three spaces or to a redirection.
    fn words(line: &str) -> Vec<String> {
        let command = line.trim_start().split("   ").next().unwrap_or_default();
        let command = command.split(['>', '<']).next().unwrap_or_default();
        let quoted = command.split('\'').enumerate();
        let part = |(index, part): (usize, &str)| match index % 2 {
            0 => part.split_whitespace().map(str::to_owned).collect(),
            _ => vec![part.to_owned()],
        };
        quoted.flat_map(part).collect::<Vec<String>>()
    }

    fn examples(command: &clap::Command, path: &str, found: &mut Vec<String>, without: &mut Vec<String>) {
        for below in command.get_subcommands() {
            let path = format!("{path} {}", below.get_name());
            if below.get_subcommands().next().is_some() {
                examples(below, &path, found, without);
                continue;
            }
            let help = below.get_after_long_help().map(ToString::to_string).unwrap_or_default();
            let lines: Vec<String> =
                help.lines().filter(|line| line.trim_start().contains("stslint ")).map(str::to_owned).collect();
            if lines.is_empty() {
                without.push(path);
            }
            found.extend(lines.into_iter().filter(|line| line.starts_with("  stslint")));
        }
    }

    #[test]
    fn every_command_has_examples_and_each_of_them_parses() {
        let (mut found, mut without) = (Vec::new(), Vec::new());
        examples(&Cli::command(), "stslint", &mut found, &mut without);
        assert_eq!(without, [""; 0]);
        for line in found {
            let words = words(&line);
            assert!(Cli::command().try_get_matches_from(&words).is_ok(), "{words:?}");
        }
    }
}
