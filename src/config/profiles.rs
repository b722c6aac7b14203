//! The profiles: configurations that are shipped. Used by `load`, and by the schema.

/// The profiles by name.
pub const PROFILES: [(&str, &str); 3] = [
    ("recommended", ""),
    ("strict", include_str!("../../rules/profiles/strict.yaml")),
    ("minimal", include_str!("../../rules/profiles/minimal.yaml")),
];
