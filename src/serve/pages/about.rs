//! About the service: who looks at domains, how to be left alone, what is kept, and what the limits are.

use super::compare::shown;
use super::{Frame, main, page};
use crate::report::counted;
use crate::serve::Settings;
use crate::store::HistoryEntry;

/// The page.
pub fn about(settings: &Settings) -> String {
    let minutes = usize::try_from(settings.fresh.as_secs() / 60).unwrap_or_default();
    let days = usize::try_from(settings.keep.as_secs() / 86_400).unwrap_or_default();
    let helo = settings.collect.helo.as_deref().unwrap_or("this machine's address in brackets");
    page(Frame { title: "About", ..Frame::default() }, |html| {
        main(html, |html| {
            html.leaf("h1", &[], "About this service");
            html.leaf("h2", &[], "Who asked your servers");
            html.prose_in(
                "p",
                &[],
                &format!(
                    "Somebody typed your domain here. This service then asks the DNS, fetches the policy over HTTPS as \
                     `stslint/{}`, and connects to your MX hosts, where it gives `{helo}` to EHLO, starts TLS, looks at the \
                     certificate, and ends with QUIT. It names no sender and no recipient, and sends no mail.",
                    env!("CARGO_PKG_VERSION")
                ),
            );
            html.prose_in(
                "p",
                &[],
                &format!(
                    "Each domain is checked at most once in {}, however many people ask, and each MX host once for all domains that use it.",
                    counted(minutes, "minute")
                ),
            );
            html.leaf("h2", &[], "How to be left alone");
            html.prose_in(
                "p",
                &[],
                "Publish a TXT record `v=stslint1; checks=off` at `_stslint` below your domain, and it is not checked here.",
            );
            if let Some(contact) = &settings.contact {
                html.element("p", &[], |html| {
                    html.text("Or write to ");
                    html.leaf("a", &[("href", contact)], contact.trim_start_matches("mailto:"));
                    html.text(".");
                });
            }
            html.leaf("h2", &[], "What is kept");
            html.prose_in(
                "p",
                &[],
                &format!(
                    "What was observed is kept for {} under an address that nobody can guess, and removed before then by \
                     whoever made it. Who asked is not kept: no address, no cookie, no log of visitors.",
                    counted(days, "day")
                ),
            );
            html.leaf("h2", &[], "Limits");
            html.prose_in(
                "p",
                &[],
                &format!(
                    "{} per minute for one network, {} in all; what is answered from a fresh result does not count. `Retry-After` \
                     says when the next one is possible.",
                    counted(usize::try_from(settings.per_client).unwrap_or(usize::MAX), "new check"),
                    settings.in_all
                ),
            );
            html.leaf("h2", &[], "For programs");
            html.element("p", &[], |html| {
                html.text("There is an API: ");
                html.leaf("a", &[("href", "/api/v1/openapi.json")], "its description (OpenAPI)");
                html.text(".");
            });
        });
    })
}

/// The earlier results of a domain.
pub fn history(domain: &str, entries: &[HistoryEntry]) -> String {
    let title = format!("Results of {domain}");
    page(Frame { title: &title, ..Frame::default() }, |html| {
        main(html, |html| {
            html.leaf("h1", &[], &title);
            if entries.is_empty() {
                html.leaf("p", &[("class", "lead")], "There are none.");
            }
            html.element("ul", &[], |html| {
                for entry in entries {
                    let address = format!("/r/{}", entry.id);
                    html.element("li", &[], |html| html.leaf("a", &[("href", &address)], &shown(entry.collected_at)));
                }
            });
        });
    })
}
