//! The expressions of a rule: conditions, lists, texts, paths. Used by `check`.

use std::collections::{BTreeMap, BTreeSet};

use serde_yaml::Spanned;

use super::RuleChecker;
use super::nulls::Null;
use super::place::{at_mistake, at_text};
use super::scope::{all_prefixes, element_of, root_scope, scope_of};
use crate::facts::{self, Field, Over, Type};
use crate::rules::compare::{COMPARED, shape_of_compared};
use crate::rules::cost::{MAX_LISTS, MAX_REQUIRED, MAX_STEPS, steps};
use crate::rules::decided::{constant_errors, decided};
use crate::rules::expr::{Compiled, Expr};
use crate::rules::template::Template;
use crate::rules::types::{self, About, Mistake, Scope, Variable};
use crate::source_text::nearest;

impl RuleChecker<'_, '_> {
    pub(super) fn body(&mut self) {
        let entry = &self.written.entry;
        if entry.assert.is_some() != entry.forbid.0.is_empty() && self.written.unparsed.is_empty() {
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
        if self.written.is_unparsed("over") || self.belongs_elsewhere() {
            return;
        }
        let mut scope = root_scope(self.rule);
        if self.written.is_unparsed("params") {
            scope.insert("params".to_owned(), Variable { shape: Type::Any, ..types::unknown("params") });
        }
        if self.written.is_unparsed("for_each") || self.written.is_unparsed("forbid") {
            scope.insert(types::OPEN.to_owned(), types::unknown(types::OPEN));
        }
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
            let before: Vec<&Expr> = self.rule.group_when.as_deref().into_iter().collect();
            self.decided(when, expr, &scope, &not_null, &before);
            not_null.extend(certain_of(expr, &scope));
        }
        if let (Some(compare), Some(expr)) = (&entry.compare, &self.rule.compare) {
            self.compare(compare, expr, &mut scope, &not_null);
        } else if self.written.is_unparsed("compare") {
            scope.insert(COMPARED.to_owned(), types::unknown(COMPARED));
        }
        if let (Some(assert), Some(expr)) = (&entry.assert, &self.rule.assert) {
            self.expression(assert, expr, &scope, &not_null, Some(&Type::Bool));
            self.needs_a_fact(assert, expr, &scope);
            let before: Vec<&Expr> = self.rule.group_when.as_deref().into_iter().chain(&self.rule.when).collect();
            self.decided(assert, expr, &scope, &not_null, &before);
        }
        for (written, (expr, _)) in entry.severity_if.iter().zip(&self.rule.severity_if) {
            self.expression(&written.when, expr, &scope, &not_null, Some(&Type::Bool));
            self.decided(&written.when, expr, &scope, &not_null, &[]);
        }
        for (written, (expr, _)) in entry.cites_if.iter().zip(&self.rule.cites_if) {
            self.expression(&written.when, expr, &scope, &not_null, Some(&Type::Bool));
            self.decided(&written.when, expr, &scope, &not_null, &[]);
        }
        for (written, (expr, _)) in entry.reported_as_if.iter().zip(&self.rule.reported_as_if) {
            self.expression(&written.when, expr, &scope, &not_null, Some(&Type::Bool));
            self.decided(&written.when, expr, &scope, &not_null, &[]);
        }
        self.texts(&scope, &not_null);
    }

