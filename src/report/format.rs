//! How each format is written: the one table from which `stslint check` writes, and which the tests of hostile texts go
//! through. A format without a row does not compile.

use std::borrow::Cow;

use super::csv::Csv;
use super::human::Many;
use super::place::POLICY;
use super::stream::{Stream, WriteError};
use super::{
    Linted, Results, Style, Unreadable, concise, concise_unreadable, github, github_unreadable, gitlab, html, json,
    json_line, json_line_briefly, junit, markdown, nagios, prometheus, sarif,
};
use crate::format::Format;
use crate::outcome::Report;

/// How a format is written.
#[derive(Clone, Copy, Debug)]
pub enum Written {
    /// A text a domain, as soon as it is done.
    EachDomain {
        /// The text about one domain.
        domain: fn(&Linted, &Style) -> Result<String, WriteError>,
        /// The text about an input of which nothing is known; `None` where the diagnostic on standard error is all.
        unreadable: Option<fn(&Unreadable) -> String>,
    },
    /// Texts as the domains come, and one at the end: of each domain it keeps no more than it prints.
    Stream(fn(&Style) -> Box<dyn Stream>),
    /// One document about everything.
    Document(fn(&Results<'_>) -> Result<String, WriteError>),
}

impl Format {
    /// How it is written.
    #[doc(hidden)]
    pub fn written(self) -> Written {
        use Written::{Document, EachDomain, Stream};
        match self {
            Format::Concise => {
                EachDomain { domain: |linted, _| Ok(concise(linted)), unreadable: Some(concise_unreadable) }
            }
            Format::Csv => Stream(|_| Box::new(Csv::default())),
            Format::Github => {
                EachDomain { domain: |linted, _| Ok(github(linted)), unreadable: Some(github_unreadable) }
            }
            Format::Gitlab => Document(|results| Ok(gitlab(results)?)),
            Format::Html => Document(|results| Ok(html(results))),
            Format::Human => Stream(|style| Box::new(Many::new(style))),
            Format::Json => Stream(|_| Box::new(json::Document::default())),
            Format::Jsonl => EachDomain {
                domain: |linted, style| {
                    let line = if style.findings_only { json_line_briefly } else { json_line };
                    Ok(line(&linted.report)?)
                },
                unreadable: None,
            },
            Format::Junit => Document(|results| Ok(junit(results)?)),
            Format::Markdown => Document(|results| Ok(markdown(results))),
            Format::Nagios => Document(|results| Ok(nagios(results))),
            Format::Prometheus => Document(|results| Ok(prometheus(results))),
            Format::Sarif => Document(|results| Ok(sarif(results)?)),
        }
    }

    /// Whether it is one document about everything.
    #[doc(hidden)]
    pub fn is_document(self) -> bool {
        matches!(self.written(), Written::Document(_))
    }
}

impl Linted {
    /// The report with the name of its policy file at every place in it, which terminals and editors can open; where it
    /// is about the file alone, it has its name too.
    pub fn named(&self) -> Cow<'_, Report> {
        let Some(file) = &self.policy_file else { return Cow::Borrowed(&self.report) };
        let mut report = self.report.clone();
        report.domain.get_or_insert_with(|| file.clone());
        rename_exhibit(&mut report, POLICY, file);
        Cow::Owned(report)
    }
}

/// Gives an exhibit another name, and every place in it.
fn rename_exhibit(report: &mut Report, name: &str, new: &str) {
    let Some(text) = report.exhibits.remove(name) else { return };
    report.exhibits.insert(new.to_owned(), text);
    for check in &mut report.checks {
        let related = check.related.iter_mut().map(|related| &mut related.location);
        let fix = check.fix.iter_mut().map(|fix| &mut fix.location);
        let places = check.location.iter_mut().chain(related).chain(fix);
        places.filter(|place| place.exhibit == name).for_each(|place| place.exhibit = new.to_owned());
    }
}
