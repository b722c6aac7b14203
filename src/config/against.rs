//! How far a domain is from the documents that profiles follow. Used by `check`.

use super::in_force::InForce;
use super::layer::Layer;
use super::profiles::STANDARDS;
use super::sections::Membership;
use crate::outcome::{Against, Outcome, Report};

impl InForce {
    /// Counts, for each profile that follows a document, the rules that the domain does not meet: accepted findings are
    /// among them, because what is accepted is still not met.
    pub fn against(&self, membership: &Membership, report: &Report) -> Vec<Against> {
        let sections = membership.sections.iter().filter_map(|index| self.sections.list.get(*index));
        let layers = self.profiles.iter().chain(sections.flat_map(|section| &section.profiles));
        let mut against: Vec<Against> = Vec::new();
        for layer in layers {
            let Some(profile) = layer.profile.filter(|profile| STANDARDS.contains(profile)) else { continue };
            if against.iter().all(|other| other.profile != profile) {
                against.push(of_profile(profile, layer, report));
            }
        }
        against
    }
}

fn of_profile(profile: &str, layer: &Layer, report: &Report) -> Against {
    let named: Vec<&str> = layer.file.rules.iter().map(|(id, _)| id.value.as_str()).collect();
    let ended = |rule: &str, outcome| report.checks.iter().any(|it| it.rule == rule && it.outcome == outcome);
    let accepted = |rule: &str| report.ignored.iter().any(|ignored| ignored.rule == rule);
    let not_met = |rule: &str| ended(rule, Outcome::Fail) || accepted(rule);
    let all = |wanted: &dyn Fn(&str) -> bool| -> Vec<String> {
        named.iter().filter(|rule| wanted(rule)).map(|rule| (*rule).to_owned()).collect()
    };
    Against {
        profile: profile.to_owned(),
        rules: named.len(),
        not_met: all(&not_met),
        not_checked: all(&|rule| !not_met(rule) && ended(rule, Outcome::NotChecked)),
    }
}
