//! The static check of rule files, before anything is collected: every mistake with its place.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_yaml::Spanned;

use super::expr::Expr;
use super::load::{Rule, Source};
use super::model::{RESULT_TYPES, RuleEntry};
use super::template::{Template, UnbalancedBrace};
use super::types::{self, Mistake, Scope, Variable};
use crate::facts::{self, Field, Type};
use crate::source_text::{self, SourceError, nearest};

/// A rule as it was written, beside what was built of it.
pub struct Checked<'a> {
    /// The file.
    pub source: &'a Source,
    /// The rule.
    pub entry: RuleEntry,
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
pub fn check(rules: &[Rule], written: &[Checked<'_>], whole: bool) -> Found {
    let mut found = Found::default();
    for (index, (rule, written)) in rules.iter().zip(written).enumerate() {
        if !written.own {
            continue;
        }
        let mut checker =
            RuleChecker { rule, written, rules, errors: &mut found.errors, warnings: &mut found.warnings };
        checker.identity(rules.get(..index).unwrap_or_default());
        if !written.torn {
            checker.completeness();
        }
        checker.requires(whole);
        checker.citations();
        checker.body();
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
            let message = format!("the id `{}` is taken, in {}", id.value, other.file);
            let help =
                format!("choose another id, or write `replaces: {}` to stand in for the built-in rule", id.value);
            self.report(id, message, Some(help));
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
                entry.message.is_none(),
                format!("the rule `{id}` has no `message`"),
                "say what is wrong: `max_age is {policy.max_age}`",
            ),
        ];
        for (missing, message, help) in keys {
            if missing {
                self.report(&entry.id, message, Some(help.to_owned()));
            }
        }
    }

    fn requires(&mut self, whole: bool) {
        for required in self.written.entry.requires.iter().chain(&self.written.entry.after) {
            if !self.rules.iter().any(|rule| rule.id == required.value) {
                // It may be one that could not be read.
                if !whole {
                    continue;
                }
                self.errors.push(no_such_rule(self.written.source, required, self.rules));
            } else if self.reaches(&required.value, &mut BTreeSet::new()) {
                let message = format!("`{}` and `{}` require each other", self.rule.id, required.value);
                self.report(required, message, Some("one of the two must come first".to_owned()));
            }
        }
    }

    /// Whether the rule `id` requires this one, directly or not.
    fn reaches(&self, id: &str, seen: &mut BTreeSet<String>) -> bool {
        if id == self.rule.id {
            return true;
        }
        if !seen.insert(id.to_owned()) {
            return false;
        }
        let rule = self.rules.iter().find(|rule| rule.id == id);
        rule.is_some_and(|rule| rule.requires.iter().chain(&rule.after).any(|next| self.reaches(next, seen)))
    }

    fn citations(&mut self) {
        let entry = &self.written.entry;
        for cite in &entry.cites {
            if cite.value.trim().is_empty() {
                self.report(cite, "this citation is empty".to_owned(), None);
            }
        }
        if let Some(kind) = &entry.reported_as
            && !RESULT_TYPES.contains(&kind.value.as_str())
        {
            let near = nearest(&kind.value, RESULT_TYPES).map(|near| format!("did you mean `{near}`?"));
            let message = format!("`{}` is no result type of RFC 8460 §4.3", kind.value);
            self.report(kind, message, near.or_else(|| Some(format!("known: {}", RESULT_TYPES.join(", ")))));
        }
    }

    fn body(&mut self) {
        let entry = &self.written.entry;
        if entry.assert.is_some() != entry.forbid.0.is_empty() && !self.written.torn {
            let message = "a rule has either `assert` or `forbid`".to_owned();
            self.report(&entry.id, message, Some("write what is true when the rule passes: `assert: …`".to_owned()));
        }
        if let Some((second, _)) = entry.forbid.0.get(1) {
            self.report(
                second,
                "`forbid` takes one list".to_owned(),
                Some("outer lists go into `for_each`".to_owned()),
            );
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
        while let Some(id) = open.pop() {
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
                    length: 1,
                    message: error.message.clone(),
                    help: None,
                    null_path: None,
                };
                self.errors.push(at_mistake(source, written, expr.source(), offset, mistake));
                return None;
            }
        };
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
        let judges = |rule: &&Rule| {
            rule.id != self.rule.id
                && rule.scopes.is_empty()
                && rule.assert.as_ref().is_some_and(|assert| certain_of(assert, &root_scope(rule)).contains(path))
        };
        self.rules.iter().find(judges).map(|rule| rule.id.as_str())
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

fn is_kebab_case(id: &str) -> bool {
    let part = |part: &str| !part.is_empty() && part.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    id.len() <= 64 && id.starts_with(|c: char| c.is_ascii_lowercase()) && id.split('-').all(part)
}

fn is_identifier(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_')
}
