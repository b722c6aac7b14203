//! The command for a command line that names none: `stslint example.com` checks that domain.

use std::ffi::OsString;

/// Options of every command that take their value from the next word.
const WITH_VALUE: [&str; 2] = ["--config", "--color"];

/// The command line with `check` in front of its options, if its first other word is a domain or a policy file. No
/// command has a dot or an `@` in its name, so a misspelt one stays as it is and gets its suggestion.
pub fn with_default_command(mut words: Vec<OsString>) -> Vec<OsString> {
    let mut rest = words.iter().skip(1).filter_map(|word| word.to_str());
    let first = loop {
        match rest.next() {
            None => return words,
            Some(option) if WITH_VALUE.contains(&option) => drop(rest.next()),
            Some(option) if option.starts_with('-') => {}
            Some(word) => break word,
        }
    };
    if first.contains(['.', '@', '\u{3002}']) {
        words.insert(1, "check".into());
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(line: &str) -> String {
        let words = with_default_command(line.split(' ').map(OsString::from).collect());
        words.join(std::ffi::OsStr::new(" ")).into_string().unwrap()
    }

    #[test]
    fn a_domain_without_a_command_is_checked() {
        assert_eq!(after("stslint example.com"), "stslint check example.com");
        assert_eq!(after("stslint -q user@example --no-smtp"), "stslint check -q user@example --no-smtp");
        assert_eq!(
            after("stslint --config a.yaml --color never x.y"),
            "stslint check --config a.yaml --color never x.y"
        );
        for line in ["stslint", "stslint --help", "stslint chekc example.com", "stslint rules test a.yaml"] {
            assert_eq!(after(line), line);
        }
        assert_eq!(after("stslint --config a.yaml check b.example"), "stslint --config a.yaml check b.example");
    }
}
