//! Fixes of a policy, held by linting what they make: none is kept that makes the text worse. Used by `check --fix`.

use std::collections::{BTreeMap, BTreeSet};

use super::evaluate::evaluate;
use super::load::RuleSet;
use crate::facts::Facts;
use crate::fix;
use crate::outcome::{Fix, Report, Severity};
use crate::snapshot::{Octets, Policy, Snapshot};

/// The exhibit that is the policy.
const EXHIBIT: &str = "policy";
/// How often the text is linted again: a fix can make another one possible.
const MOST_ROUNDS: usize = 20;
/// How many fixes are tried one by one.
const MOST_TRIALS: usize = 60;

/// What became of a policy.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Fixed {
    /// The text afterwards.
    pub text: String,
    /// How many fixes were applied.
    pub applied: usize,
    /// The rules that propose a fix which needs a look first.
    pub left: BTreeSet<String>,
}

/// Fixes the policy of a snapshot: what was surely meant, or `all`. The snapshot holds the text afterwards.
pub fn fix_policy(
    rules: &RuleSet,
    snapshot: &mut Snapshot,
    baseline: Option<&Snapshot>,
    before: &str,
    all: bool,
) -> Fixed {
    // Nothing is touched in what nobody wrote as a policy.
    if !is_meant_as_policy(before) {
        return Fixed { text: before.to_owned(), ..Fixed::default() };
    }
    let mut bench = Bench { rules, snapshot, baseline, all };
    let first = bench.lint(before);
    let mut fixed = bench.at_once(before);
    if is_worse(&first, &bench.lint(&fixed.text)) {
        fixed = bench.one_by_one(before, first);
    }
    let report = bench.lint(&fixed.text);
    let left = report
        .findings()
        .into_iter()
        .filter(|check| check.fix.as_ref().is_some_and(|fix| fix.location.exhibit == EXHIBIT && !fix.safe && !all));
    fixed.left = left.map(|check| check.rule.clone()).collect();
    fixed
}

/// Whether a text was written as a policy: it says so, or has a mode and hosts or a life beside it.
fn is_meant_as_policy(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let lines = || text.lines().map(|line| line.trim_start_matches(['"', '\'', '-', ' ', '\t', '`', '\u{feff}']));
    let begins = |line: &str, name: &str| {
        line.replace('-', "_").strip_prefix(name).is_some_and(|rest| rest.trim_start().starts_with([':', '=']))
    };
    let mode = |line: &str| begins(line, "mode") && ["enforc", "test", "none"].iter().any(|mode| line.contains(mode));
    let beside = |line: &str| ["mx", "max_age", "maxage"].iter().any(|name| begins(line, name));
    text.contains("stsv1") || (lines().any(mode) && lines().any(beside))
}

/// A policy on the bench: the snapshot that it is put into to be linted.
struct Bench<'a> {
    rules: &'a RuleSet,
    snapshot: &'a mut Snapshot,
    baseline: Option<&'a Snapshot>,
    all: bool,
}

impl Bench<'_> {
    fn lint(&mut self, text: &str) -> Report {
        let body = Octets(text.as_bytes().to_vec());
        self.snapshot.policy = Some(Some(Policy { body, address: None, truncated: false }));
        evaluate(self.rules, &Facts::of(self.snapshot, self.baseline)).report
    }

    /// The fixes that are wanted: those that are safe first, as long as there are any.
    fn fixes(&self, report: &Report) -> Vec<Fix> {
        let fixes = report.findings().into_iter().chain(report.remarks()).filter_map(|check| check.fix.clone());
        let wanted: Vec<Fix> = fixes.filter(|fix| fix.location.exhibit == EXHIBIT && (fix.safe || self.all)).collect();
        let safe: Vec<Fix> = wanted.iter().filter(|fix| fix.safe).cloned().collect();
        if safe.is_empty() { wanted } else { safe }
    }

    /// All fixes together, and those that they make possible.
    fn at_once(&mut self, before: &str) -> Fixed {
        let mut fixed = Fixed { text: before.to_owned(), ..Fixed::default() };
        for _ in 0..MOST_ROUNDS {
            let report = self.lint(&fixed.text);
            let fixes = self.fixes(&report);
            let applied = fix::apply(&fixed.text, &fixes.iter().collect::<Vec<_>>());
            if applied.applied == 0 {
                break;
            }
            fixed.applied = fixed.applied.saturating_add(applied.applied);
            fixed.text = applied.text;
        }
        fixed
    }

    /// Each fix alone, as long as it makes nothing worse.
    fn one_by_one(&mut self, before: &str, first: Report) -> Fixed {
        let mut fixed = Fixed { text: before.to_owned(), ..Fixed::default() };
        let mut report = first;
        let mut refused: Vec<Fix> = Vec::new();
        for _ in 0..MOST_TRIALS {
            let Some(next) = self.fixes(&report).into_iter().find(|fix| !refused.contains(fix)) else { break };
            let applied = fix::apply(&fixed.text, &[&next]);
            let after = self.lint(&applied.text);
            if applied.applied == 0 || is_worse(&report, &after) {
                refused.push(next);
                continue;
            }
            fixed.applied = fixed.applied.saturating_add(1);
            fixed.text = applied.text;
            report = after;
            // Places have moved: what was refused may be another text now.
            refused.clear();
        }
        fixed
    }
}

