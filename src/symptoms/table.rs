//! What is known of symptoms: the replies in `rules/symptoms/replies.yaml` and the causes in
//! `rules/symptoms/causes.yaml`.
//!
//! Called by `symptoms`. The tables are part of the program; tests hold them against the rules.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Deserialize;

use crate::tls_reports::result_type::ResultType;

use super::wording::Wording;

const CAUSES: &str = include_str!("../../rules/symptoms/causes.yaml");
const REPLIES: &str = include_str!("../../rules/symptoms/replies.yaml");

/// The causes of result types.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Causes {
    /// Of each result type.
    pub result_types: Vec<TypeCauses>,
    /// What each cause is in a few words, by the rule that finds it.
    pub rules: BTreeMap<String, String>,
}

impl Causes {
    /// What is known of a result type.
    pub fn of(&self, result_type: ResultType) -> Option<&TypeCauses> {
        self.result_types.iter().find(|it| it.kind == result_type)
    }
}

/// A result type (RFC 8460 §4.3) and what is behind it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TypeCauses {
    /// The result type.
    #[serde(rename = "type")]
    pub kind: ResultType,
    /// What it says, in one sentence.
    pub means: String,
    /// Why the causes are in this order.
    pub order: String,
    /// The public document that says so, where one does.
    pub source: Option<String>,
    /// The day on which it did.
    #[allow(dead_code)]
    pub seen: Option<String>,
    /// The rules that find the causes, the most frequent first.
    pub causes: Vec<String>,
}

/// The replies.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Replies {
    replies: Vec<ReplyEntry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReplyEntry {
    who: String,
    says: Vec<String>,
    #[serde(default)]
    codes: Vec<String>,
    #[serde(default)]
    code_needs_words: bool,
    #[serde(default)]
    words_need_code: bool,
    means: String,
    reported_as: Option<ResultType>,
    #[serde(default)]
    causes: Vec<String>,
    beside: Option<String>,
    mail: String,
    source: String,
    seen: String,
}

/// How a sender words a failure.
#[derive(Debug)]
pub struct Reply {
    /// The sender, as people call it.
    pub who: String,
    /// What it says, as its source has it.
    pub says: Vec<String>,
    /// The same, to be found in texts.
    pub wordings: Vec<Wording>,
    /// The enhanced status codes that it gives with it.
    pub codes: Vec<String>,
    /// Whether a code alone says nothing.
    pub code_needs_words: bool,
    /// Whether the words alone say nothing.
    pub words_need_code: bool,
    /// What it means, in one sentence.
    pub means: String,
    /// What happens to the mail.
    pub mail: String,
    /// Where the cause may be on the sender's side, what that is.
    pub beside: Option<String>,
    /// The result type whose causes these are.
    pub reported_as: Option<ResultType>,
    /// The rules that find the causes, the most frequent first.
    pub causes: Vec<String>,
    /// The public document that has the words.
    pub source: String,
    /// The day on which it did.
    pub seen: String,
}

impl Reply {
    /// Whether it names a result type in its words.
    pub fn says_type(&self, kind: ResultType) -> bool {
        self.says.iter().any(|says| says.strip_prefix(kind.word()).is_some_and(|rest| rest.starts_with(':')))
    }
}

/// The causes of result types.
pub fn causes() -> &'static Causes {
    static TABLE: OnceLock<Causes> = OnceLock::new();
    // A test reads the table, so that it is never empty.
    TABLE.get_or_init(|| serde_yaml::from_str(CAUSES).unwrap_or_default())
}

/// How senders word failures.
pub fn replies() -> &'static [Reply] {
    static TABLE: OnceLock<Vec<Reply>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let entries = serde_yaml::from_str::<Replies>(REPLIES).unwrap_or_default().replies;
        entries.into_iter().map(reply).collect()
    })
}

