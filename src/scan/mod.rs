//! Many domains: a line in, a line out. Lines are read as a stream, thousands of domains are looked at at the same time, and
//! each line of the input has exactly one line of the output, whatever became of it.
//!
//! `cli::scan` runs it. Data goes one way: `lines` (octets to lines) → `input` (a line to a domain) → `pipeline` (domains to
//! answers, in parallel) → `output` (answers to files), with `answered` saying what an earlier run has written already.

pub mod answer;
pub mod answered;
mod columns;
pub mod input;
pub mod judge;
pub mod lines;
pub mod opt_out;
pub mod output;
pub mod pipeline;
pub mod zstd;

#[cfg(test)]
#[allow(clippy::indexing_slicing, clippy::unwrap_used)]
mod pipeline_tests;
