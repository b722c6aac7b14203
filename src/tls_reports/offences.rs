//! What is odd about a report, gathered while it is read: a bounded list with places.

use std::ops::Range;

use super::model::Offence;
use crate::source_text::escape;

/// So many are kept of one report; more say nothing new.
const MOST: usize = 200;

/// The offences of one report.
#[derive(Debug, Default)]
pub struct Offences(Vec<Offence>);

impl Offences {
    /// Notes one; what the message quotes of the report is escaped.
    pub fn note(&mut self, rule: &'static str, at: impl Into<String>, span: Range<usize>, message: impl AsRef<str>) {
        if self.0.len() < MOST {
            self.0.push(Offence { rule, at: escape(&at.into()), message: escape(message.as_ref()), span });
        }
    }

    /// The offences in the order of their places.
    pub fn in_order(mut self) -> Vec<Offence> {
        self.0.sort_by(|one, other| (one.span.start, one.rule).cmp(&(other.span.start, other.rule)));
        self.0
    }
}
