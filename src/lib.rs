//! stslint: a linter for how a mail domain publishes MTA-STS (RFC 8461) and TLSRPT (RFC 8460).
//!
//! Observe a domain, lint it, and do something with the findings:
//!
//! ```no_run
//! use stslint::{Collector, CollectorOptions, DomainName, Linter};
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let linter = Linter::new()?;
//!     let collector = Collector::new(CollectorOptions::default())?;
//!     let snapshot = collector.collect(&DomainName::parse("example.com")?).await;
//!     for finding in linter.lint(&snapshot).findings() {
//!         println!("{} {}: {}", finding.severity, finding.rule, finding.message);
//!     }
//!     collector.finish().await; // Lets mail servers answer QUIT.
//!     Ok(())
//! }
//! ```
//!
//! A recorded snapshot needs no network, and gives the same report for ever:
//!
//! ```
//! use stslint::{Format, Linter};
//!
//! let snapshot = stslint::parse("snapshot: 1\ndomain: example.com\nrecord: { records: [{ strings: ['v=STSv1; id=a-b'] }] }\n")?;
//! let linter = Linter::new()?;
//! let report = linter.lint(&snapshot);
//! assert_eq!(report.findings()[0].rule, "record-id-format");
//! let json = linter.render(&[report], Format::Json)?;
//! # assert!(json.contains("record-id-format"));
//! # Ok::<(), stslint::Error>(())
//! ```
//!
//! [`Linter`] and [`Collector`] are cheap to clone, and meant to be shared by every task of a program; bound how many
//! domains are collected at once. `examples/customers.rs` does that for a file of domains.
//!
//! # What the library does not have
//!
//! - *What if*: the fields of a [`snapshot::Snapshot`] are public, so change what was observed and lint that. The
//!   command line's `--record`, `--policy` and `--mx` have no functions of their own here.
//! - *TLS reports* (RFC 8460 §4), rules over many domains together, and fixing a policy file: the command line has
//!   these.
//! - The `options` of a `stslint.yaml` (how to collect, which format): those of the library are [`CollectorOptions`].
//!
//! # Features
//!
//! All are on unless `default-features = false` is given; a library user needs none of them.
//!
//! - `cli`: the `stslint` command, with all that only it needs.
//! - `lab`: a loopback internet, for `stslint demo` and for tests.
//! - `serve`: the web validator.
//!
//! # What stays
//!
//! What is documented here follows semantic versioning, and a test keeps it as a reviewed list. The rest is private but
//! for `lab`, which the project's own tests use and which may change in any release. The modules behind it follow one
//! another:
//!
//! ```text
//! domain ──► collect ──► Snapshot ──► Facts ──► rules::evaluate ──► Report ──► report::… ──► text
//!            sockets       files       texts      YAML + CEL
//! ```
//!
//! Only `collect` opens sockets and only `cli` prints; everything between is a pure function of a snapshot.

#![forbid(unsafe_code)]
// Much is for the command alone.
#![cfg_attr(not(all(feature = "cli", feature = "lab", feature = "serve")), allow(dead_code, unused_imports))]

#[cfg(all(feature = "cli", feature = "lab"))]
mod audit;
#[cfg(feature = "cli")]
mod cli;
mod collect;
mod config;
mod diff;
mod facts;
mod files;
mod fix;
mod format;
mod grammar;
#[cfg(feature = "lab")]
#[doc(hidden)]
pub mod lab;
mod library;
mod outcome;
mod proposal;
mod report;
mod rules;
mod runs;
#[cfg(feature = "cli")]
mod scan;
mod sender;
mod senders;
#[cfg(feature = "serve")]
mod serve;
pub mod snapshot;
mod source_text;
#[cfg(feature = "serve")]
mod store;
mod symptoms;
mod tls_match;
mod tls_reports;
mod vocabulary;
mod what_if;

#[cfg(feature = "cli")]
#[doc(hidden)]
pub use self::cli::run;
pub use self::collect::{
    ConnectTo, DnssecMode, Families, OptionError, Options as CollectorOptions, Proxy, ResolverChoice, Roots,
};
pub use self::format::Format;
pub use self::grammar::names::{DomainName, NameError};
pub use self::library::{
    Citation, Collector, Confidence, Error, Finding, LintReport, Linter, LinterBuilder, NotChecked, Severity, parse,
    parse_bytes, read, read_all,
};
pub use self::outcome::{Location, Summary};
pub use self::snapshot::Snapshot;
