//! What happens while a check waits or runs. Without script the page is fetched again every two seconds.

use super::texts::ENGLISH;
use super::{Frame, main, page};
use crate::serve::check::{Check, Stage};

/// The page of a check that has no result yet.
pub fn progress(check: &Check, steps: &[String]) -> String {
    let events = format!("/r/{}/events", check.id);
    let frame = Frame { title: &check.what.domain, refresh: Some(2), events: Some(&events) };
    page(frame, |html| {
        main(html, |html| {
            html.leaf("h1", &[], &check.what.domain);
            html.element("div", &[("id", "progress"), ("role", "status"), ("aria-live", "polite")], |html| {
                let waits = check.stage() == Stage::Queued;
                html.leaf("p", &[("class", "lead"), ("id", "stage")], &stage(check));
                html.open("progress", &[("aria-label", if waits { ENGLISH.waiting } else { ENGLISH.running })]);
                html.element("ul", &[("id", "steps"), ("class", "plain small muted")], |html| {
                    for step in steps {
                        html.leaf("li", &[], step);
                    }
                });
            });
            html.leaf(
                "p",
                &[("class", "muted small")],
                "This takes some seconds; a server that is slow to answer may take up to a minute. The address of this page \
                 stays: you can come back to it.",
            );
        });
    })
}

/// How far a check is, in a sentence.
pub fn stage(check: &Check) -> String {
    match (check.stage(), check.in_front()) {
        (Stage::Queued, 0) => format!("{}: it begins now.", ENGLISH.waiting),
        (Stage::Queued, 1) => format!("{}: one is in front.", ENGLISH.waiting),
        (Stage::Queued, count) => format!("{}: {count} are in front.", ENGLISH.waiting),
        _ => format!("{} …", ENGLISH.running),
    }
}
