//! `stslint explain`: what a rule demands, why, and how to mend it.

use super::rule_args::OwnRules;
use super::{Ended, OutputArgs, UsageError, terminal};
use crate::config::{Configuration, EXPIRED_RULE, UNUSED_RULE};
use crate::report::rule_page;
use crate::rules::{BROKEN_RULE, Rule, RuleSet, good_snapshot};
use crate::source_text::{escape, nearest};

/// What is told of the finding that speaks of the configuration and not of a domain.
const EXPIRED: &str = "config-ignore-expired (warning, group config)

No entry of `ignore` in the configuration has expired.

Why
  An accepted finding is accepted until a day. After it, the finding is reported again, and this one says so, so
  that nobody wonders why.

What to do
  Mend what the entry ignored and remove it, or name a new last day with a reason that still holds.
  `stslint config show` lists every entry with the days that it has left.
";

/// What is told of the note on an entry that is not needed.
const UNUSED: &str = "config-ignore-unused (note, told at the end of a run and not in reports)

Every entry of `ignore` in the configuration was needed.

Why
  An entry that matches nothing, although everything that it speaks of was checked, hides the next such finding
  from whoever believes that it is mended.

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
pub fn run(id: &str, own: &OwnRules, configuration: &Configuration, output: &OutputArgs) -> Ended {
    let of_configuration = [(BROKEN_RULE, BROKEN), (EXPIRED_RULE, EXPIRED), (UNUSED_RULE, UNUSED)];
    if let Some((_, text)) = of_configuration.iter().find(|(rule, _)| *rule == id) {
        terminal::print_words(text, &terminal::style(output));
        return Ok(0);
    }
    let rules = own.load(configuration)?.rules;
    let rule = find(&rules, id)?;
    let style = terminal::style(output);
    terminal::print_words(&rule_page::plain(&rules, rule, &good_snapshot()?, &style), &style);
    Ok(0)
}

/// The rule of that id, or an error that proposes the nearest.
pub fn find<'a>(rules: &'a RuleSet, id: &str) -> Result<&'a Rule, UsageError> {
    rules.get(id).ok_or_else(|| {
        let near = nearest(id, rules.rules.iter().map(|rule| rule.id.as_str()));
        let help =
            near.map_or("`stslint rules list` names them all".to_owned(), |near| format!("did you mean `{near}`?"));
        UsageError::new(format!("there is no rule `{}`", escape(id)), help)
    })
}
