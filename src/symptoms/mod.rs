//! From the symptom to its causes: what people have in hand (a result type of a TLS report, the reply of a mail server,
//! its code, a bounce or a log as it is, a group of rules), and the rules that find what is behind it.
//!
//! Called by `stslint explain`. Pure; what senders say is data with its source in `rules/symptoms`.

mod answer;
mod pasted;
mod table;
mod wording;

use std::collections::BTreeSet;

pub use self::answer::{Answer, Cause, Explained, FoundBy, Group, ReplyAnswer, ResultTypeAnswer, RuleLine};
use self::table::{Reply, causes, replies};
use self::wording::{Words, status_codes};
use crate::rules::{Rule, RuleSet};
use crate::source_text::{escape, nearest};
use crate::tls_reports::result_type::ResultType;

/// The domain in commands where the text names none.
const EXAMPLE_DOMAIN: &str = "example.com";
/// So many characters of what was asked are said back.
const MOST_ASKED: usize = 200;
/// So many near misses are named.
const MOST_NEAR: usize = 3;
/// A wording that shares less with what was asked is not near to it.
const NEAR: f64 = 0.6;
/// More words than these are a text, and not some words of a wording.
const FEW_WORDS: usize = 12;

/// What is known of a text: the most specific first.
pub fn explain(rules: &RuleSet, text: &str) -> Explained {
    let asked: String = escape(&text.trim().chars().take(MOST_ASKED).collect::<String>());
    // No name of a rule, a group or a result type is longer.
    let word: String = text.trim().chars().take(MOST_ASKED).collect::<String>().to_lowercase();
    let mut answers = Vec::new();
    if let Some(kind) = result_type(&word) {
        answers.extend(of_result_type(rules, kind, EXAMPLE_DOMAIN));
        let commands = Commands { rules, domain: EXAMPLE_DOMAIN };
        let says_so = replies().iter().filter(|reply| reply.reported_as == Some(kind) || reply.says_type(kind));
        answers.extend(says_so.map(|reply| commands.reply(reply, 0, FoundBy::SomeWords)));
    } else if rules.rules.iter().any(|rule| rule.group == word) {
        answers.push(Answer::Group(group(rules, &word)));
    } else {
        answers = in_text(rules, text);
    }
    let near = if answers.is_empty() { near(rules, &word) } else { Vec::new() };
    Explained { asked: asked.chars().take(MOST_ASKED).collect(), answers, near }
}

/// The result type that a text is, whatever is between its words.
fn result_type(word: &str) -> Option<ResultType> {
    let words = Words::of(word);
    let found = ResultType::ALL.iter().copied().find(|kind| Words::of(kind.word()) == words);
    found.filter(|_| status_codes(word).is_empty())
}

fn group(rules: &RuleSet, name: &str) -> Group {
    Group {
        group: name.to_owned(),
        rules: rules.rules.iter().filter(|rule| rule.group == name).map(line).collect(),
        command: format!("stslint check {EXAMPLE_DOMAIN} --select {name}"),
    }
}

fn line(rule: &Rule) -> RuleLine {
    let severity = if rule.off { "off" } else { rule.severity.word() };
    RuleLine { rule: rule.id.clone(), severity: severity.to_owned(), title: rule.title.clone() }
}

fn of_result_type(rules: &RuleSet, kind: ResultType, domain: &str) -> Option<Answer> {
    let known = causes().of(kind)?;
    // Rules of an organisation's own come after those that are ranked.
    let others = rules.rules.iter().filter(|rule| rule.is_reported_as(kind) && !known.causes.contains(&rule.id));
    let ids: Vec<&str> = known.causes.iter().chain(others.map(|rule| &rule.id)).map(String::as_str).collect();
    let commands = Commands { rules, domain };
    Some(Answer::ResultType(ResultTypeAnswer {
        result_type: kind.word().to_owned(),
        means: known.means.clone(),
        causes: commands.causes(&ids),
        order: known.order.clone(),
        order_source: known.source.clone(),
        command: commands.all(&ids),
    }))
}

/// What a text says, which may be a whole bounce or log.
fn in_text(rules: &RuleSet, text: &str) -> Vec<Answer> {
    let readings = pasted::readings(text);
    let words: Vec<Words> = readings.iter().map(|reading| Words::of(reading)).collect();
    let codes: Vec<String> = readings.iter().flat_map(|reading| status_codes(reading)).collect();
    let domain = readings.iter().find_map(|reading| pasted::recipient_domain(reading));
    let domain = domain.as_deref().unwrap_or(EXAMPLE_DOMAIN);
    let commands = Commands { rules, domain };
    let mut answers: Vec<Answer> = by_words(&words, &codes)
        .into_iter()
        .map(|found| commands.reply(found.reply, found.wording, FoundBy::Words))
        .collect();
    let said = hyphened(&readings);
    let ids = rules.rules.iter().filter(|rule| said.contains(&rule.id));
    answers.extend(ids.map(|rule| Answer::Rule(line(rule))));
    // The reply of a sender that names a result type says more than the type.
    if answers.is_empty() {
        let kinds = ResultType::ALL.iter().filter(|kind| said.contains(kind.word()));
        answers.extend(kinds.filter_map(|kind| of_result_type(rules, *kind, domain)));
    }
    if answers.iter().all(|answer| matches!(answer, Answer::ResultType(_))) {
        let mut coded: Vec<Answer> = by_code(&codes).map(|reply| commands.reply(reply, 0, FoundBy::Code)).collect();
        // One sender's code together with the result type that it represents: the code is the more specific.
        coded.append(&mut answers);
        answers = coded;
    }
    if answers.is_empty() {
        answers =
            some_words(&words).into_iter().map(|(reply, at)| commands.reply(reply, at, FoundBy::SomeWords)).collect();
    }
    answers
}

