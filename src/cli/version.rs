//! `stslint --version`: what it was built from, and what it trusts. Used by the definition of the command line.

use crate::collect::{built_in_roots, root_key_tags};

/// The version, and below it the commit with its date, the built-in roots, and the trust anchors of DNSSEC.
pub fn long() -> String {
    let built_from = match (env!("STSLINT_BUILT_FROM"), env!("STSLINT_BUILT_FROM_DATE")) {
        ("", _) => "commit: not known, a build for development".to_owned(),
        (commit, "") => format!("commit: {commit}"),
        (commit, date) => format!("commit: {commit} of {date}"),
    };
    let tags: Vec<String> = root_key_tags().iter().map(u16::to_string).collect();
    format!(
        "{}\n{built_from}\nroots (--roots mozilla): {} of webpki-roots {}\ntrust anchors of the root (DNSSEC): {}",
        env!("CARGO_PKG_VERSION"),
        built_in_roots(),
        env!("STSLINT_ROOTS_VERSION"),
        tags.join(", "),
    )
}
