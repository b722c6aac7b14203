//! The static check of rule files, before anything is collected: every mistake with its place.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_yaml::Spanned;

use super::cost::{MAX_LISTS, MAX_MISTAKES, MAX_PARAMS_OCTETS, MAX_REQUIRED, MAX_STEPS, steps};
use super::expr::Expr;
use super::load::{Rule, Source};
use super::model::{RESULT_TYPES, RuleEntry};
use super::template::{Template, UnbalancedBrace};
use super::types::{self, Mistake, Scope, Variable};
use crate::facts::{self, Field, Type};
use crate::source_text::{self, SourceError, is_bidi, nearest, printable};

/// A rule as it was written, beside what was built of it.
pub struct Checked<'a> {
    /// The file.
    pub source: &'a Source,
    /// The rule.
    pub entry: RuleEntry,
    /// The group that its file names.
    pub group: Spanned<String>,
    /// The condition of its file.
    pub group_when: Option<Spanned<String>>,
    /// Whether it is checked at all: the built-in rules are checked by tests.
    pub own: bool,
    /// Whether keys of it could not be read, which has been told.
    pub torn: bool,
}

/// What the check of rules finds.
#[derive(Debug, Default)]
pub struct Found {
    /// What keeps the rules from being used.
    pub errors: Vec<SourceError>,
    /// What is most likely not as it was meant.
    pub warnings: Vec<SourceError>,
}

/// All mistakes in the rules that are an organisation's own; `whole` where every rule of every file was read.
pub fn check(rules: &[Rule], written_all: &[Checked<'_>], whole: bool) -> Found {
    let mut found = Found::default();
    for (index, (rule, written)) in rules.iter().zip(written_all).enumerate() {
        if !written.own || found.errors.len() >= MAX_MISTAKES {
            continue;
        }
        let mut checker = RuleChecker {
            rule,
            written,
            rules,
            all: written_all,
            errors: &mut found.errors,
            warnings: &mut found.warnings,
        };
        let above = index.checked_sub(1).and_then(|above| written_all.get(above));
        checker.group(above.is_none_or(|above| !std::ptr::eq(above.source, written.source)));
        checker.identity(rules.get(..index).unwrap_or_default());
        if !written.torn {
            checker.completeness();
        }
        checker.requires(whole);
        checker.citations();
        checker.texts_are_plain();
        checker.params();
        checker.body();
    }
    found
}

/// Expressions that begin with a `!` outside of quotes: YAML takes such a text for a tag, and nothing is left of it.
pub fn taken_for_tags(source: &Source) -> Vec<SourceError> {
    const KEYS: [&str; 5] = ["assert:", "at:", "safe_when:", "subject:", "when:"];
    let mut start = 0_usize;
    let mut found = Vec::new();
    for line in source.text.split_inclusive('\n') {
        for (at, _) in line.match_indices('!') {
            let before = line.get(..at).unwrap_or_default().trim_end();
            let key = KEYS.iter().find(|key| before.ends_with(**key));
            let opens = key.and_then(|key| before.strip_suffix(key)).map(|outer| outer.trim_end());
            if !opens.is_some_and(|outer| outer.is_empty() || outer.ends_with(['-', '{', ','])) {
                continue;
            }
            let text = line
                .get(at..)
                .unwrap_or_default()
                .split(['#', ',', '}', '\n', '\r'])
                .next()
                .unwrap_or_default()
                .trim_end();
            let place = Some((start.saturating_add(at), text.len()));
            let message = "YAML takes a text that begins with `!` for a tag, and drops it".to_owned();
            let error = SourceError::new(&source.name, &source.text, place, message);
            found.push(error.with_help(Some(format!("put it into quotes: \"{}\"", printable(text)))));
        }
        start = start.saturating_add(line.len());
    }
    found
}

/// A template whose braces do not match.
pub fn template_error(source: &Source, text: Spanned<String>, brace: UnbalancedBrace) -> SourceError {
    let mistake = Mistake {
        offset: brace.0,
        length: 1,
        null_path: None,
        message: "this brace has no partner".to_owned(),
        help: Some("`{expression}` puts a value in; `{{` and `}}` stand for braces".to_owned()),
    };
    at_mistake(source, &text, &text.value, 0, mistake)
}

/// An id that no rule has.
pub fn no_such_rule(source: &Source, id: &Spanned<String>, rules: &[Rule]) -> SourceError {
    let near = nearest(&id.value, rules.iter().map(|rule| rule.id.as_str()));
    let help = near.map_or("`stslint rules list` names them all".to_owned(), |near| format!("did you mean `{near}`?"));
    at_text(source, id, format!("there is no rule `{}`", id.value), Some(help))
}

struct RuleChecker<'a, 'b> {
    rule: &'a Rule,
    written: &'a Checked<'a>,
    rules: &'a [Rule],
    all: &'a [Checked<'a>],
    errors: &'b mut Vec<SourceError>,
    warnings: &'b mut Vec<SourceError>,
}

