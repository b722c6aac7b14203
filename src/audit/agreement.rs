//! What the profile of a known sender foretells for each domain, held against what was measured.

use super::case::{Case, Course};
use super::inputs::input;
use super::verdict::{Known, Verdict, Verdicts};
use crate::senders::{Answer, Enforces, Input, Profile, built_in, explain};

/// How a known sender compares with the one that was measured.
#[derive(Clone, Debug)]
pub struct Agreement {
    /// The stable name of the known sender.
    pub sender: String,
    /// Its name with its version, for people.
    pub label: String,
    /// How many domains its profile and the measurement both speak of.
    pub compared: usize,
    /// The domains where they differ, and what the profile foretells.
    pub differences: Vec<(&'static Case, Course)>,
}

/// Holds a known sender against what was measured.
pub fn compare(profile: &Profile, verdicts: &Verdicts) -> Agreement {
    let known = verdicts.domains.iter().filter_map(|verdict| Some((verdict.case, measured(verdict)?)));
    let both: Vec<_> = known.filter_map(|(case, course)| Some((case, course, foretold(profile, case)?))).collect();
    let differences = both.iter().filter(|(_, measured, foretold)| measured != foretold);
    Agreement {
        sender: profile.sender.clone(),
        label: match &profile.version {
            Some(version) => format!("{} {version}", profile.name),
            None => profile.name.clone(),
        },
        compared: both.len(),
        differences: differences.map(|(case, _, foretold)| (*case, *foretold)).collect(),
    }
}

/// The known senders that foretell everything that was measured, and more than the controls: those that have a reading of
/// their own. None where the sender does not enforce, as all that do not are the same here.
pub fn agreeing(verdicts: &Verdicts) -> Vec<Agreement> {
    if verdicts.enforces != Some(true) {
        return Vec::new();
    }
    let own = built_in().iter().filter(|profile| profile.record.is_some() && profile.policy.is_some());
    let all = own.map(|profile| compare(profile, verdicts));
    all.filter(|agreement| agreement.compared >= LEAST && agreement.differences.is_empty()).collect()
}

/// How many domains must be compared before an agreement says anything.
const LEAST: usize = 30;

/// What became of the mail, where it says something about the sender.
fn measured(verdict: &Verdict) -> Option<Course> {
    match verdict.known {
        Known::Applies | Known::DoesNotApply => verdict.fate.course(),
        Known::Unknown => None,
    }
}

/// What the profile foretells; `None` where it does not say.
fn foretold(profile: &Profile, case: &Case) -> Option<Course> {
    if profile.behaviour.enforces.as_ref()?.is == Enforces::Never {
        return Some(Course::Delivered);
    }
    let held = |is: bool| Some(if is { Course::Held } else { Course::Delivered });
    match input(case) {
        Some(input) => {
            let verdict = explain(profile, built_in(), &input);
            match (verdict.answer, &input) {
                (Answer::Unknown, _) => None,
                (answer, Input::Host { .. }) => held(answer == Answer::No),
                (Answer::Yes, Input::Policy(_)) => held(verdict.reading.mode.as_deref() == Some("enforce")),
                (answer, _) => held(answer == Answer::Yes),
            }
        }
        None => by_behaviour(profile, case.name).and_then(held),
    }
}

/// Whether the mail is held, by what the profile says of fetching and holding policies.
fn by_behaviour(profile: &Profile, name: &str) -> Option<bool> {
    let behaviour = &profile.behaviour;
    let notices = behaviour.notices.as_ref().map(|claim| claim.is);
    match name {
        "host-redirect" => behaviour.follows_redirects.as_ref().map(|claim| claim.is),
        "then-record-gone" | "then-all-gone" => behaviour.record_gone.as_ref().map(|claim| claim.is.word() == "kept"),
        "then-policy-gone" if notices == Some(true) => {
            behaviour.fetch_fails.as_ref().map(|claim| claim.is.word() == "kept")
        }
        "then-policy-gone" => notices.map(|notices| !notices),
        "then-new-id" => notices,
        _ => None,
    }
}
