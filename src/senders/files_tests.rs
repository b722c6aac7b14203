//! The files in `rules/senders/`: each is read, each property has its source, and each case has its answer.

use super::*;

#[test]
fn every_file_is_read_and_every_case_holds() {
    for (name, text) in built_in_sources() {
        let profile = read_profile(name, text).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(profile.sender, *name);
        assert!(profile.sources.values().all(|source| source.url.starts_with("https://")), "{name}");
        let failures = check_cases(&profile, built_in());
        assert!(failures.is_empty(), "{name}: {failures:#?}");
    }
    assert_eq!(built_in().len(), built_in_sources().len());
}
