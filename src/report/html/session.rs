//! A TLS session and its certificate in the cells of a table: for MX hosts and for the policy host.

use super::markup::Markup;
use super::status::Status;
use super::words;
use crate::facts::Fact;
use crate::facts::tree::{CertificateFacts, NameMatch, TlsSessionFacts};
use crate::snapshot::TrustVerdict;

/// How many names of a certificate are shown.
const MAX_NAMES: usize = 4;

/// The version of TLS; `tls` is the handshake.
pub fn version(html: &mut Markup, tls: &Fact<TlsSessionFacts>) {
    match (tls.at(|tls| &tls.version).present(), tls.at(|tls| &tls.failure).present()) {
        (Some(version), _) => {
            html.text(version.word());
            if let Some(cipher) = tls.at(|tls| &tls.cipher).present() {
                html.element("div", &[("class", "muted small")], |html| html.leaf("code", &[], cipher));
            }
        }
        (None, Some(failure)) => Status::Error.show(html, failure),
        _ => not_observed(html),
    }
}

/// The cell for the host's own certificate: names, issuer, how long it lasts, and what is wrong with it.
pub fn certificate(html: &mut Markup, tls: &Fact<TlsSessionFacts>) {
    let certificate = tls.at(|tls| &tls.certificate);
    html.element("td", &[("class", "wide")], |html| {
        if certificate.is_absent() {
            return html.leaf("span", &[("class", "muted")], "none came");
        }
        let known = certificate.present().and_then(|it| Some((it, it.not_after.known()?)));
        let Some((certificate, until)) = known else { return not_observed(html) };
        html.element("ul", &[("class", "plain")], |html| {
            html.element("li", &[], |html| names(html, certificate));
            html.element("li", &[], |html| lifetime(html, certificate, until));
            html.element("li", &[], |html| trust(html, tls));
            if let Some(issuer) = certificate.issuer.known() {
                html.leaf("li", &[("class", "muted small")], &format!("issued by {issuer}"));
            }
        });
    });
}

fn names(html: &mut Markup, certificate: &CertificateFacts) {
    let names: Vec<&str> = certificate.dns_ids.entries().iter().map(String::as_str).collect();
    match certificate.name_match.known() {
        Some(NameMatch::Exact | NameMatch::Wildcard) => Status::Passed.show(html, "names the host: "),
        Some(_) => Status::Error.show(html, "does not name the host: "),
        None => html.text("names: "),
    }
    if names.is_empty() {
        html.leaf("span", &[("class", "muted")], "no DNS names");
    } else {
        words::codes(html, &names, MAX_NAMES);
    }
}

fn lifetime(html: &mut Markup, certificate: &CertificateFacts, until: &str) {
    let left = certificate.days_left.known().copied();
    let (status, word) = if certificate.expired.is_true() {
        (Some(Status::Error), "expired on ")
    } else if certificate.not_yet_valid.is_true() {
        (Some(Status::Error), "not valid yet; until ")
    } else {
        (left.map(|_| Status::Passed), "valid until ")
    };
    match status {
        Some(status) => status.show(html, word),
        None => html.text(word),
    }
    words::day(html, until);
    if let Some(left) = left.filter(|left| *left >= 0) {
        let days = words::count(usize::try_from(left).unwrap_or_default(), "day");
        html.leaf("span", &[("class", "muted")], &format!(" ({days} left)"));
    }
}

fn trust(html: &mut Markup, tls: &Fact<TlsSessionFacts>) {
    match tls.at(|tls| &tls.trust).known() {
        Some(TrustVerdict::Trusted) => Status::Passed.show(html, "trusted chain"),
        Some(verdict) => {
            let said = match verdict {
                TrustVerdict::BadSignature => "a signature in the chain is invalid",
                TrustVerdict::IssuerExpired => "an issuer has expired",
                TrustVerdict::Malformed => "a certificate cannot be read",
                TrustVerdict::MissingIntermediate => "an intermediate certificate is missing",
                TrustVerdict::NameConstraint => "an authority may not issue certificates for this name",
                TrustVerdict::SelfSigned => "self-signed",
                TrustVerdict::UnknownIssuer => "unknown issuer",
                TrustVerdict::WrongPurpose => "not meant for a TLS server",
                TrustVerdict::Other | TrustVerdict::Trusted => "not trusted",
            };
            Status::Error.show(html, said);
        }
        None => html.leaf("span", &[("class", "muted")], "trust not judged"),
    }
}

/// Says that nothing is known.
pub fn not_observed(html: &mut Markup) {
    html.leaf("span", &[("class", "muted")], "not observed");
}
