//! The DNS records as a zone file writes them, how long they are cached, and what DNSSEC says of them.

use super::domain::Domain;
use super::exhibit::Extract;
use super::markup::Markup;
use super::status::Status;
use super::words;
use crate::facts::Fact;
use crate::facts::tree::FactTree;
use crate::snapshot::{AddressRecord, DnssecProof, Lookup};

/// How many addresses of the policy host are shown.
const MAX_ADDRESSES: usize = 16;

/// Fills the part.
pub fn render(domain: &Domain<'_>, html: &mut Markup) {
    let columns = ["What", "As a zone file writes it", "TTL", "Cached until", "DNSSEC"];
    domain.table(html, "Answers as they came", &columns, |html| {
        for answer in answers(domain.facts()) {
            html.element("tr", &[], |html| {
                html.leaf("th", &[("scope", "row")], answer.title);
                html.element("td", &[("class", "wide")], |html| match domain.report().exhibits.get(answer.exhibit) {
                    Some(text) => Extract::new(text, domain.faults(answer.exhibit)).whole(html),
                    None => html.leaf("span", &[("class", "muted")], "not observed"),
                });
                cached(domain, html, answer.ttl, answer.proof);
            });
        }
        let host = domain.snapshot().policy_host.as_ref();
        for (kind, lookup) in host.iter().flat_map(|host| [("A", &host.ipv4), ("AAAA", &host.ipv6)]) {
            if let Some(lookup) = lookup {
                html.element("tr", &[], |html| addresses(domain, html, kind, lookup));
            }
        }
    });
    html.leaf(
        "p",
        &[("class", "remark")],
        "If you change a record, a test through the same resolver can show the old one until its TTL has passed, and so \
         can senders. That a record does not exist is cached too. Publish the changed policy first, then the new id; \
         senders that hold the old policy use it until they see the new id.",
    );
}

/// An answer that holds records.
struct Answer {
    title: &'static str,
    exhibit: &'static str,
    ttl: Ttl,
    proof: Option<DnssecProof>,
}

fn answers(facts: &FactTree) -> [Answer; 3] {
    type Seconds = Fact<Option<i64>>;
    let answer = |title, exhibit, published: &Seconds, seen: &Seconds, proof: &Fact<DnssecProof>| Answer {
        title,
        exhibit,
        ttl: Ttl { seconds: seen.present().copied(), is_published: published.present().is_some() },
        proof: proof.known().copied(),
    };
    let (mx, record, tlsrpt) = (&facts.mx, &facts.record, &facts.tlsrpt);
    [
        answer("MX records", "mx", mx.at(|it| &it.ttl), mx.at(|it| &it.ttl_seen), mx.at(|it| &it.dnssec)),
        answer(
            "MTA-STS record",
            "record",
            record.at(|it| &it.ttl),
            record.at(|it| &it.ttl_seen),
            record.at(|it| &it.dnssec),
        ),
        answer(
            "TLSRPT record",
            "tlsrpt",
            tlsrpt.at(|it| &it.ttl),
            tlsrpt.at(|it| &it.ttl_seen),
            tlsrpt.at(|it| &it.dnssec),
        ),
    ]
}

fn addresses(domain: &Domain<'_>, html: &mut Markup, kind: &str, lookup: &Lookup<AddressRecord>) {
    html.leaf("th", &[("scope", "row")], if kind == "A" { "Policy host, IPv4" } else { "Policy host, IPv6" });
    let host = domain.facts().policy_host.at(|host| &host.name).known();
    let name = lookup.name.as_ref().or(host).map_or("mta-sts", String::as_str);
    html.element("td", &[("class", "wide")], |html| {
        html.element("ol", &[("class", "lines")], |html| {
            let mut line = |text: &str| html.element("li", &[], |html| html.leaf("code", &[], text));
            for alias in &lookup.aliases {
                line(&format!("{}. {}IN CNAME {}.", alias.name, ttl_column(alias.ttl), alias.target));
            }
            let owner = lookup.aliases.last().map_or(name, |alias| &alias.target);
            for record in lookup.records.iter().take(MAX_ADDRESSES) {
                line(&format!("{owner}. {}IN {kind} {}", ttl_column(lookup.ttl), record.address));
            }
            if lookup.records.is_empty() {
                let outcome = lookup.outcome().map_or("not observed", |outcome| outcome.label());
                line(&format!("{owner}. IN {kind} ; {outcome}"));
            }
        });
        let more = lookup.records.len().saturating_sub(MAX_ADDRESSES);
        words::and_more(html, more, "record");
    });
    let ttl = Ttl { seconds: lookup.ttl.map(i64::from), is_published: !lookup.ttl_at_least };
    cached(domain, html, ttl, lookup.dnssec);
}

fn ttl_column(ttl: Option<u32>) -> String {
    ttl.map(|ttl| format!("{ttl} ")).unwrap_or_default()
}

/// A TTL, and whether that is what was published; else a cache had it left, and more is published.
#[derive(Clone, Copy)]
struct Ttl {
    seconds: Option<i64>,
    is_published: bool,
}

/// The cells for TTL, the end of caching, and DNSSEC.
fn cached(domain: &Domain<'_>, html: &mut Markup, ttl: Ttl, dnssec: Option<DnssecProof>) {
    let missing = |html: &mut Markup| html.leaf("span", &[("class", "muted")], "–");
    html.element("td", &[("class", "ttl")], |html| match ttl.seconds {
        Some(seconds) => {
            let at_least = if ttl.is_published { "" } else { "at least " };
            html.text(&format!("{at_least}{seconds} s"));
            html.leaf("div", &[("class", "muted small")], &crate::snapshot::duration(seconds));
        }
        None => missing(html),
    });
    // Other resolvers may keep it for longer than this one had left.
    let seconds = ttl.seconds.filter(|_| ttl.is_published);
    let until = seconds.zip(domain.report().collected_at.as_deref()).and_then(|(ttl, time)| words::later(time, ttl));
    html.element("td", &[], |html| match until {
        Some(until) => html.text(&until),
        None => missing(html),
    });
    html.element("td", &[], |html| match dnssec {
        Some(DnssecProof::Secure) => Status::Passed.show(html, proof(dnssec)),
        Some(DnssecProof::Bogus) => Status::Error.show(html, proof(dnssec)),
        _ => html.leaf("span", &[("class", "muted")], proof(dnssec)),
    });
}

/// What DNSSEC says, in words (RFC 4035 §4.3).
pub fn proof(proof: Option<DnssecProof>) -> &'static str {
    match proof {
        Some(DnssecProof::Bogus) => "bogus",
        Some(DnssecProof::Insecure) => "not signed",
        Some(DnssecProof::Secure) => "secure",
        Some(DnssecProof::Indeterminate | DnssecProof::Unchecked) | None => "not known",
    }
}