    /// The value by which elements are compared, and the variable that says how.
    fn compare(&mut self, written: &Spanned<String>, expr: &Expr, scope: &mut Scope, not_null: &BTreeSet<String>) {
        let first = self.written.entry.for_each.0.first().map(|(_, list)| list.value.trim());
        let of_domains = first == Some("domains");
        // What is wrong with the list has been told.
        let told = first.is_some_and(|list| list.split('.').next().is_none_or(|root| !scope.contains_key(root)));
        let wrong = match (self.rule.over, of_domains) {
            (Over::Domains, true) => None,
            (Over::Domains, false) => Some((
                "`compare` compares elements of the domains, and this rule goes through none",
                "write `for_each: { domain: domains }` above it",
            )),
            _ => Some(("`compare` is of rules over many domains", "put the rule into a file with `over: domains`")),
        };
        if let Some((message, help)) = wrong.filter(|_| !self.written.is_unparsed("for_each")) {
            if !told || self.rule.over != Over::Domains {
                self.report(written, message.to_owned(), Some(help.to_owned()));
            }
            scope.insert(COMPARED.to_owned(), types::unknown(COMPARED));
            return;
        }
        let before = (self.errors.len(), self.nulls.len());
        let shape = self.expression(written, expr, scope, not_null, None).unwrap_or(Type::Any);
        if let (true, Ok(compiled)) = (before == (self.errors.len(), self.nulls.len()), expr.compiled()) {
            for mistake in types::incomparable(compiled, scope, not_null) {
                self.mistake_in(written, expr, 0, mistake);
            }
            self.needs_a_fact(written, expr, scope);
        }
        let of_compared = |path: &Vec<String>| path.first().is_some_and(|root| root == COMPARED);
        if before != (self.errors.len(), self.nulls.len()) {
            // How the elements compare is the same mistake.
            scope.insert(COMPARED.to_owned(), types::unknown(COMPARED));
            return;
        }
        let mut compiled = self.rule.assert.iter().filter_map(|expr| expr.compiled().ok());
        if !compiled.any(|compiled| compiled.paths.iter().any(of_compared)) {
            let help = "write `assert: compared.value == compared.usual`, or `assert: compared.peer_count == 0`";
            self.report(written, "nothing asks how the elements compare".to_owned(), Some(help.to_owned()));
        }
        let variable = Variable { shape: shape_of_compared(&shape), ..types::unknown(COMPARED) };
        scope.insert(COMPARED.to_owned(), variable);
    }

    /// Whether the rule goes through a list that only rules over something else have: then that is its one mistake.
    fn belongs_elsewhere(&mut self) -> bool {
        let own = facts::root(self.rule.over);
        let is_over = Scope::from([(types::OVER.to_owned(), types::unknown(self.rule.over.word()))]);
        let lists = self.written.entry.for_each.0.iter().chain(&self.written.entry.forbid.0);
        let elsewhere = lists.map(|(_, list)| list).find_map(|list| {
            let root = list.value.trim().split('.').next().unwrap_or_default();
            let bound = self.written.entry.for_each.0.iter().any(|(name, _)| name.value == root);
            let over = types::other_with(root, &is_over).filter(|_| !own.contains_key(root) && !bound)?;
            Some((list, over, root.to_owned()))
        });
        let Some((list, over, root)) = elsewhere else { return false };
        let over_domain = over == Over::Domain;
        let over = over.word();
        let message = format!("there is no `{root}` here: it is a fact that rules `over: {over}` have");
        let help = if self.rule.over == Over::Domains && over_domain {
            format!("each domain has it: `for_each: {{ domain: domains, … }}`, and then `domain.{root}`")
        } else {
            format!("put the rule into a file with `over: {over}`, or ask for other facts here")
        };
        self.report(list, message, Some(help));
        true
    }

