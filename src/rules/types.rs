//! The static check of one expression: every path exists, every operand has the right type, and nothing is
//! done with a value that can be `null` before it is known not to be.
//!
//! Because of it, a missing key at run time can only mean that a fact was not observed.

mod calls;
mod null;
mod operands;
mod places;
mod regex;
#[cfg(test)]
mod tests;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cel::common::ast::{CallExpr, Expr as Ast, IdedExpr, LiteralValue, SelectExpr, SourceInfo, operators};

use self::null::{canonical, not_null_if};
pub use self::regex::regex_sound;
use self::words::{likely_field, likely_literal, spelled};
use super::expr::{Compiled, path_of};
use super::function::Function;
use super::functions::functions;
use crate::facts::{Field, Over, Texts, Type, root};
use crate::source_text::nearest;

/// A variable that an expression can use.
#[derive(Clone, Debug)]
pub struct Variable {
    /// Its type.
    pub shape: Type,
    /// Whether it can be `null`.
    pub nullable: bool,
    /// Its path from the root of the facts, elements of lists written `[]`: `mx.hosts[]`.
    pub path: String,
    /// Of a list: whether an element of it can be `null`.
    pub holds_null: bool,
}

/// The variables that an expression can use.
pub type Scope = BTreeMap<String, Variable>;

/// A mistake in an expression: where (octets of its text), what, and what to write instead.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Mistake {
    /// The first octet.
    pub offset: usize,
    /// How many octets.
    pub length: usize,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
    /// Where something is done with a path that can be `null`: that path, from the root of the facts on.
    pub null_path: Option<String>,
    /// Whether it is only most likely one: what comes from outside may be so.
    pub doubtful: bool,
    /// What it is about.
    pub about: About,
}

/// What a mistake is about: what each place of a rule would say alike is told once.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum About {
    /// A name that nothing has, and whether one that is near to it is known.
    Name { name: String, has_near: bool },
    /// Params of the rule, by their names.
    Params(Vec<String>),
    /// The place alone.
    #[default]
    Place,
}

/// What is known of an expression before it runs.
#[derive(Clone, Debug)]
pub struct Typed {
    /// Its type.
    pub shape: Type,
    /// Whether it can be `null`.
    pub nullable: bool,
    /// Of a list: whether an element of it can be `null`.
    pub holds_null: bool,
}

/// Checks an expression in a scope, given the paths that are known not to be `null`.
pub fn check(compiled: &Compiled, scope: &Scope, not_null: &BTreeSet<String>) -> (Typed, Vec<Mistake>) {
    let mut checker = Checker::of(compiled, scope);
    let typed = checker.infer(compiled.program.expression(), not_null);
    (typed, checker.mistakes)
}

/// The mistakes of an expression whose value is shown, so that what is `null` shows itself as such.
pub fn check_to_show(compiled: &Compiled, scope: &Scope) -> Vec<Mistake> {
    let mut checker = Checker { guards: false, ..Checker::of(compiled, scope) };
    checker.infer(compiled.program.expression(), &BTreeSet::new());
    checker.mistakes
}

/// What is wrong with an expression whose values are compared with each other, beside what [`check`] tells.
pub fn incomparable(compiled: &Compiled, scope: &Scope, not_null: &BTreeSet<String>) -> Vec<Mistake> {
    let mut checker = Checker::of(compiled, scope);
    let typed = checker.operand_typed(compiled.program.expression(), not_null);
    checker.compared_as_a_whole(compiled.program.expression(), &typed.shape);
    checker.mistakes
}

/// The paths that are surely not `null` where the expression is true.
pub fn not_null_where_true(compiled: &Compiled, scope: &Scope) -> BTreeSet<String> {
    not_null_if(compiled.program.expression(), true, scope)
}

