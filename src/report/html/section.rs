//! One domain's section: its parts in the order in which an administrator needs them. Used by the page.

use super::domain::Domain;
use super::markup::Markup;
use super::status::Status;
use super::{about, checks, findings, hosts, policy, records, remarks, sender, timeline, tlsrpt, verdict};

/// Writes what a part has to say of a domain; nothing where it has nothing to say.
type Fill = fn(&Domain<'_>, &mut Markup);

/// The parts: their anchor, their heading, and what fills them.
const PARTS: [(&str, &str, Fill); 10] = [
    ("findings", "Findings", findings::render),
    ("senders", "What senders do", sender::render),
    ("hosts", "MX hosts", hosts::render),
    ("records", "DNS records", records::render),
    ("policy", "Policy", policy::render),
    ("tlsrpt", "TLS reports", tlsrpt::render),
    ("remarks", "Remarks", remarks::render),
    ("checks", "Checks performed", checks::render),
    ("about", "About this observation", about::render),
    ("timeline", "Timeline", timeline::render),
];

/// A part that is filled: its anchor, its heading, and what is in it.
pub type Part = (&'static str, &'static str, Markup);

/// The parts that have something to say.
pub fn parts(domain: &Domain<'_>) -> Vec<Part> {
    // Of many domains together there is nothing but what rules say.
    let all = domain.report().is_over_one_domain();
    let told = PARTS.iter().filter(|(part, ..)| all || ["findings", "remarks", "checks"].contains(part));
    let filled = told.map(|(part, title, fill)| {
        let mut inside = Markup::default();
        fill(domain, &mut inside);
        (*part, *title, inside)
    });
    filled.filter(|(_, _, inside)| !inside.is_empty()).collect()
}

/// The links to the parts.
pub fn contents(domain: &Domain<'_>, html: &mut Markup, parts: &[Part]) {
    html.element("ul", &[], |html| {
        for (part, title, _) in parts {
            html.element("li", &[], |html| html.leaf("a", &[("href", &format!("#{}", domain.id(part)))], title));
        }
    });
}

/// The whole section.
pub fn show(domain: &Domain<'_>, html: &mut Markup, parts: Vec<Part>) {
    let (id, heading) = (domain.anchor(), domain.id("name"));
    html.element("section", &[("id", &id), ("class", "domain"), ("aria-labelledby", &heading)], |html| {
        verdict::show(domain, html, &heading);
        if !domain.is_alone() {
            let label = format!("Parts of the report on {}", domain.name());
            html.element("nav", &[("class", "parts"), ("aria-label", &label)], |html| contents(domain, html, &parts));
        }
        for (part, title, inside) in parts {
            let heading = domain.id(&format!("{part}-heading"));
            let attributes = [("id", domain.id(part)), ("class", format!("part part-{part}"))];
            let [id, class] = &attributes;
            html.element("section", &[(id.0, &id.1), (class.0, &class.1)], |html| {
                html.leaf(domain.heading(1), &[("id", &heading)], title);
                html.append(inside);
            });
        }
    });
}

/// A short section, folded: what is wrong and what to do, without all that is in order.
pub fn brief(domain: &Domain<'_>, html: &mut Markup) {
    let heading = domain.id("name");
    html.element("details", &[("class", "brief")], |html| {
        html.element("summary", &[], |html| {
            html.leaf("strong", &[], domain.name());
            html.text(" ");
            Status::overall(domain.report()).show(html, verdict::words_of(domain.report()));
        });
        // A link to what is inside opens the section.
        html.element("section", &[("id", &domain.anchor()), ("aria-labelledby", &heading)], |html| {
            html.leaf("h2", &[("id", &heading)], domain.name());
            let state = (verdict::in_force(domain.report()), verdict::mail(domain.report()));
            html.leaf("p", &[], &format!("Policy in force: {}; mail: {}.", state.0, state.1));
            findings::render(domain, html);
        });
    });
}