fn reply(entry: ReplyEntry) -> Reply {
    let of_type = entry.reported_as.and_then(|kind| causes().of(kind));
    Reply {
        wordings: entry.says.iter().map(|words| Wording::read(words)).collect(),
        causes: if entry.causes.is_empty() {
            of_type.map(|it| it.causes.clone()).unwrap_or_default()
        } else {
            entry.causes
        },
        reported_as: entry.reported_as,
        who: entry.who,
        says: entry.says,
        codes: entry.codes,
        code_needs_words: entry.code_needs_words,
        words_need_code: entry.words_need_code,
        means: entry.means,
        mail: entry.mail,
        beside: entry.beside,
        source: entry.source,
        seen: entry.seen,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::wording::status_codes;
    use super::*;
    use crate::rules::RuleSet;

    fn sourced(source: &str, seen: &str) -> bool {
        source.starts_with("https://") && seen.parse::<jiff::civil::Date>().is_ok()
    }

    #[test]
    fn every_reply_has_its_source_and_its_causes_are_rules() {
        let entries = serde_yaml::from_str::<Replies>(REPLIES).unwrap().replies;
        let table = serde_yaml::from_str::<Causes>(CAUSES).unwrap();
        let rules = RuleSet::built_in().unwrap();
        for entry in &entries {
            let what = format!("{}: {:?}", entry.who, entry.says);
            assert!(sourced(&entry.source, &entry.seen), "{what}");
            assert!(!entry.says.is_empty() && !entry.means.is_empty() && !entry.mail.is_empty(), "{what}");
            assert!(entry.codes.iter().all(|code| status_codes(code) == [code.as_str()]), "{what}");
            assert!(entry.reported_as.is_none_or(|kind| table.of(kind).is_some()), "{what}");
            assert!(entry.reported_as.is_none() || entry.causes.is_empty(), "{what}: one list of causes");
            let explained = !entry.causes.is_empty() || entry.reported_as.is_some() || entry.beside.is_some();
            assert!(explained, "{what}: neither causes nor what else it is");
            assert!(!entry.words_need_code || !entry.codes.is_empty(), "{what}");
            for cause in &entry.causes {
                assert!(rules.get(cause).is_some() && table.rules.contains_key(cause), "{what}: {cause}");
            }
            for says in &entry.says {
                let weight = Wording::read(says).weight();
                assert!(weight >= 3, "{what}: {says} is said for too much");
            }
        }
        let mut all: Vec<&String> = entries.iter().flat_map(|entry| &entry.says).collect();
        all.sort();
        assert!(all.windows(2).all(|pair| pair[0] != pair[1]), "one entry for one wording");
    }

    #[test]
    fn every_registered_result_type_has_its_causes_in_order() {
        let table = serde_yaml::from_str::<Causes>(CAUSES).unwrap();
        let rules = RuleSet::built_in().unwrap();
        let kinds: Vec<ResultType> = table.result_types.iter().map(|it| it.kind).collect();
        assert_eq!(kinds, ResultType::ALL);
        for it in &table.result_types {
            assert!(!it.means.is_empty() && !it.order.is_empty(), "{}", it.kind);
            assert!(it.source.as_ref().is_none_or(|source| sourced(source, it.seen.as_deref().unwrap_or_default())));
            for cause in &it.causes {
                assert!(rules.get(cause).is_some() && table.rules.contains_key(cause), "{}: {cause}", it.kind);
                assert_eq!(it.causes.iter().filter(|other| *other == cause).count(), 1, "{}: {cause}", it.kind);
            }
            for rule in rules.rules.iter().filter(|rule| rule.is_reported_as(it.kind)) {
                let advice = format!("{} is reported as {}: rank it in rules/symptoms/causes.yaml", rule.id, it.kind);
                assert!(it.causes.contains(&rule.id), "{advice}");
            }
        }
        for rule in table.rules.keys() {
            assert!(rules.get(rule).is_some(), "{rule} is not a rule");
        }
    }
}
