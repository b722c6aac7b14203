//! How the observation was made: what a reader needs in order to judge or repeat it.

use super::domain::Domain;
use super::markup::Markup;
use super::words;
use crate::snapshot::Collection;

/// How many parts that were left out are named.
const MAX_LEFT_OUT: usize = 20;

/// Fills the part.
pub fn render(domain: &Domain<'_>, html: &mut Markup) {
    let unknown = Collection::default();
    let snapshot = domain.snapshot();
    let collection = snapshot.collection.as_ref().unwrap_or(&unknown);
    html.element("dl", &[("class", "facts")], |html| {
        fact(html, "Observed", |html| match &snapshot.collected_at {
            Some(time) => words::time(html, time),
            None => html.text("not said"),
        });
        text(html, "Observed by", collection.program.as_deref());
        text(html, "Resolver", collection.resolver.as_deref());
        text(html, "DNSSEC", collection.dnssec.as_deref().map(dnssec));
        text(html, "Trusted roots", collection.roots.as_deref());
        text(html, "Ports", Some(&ports(collection)));
        text(html, "Name servers of the zone", Some(&name_servers(domain)));
        text(html, "Revocation", Some("not checked"));
        text(html, "Judged by", Some(concat!("stslint ", env!("CARGO_PKG_VERSION"))));
    });
    if !collection.left_out.is_empty() {
        html.leaf(domain.heading(2), &[], "Left out");
        html.element("ul", &[], |html| {
            for part in collection.left_out.iter().take(MAX_LEFT_OUT) {
                html.element("li", &[], |html| {
                    html.leaf("code", &[], &part.field);
                    html.text(": ");
                    html.prose(&part.reason);
                });
            }
        });
        words::and_more(html, collection.left_out.len().saturating_sub(MAX_LEFT_OUT), "part");
    }
}

fn fact(html: &mut Markup, term: &str, value: impl FnOnce(&mut Markup)) {
    html.element("div", &[], |html| {
        html.leaf("dt", &[], term);
        html.element("dd", &[], value);
    });
}

fn text(html: &mut Markup, term: &str, value: Option<&str>) {
    fact(html, term, |html| html.text(value.unwrap_or("not said")));
}

fn dnssec(mode: &str) -> &str {
    match mode {
        "off" => "not looked at",
        "trust-ad" => "as the resolver says (its AD bit)",
        "validate" => "validated here, from the trust anchors on",
        other => other,
    }
}

fn ports(collection: &Collection) -> String {
    let port = |port: Option<u16>, usual: u16| port.unwrap_or(usual);
    format!("HTTPS {}, SMTP {}", port(collection.https_port, 443), port(collection.smtp_port, 25))
}

fn name_servers(domain: &Domain<'_>) -> String {
    let servers = domain.facts().name_servers.present();
    match servers.and_then(|servers| Some((servers, servers.answered.known()?))) {
        Some((servers, answered)) if servers.consistent.is_true() => format!("{answered} answered, and say the same"),
        Some((servers, answered)) => format!("{answered} answered; {}", servers.differences.entries().join("; ")),
        None => "not asked one by one".to_owned(),
    }
}
