//! stslint: a linter for how a mail domain publishes MTA-STS (RFC 8461) and TLSRPT (RFC 8460).
//!
//! ```text
//! domain ──► collect ──► Snapshot ──► Facts ──► rules::evaluate ──► Report ──► report::… ──► text
//!            sockets       files       texts      YAML + CEL
//! ```
//!
//! Only [`collect`] opens sockets and only [`cli`] prints; everything between is a pure function of a
//! [`snapshot::Snapshot`], so that a recorded one gives the same report for ever:
//!
//! ```
//! use stslint::{facts::Facts, rules::{RuleSet, evaluate}, snapshot};
//!
//! let text = "snapshot: 1\ndomain: example.com\nrecord: { records: [{ strings: ['v=STSv1; id=a-b'] }] }\n";
//! let snapshot = snapshot::parse("example", text, None).unwrap();
//! let report = evaluate(&RuleSet::built_in().unwrap(), &Facts::of(&snapshot, None)).report;
//! assert_eq!(report.findings()[0].rule, "record-id-format");
//! ```

#![forbid(unsafe_code)]

pub mod cli;
pub mod collect;
pub mod config;
pub mod diff;
pub mod facts;
pub mod files;
pub mod fix;
pub mod format;
pub mod grammar;
#[cfg(feature = "lab")]
pub mod lab;
pub mod outcome;
pub mod proposal;
pub mod report;
pub mod rules;
pub mod sender;
#[cfg(feature = "serve")]
pub mod serve;
pub mod snapshot;
pub mod source_text;
#[cfg(feature = "serve")]
pub mod store;
pub mod symptoms;
pub mod tls_match;
pub mod tls_reports;
mod vocabulary;
pub mod what_if;
