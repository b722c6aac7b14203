//! The limits in `docs/limits.md` are those of the source. Those of the collection are held by `collect::limits` itself.

/// A row of the table, the file and the constant that it is about, and the unit that it is shown in.
const ROWS: &[(&str, &str, &str, &str)] = &[
    ("a policy file given with `--policy`; senders read 64 KiB", "src/cli/input.rs", "MAX_POLICY_FILE", "MiB"),
    (
        "conversations of a scan with one address of a mail server, where `--per-address` says nothing else",
        "src/cli/scan.rs",
        "PER_ADDRESS",
        "",
    ),
    ("a list of domains", "src/cli/network.rs", "MAX_DOMAINS_OCTETS", "MiB"),
    ("a snapshot", "src/snapshot/file.rs", "MAX_SNAPSHOT_OCTETS", "MiB"),
    ("nodes of a snapshot in YAML", "src/snapshot/bounded.rs", "MAX_NODES", ""),
    (
        "records of an answer, hosts and elements of other lists in a snapshot",
        "src/snapshot/bounded.rs",
        "MAX_RECORDS",
        "",
    ),
    ("addresses of a host in a snapshot", "src/snapshot/bounded.rs", "MAX_PROBES", ""),
    ("aliases in a snapshot", "src/snapshot/bounded.rs", "MAX_ALIASES", ""),
    ("octets of a name in a snapshot", "src/snapshot/bounded.rs", "MAX_NAME", ""),
    ("octets of a TXT record in a snapshot", "src/snapshot/bounded.rs", "MAX_TXT_OCTETS", ""),
    ("names of a certificate, or lines of a conversation, in a snapshot", "src/snapshot/bounded.rs", "MAX_TEXTS", ""),
    ("a configuration", "src/config/load.rs", "MAX_CONFIG", "MiB"),
    ("a configuration with everything that it extends", "src/config/load.rs", "MAX_TOTAL", "MiB"),
    ("configurations that extend each other", "src/config/load.rs", "MAX_DEPTH", ""),
    ("configuration files of a run", "src/config/load.rs", "MAX_FILES", ""),
    ("the file of a sender that a configuration names", "src/config/load.rs", "MAX_SENDER", "MiB"),
    ("a bounce or log given to `stslint explain`", "src/cli/explain.rs", "MAX_BOUNCE", "MiB"),
    ("a file of TLS reports", "src/cli/report_files.rs", "MAX_FILE", "MiB"),
    ("files of TLS reports", "src/cli/report_files.rs", "MAX_FILES", ""),
    ("a file of trusted authorities (`--roots`)", "src/collect/trust.rs", "MAX_ROOTS_OCTETS", "MiB"),
    ("a file of trust anchors (`--trust-anchor`)", "src/collect/trust_anchor.rs", "MAX_ANCHOR_OCTETS", "MiB"),
    ("a rule file", "src/config/rule_files.rs", "MAX_RULE_FILE", "MiB"),
    ("rule files of a folder", "src/config/rule_files.rs", "MAX_FILES", ""),
    ("all rule files of a folder together", "src/config/rule_files.rs", "MAX_TOTAL", "MiB"),
    ("folders of rule files in each other", "src/config/rule_files.rs", "MAX_DEPTH", ""),
    ("your own rules", "src/rules/cost.rs", "MAX_RULES", ""),
    ("characters of an id", "src/rules/check/entry.rs", "MAX_ID", ""),
    ("octets of an expression", "src/rules/expr.rs", "MAX_EXPRESSION_OCTETS", ""),
    ("levels of an expression", "src/rules/expr.rs", "MAX_EXPRESSION_DEPTH", ""),
    ("operators in a row in an expression", "src/rules/expr.rs", "MAX_OPERATORS_IN_A_ROW", ""),
    ("brackets in each other in an expression", "src/rules/expr.rs", "MAX_BRACKETS", ""),
    (
        "`all`, `exists`, `exists_one`, `filter` and `map` in an expression",
        "src/rules/expr.rs",
        "MAX_COMPREHENSIONS_IN_ALL",
        "",
    ),
    ("… in each other", "src/rules/expr.rs", "MAX_COMPREHENSIONS", ""),
    ("steps through lists that are written out, or in params, in an expression", "src/rules/cost.rs", "MAX_STEPS", ""),
    ("lists of `for_each` and `forbid` in each other", "src/rules/cost.rs", "MAX_LISTS", ""),
    ("octets of a regular expression", "src/rules/cost.rs", "MAX_REGEX_OCTETS", ""),
    ("repetitions in a regular expression by `{…}`", "src/rules/cost.rs", "MAX_REPETITIONS", ""),
    ("octets of the params of a rule", "src/rules/cost.rs", "MAX_PARAMS_OCTETS", ""),
    ("rules in `requires` and `after`, directly and through others", "src/rules/cost.rs", "MAX_REQUIRED", ""),
    ("cases of a rule", "src/rules/cost.rs", "MAX_CASES", ""),
    ("mistakes that are shown", "src/rules/cost.rs", "MAX_MISTAKES", ""),
    ("steps of a rule over the facts of a domain", "src/rules/meter.rs", "MAX_STEPS_OF_RULE", ""),
    ("steps of all rules over the facts of a domain", "src/rules/meter.rs", "MAX_STEPS_OF_DOMAIN", ""),
    ("elements of `for_each`", "src/rules/elements.rs", "MAX_ELEMENTS", ""),
    ("characters of a message", "src/rules/template.rs", "MAX_MESSAGE", ""),
    ("domains that rules over many domains see", "src/facts/domains.rs", "MAX_DOMAINS", ""),
];

