//! What an outgoing mail server does with MTA-STS, inferred from what it did with the domains of a lab.
//!
//! The flow: [`cases`] are domains that are odd in one way each, the lab serves them and keeps a journal,
//! [`observation`] sorts the journal by domain, [`verdict`] says what became of each mail and what that means,
//! [`agreement`] holds it against the known senders, [`profile`] writes it as a file of theirs. All of it is pure;
//! `stslint audit-sender` runs the lab and prints.

pub mod agreement;
mod case;
pub mod cases;
mod inputs;
pub mod observation;
pub mod profile;
pub mod table;
pub mod verdict;
#[cfg(test)]
mod verdict_tests;

pub use case::Case;
