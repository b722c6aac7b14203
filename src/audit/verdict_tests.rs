//! Tables of senders: what they do with each mail, and what is inferred from it.

use crate::audit::agreement::agreeing;
use crate::audit::case::{Case, Course, Reading};
use crate::audit::cases::{self, CLEAR, PERFECT, PLAIN};
use crate::audit::observation::{Delivery, Observation};
use crate::audit::profile::{About, profile};
use crate::audit::verdict::{Because, Known, Seen, Verdict, Verdicts};
use crate::senders::{built_in, check_cases, read_profile};

/// What was seen of a mail that took a course, after the policy was fetched.
fn seen_once(course: Option<Course>) -> Observation {
    Observation {
        mx_asked: course.is_some(),
        record_asked: course.is_some(),
        policy_requests: usize::from(course.is_some()),
        delivered: (course == Some(Course::Delivered)).then_some(Delivery::Tls),
        ..Observation::default()
    }
}

/// All domains, each with the course that its mail took; first mails to domains that change are delivered.
fn audited(course: impl Fn(&Case) -> Option<Course>) -> Vec<Seen> {
    let seen = cases::all().map(|case| match case.changes() {
        true => Seen { case, first: seen_once(Some(Course::Delivered)), second: Some(seen_once(course(case))) },
        false => Seen { case, first: seen_once(course(case)), second: None },
    });
    seen.collect()
}

fn verdict<'a>(verdicts: &'a Verdicts, name: &str) -> &'a Verdict {
    verdicts.domains.iter().find(|verdict| verdict.case.name == name).unwrap()
}

#[test]
fn a_sender_that_does_as_the_standard_asks_conforms_everywhere() {
    let verdicts = Verdicts::of(&audited(|case| case.standard.or(Some(Course::Delivered))));
    assert_eq!(verdicts.enforces, Some(true));
    for verdict in &verdicts.domains {
        assert_eq!(verdict.conforms(), verdict.case.standard.map(|_| true), "{}", verdict.case.name);
        assert_eq!(verdict.because, None, "{}", verdict.case.name);
    }
}

#[test]
fn a_sender_that_delivers_everything_does_not_enforce_and_says_nothing_of_texts() {
    let verdicts = Verdicts::of(&audited(|_| Some(Course::Delivered)));
    assert_eq!(verdicts.enforces, Some(false));
    for (name, conforms, because) in [
        ("perfect", Some(true), None),
        ("mx-expired", Some(false), Some(Because::NotEnforcing)),
        ("policy-lf", Some(false), Some(Because::NotEnforcing)),
        ("policy-bom", None, Some(Because::NotEnforcing)),
        ("then-none", None, Some(Because::NotEnforcing)),
    ] {
        let verdict = verdict(&verdicts, name);
        assert_eq!((verdict.conforms(), verdict.because), (conforms, because), "{name}");
    }
    assert!(agreeing(&verdicts).is_empty());
}

#[test]
fn mail_that_is_held_for_another_reason_says_nothing() {
    let held_for = |names: &'static [&'static str]| {
        move |case: &Case| {
            Some(if names.contains(&case.name) { Course::Held } else { case.standard.unwrap_or(Course::Held) })
        }
    };
    for (names, domain, because) in [
        (&[PERFECT][..], "mx-expired", Because::NothingDelivered),
        (&[PLAIN][..], "mx-expired", Because::HoldsWithoutPolicy),
        (&[CLEAR][..], "mx-no-starttls", Because::HoldsWithoutPolicy),
    ] {
        let verdicts = Verdicts::of(&audited(held_for(names)));
        let verdict = verdict(&verdicts, domain);
        assert_eq!((verdict.because, verdict.conforms()), (Some(because), None), "{names:?}");
    }
    // Whoever requires TLS everywhere can be measured with all that does not turn on it.
    let verdicts = Verdicts::of(&audited(held_for(&[CLEAR])));
    assert_eq!((verdicts.enforces, verdict(&verdicts, "mx-expired").known), (Some(true), Known::Applies));
}

#[test]
fn mail_that_never_came_is_not_held() {
    let verdicts = Verdicts::of(&audited(|case| case.standard.filter(|_| case.name != "mx-expired")));
    assert_eq!(verdict(&verdicts, "mx-expired").because, Some(Because::NoMail));
    let none = Verdicts::of(&audited(|_| None));
    assert_eq!(none.enforces, None);
    assert!(none.domains.iter().all(|verdict| verdict.known == Known::Unknown));
}

#[test]
fn mail_that_is_held_without_a_fetch_says_nothing_of_the_policy() {
    let mut seen = audited(|case| case.standard.or(Some(Course::Delivered)));
    for one in &mut seen {
        if matches!(one.case.name, "policy-lf" | "then-new-id") {
            one.first.policy_requests = 0;
        }
    }
    let verdicts = Verdicts::of(&seen);
    for name in ["policy-lf", "then-new-id"] {
        assert_eq!(verdict(&verdicts, name).because, Some(Because::NotFetched), "{name}");
    }
}

#[test]
fn a_profile_can_be_read_again_and_its_cases_hold() {
    let about = About { name: "ours", version: Some("1.2"), day: "2026-11-28" };
    for course in [Course::Delivered, Course::Held] {
        let verdicts = Verdicts::of(&audited(|case| match case.reading {
            Reading::Acceptance => Some(course),
            _ => case.standard,
        }));
        let text = profile(&about, &verdicts, &agreeing(&verdicts)).unwrap();
        let read = read_profile("ours.yaml", &text).unwrap();
        assert!(check_cases(&read, built_in()).is_empty(), "{text}");
        assert!(!read.cases.is_empty());
        assert!(read.behaviour.enforces.is_some() && read.behaviour.record_gone.is_some(), "{text}");
    }
}