impl RuleChecker<'_, '_> {
    fn identity(&mut self, before: &[Rule]) {
        let id = &self.written.entry.id;
        if !is_kebab_case(&id.value) {
            self.report(
                id,
                format!("`{}` is no id", id.value),
                Some("write it in kebab-case: `acme-max-age`".to_owned()),
            );
        }
        if let Some(other) = before.iter().find(|other| other.id == id.value) {
            let (message, help) = match self.written_place(other) {
                Some(place) => (
                    format!("the id `{}` is taken, in {place}", id.value),
                    "each rule has an id of its own: choose another".to_owned(),
                ),
                None => (
                    format!("the id `{}` is taken, by a built-in rule", id.value),
                    format!("choose another id, or write `replaces: {}` to stand in for the built-in rule", id.value),
                ),
            };
            self.report(id, message, Some(help));
        }
    }

    /// Where a rule of the organisation's own stands: file and line. `None` for a built-in one.
    fn written_place(&self, rule: &Rule) -> Option<String> {
        let index = self.rules.iter().position(|other| std::ptr::eq(other, rule))?;
        let written = self.all.get(index).filter(|written| written.own)?;
        Some(format!("{}:{}", rule.file, written.entry.id.referenced.line()))
    }

    /// What the file says of all its rules; told at the first of them.
    fn group(&mut self, first_of_file: bool) {
        let group = &self.written.group;
        if first_of_file && !is_kebab_case(&group.value) {
            let message = format!("`{}` is no name for a group", printable(&group.value));
            self.report(group, message, Some("write it in kebab-case: `acme`".to_owned()));
        }
    }