/// The type of a part of an expression, and whether it can be `null`.
pub fn type_of(compiled: &Compiled, part: &IdedExpr, scope: &Scope, not_null: &BTreeSet<String>) -> (Type, bool) {
    let mut checker = Checker { guards: false, ..Checker::of(compiled, scope) };
    let typed = checker.infer(part, not_null);
    (typed.shape, typed.nullable)
}

/// The octets that a part of an expression is in: the first, and how many.
pub fn extent_in(compiled: &Compiled, part: &IdedExpr) -> (usize, usize) {
    Checker::of(compiled, &Scope::new()).extent(part)
}

/// A name in a scope of which not all variables are known: what else is asked for there is not judged.
pub const OPEN: &str = "@open";

/// The name in a scope under which the texts of a param are known, so that they are compared with what a fact can be.
pub fn texts_of_param(name: &str) -> String {
    format!("@params.{name}")
}

/// The name in a scope under which is known what it is over: its path is the word for that.
pub const OVER: &str = "@over";

/// What else has a fact of this name, where the facts of a scope do not; of several the first, which is most likely meant.
pub fn other_with(name: &str, scope: &Scope) -> Option<Over> {
    let here = scope.get(OVER)?;
    Over::ALL.iter().copied().find(|over| over.word() != here.path && root(*over).contains_key(name))
}

/// A variable of which nothing is known.
pub fn unknown(path: &str) -> Variable {
    Variable { shape: Type::Any, nullable: false, holds_null: false, path: path.to_owned() }
}

struct Checker<'a> {
    info: &'a SourceInfo,
    scope: Scope,
    functions: &'static [Function],
    /// Whether nothing may be done with a value that can be `null`.
    guards: bool,
    /// What the variables of macros go through, where that is written out.
    elements: BTreeMap<String, Vec<IdedExpr>>,
    mistakes: Vec<Mistake>,
}

const ANY: Typed = Typed { shape: Type::Any, nullable: false, holds_null: false };

fn known(shape: Type) -> Typed {
    Typed { shape, nullable: false, holds_null: false }
}

impl<'a> Checker<'a> {
    fn of(compiled: &'a Compiled, scope: &Scope) -> Self {
        Checker {
            info: compiled.program.source_info(),
            scope: scope.clone(),
            functions: functions(),
            guards: true,
            elements: BTreeMap::new(),
            mistakes: Vec::new(),
        }
    }
}

