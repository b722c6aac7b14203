//! What is odd about a report, gathered while it is read: a bounded list with places.

use std::ops::Range;

use super::model::{About, Oddity};
use crate::source_text::escape;

/// So many are kept of one report; more say nothing new.
const MOST: usize = 200;

/// The oddities of one report.
#[derive(Debug, Default)]
pub struct Oddities(Vec<Oddity>);

impl Oddities {
    /// Notes one; what the message quotes of the report is escaped.
    pub fn note(&mut self, about: About, at: impl Into<String>, span: Range<usize>, message: impl AsRef<str>) {
        if self.0.len() < MOST {
            self.0.push(Oddity { about, at: escape(&at.into()), message: escape(message.as_ref()), span });
        }
    }

    /// The oddities in the order of their places.
    pub fn in_order(mut self) -> Vec<Oddity> {
        self.0.sort_by_key(|oddity| (oddity.span.start, oddity.about));
        self.0
    }
}
