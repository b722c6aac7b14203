//! The text of one configuration into what it says, and all the mistakes in it at once.
//!
//! Only what the file alone can tell is judged here; whether a rule of some name exists is asked in `in_force`.

use std::collections::{BTreeMap, BTreeSet};

use super::file::{ConfigFile, DomainEntry, IgnoreEntry, Level, RuleSetting};
use super::pattern::Pattern;
use super::reader::{Entry, MAX_ENTRIES, MAX_MISTAKES, Reader, did_you_mean};
use super::tree::{self, Placed, Span, Tree};
use crate::rules::Source;
use crate::source_text::lookalikes::Repaired;
use crate::source_text::told_apart::FileKind;
use crate::source_text::{SourceError, escape};

/// The most entries of `domains`: each is judged by itself.
const MAX_DOMAIN_ENTRIES: usize = 256;
/// The longest line of a configuration in octets: longer ones are nothing that a person wrote, or could be shown.
const MAX_LINE: usize = 4096;

/// Among tags: one that could not be read.
const UNKNOWN_TAG: &str = "";

const KEYS: [&str; 8] = ["extends", "rules", "groups", "include", "ignore", "domains", "senders", "options"];
const DOMAIN_KEYS: [&str; 8] = ["name", "names", "tagged", "tags", "extends", "rules", "groups", "ignore"];
const IGNORE_KEYS: [&str; 6] = ["rule", "group", "domain", "subject", "reason", "until"];

/// Reads a configuration. What could be understood is given back beside the mistakes.
pub fn read(source: &Source) -> (ConfigFile, Vec<SourceError>) {
    if let Some(line) = source.text.lines().position(|line| line.len() > MAX_LINE) {
        let message = format!("line {} has more than {MAX_LINE} octets", line.saturating_add(1));
        let help = Some("is this the right file?".to_owned());
        return (ConfigFile::default(), vec![SourceError::new(&source.name, "", None, message).with_help(help)]);
    }
    if let Some(other) = FileKind::Configuration.instead(&source.name, &source.text) {
        return (ConfigFile::default(), vec![other]);
    }
    let repaired = Repaired::of(&source.name, &source.text);
    if repaired.mistakes.is_empty() {
        return parsed(source);
    }
    // Places in what is told are those of the text as it was written; what it sets is told once it is right.
    let (_, mistakes) = parsed(&Source { text: repaired.text.clone(), ..source.clone() });
    let as_written = |error: SourceError| repaired.as_written(&source.name, &source.text, &error);
    let mistakes = repaired.mistakes.iter().cloned().chain(mistakes.into_iter().map(as_written));
    (ConfigFile::default(), mistakes.take(MAX_MISTAKES).collect())
}

fn parsed(source: &Source) -> (ConfigFile, Vec<SourceError>) {
    let document = match tree::parse(&source.name, &source.text) {
        Ok(document) => document,
        Err(error) => return (ConfigFile::default(), vec![*error]),
    };
    let mut reader = Reader::new(source);
    let file = reader.file(&document);
    (file, reader.into_mistakes())
}

