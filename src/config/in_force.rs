//! Rules as a configuration sets them, and where each value comes from.

use std::collections::BTreeMap;
use std::sync::Arc;

use miette::Report;
use serde_json::Value;

use super::file::{IgnoreEntry, Level, RuleSetting};
use super::ignore::{Ignore, Ignores, Use};
use super::layer::Layer;
use super::load::Configuration;
use super::origin::{Origin, Set};
use super::pattern::Pattern;
use super::reader::{MAX_MISTAKES, mistake};
use super::sections::{Kept, Membership, Section, Sections};
use super::settled::{Change, Changes, Settled};
use super::tree::Placed;
use super::tree::shape;
use crate::facts::Over;
use crate::grammar::policy::max_age_meant;
use crate::rules::params::param_problem;
use crate::rules::{Former, Rule, RuleSet, Source};
use crate::rules::{never_equal, unknown_members};
use crate::senders::Profile;
use crate::source_text::{SourceError, escape, nearest};

/// The rules that are in force.
#[derive(Debug)]
pub struct InForce {
    /// The rules, for domains of which no entry of `domains` speaks.
    pub rules: RuleSet,
    /// What of them is otherwise than it was written, by their ids.
    pub changes: Changes,
    /// The findings that are accepted.
    pub ignores: Ignores,
    /// What is said of some domains only.
    pub sections: Arc<Sections>,
    /// The senders of the configuration.
    pub senders: Vec<Arc<Profile>>,
    /// The profiles that hold for all domains.
    pub profiles: Vec<Layer>,
    /// The rules before the command line set any of them.
    configured: Option<Settled>,
    commands: Vec<Command>,
    kept: Kept,
}

/// What the command line sets.
#[derive(Clone, Debug)]
pub enum Command {
    /// The severity of the rules and groups of these names.
    Set(Vec<String>, Level),
    /// Every rule off that is neither named nor in a group of these names.
    Only(Vec<String>),
    /// The rules of these ids on, with the severity that they were written with.
    On(Vec<String>),
}

impl InForce {
    /// Sets rules as the command line says, whatever the configuration says.
    pub fn command(&mut self, command: Command) {
        command.apply(&mut self.rules, &mut self.changes);
        self.commands.push(command);
    }

    /// What the command line sets, in its order.
    pub(super) fn commands(&self) -> &[Command] {
        &self.commands
    }

    /// The rules for a domain, and what the entries of `domains` say that it is.
    pub fn for_domain(&self, domain: Option<&str>) -> (Option<Arc<Settled>>, Membership) {
        let membership = self.sections.membership(domain);
        (self.settled(&membership.sections), membership)
    }

    /// The entries of `ignore` that were not needed in a run.
    pub fn unused_ignores(&self, uses: &[Use]) -> Vec<String> {
        let sections = (0..self.sections.list.len()).filter_map(|section| self.settled(&[section]));
        let sections: Vec<Arc<Settled>> = sections.collect();
        let all = || std::iter::once(&self.rules).chain(sections.iter().map(|settled| &settled.rules));
        // What the command line sets off is off for this run only.
        let by_command = self.commands.iter().any(|command| match command {
            Command::On(_) => false,
            Command::Only(_) => true,
            Command::Set(names, level) => *level == Level::Off && !names.is_empty(),
        });
        let is_off = |ignore: &Ignore| {
            if by_command {
                return false;
            }
            let named = |rule: &&Rule| ignore.names_rule(&rule.id, &rule.group);
            all().all(|rules| rules.rules.iter().filter(named).all(|rule| rule.off))
        };
        self.ignores.unused(uses, &is_off)
    }