/// Files in which every constant that begins with `MAX_` is in the table.
const WHOLE: &[&str] = &["src/config/load.rs", "src/rules/cost.rs", "src/snapshot/bounded.rs"];

/// The value of a constant: a number, a shifted one, or a product; either part may be another constant of the file.
fn value(file: &str, name: &str) -> u64 {
    let source = std::fs::read_to_string(file).unwrap();
    let found = regex::Regex::new(&format!(r"\bconst {name}: [^=]+ = ([^;]+);")).unwrap();
    let written = found.captures(&source).unwrap_or_else(|| panic!("{file} has no {name}"))[1].to_owned();
    let term = |term: &str| term.trim().replace('_', "").parse().unwrap_or_else(|_| value(file, term.trim()));
    match (written.split_once("<<"), written.split_once('*')) {
        (Some((left, right)), _) => term(left) << term(right),
        (None, Some((left, right))) => term(left) * term(right),
        (None, None) => term(&written),
    }
}

/// A number with a comma between thousands.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let places = digits.chars().enumerate();
    places.fold(String::new(), |mut text, (at, digit)| {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
        text
    })
}

#[test]
fn the_table_of_limits_is_that_of_the_source() {
    let page = std::fs::read_to_string("docs/limits.md").unwrap();
    for (what, file, name, unit) in ROWS {
        let number = value(file, name);
        let shown = match *unit {
            "MiB" => {
                assert_eq!(number % (1 << 20), 0, "{file} {name}");
                format!("{} MiB", grouped(number >> 20))
            }
            _ => grouped(number),
        };
        assert!(page.contains(&format!("\n| {what} | {shown} |\n")), "{file}: {name}: | {what} | {shown} |");
    }
}

#[test]
fn no_limit_is_missing_from_the_table() {
    let found = regex::Regex::new(r"\bconst (MAX_[A-Z_0-9]+):").unwrap();
    for file in WHOLE {
        let source = std::fs::read_to_string(file).unwrap();
        for constant in found.captures_iter(&source) {
            let listed = ROWS.iter().any(|(_, other, name, _)| other == file && *name == &constant[1]);
            assert!(listed, "{file}: {} has no row in tests/it/limits.rs and docs/limits.md", &constant[1]);
        }
    }
}