/// Whether a report has an error that the one before has not.
fn is_worse(before: &Report, after: &Report) -> bool {
    let (before, after) = (errors(before), errors(after));
    after.iter().any(|(rule, count)| before.get(rule).copied().unwrap_or_default() < *count)
}

fn errors(report: &Report) -> BTreeMap<&str, usize> {
    let mut errors: BTreeMap<&str, usize> = BTreeMap::new();
    for check in report.findings().into_iter().filter(|check| check.severity == Severity::Error) {
        let count = errors.entry(check.rule.as_str()).or_default();
        *count = count.saturating_add(1);
    }
    errors
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::OnceLock;

    use proptest::prelude::*;

    use super::*;

    fn rules() -> &'static RuleSet {
        static RULES: OnceLock<RuleSet> = OnceLock::new();
        RULES.get_or_init(|| RuleSet::built_in().unwrap())
    }

    fn fixed(text: &str, all: bool) -> (Report, Fixed, Report) {
        let mut snapshot = Snapshot { domain: Some("example.com".to_owned()), ..Snapshot::default() };
        let result = fix_policy(rules(), &mut snapshot, None, text, all);
        let mut bench = Bench { rules: rules(), snapshot: &mut snapshot, baseline: None, all };
        let before = bench.lint(text);
        let after = bench.lint(&result.text);
        (before, result, after)
    }

    #[test]
    fn another_kind_of_file_is_left_alone() {
        let workflow = "on:\n  push:\njobs:\n  deploy:\n    runs-on: x\n    steps:\n      - uses: a/b\n";
        let list = "version: STSv1\nmode: enforce\nmx: mx1.example.com\nmax_age: 604800\nkeys:\n  - BASE64\n";
        for text in [workflow, list, "{\\rtf1 version: STSv1\\\nmode: enforce\\\n}", "a: 1\nb: 2\n"] {
            for all in [false, true] {
                let (_, result, _) = fixed(text, all);
                assert!(!result.text.contains("mx: BASE64") && !result.text.contains("mx: uses"), "{}", result.text);
                if text != list {
                    assert_eq!(result.text, text);
                }
            }
        }
    }

    #[test]
    fn valid_choices_stay() {
        for text in [
            "version: STSv1\r\nmode: testing\r\nmx: mx.example.com\r\nmax_age: 86400\r\n",
            "version: STSv1\r\nmode: none\r\nmax_age: 604800\r\n",
        ] {
            assert_eq!(fixed(text, true).1.text, text);
        }
    }

    #[test]
    fn the_good_one_of_two_values_stays() {
        let (_, result, _) =
            fixed("version: STSv1\r\nmode: x9\r\nmode: enforce\r\nmx: mx.example.com\r\nmax_age: 86400\r\n", true);
        assert!(result.text.contains("mode: enforce"), "{}", result.text);
    }

    /// Lines as people write them, right and wrong.
    fn line() -> impl Strategy<Value = String> {
        let words = [
            "version: STSv1",
            "version: stsv1",
            "Version: STSv1",
            "mode: enforce",
            "mode: Enforce",
            "mode: x",
            "mode: testing",
            "mx: mx1.example.com",
            "mx: mx1.example.com.",
            "mx: *",
            "mx:",
            "- mx2.example.com",
            "  - BASE64",
            "mx: a.example, b.example",
            "MX: mx3.example.com",
            "max_age: 86400",
            "max-age: 604800",
            "max_age: 7d",
            "max_age: 99999999999",
            "# note",
            "",
            "  mx: mx4.example.com",
            "mode = none",
            "keys:",
            "v=STSv1; id=1;",
            "---",
            "mx: 192.0.2.1",
            "\"mode: none\"",
            "max_age: 86400version: STSv1",
        ];
        proptest::sample::select(words.map(str::to_owned).to_vec())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn no_fix_makes_a_policy_worse(
            lines in proptest::collection::vec((line(), "\r?\n"), 0..9),
            noise in "[ -~\n]{0,6}",
            at in 0_usize..60,
            all: bool,
        ) {
            let mut text: String = lines.iter().map(|(line, end)| format!("{line}{end}")).collect();
            text.insert_str(at.min(text.len()), &noise);
            let (before, result, after) = fixed(&text, all);
            prop_assert!(!is_worse(&before, &after), "{text:?} became {:?}", result.text);
            let mx = |text: &str| -> Vec<String> {
                text.lines().filter_map(|line| line.strip_prefix("mx: ")).map(str::to_owned).collect()
            };
            // Every MX host was written by somebody.
            for host in mx(&result.text) {
                let bare = host.trim_start_matches("*.").to_ascii_lowercase();
                prop_assert!(text.to_ascii_lowercase().contains(&bare), "{text:?} became {:?}", result.text);
                prop_assert!(!host.contains("BASE64"), "{text:?} became {:?}", result.text);
            }
        }
    }
}
