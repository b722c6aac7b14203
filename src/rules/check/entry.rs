//! What a rule says of itself: id, group, completeness, requirements, citations, params. Used by `check`.

use std::collections::{BTreeMap, BTreeSet};

use serde_yaml::Spanned;

use super::place::{at_text, at_value};
use super::{RuleChecker, no_such_rule};
use crate::outcome::Severity;
use crate::rules::cost::{MAX_CASES, MAX_PARAMS_OCTETS, MAX_REQUIRED};
use crate::rules::params::{mixed_list, range_problem, range_text, regex_problem, unused_params};
use crate::rules::rule::Rule;
use crate::source_text::lookalikes::told;
use crate::source_text::{SourceError, is_unseen, nearest, place, printable};
use crate::tls_reports::result_type::ResultType;

impl RuleChecker<'_, '_> {
    pub(super) fn identity(&mut self, before: &[Rule]) {
        let id = &self.written.entry.id;
        if !is_kebab_case(&id.value) {
            let help = if id.value.len() > MAX_ID {
                format!("an id has at most {MAX_ID} letters, digits and hyphens")
            } else {
                "write it in kebab-case: `acme-max-age`".to_owned()
            };
            self.report(id, format!("`{}` is not a valid id", id.value), Some(help));
        }
        let formerly = &self.written.entry.formerly;
        for former in formerly.iter().filter(|former| !is_kebab_case(&former.value)) {
            let help = "write the id that the rule had, in kebab-case".to_owned();
            self.report(former, format!("`{}` is not a valid id", printable(&former.value)), Some(help));
        }
        if let Some(last) = formerly.get(MAX_FORMER) {
            let message = format!("a rule has at most {MAX_FORMER} former ids");
            self.report(last, message, Some("keep those that somebody may still name".to_owned()));
        }
        if let Some(other) = before.iter().find(|other| other.id == id.value) {
            let (message, help) = match self.written_place(other) {
                Some(place) => (
                    format!("the id `{}` is taken, in {place}", id.value),
                    "each rule has an id of its own: choose another".to_owned(),
                ),
                None => (
                    format!("the id `{}` is taken, by a built-in rule", id.value),
                    format!("choose another id, or write `replaces: {}` to replace the built-in rule", id.value),
                ),
            };
            self.report(id, message, Some(help));
        }
    }

    /// Where a rule of the organisation's own is: file and line. `None` for a built-in one.
    pub(super) fn written_place(&self, rule: &Rule) -> Option<String> {
        let index = self.rules.iter().position(|other| std::ptr::eq(other, rule))?;
        let written = self.all.get(index).filter(|written| written.own)?;
        Some(format!("{}:{}", rule.file, written.entry.id.referenced.line()))
    }

    /// What the file says of all its rules; told at the first of them.
    pub(super) fn group(&mut self, first_of_file: bool) {
        let group = &self.written.group;
        if first_of_file && !is_kebab_case(&group.value) {
            let message = format!("`{}` is not a valid name for a group", printable(&group.value));
            self.report(group, message, Some("write it in kebab-case: `acme`".to_owned()));
        }
    }

    pub(super) fn completeness(&mut self) {
        let entry = &self.written.entry;
        let id = &entry.id.value;
        let keys = [
            (
                entry.title.trim().is_empty(),
                format!("the rule `{id}` has no `title`"),
                "say in one line what is so when the rule passes",
            ),
            (entry.severity.is_none(), format!("the rule `{id}` has no `severity`"), "write note, warning or error"),
            (
                entry.cites.is_empty(),
                format!("the rule `{id}` cites nothing"),
                "name in `cites` what the rule rests on: `[RFC 8461 §3.2]`, or a reference of your own",
            ),
            (
                entry.message.as_ref().is_none_or(|message| message.value.trim().is_empty()),
                format!("the rule `{id}` has no `message`"),
                "say what is wrong: `message: \"max_age is {policy.max_age}\"`",
            ),
        ];
        for (missing, message, help) in keys {
            if missing {
                self.report(&entry.id, message, Some(help.to_owned()));
            }
        }
    }

    /// Warns of a reason why the rule does not apply where nothing says that it does not.
    pub(super) fn otherwise(&mut self) {
        let entry = &self.written.entry;
        let conditional = entry.when.is_some() || self.written.group_when.is_some() || self.written.is_unparsed("when");
        if entry.otherwise.is_some() && !conditional {
            let message = format!("`otherwise` of the rule `{}` is never shown: it has no `when`", self.rule.id);
            let help = "write in `when` where the rule applies, or remove `otherwise`".to_owned();
            self.warnings.push(at_text(self.written.source, &entry.id, message, Some(help)));
        }
    }