    fn completeness(&mut self) {
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

    fn requires(&mut self, whole: bool) {
        let required = self.required();
        if required > MAX_REQUIRED {
            let message = format!("the rule requires more than {MAX_REQUIRED} others, directly and through them");
            return self.report(&self.written.entry.id, message, Some("take some out of `requires`".to_owned()));
        }
        for required in self.written.entry.requires.iter().chain(&self.written.entry.after) {
            if !self.rules.iter().any(|rule| rule.id == required.value) {
                // It may be one that could not be read.
                if !whole {
                    continue;
                }
                self.errors.push(no_such_rule(self.written.source, required, self.rules));
            } else if let Some(circle) = self.circle(&required.value) {
                // A circle is told once: at the first of its rules.
                let places = circle.iter().filter_map(|id| self.rules.iter().position(|rule| rule.id == **id));
                let own = self.rules.iter().position(|rule| rule.id == self.rule.id);
                if places.min() < own {
                    continue;
                }
                let chain: Vec<String> = circle.iter().map(|id| format!("`{id}`")).collect();
                let message = match circle.len() {
                    0 | 1 => "a rule cannot require itself".to_owned(),
                    _ => format!("`{}` requires {}: a circle", self.rule.id, chain.join(", which requires ")),
                };
                self.report(required, message, Some("one of them must come first: take out one of these".to_owned()));
            }
        }
    }

    /// How many rules this one requires, directly and through others; counted up to the bound.
    fn required(&self) -> usize {
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
    fn circle(&self, from: &str) -> Option<Vec<&str>> {
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
    fn texts_are_plain(&mut self) {
        let entry = &self.written.entry;
        let spanned = [&entry.message, &entry.help, &entry.subject].into_iter().flatten().chain(&entry.cites);
        let mut wrong: Vec<Spanned<String>> = spanned.filter(|text| !is_plain(&text.value)).cloned().collect();
        let others = [Some(&entry.title), Some(&entry.why), entry.otherwise.as_ref()];
        if others.into_iter().flatten().any(|text| !is_plain(text)) {
            wrong.push(entry.id.clone());
        }
        for text in wrong {
            let message = format!("a text of the rule `{}` holds a control character", printable(&self.rule.id));
            self.report(&text, message, Some("write what people can read; `\\n` is allowed".to_owned()));
        }
    }

    fn params(&mut self) {
        let octets = serde_json::to_string(&self.rule.params).map_or(0, |text| text.len());
        if octets > MAX_PARAMS_OCTETS {
            let message = format!("the params of a rule hold at most {MAX_PARAMS_OCTETS} octets; these have {octets}");
            self.report(&self.written.entry.id, message, Some("make several rules of it".to_owned()));
        }
    }

    fn citations(&mut self) {
        let entry = &self.written.entry;
        for cite in &entry.cites {
            if cite.value.trim().is_empty() {
                let help = "write what the rule rests on: `RFC 8461 §3.2`, or a reference of your own".to_owned();
                self.report(cite, "this citation is empty".to_owned(), Some(help));
            }
        }
        let conditional = entry.reported_as_if.iter().map(|other| &other.reported_as);
        for kind in entry.reported_as.iter().chain(conditional) {
            if RESULT_TYPES.contains(&kind.value.as_str()) {
                continue;
            }
            let near = nearest(&kind.value, RESULT_TYPES).map(|near| format!("did you mean `{near}`?"));
            let message = format!("`{}` is no result type of RFC 8460 §4.3", kind.value);
            self.report(kind, message, near.or_else(|| Some(format!("known: {}", RESULT_TYPES.join(", ")))));
        }
    }

    fn body(&mut self) {
        let entry = &self.written.entry;
        if entry.assert.is_some() != entry.forbid.0.is_empty() && !self.written.torn {
            let (has, help) = match entry.assert {
                Some(_) => ("both `assert` and `forbid`", "keep one of the two, or make two rules"),
                None => ("neither `assert` nor `forbid`", "write what is true when the rule passes: `assert: …`"),
            };
            self.report(&entry.id, format!("the rule `{}` has {has}", self.rule.id), Some(help.to_owned()));
        }
        if let Some((second, _)) = entry.forbid.0.get(1) {
            self.report(
                second,
                "`forbid` takes one list".to_owned(),
                Some("outer lists go into `for_each`".to_owned()),
            );
        }
        if let Some((name, _)) = entry.for_each.0.iter().chain(&entry.forbid.0).nth(MAX_LISTS) {
            let message = format!("a rule goes through at most {MAX_LISTS} lists in each other");
            return self.report(name, message, Some("make several rules of it".to_owned()));
        }
        let mut scope = root_scope(self.rule);
        let outer = scope.clone();
        let mut not_null = self.certain();
        if let Some(when) = &self.written.group_when {
            self.expression(when, &Expr::new(when.value.as_str()), &outer, &BTreeSet::new(), Some(&Type::Bool));
        }
        // A list that is `null` has no element, so what `when` says of paths outside of it holds for the list too.
        let mut listed = not_null.clone();
        listed.extend(self.rule.when.iter().flat_map(|when| certain_of(when, &scope)));
        for (name, list) in entry.for_each.0.iter().chain(&entry.forbid.0) {
            self.bind(name, list, &mut scope, &listed);
        }
        if let (Some(when), Some(expr)) = (&entry.when, &self.rule.when) {
            self.expression(when, expr, &scope, &not_null, Some(&Type::Bool));
            self.needs_a_fact(when, expr, &scope);
            not_null.extend(certain_of(expr, &scope));
        }
        if let (Some(assert), Some(expr)) = (&entry.assert, &self.rule.assert) {
            self.expression(assert, expr, &scope, &not_null, Some(&Type::Bool));
            self.needs_a_fact(assert, expr, &scope);
        }
        for (written, (expr, _)) in entry.severity_if.iter().zip(&self.rule.severity_if) {
            self.expression(&written.when, expr, &scope, &not_null, Some(&Type::Bool));
        }
        for (written, (expr, _)) in entry.reported_as_if.iter().zip(&self.rule.reported_as_if) {
            self.expression(&written.when, expr, &scope, &not_null, Some(&Type::Bool));
        }
        self.texts(&scope, &not_null);
    }

    fn texts(&mut self, scope: &Scope, not_null: &BTreeSet<String>) {
        let entry = &self.written.entry;
        if let Some(message) = &entry.message {
            self.template(message, &self.rule.message, scope, not_null);
        }
        for (written, template) in [(&entry.help, &self.rule.help), (&entry.subject, &self.rule.subject)] {
            if let (Some(written), Some(template)) = (written, template) {
                self.template(written, template, scope, not_null);
            }
        }
        if let Some(at) = &entry.at {
            self.path(at, scope);
        }
        if let (Some(written), Some(fix)) = (&entry.fix, &self.rule.fix) {
            self.path(&written.replace, scope);
            let mut known = not_null.clone();
            if let (Some(when), Some(expr)) = (&written.when, &fix.when) {
                self.expression(when, expr, scope, not_null, Some(&Type::Bool));
                known.extend(certain_of(expr, scope));
            }
            if let (Some(when), Some(expr)) = (&written.safe_when, &fix.safe_when) {
                self.expression(when, expr, scope, &known, Some(&Type::Bool));
            }
            self.template(&written.with, &fix.with, scope, &known);
        }
    }

    /// The paths that are not `null` because this rule's requirements passed and its file's condition holds.
    fn certain(&self) -> BTreeSet<String> {
        let mut paths =
            self.rule.group_when.as_ref().map_or_else(BTreeSet::new, |when| certain_of(when, &root_scope(self.rule)));
        let mut seen = BTreeSet::new();
        let mut open: Vec<&str> = self.rule.requires.iter().map(String::as_str).collect();
        while let Some(id) = open.pop().filter(|_| seen.len() <= MAX_REQUIRED) {
            let Some(rule) = self.rules.iter().find(|rule| rule.id == id && seen.insert(id.to_owned())) else {
                continue;
            };
            let scope = scope_of(rule);
            let conditions = rule.group_when.as_deref().into_iter().chain(&rule.when).chain(&rule.assert);
            conditions.for_each(|expr| paths.extend(certain_of(expr, &scope)));
            open.extend(rule.requires.iter().map(String::as_str));
        }
        paths
    }

    fn bind(&mut self, name: &Spanned<String>, list: &Spanned<String>, scope: &mut Scope, not_null: &BTreeSet<String>) {
        if scope.contains_key(&name.value) {
            let message = format!("`{}` already means something here", name.value);
            return self.report(name, message, Some("choose another name for the element".to_owned()));
        }
        if !is_identifier(&name.value) {
            return self.report(name, format!("`{}` is no name for a variable", name.value), None);
        }
        let before = self.errors.len();
        let expr = Expr::new(list.value.as_str());
        let shape = self.expression(list, &expr, scope, not_null, None);
        let variable = match element_of(&list.value, scope) {
            Some(variable) => variable,
            None => {
                if self.errors.len() == before {
                    let what = shape.map_or("no path to a list".to_owned(), |shape| shape.label());
                    let message = format!("`{}` is {what}; only a list can be gone through", list.value);
                    self.report(list, message, Some("`stslint facts` shows which paths are lists".to_owned()));
                }
                Variable { shape: Type::Any, nullable: false, path: format!("@{}", name.value) }
            }
        };
        scope.insert(name.value.clone(), variable);
    }

    fn template(&mut self, written: &Spanned<String>, template: &Template, scope: &Scope, not_null: &BTreeSet<String>) {
        for (expr, offset) in template.inserts() {
            self.expression_at(written, expr, offset, scope, not_null, None);
        }
    }

    fn path(&mut self, written: &Spanned<String>, scope: &Scope) {
        let expr = Expr::new(written.value.as_str());
        // A path may end in a null: it only says where to point. What it passes through is not asked for.
        let everything: BTreeSet<String> = match expr.compiled() {
            Ok(compiled) => compiled.paths.iter().flat_map(|path| all_prefixes(path, scope)).collect(),
            Err(_) => BTreeSet::new(),
        };
        self.expression(written, &expr, scope, &everything, None);
        if let Ok(compiled) = expr.compiled()
            && super::expr::path_of(compiled.program.expression()).is_none()
        {
            self.report(
                written,
                "this is no path to a fact".to_owned(),
                Some("write it as `policy.max_age`".to_owned()),
            );
        }
    }

    /// Warns of an expression that is the same for every domain: then the rule can never fail, or never passes.
    fn needs_a_fact(&mut self, written: &Spanned<String>, expr: &Expr, scope: &Scope) {
        let Ok(compiled) = expr.compiled() else { return };
        let asks = |path: &Vec<String>| path.first().is_some_and(|root| root != "params" && scope.contains_key(root));
        if compiled.paths.iter().any(asks) {
            return;
        }
        let always = match expr.source().trim() {
            "true" => "always true",
            "false" => "always false",
            _ => "the same for every domain",
        };
        let message = format!("the rule `{}` asks for no fact here: this is {always}", self.rule.id);
        let help = "`stslint facts` lists what can be asked for".to_owned();
        self.warnings.push(at_text(self.written.source, written, message, Some(help)));
    }

    fn expression(
        &mut self,
        written: &Spanned<String>,
        expr: &Expr,
        scope: &Scope,
        not_null: &BTreeSet<String>,
        wanted: Option<&Type>,
    ) -> Option<Type> {
        self.expression_at(written, expr, 0, scope, not_null, wanted)
    }

    fn expression_at(
        &mut self,
        written: &Spanned<String>,
        expr: &Expr,
        offset: usize,
        scope: &Scope,
        not_null: &BTreeSet<String>,
        wanted: Option<&Type>,
    ) -> Option<Type> {
        let source = self.written.source;
        let compiled = match expr.compiled() {
            Ok(compiled) => compiled,
            Err(error) => {
                let mistake = Mistake {
                    offset: error.offset,
                    length: error.length,
                    message: error.message.clone(),
                    help: error.help.clone(),
                    null_path: None,
                };
                self.errors.push(at_mistake(source, written, expr.source(), offset, mistake));
                return None;
            }
        };
        let steps = steps(compiled.program.expression(), &self.rule.params);
        if steps > MAX_STEPS {
            let message =
                format!("this takes {steps} steps through lists of the rule; at most {MAX_STEPS} are allowed");
            self.report(written, message, Some("make the lists shorter, or several rules of it".to_owned()));
            return None;
        }
        let (typed, mistakes) = types::check(compiled, scope, not_null);
        let sound = mistakes.is_empty();
        for mut mistake in mistakes {
            if let Some(rule) = mistake.null_path.as_deref().and_then(|path| self.judge_of(path)) {
                mistake.help = mistake.help.map(|help| format!("{help}, such as `requires: [{rule}]`"));
            }
            self.errors.push(at_mistake(source, written, expr.source(), offset, mistake));
        }
        if let Some(wanted) = wanted.filter(|wanted| sound && typed.shape != Type::Any && typed.shape != **wanted) {
            let message = format!("this is {}, where {} belongs", typed.shape.label(), wanted.label());
            self.report(written, message, Some("compare it with something: `… == …`".to_owned()));
        }
        Some(typed.shape)
    }

    /// The rule that fails where a path is `null`.
    fn judge_of(&self, path: &str) -> Option<&str> {
        // The rule that says just this comes before those that say more.
        let just_this = format!("{path} != null");
        let says_more = |rule: &&Rule| rule.assert.as_ref().is_none_or(|assert| assert.source().trim() != just_this);
        let judges = |rule: &&Rule| {
            rule.id != self.rule.id
                && rule.scopes.is_empty()
                && rule.assert.as_ref().is_some_and(|assert| certain_of(assert, &root_scope(rule)).contains(path))
        };
        self.rules.iter().filter(judges).min_by_key(says_more).map(|rule| rule.id.as_str())
    }

    fn report(&mut self, at: &Spanned<String>, message: String, help: Option<String>) {
        self.errors.push(at_text(self.written.source, at, message, help));
    }
}

/// The variables of every expression: the roots of the facts.
pub fn facts_scope() -> Scope {
    let variable = |(name, field): (&String, &Field)| {
        (name.clone(), Variable { shape: field.shape.clone(), nullable: field.nullable, path: name.clone() })
    };
    facts::root().iter().map(variable).collect()
}

fn root_scope(rule: &Rule) -> Scope {
    let mut scope = facts_scope();
    let params: BTreeMap<String, Field> = rule
        .params
        .iter()
        .map(|(name, value)| (name.clone(), Field { shape: shape_of(value), nullable: false, about: String::new() }))
        .collect();
    scope.insert(
        "params".to_owned(),
        Variable { shape: Type::Object(Arc::new(params)), nullable: false, path: "params".to_owned() },
    );
    scope
}

/// The variables inside a rule's lists.
fn scope_of(rule: &Rule) -> Scope {
    let mut scope = root_scope(rule);
    for (name, path) in &rule.scopes {
        if let Some(variable) = element_of(&path.join("."), &scope) {
            scope.insert(name.clone(), variable);
        }
    }
    scope
}

fn certain_of(expr: &Expr, scope: &Scope) -> BTreeSet<String> {
    expr.compiled().map_or_else(|_| BTreeSet::new(), |compiled| types::not_null_where_true(compiled, scope))
}

/// The element of the list at a path.
fn element_of(path: &str, scope: &Scope) -> Option<Variable> {
    let mut segments = path.split('.').map(str::trim);
    let root = scope.get(segments.next()?)?;
    let mut shape = &root.shape;
    let mut full = root.path.clone();
    for segment in segments {
        let Type::Object(fields) = shape else { return None };
        shape = &fields.get(segment)?.shape;
        full = format!("{full}.{segment}");
    }
    let Type::List(element) = shape else { return None };
    Some(Variable { shape: (**element).clone(), nullable: false, path: format!("{full}[]") })
}

/// A path and all that it passes through, from the root of the facts on.
pub fn all_prefixes(path: &[String], scope: &Scope) -> Vec<String> {
    let Some((root, rest)) = path.split_first() else { return Vec::new() };
    let mut full = scope.get(root).map_or_else(|| root.clone(), |variable| variable.path.clone());
    let mut prefixes = vec![full.clone()];
    for segment in rest {
        full = format!("{full}.{segment}");
        prefixes.push(full.clone());
    }
    prefixes
}

fn shape_of(value: &serde_json::Value) -> Type {
    use serde_json::Value;
    match value {
        Value::Array(values) => Type::List(Arc::new(values.first().map_or(Type::Any, shape_of))),
        Value::Bool(_) => Type::Bool,
        Value::Null => Type::Null,
        Value::Number(number) if number.is_f64() => Type::Double,
        Value::Number(_) => Type::Int,
        Value::Object(_) => Type::Any,
        Value::String(_) => Type::Text(None),
    }
}

fn at_text(source: &Source, at: &Spanned<String>, message: String, help: Option<String>) -> SourceError {
    let place = source_text::place(&source.text, &at.referenced);
    SourceError::new(&source.name, &source.text, place, message).with_help(help)
}

/// A mistake inside an expression: the octets of the expression are looked up in the raw text of the file,
/// where quotes, escapes and indentation may stand between them.
fn at_mistake(source: &Source, written: &Spanned<String>, expr: &str, within: usize, mistake: Mistake) -> SourceError {
    let place = source_text::place(&source.text, &written.referenced).map(|(start, length)| {
        let raw = source.text.get(start..start.saturating_add(length)).unwrap_or_default();
        let offset = within.saturating_add(mistake.offset);
        let value = written.value.as_str();
        let snippet = match mistake.length {
            0 | 1 => value
                .get(offset..)
                .and_then(|rest| rest.chars().next())
                .map_or("", |c| value.get(offset..offset.saturating_add(c.len_utf8())).unwrap_or_default()),
            _ => expr.get(mistake.offset..mistake.offset.saturating_add(mistake.length)).unwrap_or_default(),
        };
        match find_again(value, offset, snippet, raw) {
            Some(found) => (start.saturating_add(found), snippet.len()),
            None => (start, length),
        }
    });
    SourceError::new(&source.name, &source.text, place, mistake.message).with_help(mistake.help)
}

/// Where the snippet at `offset` of `value` stands in `raw`: the same occurrence, counted from the start.
fn find_again(value: &str, offset: usize, snippet: &str, raw: &str) -> Option<usize> {
    if snippet.is_empty() {
        // The place is behind the text: its end, before a closing quote.
        return Some(raw.trim_end().trim_end_matches(['"', '\'']).len().saturating_sub(1));
    }
    let before = value.get(..offset)?.matches(snippet).count();
    raw.match_indices(snippet).nth(before).map(|(at, _)| at)
}

/// Whether a text holds nothing that moves a cursor or turns its direction; lines may end in it.
fn is_plain(text: &str) -> bool {
    !text.chars().any(|c| (c.is_control() && !matches!(c, '\n' | '\r' | '\t')) || is_bidi(c))
}

fn is_kebab_case(id: &str) -> bool {
    let part = |part: &str| !part.is_empty() && part.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    id.len() <= 64 && id.starts_with(|c: char| c.is_ascii_lowercase()) && id.split('-').all(part)
}

fn is_identifier(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_')
}
