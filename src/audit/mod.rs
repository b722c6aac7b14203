//! What an outgoing mail server does with MTA-STS, inferred from what it did with the domains of a lab.
//!
//! The flow: [`cases`] are domains that are odd in one way each, the lab serves them and keeps a journal,
//! [`observation`] sorts the journal by domain, [`verdict`] says what became of each mail and what that means. All of it is
//! pure; `stslint audit-sender` runs the lab and prints.

mod case;
pub mod cases;
pub mod observation;
pub mod table;
pub mod verdict;

pub use case::Case;