    pub(super) fn requires(&mut self, whole: bool) {
        let required = self.required();
        if required > MAX_REQUIRED {
            let message = format!("the rule requires more than {MAX_REQUIRED} others, directly and through them");
            return self.report(&self.written.entry.id, message, Some("take some out of `requires`".to_owned()));
        }
        let taken = self.rules.iter().filter(|rule| rule.id == self.rule.id).nth(1).is_some();
        for required in self.written.entry.requires.iter().chain(&self.written.entry.after) {
            // Whose id is taken requires the other one of that name.
            if taken && required.value == self.rule.id {
                continue;
            }
            if !self.rules.iter().any(|rule| rule.id == required.value) {
                // It may be one that could not be read.
                if !whole {
                    continue;
                }
                self.errors.push(no_such_rule(self.written.source, required, self.rules));
            } else if let Some(other) = self.over_something_else(&required.value) {
                let (here, there) = (self.rule.over.word(), other.over.word());
                let message = format!("`{}` is over: {there}, and this rule over: {here}", other.id);
                self.report(required, message, Some("only rules over the same can wait for each other".to_owned()));
            } else if let Some(circle) = self.circle(&required.value) {
                // A circle is told once: at the first of its rules.
                let places = circle.iter().filter_map(|id| self.rules.iter().position(|rule| rule.id == **id));
                let own = self.rules.iter().position(|rule| rule.id == self.rule.id);
                if places.min() < own {
                    continue;
                }
                let chain: Vec<String> = circle.iter().map(|id| format!("`{id}`")).collect();
                let message = match circle.len() {
                    0 | 1 => "a rule cannot come before itself".to_owned(),
                    _ => format!("`{}` requires {}: a circle", self.rule.id, chain.join(", which requires ")),
                };
                self.report(required, message, Some("one of them must come first: take out one of these".to_owned()));
            } else {
                self.silence(required);
            }
        }
    }

