//! A result: when it was observed, what caching means for it, what can be done with it, and the report.

use jiff::{SignedDuration, Timestamp};

use super::{Frame, page};
use crate::report::html::markup::Markup;
use crate::report::html::{content, words};
use crate::report::{Linted, counted};

/// What a result page is made of.
#[derive(Clone, Copy, Debug)]
pub struct Result<'a> {
    /// The id of the result.
    pub id: &'a str,
    /// The judged observation.
    pub linted: &'a Linted,
    /// The secret that removes the result, where whoever asks made it.
    pub removal: Option<&'a str>,
    /// The same choices for another check.
    pub smtp: bool,
    /// Whether the zone's own name servers were asked.
    pub authoritative: bool,
    /// For how long a result answers for its domain.
    pub fresh: std::time::Duration,
    /// For how long results are kept.
    pub keep: std::time::Duration,
    /// Whether TLS reports about the domain are received here.
    pub reports: bool,
    /// Whether there is a page of earlier results.
    pub history: bool,
    /// Now.
    pub now: Timestamp,
}

/// The page.
pub fn result(result: &Result<'_>) -> String {
    let domain = result.linted.report.domain.as_deref().unwrap_or("the texts given");
    page(Frame { title: domain, ..Frame::default() }, |html| {
        html.element("section", &[("class", "observation"), ("aria-label", "This observation")], |html| {
            observed(html, result);
            actions(html, result, domain);
            made_by(html, result);
        });
        content(html, &[result.linted], &[]);
    })
}

fn observed(html: &mut Markup, result: &Result<'_>) {
    let Some(at) = &result.linted.report.collected_at else { return };
    html.element("p", &[], |html| {
        html.text("Observed on ");
        words::time(html, at);
        let Ok(observed) = at.parse::<Timestamp>() else { return };
        let age = result.now.duration_since(observed);
        html.text(&format!(", {} ago, and judged by the rules of today. ", lasting(age)));
        let fresh = SignedDuration::try_from(result.fresh).unwrap_or_default();
        if age < fresh {
            let until = observed.checked_add(fresh).unwrap_or(observed);
            html.text(&format!(
                "The same result answers everybody who checks this domain until {} UTC: repeating the check before then shows \
                 it again. After a change, remember that DNS answers stay in caches for as long as their TTL says.",
                until.strftime("%H:%M:%S")
            ));
        } else {
            html.text("You can check the domain again now.");
        }
    });
}

/// A time span in the unit that people would use.
pub fn lasting(span: SignedDuration) -> String {
    let seconds = usize::try_from(span.as_secs()).unwrap_or_default();
    match seconds {
        0..=119 => counted(seconds, "second"),
        120..=7_199 => counted(seconds / 60, "minute"),
        7_200..=172_799 => counted(seconds / 3_600, "hour"),
        _ => counted(seconds / 86_400, "day"),
    }
}

fn actions(html: &mut Markup, result: &Result<'_>, domain: &str) {
    let id = result.id;
    html.element("div", &[("class", "actions")], |html| {
        html.element("form", &[("method", "post"), ("action", "/check")], |html| {
            html.open("input", &[("type", "hidden"), ("name", "domain"), ("value", domain)]);
            for (name, on) in [("smtp", result.smtp), ("authoritative", result.authoritative)] {
                if on {
                    html.open("input", &[("type", "hidden"), ("name", name), ("value", "on")]);
                }
            }
            html.leaf("button", &[("type", "submit"), ("class", "quiet")], "Check again");
        });
        let mut link = |address: String, text: &str| html.leaf("a", &[("href", &address)], text);
        link(format!("/r/{id}/what-if"), "What if I published …?");
        link(format!("/r/{id}/proposal"), "Propose a policy");
        link(format!("/r/{id}/compare"), "Compare");
        if result.history {
            link(format!("/history/{domain}"), "History");
        }
        if result.reports {
            link(format!("/reports/{domain}"), "TLS reports");
        }
        html.element("details", &[("class", "downloads")], |html| {
            html.leaf("summary", &[], "Download");
            html.element("ul", &[("class", "plain")], |html| {
                let kinds = [
                    ("snapshot", "Snapshot: what was observed"),
                    ("json", "JSON"),
                    ("sarif", "SARIF"),
                    ("markdown", "Markdown"),
                ];
                for (format, text) in kinds {
                    let address = format!("/r/{id}/download?format={format}");
                    html.element("li", &[], |html| html.leaf("a", &[("href", &address)], text));
                }
            });
        });
    });
}

/// For whoever made the result alone: how to share it, and how to remove it.
fn made_by(html: &mut Markup, result: &Result<'_>) {
    let Some(removal) = result.removal else { return };
    let days = usize::try_from(result.keep.as_secs() / 86_400).unwrap_or_default();
    html.element("p", &[("class", "muted small")], |html| {
        html.text("To share this result, give ");
        let address = format!("/r/{}", result.id);
        html.leaf("a", &[("href", &address)], "this link");
        html.text(&format!(
            ": nobody finds it who does not have it, and it is removed after {}. Only you are shown ",
            counted(days, "day")
        ));
        let address = format!("/r/{}/remove?removal={removal}", result.id);
        html.leaf("a", &[("href", &address)], "the link that removes it");
        html.text(" before then.");
    });
}
