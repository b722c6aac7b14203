//! Rules that other rules name by an id that they had before. Used by `load`.

use std::collections::{BTreeMap, BTreeSet};

use super::check::Checked;
use super::rule::Rule;
use crate::source_text::{self, SourceError, escape};

/// Gives the rules that other rules name by a former id their present one, with a warning. A former id that is in use is a
/// mistake.
pub fn resolve(
    rules: &mut [Rule],
    checked: &mut [Checked<'_>],
    errors: &mut Vec<SourceError>,
    warnings: &mut Vec<SourceError>,
) {
    let ids: BTreeSet<String> = rules.iter().map(|rule| rule.id.clone()).collect();
    let mut now: BTreeMap<String, String> = BTreeMap::new();
    for checked in checked.iter() {
        for former in &checked.entry.formerly {
            let told = now.insert(former.value.clone(), checked.entry.id.value.clone()).is_some();
            if told || ids.contains(&former.value) {
                let message = format!("`{}` is the id of another rule", escape(&former.value));
                let place = source_text::place(&checked.source.text, &former.referenced);
                let help = "name an id that only this rule has had".to_owned();
                let error = SourceError::new(&checked.source.name, &checked.source.text, place, message);
                errors.push(error.with_help(Some(help)));
            }
        }
    }
    if now.is_empty() {
        return;
    }
    for (rule, checked) in rules.iter_mut().zip(checked) {
        let entry = &mut checked.entry;
        let named = entry.requires.iter_mut().chain(&mut entry.after).chain(&mut entry.replaces);
        for id in named.filter(|id| !ids.contains(&id.value)) {
            let Some(current) = now.get(&id.value) else { continue };
            let message = format!("the rule `{}` is called `{current}` now", escape(&id.value));
            let place = source_text::place(&checked.source.text, &id.referenced);
            let warning = SourceError::new(&checked.source.name, &checked.source.text, place, message);
            warnings.push(warning.with_help(Some(format!("write `{current}`; the old id is still understood"))));
            id.value.clone_from(current);
        }
        rule.requires = entry.requires.iter().map(|id| id.value.clone()).collect();
        rule.after = entry.after.iter().map(|id| id.value.clone()).collect();
    }
}
