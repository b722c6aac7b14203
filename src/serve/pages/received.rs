//! The TLS reports that were received about one of the operator's own domains: sums by day and cause, and nothing of who
//! sent them.

use super::{Frame, main, page};
use crate::report::html::sums;
use crate::tls_reports::digest::Digest;

/// The page.
pub fn received(domain: &str, digest: &Digest) -> String {
    page(Frame { title: "TLS reports", ..Frame::default() }, |html| {
        main(html, |html| {
            html.leaf("h1", &[], &format!("TLS reports about {domain}"));
            match digest.domains.iter().find(|of| of.domain == domain) {
                Some(of) => sums(html, of),
                None => html.leaf("p", &[], "No report has been received yet. Senders report once a day."),
            }
            html.leaf("p", &[("class", "muted small")], "The authors of the reports are not verified.");
        });
    })
}
