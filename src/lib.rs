//! stslint: a linter for how a mail domain publishes MTA-STS (RFC 8461) and TLSRPT (RFC 8460).

#![forbid(unsafe_code)]

pub mod files;
pub mod snapshot;
pub mod source_text;
