//! `stslint explain`: what a rule demands, why, and how to mend it.

use super::{Ended, OutputArgs, UsageError, terminal};
use crate::report::rule_page;
use crate::rules::{Rule, RuleSet, good_snapshot};
use crate::source_text::{escape, nearest};

/// Runs the command.
pub fn run(id: &str, output: &OutputArgs) -> Ended {
    let rules = RuleSet::built_in()?;
    let rule = find(&rules, id)?;
    terminal::print(&rule_page::plain(&rules, rule, &good_snapshot()?, &terminal::style(output)));
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
