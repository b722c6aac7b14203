//! TLS reports (RFC 8460 §4): what senders saw, read from whatever they arrive in.
//!
//! Called by `stslint reports`. Pure: [`unpack`](container::unpack) finds the reports in octets (JSON, gzip, zip, mail,
//! mbox), [`read`](read::read) reads one without losing it for an odd field, and [`digest`](sums::digest) sums up
//! many, with the causes of failures that the reports alone can tell.

mod applied;
pub mod cause;
pub mod container;
mod counts;
#[cfg(test)]
mod damaged_tests;
pub mod digest;
pub mod duplicates;
mod json;
pub mod model;
mod oddities;
pub mod read;
pub mod result_type;
pub mod sums;
pub mod when;
mod whose;