impl Checker<'_> {
    fn infer(&mut self, expr: &IdedExpr, not_null: &BTreeSet<String>) -> Typed {
        match &expr.expr {
            Ast::Call(call) => self.call(expr, call, not_null),
            Ast::Comprehension(comprehension) => self.comprehension(comprehension, not_null),
            Ast::Ident(name) => self.variable(expr, name, not_null),
            Ast::List(list) => {
                let items: Vec<Typed> = self.items(&list.elements, not_null);
                let first = items.first().map_or(Type::Any, |item| item.shape.clone());
                let element = items.iter().fold(first.clone(), |element, item| either(&element, &item.shape));
                let other = items.iter().position(|item| !compatible(&item.shape, &first));
                if let Some((item, typed)) = other.and_then(|at| Some((list.elements.get(at)?, items.get(at)?))) {
                    let message = format!(
                        "a list holds values of one type; this is {}, the first is {}",
                        typed.shape.label(),
                        first.label()
                    );
                    self.mistake(item, message, Some("write all of them alike".to_owned()));
                }
                let holds_null = items.iter().any(|item| item.nullable || item.holds_null);
                Typed { holds_null, ..known(Type::List(Arc::new(element))) }
            }
            Ast::Literal(literal) => match literal {
                LiteralValue::Boolean(_) => known(Type::Bool),
                LiteralValue::Double(_) => known(Type::Double),
                LiteralValue::Int(_) => known(Type::Int),
                LiteralValue::UInt(_) => {
                    let message = "a number with `u` is of another kind than those of facts";
                    self.mistake(expr, message, Some("write it without the `u`".to_owned()));
                    known(Type::Int)
                }
                LiteralValue::Null => Typed { nullable: true, ..known(Type::Null) },
                LiteralValue::String(_) => known(Type::Text(Texts::Any)),
                LiteralValue::Bytes(_) => ANY,
            },
            Ast::Select(select) => self.select(expr, select, not_null),
            Ast::Map(_) | Ast::Struct(_) => {
                let help = "several values are a list: `[\"a\", \"b\"]`".to_owned();
                self.mistake(expr, "maps and messages are not built here", Some(help));
                ANY
            }
            Ast::Unspecified => ANY,
        }
    }

    /// The elements of a list. Of several words without quotes one is told.
    fn items(&mut self, elements: &[IdedExpr], not_null: &BTreeSet<String>) -> Vec<Typed> {
        let mut told = false;
        let mut items = Vec::with_capacity(elements.len());
        for item in elements {
            let unknown = matches!(&item.expr, Ast::Ident(name) if !self.scope.contains_key(name));
            items.push(if unknown && told { ANY } else { self.infer(item, not_null) });
            told |= unknown;
        }
        items
    }

    fn no_such_name(&mut self, expr: &IdedExpr, name: &str, help: String, has_near: bool) -> Typed {
        let (offset, length) = self.extent(expr);
        let message = format!("there is no `{name}`");
        let about = About::Name { name: name.to_owned(), has_near };
        self.push(Mistake { offset, length, message, help: Some(help), about, ..Mistake::default() });
        ANY
    }

    fn variable(&mut self, expr: &IdedExpr, name: &str, not_null: &BTreeSet<String>) -> Typed {
        let Some(variable) = self.scope.get(name) else {
            if self.scope.contains_key(OPEN) {
                return ANY;
            }
            if let Some(over) = other_with(name, &self.scope) {
                let other = over.word();
                let message = format!("there is no `{name}` here: it is a fact that rules `over: {other}` have");
                let over_domains = self.scope.contains_key("domains") && over == Over::Domain;
                let help = if over_domains {
                    format!("each domain has it: `for_each: {{ domain: domains }}`, and then `domain.{name}`")
                } else {
                    format!("put the rule into a file with `over: {other}`, or ask for other facts here")
                };
                self.mistake(expr, message, Some(help));
                return ANY;
            }
            if let Some(literal) = likely_literal(name) {
                return self.no_such_name(expr, name, format!("write `{literal}`"), true);
            }
            if self.is_param(name) {
                return self.no_such_name(expr, name, format!("did you mean `params.{name}`?"), true);
            }
            let names = self.scope.keys().map(String::as_str).filter(|key| !key.starts_with('@'));
            if let Some(near) = nearest(name, names) {
                return self.no_such_name(expr, name, format!("did you mean `{near}`?"), true);
            }
            let known = self.scope.keys().filter(|key| !key.starts_with('@')).cloned().collect::<Vec<_>>().join(", ");
            let quotes = format!("available: {known}; put a text in quotes: \"{name}\"");
            return self.no_such_name(expr, name, quotes, false);
        };
        let nullable = variable.nullable && !not_null.contains(&variable.path);
        Typed { shape: variable.shape.clone(), nullable, holds_null: variable.holds_null }
    }

    fn is_param(&self, name: &str) -> bool {
        let params = self.scope.get("params").map(|params| &params.shape);
        matches!(params, Some(Type::Object(fields)) if fields.contains_key(name))
    }

    fn select(&mut self, expr: &IdedExpr, select: &SelectExpr, not_null: &BTreeSet<String>) -> Typed {
        let operand = self.infer(&select.operand, not_null);
        if operand.nullable {
            self.can_be_null(&select.operand);
        }
        let fields = match operand.shape {
            Type::Object(fields) => fields,
            Type::Any => return ANY,
            other => {
                let message =
                    format!("{} has no `.{}`: it is {}", spelled(&select.operand), select.field, other.label());
                let counts = ["count", "len", "length", "size"].contains(&select.field.as_str());
                let help = matches!(other, Type::List(_) | Type::Text(_) if counts)
                    .then(|| format!("write `size({})`", spelled(&select.operand).trim_matches('`')));
                let help = help.or_else(|| {
                    matches!(other, Type::List(_)).then(|| {
                        "go through the elements with `for_each`, or with `.all(x, …)` or `.exists(x, …)`".to_owned()
                    })
                });
                self.mistake_at_field(expr, select, message, help);
                return ANY;
            }
        };
        match fields.get(&select.field) {
            Some(_) if select.test => known(Type::Bool),
            Some(field) => {
                let path = canonical(expr, &self.scope);
                let certain = path.is_some_and(|path| not_null.contains(&path));
                Typed { nullable: field.nullable && !certain, ..known(field.shape.clone()) }
            }
            None => {
                let message = format!("there is no `{}`", spelled(expr).trim_matches('`'));
                let help = self.field_help(select, &fields);
                self.mistake_at_field(expr, select, message, Some(help));
                ANY
            }
        }
    }

    fn field_help(&self, select: &SelectExpr, fields: &BTreeMap<String, Field>) -> String {
        let meant = likely_field(&select.field).filter(|meant| fields.contains_key(*meant));
        let near = meant.or_else(|| nearest(&select.field, fields.keys().map(String::as_str)));
        match (near, path_of(&select.operand)) {
            (Some(near), Some(path)) => format!("did you mean `{}.{near}`?", path.join(".")),
            (Some(near), None) => format!("did you mean `{near}`?"),
            (None, Some(path)) if fields.is_empty() && path == ["params"] => {
                format!("the rule has no `params`: add them, for example `params: {{ {}: 1 }}`", select.field)
            }
            _ => format!("available: {}", fields.keys().cloned().collect::<Vec<_>>().join(", ")),
        }
    }

    fn call(&mut self, expr: &IdedExpr, call: &CallExpr, not_null: &BTreeSet<String>) -> Typed {
        let name = call.func_name.as_str();
        match (name, call.args.as_slice()) {
            (operators::LOGICAL_AND, [left, right]) => self.logic(left, right, true, not_null),
            (operators::LOGICAL_OR, [left, right]) => self.logic(left, right, false, not_null),
            (operators::LOGICAL_NOT | operators::NOT_STRICTLY_FALSE, [operand]) => {
                self.expect(operand, &Type::Bool, "`!`", not_null);
                known(Type::Bool)
            }
            (operators::CONDITIONAL, [condition, then, otherwise]) => {
                self.expect(condition, &Type::Bool, "`? :`", not_null);
                let then = self.infer(then, &with(not_null, not_null_if(condition, true, &self.scope)));
                let otherwise = self.infer(otherwise, &with(not_null, not_null_if(condition, false, &self.scope)));
                let shape = either(&then.shape, &otherwise.shape);
                let nullable = then.nullable || otherwise.nullable;
                Typed { shape, nullable, holds_null: then.holds_null || otherwise.holds_null }
            }
            (operators::EQUALS | operators::NOT_EQUALS, [left, right]) => self.equality(expr, left, right, not_null),
            (operators::IN, [item, list]) => self.membership(item, list, not_null),
            (
                operators::LESS | operators::LESS_EQUALS | operators::GREATER | operators::GREATER_EQUALS,
                [left, right],
            ) => {
                self.comparison(expr, left, right, not_null);
                known(Type::Bool)
            }
            (
                operators::ADD | operators::SUBSTRACT | operators::MULTIPLY | operators::DIVIDE | operators::MODULO,
                [left, right],
            ) => self.arithmetic(expr, name, left, right, not_null),
            (operators::NEGATE, [operand]) => self.infer(operand, not_null),
            (operators::INDEX, [list, index]) => self.index(expr, list, index, not_null),
            _ => self.function(expr, call, not_null),
        }
    }

    /// The type of an operand that must not be `null`.
    fn operand(&mut self, expr: &IdedExpr, not_null: &BTreeSet<String>) -> Type {
        self.operand_typed(expr, not_null).shape
    }

    /// What is known of an operand that must not be `null`.
    fn operand_typed(&mut self, expr: &IdedExpr, not_null: &BTreeSet<String>) -> Typed {
        let typed = self.infer(expr, not_null);
        if typed.nullable {
            self.can_be_null(expr);
        }
        typed
    }

    fn expect(&mut self, expr: &IdedExpr, wanted: &Type, operator: &str, not_null: &BTreeSet<String>) {
        let typed = self.infer(expr, not_null);
        if !compatible(&typed.shape, wanted) {
            let message = format!("{operator} needs {}; {} is {}", wanted.label(), spelled(expr), typed.shape.label());
            self.mistake(expr, message, Some("compare it with something: `… == …`".to_owned()));
        } else if typed.nullable {
            self.can_be_null(expr);
        }
    }

    fn can_be_null(&mut self, expr: &IdedExpr) {
        if matches!(expr.expr, Ast::Literal(LiteralValue::Null)) {
            return self.mistake(expr, "`null` can only be compared with `==` and `!=`", None);
        }
        if !self.guards {
            return;
        }
        let name = spelled(expr);
        let (offset, length) = self.extent(expr);
        let of_rule = |path: &Vec<String>| {
            path.first().and_then(|root| self.scope.get(root)).is_some_and(|variable| !variable.path.starts_with('@'))
        };
        let null_path = path_of(expr).filter(of_rule).map(|path| path.join("."));
        let written = self.info.source.get(offset..offset.saturating_add(length)).unwrap_or_default();
        let help = format!("write `{written} != null && …` before it");
        let message = format!("{name} is `null` where it is known to be absent");
        self.push(Mistake { offset, length, message, help: Some(help), null_path, ..Mistake::default() });
    }

    fn elements_can_be_null(&mut self, list: &IdedExpr) {
        if !self.guards {
            return;
        }
        // Of a macro there is only the place of its name.
        let written = path_of(list).map_or("…".to_owned(), |path| path.join("."));
        let help = format!("leave those out: `{written}.filter(x, x != null)`");
        self.mistake(list, "an element of this list can be `null`", Some(help));
    }
}

