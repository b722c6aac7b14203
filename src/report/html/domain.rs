//! One domain on a page: what the parts of its section are made of. Used by each part, and by `section`.

use super::markup::Markup;
use crate::facts::tree::FactTree;
use crate::outcome::{Location, Report};
use crate::report::Linted;
use crate::snapshot::Snapshot;

const HEADINGS: [&str; 5] = ["h1", "h2", "h3", "h4", "h5"];

/// A domain and where on the page it is.
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

    /// What is known of the domain.
    pub fn facts(&self) -> &'a FactTree {
        &self.linted.facts
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

    /// The anchor of the whole section.
    pub fn anchor(&self) -> String {
        format!("d{}", self.number)
    }

    /// Whether the page is about this domain alone.
    pub fn is_alone(&self) -> bool {
        self.alone
    }
}

/// What a domain is called on the page.
pub fn name(linted: &Linted) -> &str {
    linted.report.domain.as_deref().unwrap_or("The texts given")
}
