//! The MX hosts: each address over STARTTLS, its certificate, whether the policy names the host, and DANE.

use super::domain::Domain;
use super::exhibit::Extract;
use super::markup::Markup;
use super::session::{self, not_observed};
use super::status::Status;
use super::words;
use crate::facts::tree::{MxHostFacts, SmtpFacts};

/// How many hosts are shown.
const MAX_HOSTS: usize = 50;
/// How many addresses of one host are shown.
const MAX_ADDRESSES: usize = 8;
/// How many conversations are shown.
const MAX_CONVERSATIONS: usize = 20;
/// How many TLSA records of one host are shown.
const MAX_TLSA: usize = 4;
/// How many characters of a TLSA record are shown.
const MAX_TLSA_TEXT: usize = 22;

/// Fills the part.
pub fn render(domain: &Domain<'_>, html: &mut Markup) {
    let mx = &domain.facts().mx;
    let Some(hosts) = mx.at(|mx| &mx.hosts).known() else {
        return html.leaf("p", &[], "The MX records were not observed.");
    };
    if hosts.is_empty() {
        let null = mx.at(|mx| &mx.null_mx).is_true();
        let sentence = if null { "The domain takes no mail (null MX)." } else { "The domain has no MX host." };
        return html.leaf("p", &[], sentence);
    }
    let columns = ["Preference", "MX host", "Policy", "Address", "STARTTLS", "Certificate", "DANE"];
    domain.table(html, "MX hosts in order of preference", &columns, |html| {
        hosts.iter().take(MAX_HOSTS).for_each(|host| rows(html, host));
    });
    words::and_more(html, hosts.len().saturating_sub(MAX_HOSTS), "MX host");
    conversations(domain, html);
}

/// A row for each address; what belongs to the host spans them.
fn rows(html: &mut Markup, host: &MxHostFacts) {
    let probes = host.probes.entries();
    let addresses: Vec<Option<&String>> = if probes.is_empty() {
        host.addresses.entries().iter().map(|at| at.address.known()).collect()
    } else {
        probes.iter().map(|probe| probe.address.known()).collect()
    };
    let shown = addresses.len().clamp(1, MAX_ADDRESSES);
    let span = shown.to_string();
    for index in 0..shown {
        html.element("tr", &[("class", if index == 0 { "host" } else { "further" })], |html| {
            if index == 0 {
                let preference = host.preference.present();
                let preference = preference.map_or("implicit".to_owned(), |number| number.to_string());
                html.leaf("td", &[("rowspan", &span), ("class", "number")], &preference);
                html.element("th", &[("rowspan", &span), ("scope", "rowgroup")], |html| {
                    name(html, host, addresses.len())
                });
                html.element("td", &[("rowspan", &span), ("class", "pattern")], |html| covered(html, host));
            }
            let address = addresses.get(index).copied().flatten();
            html.element("td", &[("class", "address")], |html| match address {
                Some(address) => html.leaf("code", &[], address),
                None if host.resolves.known() == Some(&false) => Status::Error.show(html, "none"),
                None => not_observed(html),
            });
            match probes.get(index) {
                Some(probe) => probed(html, probe),
                None => html.element("td", &[("colspan", "2")], not_observed),
            }
            if index == 0 {
                html.element("td", &[("rowspan", &span)], |html| dane(html, host));
            }
        });
    }
}

fn name(html: &mut Markup, host: &MxHostFacts, addresses: usize) {
    html.leaf("code", &[], host.name.text());
    if let Some(target) = host.alias.present() {
        html.element("div", &[("class", "small")], |html| {
            html.text("an alias of ");
            html.leaf("code", &[], target);
        });
    }
    let more = addresses.saturating_sub(MAX_ADDRESSES);
    if more > 0 {
        html.leaf("div", &[("class", "more")], &format!("and {more} more of its addresses"));
    }
}

fn covered(html: &mut Markup, host: &MxHostFacts) {
    match (host.covered.present(), host.covered_by.present()) {
        (Some(true), pattern) => {
            Status::Passed.show(html, "named by ");
            html.leaf("code", &[], pattern.map_or("the policy", String::as_str));
        }
        (Some(false), _) => Status::Error.show(html, "not named"),
        _ if host.covered.is_absent() => html.leaf("span", &[("class", "muted")], "no policy requires it"),
        _ => not_observed(html),
    }
}

fn probed(html: &mut Markup, probe: &SmtpFacts) {
    let starttls = |html: &mut Markup| match (probe.starttls_offered.known(), probe.failure.present()) {
        (Some(true), _) => Status::Passed.show(html, "offered"),
        (Some(false), _) => Status::Error.show(html, "not offered"),
        (None, Some(failure)) => Status::NotChecked.show(html, failure),
        _ => not_observed(html),
    };
    html.element("td", &[], |html| {
        html.element("div", &[], starttls);
        if probe.starttls_offered.is_true() {
            session::version(html, &probe.tls);
        }
    });
    session::certificate(html, &probe.tls);
}

fn dane(html: &mut Markup, host: &MxHostFacts) {
    let Some(records) = host.tlsa.known() else {
        return html.leaf("span", &[("class", "muted")], "not looked up");
    };
    if records.is_empty() {
        return html.leaf("span", &[("class", "muted")], "no TLSA records");
    }
    html.element("ul", &[("class", "plain")], |html| {
        for record in records.iter().take(MAX_TLSA) {
            html.element("li", &[], |html| {
                match record.matches.known() {
                    Some(true) => Status::Passed.show(html, "matches: "),
                    Some(false) => Status::Error.show(html, "does not match: "),
                    None => Status::NotChecked.show(html, "not compared: "),
                }
                html.leaf("code", &[], &shortened(record.text.text()));
            });
        }
    });
    let more = records.len().saturating_sub(MAX_TLSA);
    if more > 0 {
        html.leaf("div", &[("class", "more")], &format!("and {more} more"));
    }
}

/// A TLSA record with the beginning of its digest: enough to tell it from others.
fn shortened(record: &str) -> String {
    match record.char_indices().nth(MAX_TLSA_TEXT) {
        Some((end, _)) => format!("{}…", record.get(..end).unwrap_or_default()),
        None => record.to_owned(),
    }
}

/// What the hosts said, word for word: the exhibits that are named by host and address.
fn conversations(domain: &Domain<'_>, html: &mut Markup) {
    let exhibits = &domain.report().exhibits;
    let said: Vec<(&String, &String)> = exhibits.iter().filter(|(name, _)| name.ends_with(']')).collect();
    for (name, text) in said.iter().take(MAX_CONVERSATIONS) {
        html.element("details", &[], |html| {
            html.element("summary", &[], |html| {
                html.text("What ");
                html.leaf("code", &[], name);
                html.text(" said");
            });
            Extract::new(text, domain.faults(name)).whole(html);
        });
    }
    words::and_more(html, said.len().saturating_sub(MAX_CONVERSATIONS), "conversation");
}