fn with(set: &BTreeSet<String>, more: BTreeSet<String>) -> BTreeSet<String> {
    set.iter().cloned().chain(more).collect()
}

fn is_null(expr: &IdedExpr) -> bool {
    matches!(expr.expr, Ast::Literal(LiteralValue::Null))
}

fn is_literal(expr: &IdedExpr) -> bool {
    matches!(expr.expr, Ast::Literal(_)) && !is_null(expr)
}

fn is_number(shape: &Type) -> bool {
    matches!(shape, Type::Double | Type::Int)
}

/// The type of what is of one type or of another.
fn either(a: &Type, b: &Type) -> Type {
    match (a, b) {
        (a, b) if a == b => a.clone(),
        (Type::Null, other) | (other, Type::Null) => other.clone(),
        (Type::List(a), Type::List(b)) => Type::List(Arc::new(either(a, b))),
        (Type::Text(_), Type::Text(_)) => Type::Text(Texts::Any),
        (a, b) if is_number(a) && is_number(b) => Type::Double,
        _ => Type::Any,
    }
}

/// Whether values of two types can be equal, or one can represent the other.
fn compatible(a: &Type, b: &Type) -> bool {
    match (a, b) {
        (Type::Any | Type::Null, _) | (_, Type::Any | Type::Null) => true,
        (Type::List(a), Type::List(b)) => compatible(a, b),
        (Type::Object(_), Type::Object(_)) | (Type::Text(_), Type::Text(_)) => true,
        (a, b) if is_number(a) && is_number(b) => true,
        (a, b) => a == b,
    }
}