/// The words of texts in which hyphens are parts of words, as in ids and result types.
fn hyphened(readings: &[String]) -> BTreeSet<String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let words = readings.iter().flat_map(|reading| reading.split(move |c: char| !is_part(c)));
    words.filter(|word| word.contains('-') && word.len() <= MOST_ASKED).map(str::to_ascii_lowercase).collect()
}

/// A reply that a text has.
struct Found {
    reply: &'static Reply,
    wording: usize,
    reading: usize,
    start: usize,
    end: usize,
}

/// The replies whose words are in one of the readings; what is a part of what another says is left out.
fn by_words(readings: &[Words], codes: &[String]) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    for reply in replies() {
        let with_code = reply.codes.iter().any(|code| codes.contains(code));
        if reply.words_need_code && !with_code {
            continue;
        }
        let mut wordings = reply.wordings.iter().enumerate().flat_map(|(wording, it)| {
            readings.iter().enumerate().filter_map(move |(reading, words)| Some((wording, reading, it.find(words)?)))
        });
        if let Some((wording, reading, at)) = wordings.next() {
            found.push(Found { reply, wording, reading, start: at.start, end: at.end });
        }
    }
    let part_of = |one: &Found, other: &Found| {
        let larger = other.end.saturating_sub(other.start) > one.end.saturating_sub(one.start);
        larger && one.reading == other.reading && other.start <= one.start && one.end <= other.end
    };
    let is_part: Vec<bool> = found.iter().map(|one| found.iter().any(|other| part_of(one, other))).collect();
    let mut kept: Vec<Found> =
        found.into_iter().zip(is_part).filter(|(_, is_part)| !is_part).map(|(found, _)| found).collect();
    let weight = |found: &Found| {
        let words = found.reply.wordings.get(found.wording).map_or(0, wording::Wording::weight);
        let with_code = found.reply.codes.iter().any(|code| codes.contains(code));
        (words, with_code)
    };
    kept.sort_by_key(|found| std::cmp::Reverse(weight(found)));
    kept
}

/// The replies that give one of the codes.
fn by_code(codes: &[String]) -> impl Iterator<Item = &'static Reply> {
    let gives = |reply: &&Reply| !reply.code_needs_words && reply.codes.iter().any(|code| codes.contains(code));
    replies().iter().filter(gives)
}

/// The replies of which a few words were given.
fn some_words(readings: &[Words]) -> Vec<(&'static Reply, usize)> {
    let Some(words) = readings.first().filter(|words| (2..=FEW_WORDS).contains(&words.count())) else {
        return Vec::new();
    };
    let has_all = |reply: &'static Reply| {
        let at = reply.wordings.iter().position(|wording| words.share_in(&wording.words()) >= 1.0)?;
        Some((reply, at))
    };
    replies().iter().filter_map(has_all).collect()
}

/// What may have been meant.
fn near(rules: &RuleSet, word: &str) -> Vec<String> {
    let names = rules
        .rules
        .iter()
        .flat_map(|rule| [rule.id.as_str(), rule.group.as_str()])
        .chain(ResultType::WORDS.iter().copied());
    if let Some(name) = nearest(word, names) {
        return vec![name.to_owned()];
    }
    let words = Words::of(word);
    let shares = |reply: &'static Reply| {
        let says = reply.says.first()?;
        let wording = Words::of(says);
        let share = (words.likeness_in(&wording) + wording.likeness_in(&words)) / 2.0;
        (share >= NEAR && words.count() > 1).then_some((share, says))
    };
    let mut shared: Vec<(f64, &String)> = replies().iter().filter_map(shares).collect();
    shared.sort_by(|one, other| other.0.total_cmp(&one.0));
    shared.into_iter().take(MOST_NEAR).map(|(_, says)| says.clone()).collect()
}

/// What makes commands.
struct Commands<'a> {
    rules: &'a RuleSet,
    domain: &'a str,
}