    pub(super) fn texts(&mut self, scope: &Scope, not_null: &BTreeSet<String>) {
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
        for (written, also) in entry.also.iter().zip(&self.rule.also) {
            self.path(&written.at, scope);
            let mut known = not_null.clone();
            if let (Some(when), Some(expr)) = (&written.when, &also.when) {
                self.expression(when, expr, scope, not_null, Some(&Type::Bool));
                known.extend(certain_of(expr, scope));
            }
            self.template(&written.label, &also.label, scope, &known);
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
    pub(super) fn certain(&self) -> BTreeSet<String> {
        let mut paths =
            self.rule.group_when.as_ref().map_or_else(BTreeSet::new, |when| certain_of(when, &root_scope(self.rule)));
        let mut seen = BTreeSet::new();
        let mut open: Vec<&str> = self.rule.requires.iter().flat_map(|id| id.split_whitespace()).collect();
        while let Some(id) = open.pop().filter(|_| seen.len() <= MAX_REQUIRED) {
            // A misspelt one is the one that was meant: what leans on it is not another mistake.
            let near = || nearest(id, self.rules.iter().map(|rule| rule.id.as_str()));
            let id = if self.rules.iter().any(|rule| rule.id == id) { id } else { near().unwrap_or(id) };
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

    pub(super) fn bind(
        &mut self,
        name: &Spanned<String>,
        list: &Spanned<String>,
        scope: &mut Scope,
        not_null: &BTreeSet<String>,
    ) {
        let reserved = name.value == COMPARED && self.rule.compare.is_some();
        if scope.contains_key(&name.value) || reserved {
            if reserved {
                scope.insert(COMPARED.to_owned(), types::unknown(COMPARED));
            }
            scope.insert(types::OPEN.to_owned(), types::unknown(types::OPEN));
            if !reserved {
                // What is asked of it is meant of the element.
                scope.insert(name.value.clone(), types::unknown(&format!("@{}", name.value)));
            }
            let message = format!("`{}` already means something here", name.value);
            return self.report(name, message, Some("choose another name for the element".to_owned()));
        }
        if !is_identifier(&name.value) {
            let swapped = is_identifier(&list.value);
            let help = if swapped {
                format!("the name comes first: `{{ {}: {} }}`", list.value, name.value)
            } else {
                "a name has letters, digits and `_`: `{ host: mx.hosts }`".to_owned()
            };
            if swapped {
                // What is asked of the element is judged no further: that is the same mistake.
                scope.insert(list.value.clone(), types::unknown(&format!("@{}", list.value)));
            }
            return self.report(name, format!("`{}` is not a name for an element", name.value), Some(help));
        }
        let before = self.errors.len();
        let expr = Expr::new(list.value.as_str());
        let shape = self.expression(list, &expr, scope, not_null, None);
        let variable = match element_of(&list.value, scope) {
            Some(variable) => variable,
            None => {
                if let (true, Some(Type::List(_))) = (self.errors.len() == before, &shape) {
                    let message = "`for_each` goes through a fact, and this is an expression".to_owned();
                    let help = "name the list alone, and leave elements out with `when`".to_owned();
                    self.report(list, message, Some(help));
                } else if self.errors.len() == before {
                    let what = shape.map_or("no path to a list".to_owned(), |shape| shape.label());
                    let message = format!("`{}` is {what}; only a list can be gone through", list.value);
                    self.report(list, message, Some("`stslint facts` shows which paths are lists".to_owned()));
                }
                Variable { shape: Type::Any, nullable: false, holds_null: false, path: format!("@{}", name.value) }
            }
        };
        scope.insert(name.value.clone(), variable);
    }

    pub(super) fn template(
        &mut self,
        written: &Spanned<String>,
        template: &Template,
        scope: &Scope,
        not_null: &BTreeSet<String>,
    ) {
        for (expr, offset) in template.inserts() {
            if expr.source().trim().is_empty() {
                let message = "nothing is between these braces".to_owned();
                let help = Some("`{expression}` inserts a value; `{{` and `}}` are literal braces".to_owned());
                let mistake = Mistake { offset, length: 1, message, help, ..Mistake::default() };
                self.errors.push(at_mistake(self.written.source, written, &written.value, 0, mistake));
                continue;
            }
            let shape = self.expression_at(written, expr, offset, scope, not_null, None);
            self.can_be_shown(written, expr, offset, shape);
        }
        self.braces_of_other_languages(written, scope);
    }

    /// A message shows values, and lists of them; of objects it would only say that they are some.
    fn can_be_shown(&mut self, written: &Spanned<String>, expr: &Expr, offset: usize, shape: Option<Type>) {
        let source = expr.source().trim();
        let example = |fields: &BTreeMap<String, Field>| {
            let shown =
                |(_, field): &(&String, &Field)| !matches!(field.shape, Type::Object(_) | Type::List(_) | Type::Bool);
            let named = ["name", "text", "address", "mode"].into_iter().find(|name| fields.contains_key(*name));
            named.map(str::to_owned).or_else(|| fields.iter().find(shown).map(|(name, _)| name.clone()))
        };
        let (what, help) = match shape {
            Some(Type::Object(fields)) => {
                ("an object", example(&fields).map(|name| format!("name one of its facts: `{{{source}.{name}}}`")))
            }
            Some(Type::List(element)) => match &*element {
                Type::Object(fields) => (
                    "a list of objects",
                    example(fields).map(|name| format!("name a fact of each: `{{{source}.map(x, x.{name})}}`")),
                ),
                _ => return,
            },
            _ => return,
        };
        let message = format!("`{source}` is {what}, which a message cannot show");
        let mistake = Mistake { offset: 0, length: expr.source().len(), message, help, ..Mistake::default() };
        self.errors.push(at_mistake(self.written.source, written, expr.source(), offset, mistake));
    }

    /// `{{path}}` and `${path}`, by which other languages put a value into a text.
    fn braces_of_other_languages(&mut self, written: &Spanned<String>, scope: &Scope) {
        let text = written.value.as_str();
        let is_path = |inside: &str| {
            let root = inside.trim().split(['.', '(', '[', ' ']).next().unwrap_or_default();
            scope.contains_key(root)
        };
        let mut found = Vec::new();
        for (at, _) in text.match_indices("{{") {
            let inside = text.get(at.saturating_add(2)..).and_then(|rest| rest.split("}}").next()).unwrap_or_default();
            if is_path(inside) && !inside.contains(['{', '\n']) {
                let inside = inside.trim();
                found.push((
                    at,
                    2,
                    "doubled braces are literal braces: no value is inserted".to_owned(),
                    format!("write `{{{inside}}}`"),
                ));
            }
        }
        for sign in ['$', '%'] {
            for (at, _) in text.match_indices(&format!("{sign}{{")) {
                let inside =
                    text.get(at.saturating_add(2)..).and_then(|rest| rest.split('}').next()).unwrap_or_default();
                if is_path(inside) {
                    found.push((at, 1, format!("this `{sign}` stays in the text"), format!("write `{{{inside}}}`")));
                }
            }
        }
        for (offset, length, message, help) in found {
            let mistake = Mistake { offset, length, message, help: Some(help), ..Mistake::default() };
            self.errors.push(at_mistake(self.written.source, written, text, 0, mistake));
        }
    }

    pub(super) fn path(&mut self, written: &Spanned<String>, scope: &Scope) {
        let expr = Expr::new(written.value.as_str());
        // A path may end in a null: it only says where to point. What it passes through is not asked for.
        if let Some(inside) = written.value.trim().strip_prefix('{').and_then(|inside| inside.strip_suffix('}')) {
            let help = format!("write it without braces: `{}`", inside.trim());
            return self.report(written, "this is a path, and no text with values in it".to_owned(), Some(help));
        }
        let everything: BTreeSet<String> = match expr.compiled() {
            Ok(compiled) => compiled.paths.iter().flat_map(|path| all_prefixes(path, scope)).collect(),
            Err(_) => BTreeSet::new(),
        };
        self.expression(written, &expr, scope, &everything, None);
        if let Ok(compiled) = expr.compiled()
            && crate::rules::expr::path_of(compiled.program.expression()).is_none()
        {
            self.report(
                written,
                "this is not a path to a fact".to_owned(),
                Some("write it as `policy.max_age`".to_owned()),
            );
        }
    }

    /// Warns of an expression that is the same for every domain: then the rule can never fail, or never passes.
    pub(super) fn needs_a_fact(&mut self, written: &Spanned<String>, expr: &Expr, scope: &Scope) {
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

    /// Warns of what is decided before any fact is known, in a condition that is sound and asks for facts.
    fn decided(
        &mut self,
        written: &Spanned<String>,
        expr: &Expr,
        scope: &Scope,
        not_null: &BTreeSet<String>,
        before: &[&Expr],
    ) {
        let Ok(compiled) = expr.compiled() else { return };
        if self.written.unparsed.is_empty() && types::check(compiled, scope, not_null).1.is_empty() {
            let before: Vec<&Compiled> = before.iter().filter_map(|expr| expr.compiled().ok()).collect();
            for mistake in decided(compiled, scope, not_null, &before) {
                self.mistake_in(written, expr, 0, mistake);
            }
        }
    }

    pub(super) fn expression(
        &mut self,
        written: &Spanned<String>,
        expr: &Expr,
        scope: &Scope,
        not_null: &BTreeSet<String>,
        wanted: Option<&Type>,
    ) -> Option<Type> {
        self.expression_at(written, expr, 0, scope, not_null, wanted)
    }

    pub(super) fn expression_at(
        &mut self,
        written: &Spanned<String>,
        expr: &Expr,
        offset: usize,
        scope: &Scope,
        not_null: &BTreeSet<String>,
        wanted: Option<&Type>,
    ) -> Option<Type> {
        let compiled = match expr.compiled() {
            Ok(compiled) => compiled,
            Err(error) => {
                let mistake = Mistake {
                    offset: error.offset,
                    length: error.length,
                    message: error.message.clone(),
                    help: error.help.clone(),
                    ..Mistake::default()
                };
                self.mistake_in(written, expr, offset, mistake);
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
        let impossible = if sound && !self.written.is_unparsed("params") {
            constant_errors(compiled, &self.rule.params)
        } else {
            Vec::new()
        };
        for mistake in mistakes.into_iter().chain(impossible) {
            self.mistake_in(written, expr, offset, mistake);
        }
        if let Some(wanted) = wanted.filter(|wanted| sound && typed.shape != Type::Any && typed.shape != **wanted) {
            let message = format!("this is {}, where {} belongs", typed.shape.label(), wanted.label());
            self.report(written, message, Some("compare it with something: `… == …`".to_owned()));
        }
        Some(typed.shape)
    }
}

impl RuleChecker<'_, '_> {
    /// Tells a mistake in an expression at its place; those about `null` together, at the end.
    fn mistake_in(&mut self, written: &Spanned<String>, expr: &Expr, offset: usize, mut mistake: Mistake) {
        let null_path = mistake.null_path.take();
        let doubtful = mistake.doubtful;
        // What each place would say of a param or a name is told once.
        match std::mem::take(&mut mistake.about) {
            About::Name { name, has_near } => {
                if !self.told_names.insert(name.clone()) {
                    return;
                }
                let element = self.written.entry.for_each.0.last().map(|(name, list)| (&name.value, &list.value));
                if let Some((element, list)) = element.filter(|_| !has_near) {
                    mistake.help = Some(format!(
                        "an element of `{list}` is called `{element}` here; put a text in quotes: \"{name}\""
                    ));
                }
            }
            About::Params(params) if null_path.is_none() && !doubtful => {
                if params.iter().any(|param| self.told_params.contains(param)) {
                    return;
                }
                self.told_params.extend(params);
            }
            About::Params(_) | About::Place => {}
        }
        let error = at_mistake(self.written.source, written, expr.source(), offset, mistake);
        if doubtful {
            return self.warnings.push(error);
        }
        match null_path {
            Some(path) => {
                let of = self.part_of(written);
                self.nulls.push(Null { path, error, of, source: expr.source().to_owned() });
            }
            None => self.errors.push(error),
        }
    }
}

pub(super) fn certain_of(expr: &Expr, scope: &Scope) -> BTreeSet<String> {
    expr.compiled().map_or_else(|_| BTreeSet::new(), |compiled| types::not_null_where_true(compiled, scope))
}

fn is_identifier(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_')
}
