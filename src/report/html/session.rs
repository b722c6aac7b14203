//! A TLS session and its certificate in the cells of a table: for MX hosts and for the policy host.

use super::markup::Markup;
use super::seen::Seen;
use super::status::Status;
use super::words;

/// How many names of a certificate are shown.
const MAX_NAMES: usize = 4;

/// The version of TLS; `tls` is the handshake.
pub fn version(html: &mut Markup, tls: Seen<'_>) {
    match (tls.at("/version").text(), tls.at("/failure").text()) {
        (Some(version), _) => {
            html.text(version);
            if let Some(cipher) = tls.at("/cipher").text() {
                html.element("div", &[("class", "muted small")], |html| html.leaf("code", &[], cipher));
            }
        }
        (None, Some(failure)) => Status::Error.show(html, failure),
        _ => not_observed(html),
    }
}

/// The cell for the host's own certificate: names, issuer, how long it lasts, and what is wrong with it.
pub fn certificate(html: &mut Markup, tls: Seen<'_>) {
    let certificate = tls.at("/certificate");
    html.element("td", &[("class", "wide")], |html| {
        if certificate.is_absent() {
            return html.leaf("span", &[("class", "muted")], "none came");
        }
        let Some(until) = certificate.at("/not_after").text() else { return not_observed(html) };
        html.element("ul", &[("class", "plain")], |html| {
            html.element("li", &[], |html| names(html, certificate));
            html.element("li", &[], |html| lifetime(html, certificate, until));
            html.element("li", &[], |html| trust(html, tls));
            if let Some(issuer) = certificate.at("/issuer").text() {
                html.leaf("li", &[("class", "muted small")], &format!("issued by {issuer}"));
            }
        });
    });
}

fn names(html: &mut Markup, certificate: Seen<'_>) {
    let names = certificate.at("/dns_ids").texts();
    let matched = certificate.at("/name_match").text();
    match matched {
        Some("exact" | "wildcard") => Status::Passed.show(html, "names the host: "),
        Some(_) => Status::Error.show(html, "does not name the host: "),
        None => html.text("names: "),
    }
    match names.is_empty() {
        true => html.leaf("span", &[("class", "muted")], "no DNS names"),
        false => words::codes(html, &names, MAX_NAMES),
    }
}

fn lifetime(html: &mut Markup, certificate: Seen<'_>, until: &str) {
    let left = certificate.at("/days_left").number();
    let (status, word) = if certificate.at("/expired").truth() == Some(true) {
        (Some(Status::Error), "expired on ")
    } else if certificate.at("/not_yet_valid").truth() == Some(true) {
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

fn trust(html: &mut Markup, tls: Seen<'_>) {
    match tls.at("/trust").text() {
        Some("trusted") => Status::Passed.show(html, "trusted chain"),
        Some(verdict) => {
            let said = match verdict {
                "bad_signature" => "a signature in the chain is wrong",
                "issuer_expired" => "an issuer has expired",
                "malformed" => "a certificate cannot be read",
                "missing_intermediate" => "an intermediate certificate is missing",
                "name_constraint" => "an authority may not speak for this name",
                "self_signed" => "self-signed",
                "unknown_issuer" => "unknown issuer",
                "wrong_purpose" => "not meant for a TLS server",
                _ => "not trusted",
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
