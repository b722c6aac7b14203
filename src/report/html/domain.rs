//! One domain's section: its parts in the order in which an administrator needs them.

use super::markup::Markup;
use super::seen::Seen;
use super::{about, checks, findings, hosts, policy, records, remarks, sender, timeline, tlsrpt, verdict};
use crate::outcome::{Location, Report};
use crate::report::Linted;
use crate::snapshot::Snapshot;

/// Writes what a part has to say of a domain; nothing where it has nothing to say.
type Fill = fn(&Domain<'_>, &mut Markup);

/// The parts: their anchor, their heading, and what fills them.
const PARTS: [(&str, &str, Fill); 10] = [
    ("findings", "Findings", findings::part),
    ("senders", "What senders do", sender::part),
    ("hosts", "MX hosts", hosts::part),
    ("records", "DNS records", records::part),
    ("policy", "Policy", policy::part),
    ("tlsrpt", "TLS reports", tlsrpt::part),
    ("remarks", "Remarks", remarks::part),
    ("checks", "Checks performed", checks::part),
    ("about", "About this observation", about::part),
    ("timeline", "Timeline", timeline::part),
];

/// A part that is filled: its anchor, its heading, and what stands in it.
pub type Part = (&'static str, &'static str, Markup);

const HEADINGS: [&str; 5] = ["h1", "h2", "h3", "h4", "h5"];

/// A domain and where on the page it stands.
#[derive(Debug)]
pub struct Domain<'a> {
    linted: &'a Linted,
    /// The number of the domain on the page, which anchors begin with: names of domains are not ours to trust.
    number: usize,
    /// Whether the page is about this domain alone.
    alone: bool,
}

impl<'a> Domain<'a> {
    /// The domain with that number on the page.
    pub fn new(linted: &'a Linted, number: usize, alone: bool) -> Self {
        Domain { linted, number, alone }
    }

    /// What the domain is called.
    pub fn name(&self) -> &'a str {
        name(self.linted)
    }

    /// The findings.
    pub fn report(&self) -> &'a Report {
        &self.linted.report
    }

    /// What was observed.
    pub fn snapshot(&self) -> &'a Snapshot {
        &self.linted.snapshot
    }

    /// The name of the file that the policy was read from, where it was given as one.
    pub fn policy_file(&self) -> Option<&'a str> {
        self.linted.policy_file.as_deref()
    }

    /// A place in the tree of facts.
    pub fn fact(&self, pointer: &str) -> Seen<'a> {
        Seen::all(&self.linted.facts).at(pointer)
    }

    /// The anchor of a thing in this section.
    pub fn id(&self, thing: &str) -> String {
        format!("d{}-{thing}", self.number)
    }

    /// The tag of a heading: depth 0 is the domain's own.
    pub fn heading(&self, depth: usize) -> &'static str {
        let level = depth.saturating_add(usize::from(!self.alone));
        HEADINGS.get(level).copied().unwrap_or("h6")
    }

    /// The places in an exhibit that findings point to.
    pub fn faults(&self, exhibit: &str) -> Vec<&'a Location> {
        let findings = self.report().findings();
        findings.into_iter().filter_map(|check| check.location.as_ref()).filter(|at| at.exhibit == exhibit).collect()
    }

    /// A table with a caption, in a region of its own that scrolls where the page is narrow.
    pub fn table(&self, html: &mut Markup, caption: &str, columns: &[&str], rows: impl FnOnce(&mut Markup)) {
        let label = format!("{caption}: {}", self.name());
        let region = [("class", "scroll"), ("role", "region"), ("aria-label", label.as_str()), ("tabindex", "0")];
        html.element("div", &region, |html| {
            html.element("table", &[], |html| {
                html.leaf("caption", &[], caption);
                html.element("thead", &[], |html| {
                    html.element("tr", &[], |html| {
                        columns.iter().for_each(|column| html.leaf("th", &[("scope", "col")], column));
                    });
                });
                html.element("tbody", &[], rows);
            });
        });
    }

    /// The links to the parts.
    pub fn contents(&self, html: &mut Markup, parts: &[Part]) {
        html.element("ul", &[], |html| {
            for (part, title, _) in parts {
                html.element("li", &[], |html| html.leaf("a", &[("href", &format!("#{}", self.id(part)))], title));
            }
        });
    }

    /// The whole section.
    pub fn show(&self, html: &mut Markup, parts: Vec<Part>) {
        let (id, heading) = (format!("d{}", self.number), self.id("name"));
        html.element("section", &[("id", &id), ("class", "domain"), ("aria-labelledby", &heading)], |html| {
            verdict::show(self, html, &heading);
            if !self.alone {
                let label = format!("Parts of the report on {}", self.name());
                html.element("nav", &[("class", "parts"), ("aria-label", &label)], |html| self.contents(html, &parts));
            }
            for (part, title, inside) in parts {
                let heading = self.id(&format!("{part}-heading"));
                let attributes = [("id", self.id(part)), ("class", format!("part part-{part}"))];
                let [id, class] = &attributes;
                html.element("section", &[(id.0, &id.1), (class.0, &class.1)], |html| {
                    html.leaf(self.heading(1), &[("id", &heading)], title);
                    html.append(inside);
                });
            }
        });
    }

    /// The parts that have something to say.
    pub fn parts(&self) -> Vec<Part> {
        let filled = PARTS.iter().map(|(part, title, fill)| {
            let mut inside = Markup::default();
            fill(self, &mut inside);
            (*part, *title, inside)
        });
        filled.filter(|(_, _, inside)| !inside.is_empty()).collect()
    }
}

/// What a domain is called on the page.
pub fn name(linted: &Linted) -> &str {
    linted.report.domain.as_deref().unwrap_or("The texts given")
}
