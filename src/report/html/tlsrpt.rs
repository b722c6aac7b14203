//! Where reports about TLS go (RFC 8460 §3).

use super::domain::Domain;
use super::markup::Markup;
use super::status::Status;
use super::words;
use crate::facts::tree::DestinationFacts;

/// How many destinations are shown.
const MAX_DESTINATIONS: usize = 20;

/// Fills the part.
pub fn render(domain: &Domain<'_>, html: &mut Markup) {
    let record = &domain.facts().tlsrpt;
    let sentence = match record.at(|record| &record.usable).known() {
        Some(true) => "Senders that keep statistics send a report on the TLS of their connections once a day to:",
        Some(false) if record.at(|record| &record.text).is_absent() => {
            "No TLSRPT record is published: nobody reports when mail cannot be delivered over TLS."
        }
        Some(false) => "The TLSRPT record is not usable, so no sender reports anything.",
        None => "The TLSRPT record was not observed.",
    };
    html.leaf("p", &[], sentence);
    let destinations = record.at(|record| &record.rua).entries();
    if destinations.is_empty() {
        return;
    }
    domain.table(html, "Destinations for reports", &["Destination", "Way", "State"], |html| {
        destinations.iter().take(MAX_DESTINATIONS).for_each(|at| html.element("tr", &[], |html| row(html, at)));
    });
    words::and_more(html, destinations.len().saturating_sub(MAX_DESTINATIONS), "destination");
}

fn row(html: &mut Markup, destination: &DestinationFacts) {
    html.element("th", &[("scope", "row")], |html| html.leaf("code", &[], destination.text.text()));
    let way = match destination.scheme.present().map(String::as_str) {
        Some("mailto") => "by mail",
        Some("https") => "by HTTPS POST",
        _ => "none that senders know",
    };
    html.leaf("td", &[], way);
    html.element("td", &[], |html| match destination.scheme_problem.present().or(destination.uri_problem.present()) {
        Some(problem) => Status::Error.show(html, problem),
        None => match destination.resolves.known() {
            Some(true) => Status::Passed.show(html, "its host can be found in DNS"),
            Some(false) => Status::Error.show(html, "its host cannot be found in DNS"),
            None => Status::NotChecked.show(html, "its host was not looked up"),
        },
    });
}