impl Reader<'_> {
    fn file(&mut self, document: &Placed<Tree>) -> ConfigFile {
        let mut file = ConfigFile::default();
        if document.value == Tree::Null {
            return file;
        }
        for (key, value) in self.known_entries(document, "a configuration", &KEYS) {
            // Below the key are comments alone.
            if value.value == Tree::Null {
                continue;
            }
            match key.value.as_str() {
                "domains" => file.domains = self.domains(value),
                "extends" => file.extends = self.texts(value),
                "groups" => file.groups = self.groups(value),
                "ignore" => file.ignore = self.ignores(value),
                "include" => file.include = self.texts(value),
                "senders" => file.senders = self.texts(value),
                "options" => file.options = self.options(value),
                _ => file.rules = self.rules(value),
            }
        }
        file
    }

    fn groups(&mut self, value: &Placed<Tree>) -> Vec<(Placed<String>, Placed<Level>)> {
        let entries = self.entries(value, "`groups`");
        entries.into_iter().filter_map(|(group, level)| Some((group.clone(), self.level(level)?))).collect()
    }

    fn rules(&mut self, value: &Placed<Tree>) -> Vec<(Placed<String>, RuleSetting)> {
        let entries = self.entries(value, "`rules`");
        entries.into_iter().map(|(rule, setting)| (rule.clone(), self.rule(rule, setting))).collect()
    }

    fn rule(&mut self, rule: &Placed<String>, setting: &Placed<Tree>) -> RuleSetting {
        let mut read = RuleSetting::default();
        if !matches!(setting.value, Tree::Map(_)) {
            read.severity = self.level(setting);
            return read;
        }
        let what = format!("the setting of `{}`", escape(&rule.value));
        for (key, value) in self.known_entries(setting, &what, &["severity", "params"]) {
            match key.value.as_str() {
                "params" => {
                    let params = self.entries(value, "`params`");
                    let param =
                        |(name, value): &Entry| (name.clone(), Placed { value: value.value.to_json(), at: value.at });
                    read.params = params.into_iter().map(param).collect();
                }
                _ => read.severity = self.level(value),
            }
        }
        read
    }

    fn ignores(&mut self, value: &Placed<Tree>) -> Vec<IgnoreEntry> {
        let Tree::List(items) = &value.value else {
            let help = "write `- rule: …` with `reason` and `until` for each".to_owned();
            self.report(value.at, format!("this is {}, where a list belongs", value.value.label()), Some(help));
            return Vec::new();
        };
        self.bounded(items.len(), value.at);
        items.iter().take(MAX_ENTRIES).filter_map(|item| self.ignore(item)).collect()
    }

    fn ignore(&mut self, item: &Placed<Tree>) -> Option<IgnoreEntry> {
        let before = self.mistakes();
        let entries = self.known_entries(item, "an entry of `ignore`", &IGNORE_KEYS);
        // A key that is spelled otherwise has been told, and is not missing too.
        let whole = self.mistakes() == before;
        if !matches!(item.value, Tree::Map(_)) {
            return None;
        }
        let at = item.extent(&self.source.text);
        let first = entries.first().map_or(item.at, |(key, _)| key.at);
        let of = |name: &str| entries.iter().find(|(key, _)| key.value == name).map(|(_, value)| *value);
        let rule = of("rule").and_then(|value| self.pattern(value, Pattern::of_text));
        let group = of("group").and_then(|value| self.text(value));
        if whole && of("rule").is_none() && of("group").is_none() {
            let help = "name the rule whose finding is accepted: `rule: policy-enforced`".to_owned();
            self.report(first, "this entry names neither a rule nor a group", Some(help));
        }
        let domain = of("domain").and_then(|value| self.pattern(value, Pattern::of_domain));
        let subject = of("subject").and_then(|value| self.pattern(value, Pattern::of_text));
        let reason = match of("reason") {
            Some(value) => self.text(value).filter(|reason| self.has_reason(reason)),
            None if !whole => None,
            None => {
                let help = "say why this is accepted, for whoever reads it in a year: `reason: …`".to_owned();
                self.report(first, "this entry gives no reason", Some(help));
                None
            }
        };
        let until = match of("until") {
            Some(value) => self.date(value),
            None if !whole => None,
            None => {
                let help = "name the last day on which it counts: `until: 2027-03-31`".to_owned();
                self.report(first, "this entry has no end", Some(help));
                None
            }
        };
        Some(IgnoreEntry { rule, group, domain, subject, reason: reason?.value, until: until?, at })
    }

    fn domains(&mut self, value: &Placed<Tree>) -> Vec<DomainEntry> {
        let Tree::List(items) = &value.value else {
            let help = "write `- names: …` for each, with what holds for these domains".to_owned();
            self.report(value.at, format!("this is {}, where a list belongs", value.value.label()), Some(help));
            return Vec::new();
        };
        if items.len() > MAX_DOMAIN_ENTRIES {
            self.report(value.at, format!("there are more than {MAX_DOMAIN_ENTRIES} entries here"), None);
        }
        let mut given = BTreeSet::new();
        let entries: Vec<DomainEntry> =
            items.iter().take(MAX_DOMAIN_ENTRIES).filter_map(|item| self.domain_entry(item, &mut given)).collect();
        self.tags_come_first(&entries, &given);
        let mut named: BTreeMap<&str, Span> = BTreeMap::new();
        for name in entries.iter().filter_map(|entry| entry.name.as_ref()) {
            if let Some(first) = named.get(name.value.as_str()) {
                let message = format!("the entry of line {} is called `{}`, too", first.line, escape(&name.value));
                let help = "choose another name: rules could not tell the two apart; what both have in common is a tag";
                self.report(name.at, message, Some(help.to_owned()));
            } else {
                named.insert(&name.value, name.at);
            }
        }
        entries
    }

    fn domain_entry(&mut self, item: &Placed<Tree>, given: &mut BTreeSet<String>) -> Option<DomainEntry> {
        let before = self.mistakes();
        let entries = self.known_entries(item, "an entry of `domains`", &DOMAIN_KEYS);
        let whole = self.mistakes() == before;
        if !matches!(item.value, Tree::Map(_)) {
            return None;
        }
        let mut entry = DomainEntry { at: item.extent(&self.source.text), ..DomainEntry::default() };
        let first = entries.first().map_or(item.at, |(key, _)| key.at);
        for (key, value) in &entries {
            match key.value.as_str() {
                "extends" => entry.extends = self.texts(value),
                "groups" => entry.groups = self.groups(value),
                "ignore" => entry.ignore = self.ignores(value),
                "name" => entry.name = self.text(value),
                "names" => {
                    self.not_empty(key, value);
                    entry.names = self.patterns(value);
                }
                "rules" => entry.rules = self.rules(value),
                "tagged" => {
                    self.not_empty(key, value);
                    entry.tagged = self.texts(value);
                }
                _ => entry.tags = self.texts(value),
            }
        }
        if whole && !entries.iter().any(|(key, _)| ["names", "tagged"].contains(&key.value.as_str())) {
            let help = "say which domains: `names: [example.com, \"*.example.com\"]`, or `tagged: [core]`".to_owned();
            self.report(first, "this entry is about no domain", Some(help));
        }
        if !whole {
            // Which tags it gives is not known.
            given.insert(UNKNOWN_TAG.to_owned());
        }
        given.extend(entry.tags.iter().map(|tag| tag.value.clone()));
        Some(entry)
    }

    /// Refuses entries about domains with a tag that no entry above gives; `given` are the tags of all.
    fn tags_come_first(&mut self, entries: &[DomainEntry], given: &BTreeSet<String>) {
        if given.contains(UNKNOWN_TAG) {
            return;
        }
        let mut above: BTreeSet<&str> = BTreeSet::new();
        for entry in entries {
            for tag in entry.tagged.iter().filter(|tag| !above.contains(tag.value.as_str())) {
                let gives = |other: &&DomainEntry| other.tags.iter().any(|it| it.value == tag.value);
                let help = match entries.iter().find(gives) {
                    Some(other) => format!("move this entry below that of line {}, which gives it", other.at.line),
                    None => did_you_mean(&tag.value, given.iter().map(String::as_str))
                        .unwrap_or_else(|| format!("let an entry above give it: `tags: [{}]`", escape(&tag.value))),
                };
                self.report(tag.at, format!("no entry above gives the tag `{}`", escape(&tag.value)), Some(help));
            }
            above.extend(entry.tags.iter().map(|tag| tag.value.as_str()));
        }
    }

    /// Refuses a list of domains or tags in which nothing is: its entry would be about no domain.
    fn not_empty(&mut self, key: &Placed<String>, value: &Placed<Tree>) {
        if matches!(&value.value, Tree::List(items) if items.is_empty()) {
            let help = format!("name what the entry is about, or remove `{}`", key.value);
            self.report(value.at, "this list is empty, and so about no domain", Some(help));
        }
    }

    /// A pattern of domains, or a list of them.
    fn patterns(&mut self, value: &Placed<Tree>) -> Vec<Placed<Pattern>> {
        match &value.value {
            Tree::List(items) => {
                self.bounded(items.len(), value.at);
                items.iter().take(MAX_ENTRIES).filter_map(|item| self.pattern(item, Pattern::of_domain)).collect()
            }
            _ => self.pattern(value, Pattern::of_domain).into_iter().collect(),
        }
    }

    fn has_reason(&mut self, reason: &Placed<String>) -> bool {
        let there = !reason.value.trim().is_empty();
        if !there {
            self.report(reason.at, "this reason is empty", Some("say why this is accepted".to_owned()));
        }
        there
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::config::OPTIONS;

    fn mistakes(text: &str) -> Vec<String> {
        let (_, mistakes) = read(&Source::named("stslint.yaml", text.to_owned()));
        let shown = |error: &SourceError| {
            let at = error.at.map(|at| text.get(at.offset()..at.offset() + at.len()).unwrap_or("?").to_owned());
            format!("{} | {} | {}", at.unwrap_or_default(), error.message, error.help.clone().unwrap_or_default())
        };
        mistakes.iter().map(shown).collect()
    }

    #[test]
    fn the_schema_knows_the_keys_that_are_read() {
        let schema = schemars::schema_for!(ConfigFile);
        let keys = |pointer: &str| -> BTreeSet<String> {
            schema.pointer(pointer).unwrap().as_object().unwrap().keys().cloned().collect()
        };
        let known = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect::<BTreeSet<String>>();
        assert_eq!(keys("/properties"), known(&KEYS));
        assert_eq!(keys("/$defs/IgnoreEntry/properties"), known(&IGNORE_KEYS));
        assert_eq!(keys("/properties/options/properties"), known(&OPTIONS.map(|option| option.key)));
    }

    #[test]
    fn a_sound_file_has_no_mistake() {
        let text = "extends: [strict, ../base.yaml]\nrules:\n  a: off\n  b: { severity: note, params: { x: 1 } }\n\
            groups: { smtp: warning }\ninclude: rules\nignore:\n  - rule: a\n    domain: '*.example.com'\n    \
            reason: moving\n    until: 2027-03-31\noptions: { dnssec: off, timeout: 5, smtp: false }\n";
        assert_eq!(mistakes(text), [] as [&str; 0]);
        let (file, _) = read(&Source::named("x", text.to_owned()));
        assert_eq!((file.extends.len(), file.rules.len(), file.ignore.len()), (2, 2, 1));
        let options: Vec<&str> = file.options.iter().map(|option| option.value.value.as_str()).collect();
        assert_eq!(options, ["off", "5", "true"]);
        let at = file.ignore.first().unwrap().at;
        let entry = text.get(at.offset..at.offset + at.length).unwrap();
        assert!(entry.starts_with("rule: a") && entry.ends_with("2027-03-31"), "{entry}");
    }

    #[test]
    fn every_mistake_is_told_at_once_and_at_its_place() {
        let text = "extend: strict\nrules:\n  a: erorr\n  b: { severty: note }\n  a: note\ngroups: [smtp]\nignore:\n  \
            - { rule: a, reason: '', until: 2027-02-30 }\n  - { domain: 'a b', reason: x, until: 20270331 }\n  - x\n\
            options: { resolvr: x, timeout: soon, dnssec: validat, smtp: 1 }\n";
        let found = mistakes(text);
        for (place, said) in [
            ("extend", "did you mean `extends`?"),
            ("erorr", "did you mean `error`?"),
            ("severty", "did you mean `severity`?"),
            ("a", "is given twice"),
            ("", "`groups` is a mapping, and this is a list"),
            ("''", "this reason is empty"),
            ("2027-02-30", "is not a day as YYYY-MM-DD"),
            ("'a b'", "is not allowed in a domain"),
            ("20270331", "is not a day as YYYY-MM-DD"),
            ("domain", "names neither a rule nor a group"),
            ("x", "an entry of `ignore` is a mapping"),
            ("resolvr", "did you mean `resolver`?"),
            ("soon", "a number of seconds belongs"),
            ("validat", "did you mean `validate`?"),
            ("1", "`true` or `false` belongs"),
        ] {
            let hit = |mistake: &&String| {
                mistake.contains(said) && (place.is_empty() || mistake.starts_with(&format!("{place} |")))
            };
            assert!(found.iter().any(|mistake| hit(&mistake)), "{place}: {said}\n{}", found.join("\n"));
        }
        assert_eq!(found.len(), 15, "{}", found.join("\n"));
    }

    proptest! {
        #[test]
        fn any_text_is_judged(parts in proptest::collection::vec(any::<Part>(), 0..40)) {
            let text: String = parts.iter().map(|part| part.0.as_str()).collect();
            let (_, mistakes) = read(&Source::named("x", text.clone()));
            for error in mistakes {
                if let Some(at) = error.at {
                    prop_assert!(at.offset() + at.len() <= text.len(), "{error}");
                }
            }
        }
    }

    /// A piece of a configuration, or of anything.
    #[derive(Debug)]
    struct Part(String);

    impl Arbitrary for Part {
        type Parameters = ();
        type Strategy = BoxedStrategy<Part>;

        fn arbitrary_with((): ()) -> Self::Strategy {
            let known = [
                "extends: ",
                "rules:\n",
                "ignore:\n",
                "options: ",
                "- ",
                "{ ",
                " }",
                "rule: a",
                "until: ",
                "2027-01-01",
                "\n",
                "  ",
                ", ",
                "off",
                "&a ",
                "*a ",
                "é",
                "\u{85}",
                "\t",
                "'",
                "\"",
                "|\n",
                "---\n",
                "timeout: 1e999",
                "domain: '*'",
            ];
            prop_oneof![
                proptest::sample::select(known.to_vec()).prop_map(|text| Part(text.to_owned())),
                any::<String>().prop_map(Part),
            ]
            .boxed()
        }
    }
}