    /// The rules for domains of which these entries of `domains` speak; `None` where none does.
    pub(super) fn settled(&self, sections: &[usize]) -> Option<Arc<Settled>> {
        let configured = self.configured.as_ref().filter(|_| !sections.is_empty())?;
        Some(self.kept.of(sections, || {
            let mut settled = configured.clone();
            let sections = sections.iter().filter_map(|index| self.sections.list.get(*index));
            sections.for_each(|section| settled.apply(section, &mut Vec::new(), false));
            self.commands.iter().for_each(|command| command.apply(&mut settled.rules, &mut settled.changes));
            settled
        }))
    }
}

impl Command {
    fn apply(&self, rules: &mut RuleSet, changes: &mut Changes) {
        let named = |names: &[String], rule: &Rule| names.iter().any(|name| *name == rule.id || *name == rule.group);
        for rule in &mut rules.rules {
            match self {
                Command::Set(names, level) if named(names, rule) => {
                    set_level(rule, changes, *level, Origin::CommandLine)
                }
                Command::Only(names) if !named(names, rule) => {
                    set_level(rule, changes, Level::Off, Origin::CommandLine)
                }
                Command::On(ids) if rule.off && ids.contains(&rule.id) => {
                    rule.off = false;
                    if let Some(change) = changes.get_mut(&rule.id) {
                        change.level = None;
                    }
                }
                _ => {}
            }
        }
    }
}

impl Settled {
    /// Sets the rules as an entry of `domains` says.
    fn apply(&mut self, section: &Section, mistakes: &mut Vec<SourceError>, lacks_rules: bool) {
        for layer in &section.profiles {
            let (rules, changes) = (&mut self.rules, &mut self.changes);
            let mut setter = Setter { layer, rules, changes, mistakes, of_some: true, lacks_rules };
            setter.groups(&layer.file.groups);
            setter.rules(&layer.file.rules);
        }
        let layer = &section.layer;
        let (rules, changes) = (&mut self.rules, &mut self.changes);
        let mut setter = Setter { layer, rules, changes, mistakes, of_some: true, lacks_rules };
        setter.groups(&section.entry.groups);
        setter.rules(&section.entry.rules);
    }
}

impl Configuration {
    /// The built-in rules and `own` ones beside the included, set as the configuration says. An error holds every
    /// mistake of the configuration and of the rule files.
    pub fn rules(&self, own: &[Source]) -> Result<InForce, Report> {
        let included = self.rule_files.iter().map(|file| file.value.clone());
        let mut sources: Vec<Source> = included.collect();
        sources
            .extend(own.iter().filter(|own| !self.rule_files.iter().any(|file| same_file(&file.value, own))).cloned());
        let read = if sources.is_empty() { RuleSet::built_in() } else { RuleSet::with_own(&sources) };
        let rules = match read {
            Ok(rules) => rules,
            Err(errors) if self.mistakes().is_empty() => return Err(errors.into()),
            Err(errors) => {
                let all = self.mistakes().iter().cloned().chain(errors.0).collect();
                return Err(self.errors(all).into());
            }
        };
        let mut settled = Settled { rules, changes: BTreeMap::new() };
        let mut mistakes = self.mistakes().to_vec();
        for layer in &self.layers {
            let Settled { rules, changes } = &mut settled;
            let lacks_rules = self.lacks_rules;
            let mut setter = Setter { layer, rules, changes, mistakes: &mut mistakes, of_some: false, lacks_rules };
            setter.groups(&layer.file.groups);
            setter.rules(&layer.file.rules);
            setter.ignores(&layer.file.ignore);
            layer.file.domains.iter().for_each(|entry| setter.ignores(&entry.ignore));
        }
        let sections = Arc::new(Sections::of(&self.layers));
        for section in &sections.list {
            let mut of_section = settled.clone();
            of_section.rules.warnings.clear();
            of_section.apply(section, &mut mistakes, self.lacks_rules);
            settled.rules.warnings.append(&mut of_section.rules.warnings);
        }
        // Without any entry nobody expects domains to have tags.
        if !sections.list.is_empty() {
            let members = sections.members();
            for rule in settled.rules.rules.iter().filter(|rule| rule.path.is_some()) {
                let source = sources.iter().find(|source| source.path == rule.path);
                let unknown = source.map(|source| unknown_members(rule, source, &members)).unwrap_or_default();
                settled.rules.warnings.extend(unknown);
            }
        }
        if mistakes.is_empty() {
            let ignores = Ignores::of(&self.layers, &sections, &settled.rules);
            Ok(InForce {
                configured: (!sections.list.is_empty()).then(|| settled.clone()),
                rules: settled.rules,
                changes: settled.changes,
                ignores,
                senders: self.senders.clone(),
                profiles: self.layers.iter().filter(|layer| layer.profile.is_some()).cloned().collect(),
                sections,
                commands: Vec::new(),
                kept: Kept::default(),
            })
        } else {
            Err(self.errors(mistakes).into())
        }
    }
}

