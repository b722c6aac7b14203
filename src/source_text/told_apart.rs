//! What a file is by what it holds: one that was given instead of another is told as what it is, once, with the
//! option that takes it. Used by the readers of snapshots, rule files and configurations, and by the grammar of policies.

use super::SourceError;

/// The files that the program reads.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FileKind {
    /// `stslint.yaml`.
    Configuration,
    /// A policy (RFC 8461 §3.2).
    Policy,
    /// Rules.
    Rules,
    /// A snapshot.
    Snapshot,
    /// A TLS report (RFC 8460 §4.4).
    TlsReport,
}

impl FileKind {
    /// What a text looks like; `None` where it looks like none of them.
    pub fn of(text: &str) -> Option<Self> {
        let text = text.trim_start_matches('\u{feff}');
        if text.trim_start().starts_with('{') {
            let has = |key: &str| text.contains(&format!("\"{key}\""));
            return if has("report-id") && has("policies") {
                Some(FileKind::TlsReport)
            } else {
                // The cases of rules may name a snapshot too.
                (has("snapshot") && !has("rules")).then_some(FileKind::Snapshot)
            };
        }
        let has = |key: &str| text.lines().any(|line| line.strip_prefix(key).is_some_and(|rest| rest.starts_with(':')));
        let is_rule = text.lines().any(|line| line.trim_start().starts_with("- id:"));
        if has("snapshot") {
            Some(FileKind::Snapshot)
        } else if has("version") && (has("mode") || has("max_age")) {
            Some(FileKind::Policy)
        } else if has("group") && has("rules") {
            Some(FileKind::Rules)
        } else if !is_rule && ["extends", "ignore", "include", "options", "domains"].into_iter().any(has) {
            Some(FileKind::Configuration)
        } else {
            None
        }
    }

    /// What people call it, with its article.
    pub fn name(self) -> &'static str {
        match self {
            FileKind::Configuration => "a configuration",
            FileKind::Policy => "a policy",
            FileKind::Rules => "a rule file",
            FileKind::Snapshot => "a snapshot",
            FileKind::TlsReport => "a TLS report",
        }
    }

    fn taken_by(self) -> &'static str {
        match self {
            FileKind::Configuration => "give it with `--config FILE`",
            FileKind::Policy => "give it with `--policy FILE`",
            FileKind::Rules => "give it with `--rules FILE`",
            FileKind::Snapshot => "give it with `--snapshot FILE`",
            FileKind::TlsReport => "`stslint reports FILE` reads it",
        }
    }

    /// The one mistake of a file that is something else than what is read here.
    pub fn instead(self, name: &str, text: &str) -> Option<SourceError> {
        let found = FileKind::of(text).filter(|found| *found != self)?;
        let lines = text.split_inclusive('\n').scan(0_usize, |start, line| {
            let at = *start;
            *start = start.saturating_add(line.len());
            Some((at, line.trim_end()))
        });
        let (start, line) = lines.into_iter().find(|(_, line)| !line.is_empty() && !line.starts_with('#'))?;
        let message = format!("this is {}, not {}", found.name(), self.name());
        let error = SourceError::new(name, text, Some((start, line.len())), message);
        Some(error.with_help(Some(found.taken_by().to_owned())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_is_what_it_holds() {
        for (text, expected) in [
            ("snapshot: 1\ndomain: example.com\n", Some(FileKind::Snapshot)),
            ("{\"snapshot\": 1}", Some(FileKind::Snapshot)),
            ("version: STSv1\nmode: none\nmax_age: 60\n", Some(FileKind::Policy)),
            ("group: acme\nrules:\n  - id: a\n", Some(FileKind::Rules)),
            ("groups: acme\nrules:\n  - id: a\n", None),
            ("extends: strict\nrules: { mx-dnssec: off }\n", Some(FileKind::Configuration)),
            ("rules: { mx-dnssec: off }\n", None),
            ("{\"report-id\": \"1\", \"policies\": []}", Some(FileKind::TlsReport)),
            ("{\"group\": \"acme\", \"rules\": [{\"tests\": {\"pass\": [{\"snapshot\": \"a.yaml\"}]}}]}", None),
            ("{}", None),
            ("", None),
            ("\u{feff}", None),
        ] {
            assert_eq!(FileKind::of(text), expected, "{text:?}");
        }
        assert!(FileKind::Rules.instead("a", "group: a\nrules: []\n").is_none());
        let wrong = FileKind::Rules.instead("a", "\nsnapshot: 1\n").unwrap_or_else(|| panic!("nothing"));
        assert_eq!(wrong.message, "this is a snapshot, not a rule file");
    }
}