impl Commands<'_> {
    fn reply(&self, reply: &Reply, wording: usize, found_by: FoundBy) -> Answer {
        let ids: Vec<&str> = reply.causes.iter().map(String::as_str).collect();
        Answer::Reply(ReplyAnswer {
            who: reply.who.clone(),
            says: reply.says.get(wording).cloned().unwrap_or_default(),
            codes: reply.codes.clone(),
            found_by,
            means: reply.means.clone(),
            mail: reply.mail.clone(),
            beside: reply.beside.clone(),
            causes: self.causes(&ids),
            command: self.all(&ids),
            source: reply.source.clone(),
            seen: reply.seen.clone(),
        })
    }

    fn causes(&self, ids: &[&str]) -> Vec<Cause> {
        let known = ids.iter().filter_map(|id| self.rules.get(id));
        known
            .map(|rule| Cause {
                rule: rule.id.clone(),
                what: causes().rules.get(&rule.id).cloned().unwrap_or_else(|| format!("not so: {}", rule.title)),
                command: self.command(&[rule]),
            })
            .collect()
    }

    /// The command that checks all of them; `None` where one checks one.
    fn all(&self, ids: &[&str]) -> Option<String> {
        let rules: Vec<&Rule> = ids.iter().filter_map(|id| self.rules.get(id)).collect();
        (rules.len() > 1).then(|| self.command(&rules))
    }

    fn command(&self, rules: &[&Rule]) -> String {
        let held = if rules.iter().any(|rule| rule.looks_back()) { " --held old-mta-sts.txt" } else { "" };
        let selected: String = rules.iter().map(|rule| format!(" --select {}", rule.id)).collect();
        format!("stslint check {}{held}{selected}", self.domain)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::OnceLock;

    use proptest::prelude::*;

    use super::*;

    fn rules() -> &'static RuleSet {
        static RULES: OnceLock<RuleSet> = OnceLock::new();
        RULES.get_or_init(|| RuleSet::built_in().unwrap())
    }

    fn replies_in(text: &str) -> Vec<(String, FoundBy)> {
        let explained = explain(rules(), text);
        let reply = |answer: &Answer| match answer {
            Answer::Reply(reply) => Some((reply.who.clone(), reply.found_by)),
            _ => None,
        };
        explained.answers.iter().filter_map(reply).collect()
    }

    #[test]
    fn what_is_a_part_of_what_another_says_is_left_out() {
        let stalwart = "<bill@foobar.org> (DANE failed to authenticate 'mx.foobar.org': No TLSA reco=\r\nrds found)";
        assert_eq!(replies_in(stalwart), [("Stalwart".to_owned(), FoundBy::Words)]);
        assert_eq!(replies_in("status=deferred (no TLSA records found)"), [("Postfix".to_owned(), FoundBy::Words)]);
    }

    #[test]
    fn words_that_many_use_count_beside_their_code_only() {
        assert_eq!(replies_in("curl: certificate validation failed"), []);
        let deferred = "LED=450 4.7.320 Certificate validation failed [Message=SubjectMismatch]";
        assert_eq!(replies_in(deferred), [("Microsoft Exchange Online".to_owned(), FoundBy::Words)]);
    }

    #[test]
    fn commands_name_the_domain_of_the_text_and_an_older_policy_where_it_takes_one() {
        let text = "550 5.4.8 MX hosts of 'example.org' failed MTA-STS validation";
        let explained = explain(rules(), text);
        let [Answer::Reply(reply)] = explained.answers.as_slice() else { panic!("{explained:?}") };
        assert_eq!(reply.causes[0].command, "stslint check example.org --select mx-covered");
        let held = "stslint check example.org --held old-mta-sts.txt --select policy-shortened";
        assert_eq!(reply.causes[1].command, held);
    }

    proptest! {
        #[test]
        fn any_text_is_explained_or_not_known(text in "\\PC{0,400}|([2-5]\\.[0-9]{1,4}[. ]){0,80}|(mx |not |[a-z]{1,9}[.=-]){0,300}") {
            let explained = explain(rules(), &text);
            prop_assert!(explained.asked.chars().count() <= MOST_ASKED);
            prop_assert!(!explained.asked.chars().any(char::is_control));
            prop_assert!(explained.near.len() <= MOST_NEAR);
        }

        #[test]
        fn what_a_sender_says_is_found_in_any_surroundings(
            which in any::<prop::sample::Index>(),
            before in "[ a-z0-9:\n\\[\\]]{0,60}",
            after in "[ a-z0-9:\n\\[\\]]{0,60}",
            upper in any::<bool>(),
            breaks in any::<bool>(),
        ) {
            let reply = &replies()[which.index(replies().len())];
            let mut said = reply.says[0].replace('*', "mx1.example.com[192.0.2.1]:25");
            if breaks { said = said.replace(' ', "\r\n    ") }
            if upper { said = said.to_uppercase() }
            let code = reply.codes.first().cloned().unwrap_or_default();
            let text = format!("{before} {code} {said} {after}");
            let found = replies_in(&text);
            prop_assert!(found.contains(&(reply.who.clone(), FoundBy::Words)), "{text}: {found:?}");
        }
    }
}