/// Whether two sources are the same file, however they were reached.
pub fn same_file(included: &Source, own: &Source) -> bool {
    let path = |source: &Source| source.path.as_deref().map(super::load::canonical);
    path(included).is_some_and(|included| path(own) == Some(included))
}

/// Sets rules as one configuration says, on top of those before it.
struct Setter<'a> {
    layer: &'a Layer,
    rules: &'a mut RuleSet,
    changes: &'a mut Changes,
    mistakes: &'a mut Vec<SourceError>,
    /// Whether it is about some domains only.
    of_some: bool,
    /// Whether rules are missing that have been told to be.
    lacks_rules: bool,
}

impl Setter<'_> {
    fn groups(&mut self, groups: &[(Placed<String>, Placed<Level>)]) {
        for (group, level) in groups {
            if self.is_full() {
                return;
            }
            if self.group_exists(group) {
                let origin = self.layer.origin(group.at);
                for rule in self.rules.rules.iter_mut().filter(|rule| rule.group == group.value) {
                    set_level(rule, self.changes, level.value, origin.clone());
                }
            }
        }
    }

    fn rules(&mut self, settings: &[(Placed<String>, RuleSetting)]) {
        for (id, setting) in settings {
            if self.is_full() {
                return;
            }
            let Some(current) = self.current(id) else { continue };
            let Some(rule) = self.rules.rules.iter_mut().find(|rule| rule.id == current) else { continue };
            if let Some(level) = &setting.severity {
                set_level(rule, self.changes, level.value, self.layer.origin(level.at));
            }
            if let Some((name, _)) = setting.params.first().filter(|_| self.of_some && rule.over == Over::Domains) {
                let message =
                    format!("`{}` is judged once for all domains, so its params are the same for all", rule.id);
                let help = "set them under `rules` at the top of the file".to_owned();
                self.mistakes.push(mistake(&self.layer.source, name.at, message, Some(help)));
                continue;
            }
            for (name, value) in &setting.params {
                let at = value.at;
                match checked_param(rule, name, value) {
                    Ok(value) => {
                        let origin = self.layer.origin(name.at);
                        let change = change_of(rule, self.changes);
                        let written = rule.params.insert(name.value.clone(), value.clone()).unwrap_or_default();
                        let without = Some(format!("without this it is {written}"));
                        let problem = param_problem(rule, &name.value, &value).map(|problem| (problem, without));
                        if let Some((problem, help)) = problem.or_else(|| never_equal(rule, &name.value)) {
                            rule.params.insert(name.value.clone(), written);
                            self.mistakes.push(mistake(&self.layer.source, at, problem, help));
                            continue;
                        }
                        let first = change.params.remove(&name.value).map_or(written, |(written, _)| written);
                        change.params.insert(name.value.clone(), (first, Set { value, origin }));
                    }
                    Err((at, message, help)) => self.mistakes.push(mistake(&self.layer.source, at, message, help)),
                }
            }
        }
    }

    fn ignores(&mut self, entries: &[IgnoreEntry]) {
        for entry in entries {
            if self.is_full() {
                return;
            }
            if let Some(rule) = &entry.rule {
                self.some_rule_matches(rule);
            }
            if let Some(group) = &entry.group
                && self.group_exists(group)
            {
                self.both_fit(entry.rule.as_ref(), group);
            }
        }
    }

    fn is_full(&self) -> bool {
        self.mistakes.len() >= MAX_MISTAKES
    }

    fn some_rule_matches(&mut self, pattern: &Placed<Pattern>) {
        let written = Placed { value: pattern.value.to_string(), at: pattern.at };
        if !written.value.contains('*') {
            self.current(&written);
            return;
        }
        if self.rules.rules.iter().any(|rule| pattern.value.matches(&rule.id)) {
            return;
        }
        let former = self.rules.rules.iter().flat_map(|rule| &rule.formerly).find(|id| pattern.value.matches(id));
        match former.cloned() {
            Some(former) => self.warn_of_former(&written, &former),
            None => {
                let help = "`*` matches any text; `stslint rules list` names all rules".to_owned();
                self.report(&written, format!("no rule matches `{}`", escape(&written.value)), help);
            }
        }
    }

    /// An entry that names a rule and a group is about rules that fit both.
    fn both_fit(&mut self, rule: Option<&Placed<Pattern>>, group: &Placed<String>) {
        let Some(rule) = rule else { return };
        let mut matching = self.rules.rules.iter().filter(|known| rule.value.matches(&known.id)).peekable();
        if let Some(first) = matching.peek().map(|first| first.group.clone())
            && !matching.any(|known| known.group == group.value)
        {
            let help = format!("leave out the group: the rule says enough; it is in `{first}`");
            self.report(group, format!("no rule of this entry is in the group `{}`", escape(&group.value)), help);
        }
    }

    /// The id by which the rule is known now; `None` where there is none, which is told.
    fn current(&mut self, id: &Placed<String>) -> Option<String> {
        match self.rules.former(&id.value) {
            None => self.rule_exists(id).then(|| id.value.clone()),
            Some(former) => {
                let current = matches!(former, Former::Renamed(_)).then(|| self.rules.current(&id.value).to_owned());
                self.warn_of_former(id, &id.value);
                current
            }
        }
    }

    /// Warns of an id that a rule had before.
    fn warn_of_former(&mut self, at: &Placed<String>, id: &str) {
        if let Some(former) = self.rules.former(id) {
            let warning = mistake(&self.layer.source, at.at, former.message(id), Some(former.help()));
            self.rules.warnings.push(warning);
        }
    }

    fn rule_exists(&mut self, id: &Placed<String>) -> bool {
        let rules = &self.rules.rules;
        if rules.iter().any(|rule| rule.id == id.value) {
            return true;
        }
        let help = if rules.iter().any(|rule| rule.group == id.value) {
            format!("`{}` is a group: set it under `groups`", id.value)
        } else {
            match nearest(&id.value, rules.iter().map(|rule| rule.id.as_str())) {
                Some(near) => format!("did you mean `{near}`?"),
                None if self.lacks_rules => return false,
                None => match torn_key(&id.value) {
                    Some((key, value)) => format!("write `{key}: {value}`"),
                    None => "`stslint rules list` names them all".to_owned(),
                },
            }
        };
        self.report(id, format!("there is no rule `{}`", escape(&id.value)), help)
    }

    fn group_exists(&mut self, group: &Placed<String>) -> bool {
        let rules = &self.rules.rules;
        if rules.iter().any(|rule| rule.group == group.value) {
            return true;
        }
        let help = if rules.iter().any(|rule| rule.id == group.value) {
            format!("`{}` is a rule: set it under `rules`", group.value)
        } else {
            match nearest(&group.value, rules.iter().map(|rule| rule.group.as_str())) {
                Some(near) => format!("did you mean `{near}`?"),
                None if self.lacks_rules => return false,
                None => match torn_key(&group.value) {
                    Some((key, value)) => format!("write `{key}: {value}`"),
                    None => "`stslint rules list` names them all".to_owned(),
                },
            }
        };
        self.report(group, format!("there is no group `{}`", escape(&group.value)), help)
    }

    fn report(&mut self, at: &Placed<String>, message: String, help: String) -> bool {
        self.mistakes.push(mistake(&self.layer.source, at.at, message, Some(help)));
        false
    }
}

