//! stslint: a linter for how a mail domain publishes MTA-STS (RFC 8461) and TLSRPT (RFC 8460).

#![forbid(unsafe_code)]

pub mod collect;
pub mod facts;
pub mod files;
pub mod grammar;
pub mod outcome;
pub mod report;
pub mod rules;
pub mod snapshot;
pub mod source_text;