    /// The rule of that id, where it is over something else than this one.
    fn over_something_else(&self, id: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.id == id).filter(|rule| rule.over != self.rule.over)
    }

    /// A weaker finding hides no stronger one: a rule that can never be as bad as this one cannot speak for it, and a
    /// note speaks for none.
    fn silence(&mut self, before: &Spanned<String>) {
        let Some(other) = self.rules.iter().find(|rule| rule.id == before.value) else { return };
        let (worst, mildest) = (other.worst_severity(), self.rule.mildest_severity());
        let is_after = self.rule.after.contains(&before.value);
        if worst != Severity::Note && (worst >= mildest || !is_after) {
            return;
        }
        let message = match worst {
            Severity::Note => format!("`{}` is a note, and a note hides no other finding", before.value),
            worst => {
                let (worst, mildest) = (worst.word(), mildest.word());
                format!("`{}` is never more than a {worst}, and cannot hide this {mildest}", before.value)
            }
        };
        let help = "take it out, and say in `when` and `otherwise` where this rule does not apply; or give the other \
                    rule the severity of this one there, with `severity_if`";
        self.report(before, message, Some(help.to_owned()));
    }

    /// How many rules this one requires, directly and through others; counted up to the bound.
    pub(super) fn required(&self) -> usize {
        let mut open: Vec<&Rule> = vec![self.rule];
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        while let Some(rule) = open.pop().filter(|_| seen.len() <= MAX_REQUIRED) {
            for id in rule.requires.iter().chain(&rule.after) {
                if seen.insert(id) {
                    open.extend(self.rules.iter().find(|rule| rule.id == *id));
                }
            }
        }
        seen.len()
    }

    /// The ids from a required rule to this one, where it requires this one, directly or not.
    pub(super) fn circle(&self, from: &str) -> Option<Vec<&str>> {
        let mut came_from: BTreeMap<&str, &str> = BTreeMap::new();
        let mut open = vec![self.rules.iter().find(|rule| rule.id == from)?];
        let mut seen: BTreeSet<&str> = open.iter().map(|rule| rule.id.as_str()).collect();
        while let Some(rule) = open.pop() {
            if rule.id == self.rule.id {
                let back = std::iter::successors(Some(rule.id.as_str()), |id| came_from.get(id).copied());
                let mut circle: Vec<&str> = back.collect();
                circle.reverse();
                return Some(circle);
            }
            for next in rule.requires.iter().chain(&rule.after) {
                let Some(next) = self.rules.iter().find(|other| other.id == *next) else { continue };
                if seen.insert(&next.id) {
                    came_from.insert(&next.id, &rule.id);
                    open.push(next);
                }
            }
        }
        None
    }

    /// Texts that end in reports and on terminals hold no control characters and nothing that turns their direction.
    /// Typographic quotes around a whole text: to YAML they are none, and reports would show them.
    fn typographic_quotes(&mut self) {
        let entry = &self.written.entry;
        let labels = entry.also.iter().map(|also| &also.label);
        let texts: Vec<Spanned<String>> =
            [&entry.message, &entry.help, &entry.subject].into_iter().flatten().chain(labels).cloned().collect();
        for text in texts {
            let value = text.value.trim();
            let inside = ['\u{201c}', '\u{201e}', '\u{2018}'].into_iter().find_map(|open| value.strip_prefix(open));
            let inside = inside.and_then(|inside| inside.strip_suffix(['\u{201c}', '\u{201d}', '\u{2019}']));
            if let Some(inside) = inside {
                let message = "these quotes are part of the text: YAML knows only \" and '".to_owned();
                let help = format!("write \"{}\"", printable(inside).replace('\\', "\\\\").replace('"', "\\\""));
                self.report(&text, message, Some(help));
            }
        }
    }

    pub(super) fn texts_are_plain(&mut self) {
        let entry = &self.written.entry;
        let labels = entry.also.iter().map(|also| &also.label);
        let spanned =
            [&entry.message, &entry.help, &entry.subject].into_iter().flatten().chain(&entry.cites).chain(labels);
        let spanned = spanned.chain(entry.cites_if.iter().flat_map(|other| &other.cites));
        let mut wrong: Vec<(Option<Spanned<String>>, String)> = spanned
            .filter(|text| !is_plain(&text.value))
            .map(|text| (Some(text.clone()), text.value.clone()))
            .collect();
        let others = [Some(&entry.title), Some(&entry.why), entry.otherwise.as_ref()];
        wrong.extend(others.into_iter().flatten().filter(|text| !is_plain(text)).map(|text| (None, text.clone())));
        self.typographic_quotes();
        for (text, value) in wrong {
            let Some(c) = value.chars().find(|c| !is_plain_char(*c)) else { continue };
            let (message, help) = match told(c) {
                Some((message, help)) => {
                    (format!("{message}, in a text of the rule `{}`", printable(&self.rule.id)), help)
                }
                None => (
                    format!("a text of the rule `{}` holds a control character", printable(&self.rule.id)),
                    "write what people can read; `\\n` is allowed".to_owned(),
                ),
            };
            let source = self.written.source;
            let around = text.as_ref().unwrap_or(&entry.id);
            let start = place(&source.text, &around.referenced).map_or(0, |(start, _)| start);
            let at = source.text.get(start..).and_then(|rest| rest.find(c)).map(|at| start.saturating_add(at));
            match at {
                Some(at) => {
                    let error = SourceError::new(&source.name, &source.text, Some((at, c.len_utf8())), message);
                    self.errors.push(error.with_help(Some(help)));
                }
                // It is written as an escape.
                None => self.report(around, message, Some(help)),
            }
        }
    }

    /// Every range is one of a param that is a number, and holds something.
    pub(super) fn ranges(&mut self) {
        if self.written.is_unparsed("params") || self.rule.params.keys().any(|name| torn_key(name).is_some()) {
            return;
        }
        for (name, range) in &self.written.entry.ranges.0 {
            let known = self.rule.params.keys().map(String::as_str);
            match self.rule.params.get(&name.value) {
                None => {
                    let help = match nearest(&name.value, known) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => "write the param under `params`, with the value that it has by default".to_owned(),
                    };
                    self.told_params.insert(name.value.clone());
                    self.report(name, format!("there is no param `{}`", name.value), Some(help));
                }
                Some(value) if !value.is_number() => {
                    self.told_params.insert(name.value.clone());
                    let seconds = value.as_str().and_then(crate::grammar::policy::max_age_meant);
                    let help = match seconds {
                        Some(seconds) => format!("times are numbers of seconds: {seconds}"),
                        None => "write a number, or remove its range".to_owned(),
                    };
                    let message = format!("`{}` has a range, and is not a number", name.value);
                    let params = &self.written.entry.params.0;
                    if let Some((_, value)) = params.iter().find(|(param, _)| param.value == name.value) {
                        self.errors.push(at_value(self.written.source, value, message, Some(help)));
                    }
                }
                Some(_) if range.at_least.zip(range.at_most).is_some_and(|(least, most)| least > most) => {
                    let message = format!("no number is {}", range_text(*range));
                    self.report(name, message, Some("`at_least` is the lower one".to_owned()));
                }
                Some(_) => {}
            }
        }
    }

    pub(super) fn params(&mut self) {
        let octets = serde_json::to_string(&self.rule.params).map_or(0, |text| text.len());
        if octets > MAX_PARAMS_OCTETS {
            let message = format!("the params of a rule hold at most {MAX_PARAMS_OCTETS} octets; these have {octets}");
            self.report(&self.written.entry.id, message, Some("make several rules of it".to_owned()));
        }
        let entry = &self.written.entry;
        let unused = if self.written.own { unused_params(self.rule) } else { Vec::new() };
        for (name, value) in &entry.params.0 {
            if let Some((key, rest)) = torn_key(&name.value).filter(|_| value.value.is_null()) {
                let help = format!("write `{key}: {rest}`, with a blank after the `:`");
                self.report(name, format!("`{}` has no value", name.value), Some(help));
                continue;
            }
            if let Some(problem) = mixed_list(&value.value) {
                let help =
                    "write all of them alike; a text that looks like a number or a boolean needs quotes".to_owned();
                self.errors.push(at_value(self.written.source, value, problem, Some(help)));
            }
            if let Some(problem) = regex_problem(self.rule, &name.value, &value.value) {
                let help = "the syntax is that of RE2: https://github.com/google/re2/wiki/Syntax".to_owned();
                self.report(name, format!("`{}`: {problem}", name.value), Some(help));
            }
            if let Some(problem) = range_problem(self.rule, &name.value, &value.value) {
                let help = "write a value in that range, or change `ranges`".to_owned();
                self.errors.push(at_value(self.written.source, value, problem, Some(help)));
            }
            if unused.contains(&name.value.as_str()) && !self.told_params.contains(&name.value) {
                let message = format!("no expression of the rule `{}` asks for `params.{}`", self.rule.id, name.value);
                let help = "remove it, or look at how it is spelled elsewhere".to_owned();
                self.warnings.push(at_text(self.written.source, name, message, Some(help)));
            }
        }
    }

    /// Each case is an evaluation of its own.
    pub(super) fn cases(&mut self) {
        let cases = &self.rule.cases;
        let of_kinds = [&cases.pass, &cases.fail, &cases.not_applicable, &cases.not_checked];
        let count = of_kinds.iter().fold(0_usize, |sum, cases| sum.saturating_add(cases.len()));
        if count > MAX_CASES {
            let message = format!("a rule has at most {MAX_CASES} cases; this has {count}");
            self.report(&self.written.entry.id, message, Some("keep those that tell something".to_owned()));
        }
    }

    pub(super) fn citations(&mut self) {
        let entry = &self.written.entry;
        for other in entry.cites_if.iter().filter(|other| other.cites.is_empty()) {
            let help = "write what the finding rests on there, or leave the condition out".to_owned();
            self.report(&other.when, "this condition has no citation".to_owned(), Some(help));
        }
        for cite in entry.cites.iter().chain(entry.cites_if.iter().flat_map(|other| &other.cites)) {
            if cite.value.trim().is_empty() {
                let help = "write what the rule rests on: `RFC 8461 §3.2`, or a reference of your own".to_owned();
                self.report(cite, "this citation is empty".to_owned(), Some(help));
            }
        }
        let conditional = entry.reported_as_if.iter().map(|other| &other.reported_as);
        for kind in entry.reported_as.iter().chain(conditional) {
            if ResultType::from_word(&kind.value).is_some() {
                continue;
            }
            let near =
                nearest(&kind.value, ResultType::WORDS.iter().copied()).map(|near| format!("did you mean `{near}`?"));
            let message = format!("`{}` is not a result type of RFC 8460 §4.3", kind.value);
            self.report(kind, message, near.or_else(|| Some(format!("known: {}", ResultType::WORDS.join(", ")))));
        }
    }
}

/// A key and its value, where nothing parts them in a text that was read as a key: `seconds 60` and `seconds:60`.
pub(super) fn torn_key(text: &str) -> Option<(&str, &str)> {
    let (key, rest) = text.split_once([' ', ':'])?;
    Some((key, rest.trim_start_matches([' ', ':'])))
}

/// The longest id or name of a group.
const MAX_ID: usize = 64;

/// The most ids that a rule had before.
const MAX_FORMER: usize = 16;

/// Whether a text holds nothing that moves a cursor or turns its direction; lines may end in it.
fn is_plain(text: &str) -> bool {
    text.chars().all(is_plain_char)
}

fn is_plain_char(c: char) -> bool {
    !((c.is_control() && !matches!(c, '\n' | '\r' | '\t')) || is_unseen(c))
}

fn is_kebab_case(id: &str) -> bool {
    let part = |part: &str| !part.is_empty() && part.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    id.len() <= MAX_ID && id.starts_with(|c: char| c.is_ascii_lowercase()) && id.split('-').all(part)
}