fn set_level(rule: &mut Rule, changes: &mut BTreeMap<String, Change>, level: Level, origin: Origin) {
    change_of(rule, changes).level = Some(Set { value: level, origin });
    rule.off = level == Level::Off;
    if let Some(severity) = level.severity() {
        // Whoever names a severity means it, whatever the mode of the policy is; who raises a rule lowers no case of it.
        let raised = severity > rule.severity;
        rule.severity_if.retain(|(_, other)| raised && *other > severity);
        rule.severity = severity;
    }
}

fn change_of<'a>(rule: &Rule, changes: &'a mut BTreeMap<String, Change>) -> &'a mut Change {
    let unchanged = || Change {
        written: rule.severity,
        conditions: !rule.severity_if.is_empty(),
        level: None,
        params: BTreeMap::new(),
    };
    changes.entry(rule.id.clone()).or_insert_with(unchanged)
}

type ParamMistake = (super::tree::Span, String, Option<String>);

/// The value, where the rule has such a param and it is of that type.
fn checked_param(rule: &Rule, name: &Placed<String>, value: &Placed<Value>) -> Result<Value, ParamMistake> {
    let Some(written) = rule.params.get(&name.value) else {
        let torn = torn_key(&name.value).filter(|(key, _)| rule.params.contains_key(*key));
        let help = match nearest(&name.value, rule.params.keys().map(String::as_str)) {
            _ if torn.is_some() => torn.map(|(key, value)| format!("write `{key}: {value}`")).unwrap_or_default(),
            Some(near) => format!("did you mean `{near}`?"),
            None if rule.params.is_empty() => format!("`{}` has no params", rule.id),
            None => format!("it has: {}", rule.params.keys().cloned().collect::<Vec<_>>().join(", ")),
        };
        return Err((name.at, format!("`{}` has no param `{}`", rule.id, escape(&name.value)), Some(help)));
    };
    if !fits(written, &value.value) {
        let (found, wanted) = (shape(&value.value), shape(written));
        let message = if found == wanted {
            format!("this is {found} of other things than those in the rule")
        } else {
            format!("this is {found}, where {wanted} belongs")
        };
        let without = format!("without this it is {written}");
        let help = match (&value.value, written) {
            (Value::String(text), Value::Number(_)) if text.parse::<f64>().is_ok() => {
                format!("write it without quotes; {without}")
            }
            (Value::String(text), Value::Number(_)) => match max_age_meant(text) {
                Some(seconds) => format!("times are numbers of seconds: {seconds}; {without}"),
                None => without,
            },
            (Value::String(_), Value::Array(_)) => format!("put it into brackets: `[ … ]`; {without}"),
            _ => without,
        };
        return Err((value.at, message, Some(help)));
    }
    Ok(value.value.clone())
}

/// A key and its value, where nothing parts them in a text that was read as a key: `minimum 60` and `minimum:60`.
fn torn_key(text: &str) -> Option<(&str, &str)> {
    let (key, value) = text.split_once([' ', ':'])?;
    Some((key, value.trim_start_matches([' ', ':'])))
}

/// Whether a value can be where the written one does.
fn fits(written: &Value, value: &Value) -> bool {
    match (written, value) {
        (Value::Null, _) => true,
        (Value::Number(written), Value::Number(number)) => {
            number.as_i64().is_some() || (written.is_f64() && number.is_f64())
        }
        (Value::Array(written), Value::Array(values)) => {
            written.first().is_none_or(|first| values.iter().all(|value| fits(first, value)))
        }
        _ => shape(written) == shape(value),
    }
}
