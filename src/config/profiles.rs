//! The profiles: configurations that are shipped. Used by `load`, the schema and the command that shows them.

/// The profiles by name.
pub const PROFILES: [(&str, &str); 5] = [
    ("recommended", ""),
    ("strict", include_str!("../../rules/profiles/strict.yaml")),
    ("minimal", include_str!("../../rules/profiles/minimal.yaml")),
    ("uk-gov", include_str!("../../rules/profiles/uk-gov.yaml")),
    ("au-ism", include_str!("../../rules/profiles/au-ism.yaml")),
];

/// The profiles that follow a document of somebody else: reports say how far a domain is from it.
pub const STANDARDS: [&str; 2] = ["uk-gov", "au-ism"];

/// What a profile is, in one sentence: the first of the comment that its file begins with.
pub fn about(text: &str) -> String {
    let comment: Vec<&str> = text.lines().skip(1).map_while(|line| line.strip_prefix("# ")).collect();
    let comment = comment.join(" ");
    let about = comment.split_once(": ").map_or("the rules as they are shipped", |(_, about)| about);
    about.split(". ").next().unwrap_or_default().trim_end_matches('.').to_owned()
}

/// Why there is no profile for a document that people look for, where it is one that was thought of.
pub fn why_none(name: &str) -> Option<&'static str> {
    (name == "nz-sge").then_some(
        "nothing is shipped for New Zealand's Secure Government Email framework: its text could not be read first-hand, and a profile cites sentences; `extends: strict` comes nearest to what others say of it",
    )
}
