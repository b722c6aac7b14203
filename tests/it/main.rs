//! What a user can do, from outside: through the binary and the library's front door, in one test program.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    missing_docs
)]

#[cfg(feature = "lab")]
mod audit_sender;
mod broken;
mod causes;
mod ci_services;
mod circles;
mod cli;
mod collect_cli;
mod collect_dnssec;
mod collect_round_trips;
mod collect_written;
mod compared_runs;
mod config;
mod config_domains;
mod contributing;
#[cfg(target_os = "linux")]
mod cost;
#[cfg(feature = "lab")]
mod dnssec_reasons;
mod docs;
#[cfg(feature = "lab")]
mod failed_fetches;
mod formats;
mod former_ids;
mod grammar_cases;
mod held;
#[cfg(all(feature = "lab", target_os = "linux"))]
mod hostile;
#[cfg(unix)]
mod hostile_outputs;
#[cfg(all(feature = "lab", feature = "serve", target_os = "linux"))]
mod hostile_page;
mod html;
#[cfg(unix)]
mod large;
mod layers;
#[cfg(feature = "lab")]
mod legacy_tls;
mod library;
mod limits;
#[cfg(feature = "lab")]
mod logs;
mod many_domains;
mod many_pages;
mod nearly_right;
mod own_rules;
mod packaging;
#[cfg(feature = "lab")]
#[allow(dead_code)]
#[path = "../peers/mod.rs"]
mod peers;
mod plan;
mod public_surface;
mod report_rules;
mod report_shapes;
mod reports;
mod reverse_names;
mod rule_mistakes;
mod rule_values;
mod rules_sound;
#[cfg(all(feature = "lab", unix))]
mod scan;
mod schema;
mod schema_agrees;
#[cfg(feature = "lab")]
mod second_try;
mod sender;
mod senders;
#[cfg(feature = "serve")]
mod serve;
#[cfg(feature = "serve")]
mod service;
mod symptoms;
mod terminal_table;
mod totals;
mod why;
mod words;
