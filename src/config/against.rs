//! How far a domain is from the documents that profiles follow. Used by `check`.

use super::file::Level;
use super::in_force::{Command, InForce};
use super::layer::Layer;
use super::origin::Origin;
use super::profiles::STANDARDS;
use super::sections::Membership;
use super::settled::Changes;
use crate::outcome::{Against, NotJudged, Outcome, Report, WhyNotJudged};

impl InForce {
    /// Counts, for each profile that follows a document, the rules that the domain does not meet: accepted findings are
    /// among them, because what is accepted is still not met. `changes` are those that hold for the domain.
    pub fn against(&self, membership: &Membership, changes: &Changes, report: &Report) -> Vec<Against> {
        let sections = membership.sections.iter().filter_map(|index| self.sections.list.get(*index));
        let layers = self.profiles.iter().chain(sections.flat_map(|section| &section.profiles));
        let mut against: Vec<Against> = Vec::new();
        for layer in layers {
            let Some(profile) = layer.profile.filter(|profile| STANDARDS.contains(profile)) else { continue };
            if against.iter().all(|other| other.profile != profile) {
                against.push(of_profile(profile, layer, report, &|rule| self.why_not_asked(rule, changes)));
            }
        }
        against
    }

    /// Why a rule is off, where it is.
    fn why_not_asked(&self, rule: &str, changes: &Changes) -> Option<WhyNotJudged> {
        let level = changes.get(rule)?.level.as_ref().filter(|level| level.value == Level::Off)?;
        if level.origin != Origin::CommandLine {
            return Some(WhyNotJudged::Off);
        }
        // The command line sets a group off by its name, too: what selects others is asked last.
        let selected = self.commands().iter().all(|command| match command {
            Command::Only(names) => names.iter().any(|name| name == rule || self.is_in_group(rule, name)),
            Command::On(_) | Command::Set(..) => true,
        });
        Some(if selected { WhyNotJudged::IgnoredByOption } else { WhyNotJudged::NotSelected })
    }

    fn is_in_group(&self, rule: &str, group: &str) -> bool {
        self.rules.get(rule).is_some_and(|rule| rule.group == group)
    }
}

fn of_profile(
    profile: &str,
    layer: &Layer,
    report: &Report,
    why_not_asked: &dyn Fn(&str) -> Option<WhyNotJudged>,
) -> Against {
    let demanded = layer.file.rules.iter().filter(|(_, setting)| !setting.is_off());
    let named: Vec<&str> = demanded.map(|(id, _)| id.value.as_str()).collect();
    let ended = |rule: &str, outcome| report.checks.iter().any(|it| it.rule == rule && it.outcome == outcome);
    let accepted = |rule: &str| report.ignored.iter().any(|ignored| ignored.rule == rule);
    let not_met = |rule: &str| ended(rule, Outcome::Fail) || accepted(rule);
    let not_checked = |rule: &str| !not_met(rule) && ended(rule, Outcome::NotChecked);
    let met = |rule: &str| ended(rule, Outcome::Pass) || ended(rule, Outcome::Remark);
    let not_judged = |rule: &&str| {
        let judged = not_met(rule) || not_checked(rule) || met(rule);
        (!judged).then(|| NotJudged {
            rule: (*rule).to_owned(),
            why: why_not_asked(rule).unwrap_or(WhyNotJudged::NotApplicable),
        })
    };
    let all = |wanted: &dyn Fn(&str) -> bool| -> Vec<String> {
        named.iter().filter(|rule| wanted(rule)).map(|rule| (*rule).to_owned()).collect()
    };
    Against {
        profile: profile.to_owned(),
        rules: named.len(),
        not_met: all(&not_met),
        not_checked: all(&not_checked),
        not_judged: named.iter().filter_map(not_judged).collect(),
    }
}
