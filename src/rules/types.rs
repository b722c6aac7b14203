//! The static check of one expression: every path exists, every operand has the right type, and nothing is
//! done with a value that can be `null` before it is known not to be.
//!
//! Because of it, a missing key at run time can only mean that a fact was not observed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use cel::common::ast::{
    CallExpr, ComprehensionExpr, Expr as Ast, IdedExpr, LiteralValue, SelectExpr, SourceInfo, operators,
};
use cel::{Context, Program};

use super::cost::regex_bounds;
use super::expr::{Compiled, environment, path_of};
use super::functions::{Function, functions};
use crate::facts::{Field, Type};
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
}

/// The variables that an expression can use.
pub type Scope = BTreeMap<String, Variable>;

/// A mistake in an expression: where (octets of its text), what, and what to write instead.
#[derive(Clone, Debug, Eq, PartialEq)]
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
}

/// What is known of an expression before it runs.
#[derive(Clone, Debug)]
pub struct Typed {
    /// Its type.
    pub shape: Type,
    /// Whether it can be `null`.
    pub nullable: bool,
}

/// Checks an expression in a scope, given the paths that are known not to be `null`.
pub fn check(compiled: &Compiled, scope: &Scope, not_null: &BTreeSet<String>) -> (Typed, Vec<Mistake>) {
    let mut checker = Checker {
        info: compiled.program.source_info(),
        scope: scope.clone(),
        functions: functions(),
        mistakes: Vec::new(),
    };
    let typed = checker.infer(compiled.program.expression(), not_null);
    (typed, checker.mistakes)
}

/// The paths that are surely not `null` where the expression is true.
pub fn not_null_where_true(compiled: &Compiled, scope: &Scope) -> BTreeSet<String> {
    not_null_if(compiled.program.expression(), true, scope)
}

struct Checker<'a> {
    info: &'a SourceInfo,
    scope: Scope,
    functions: &'static [Function],
    mistakes: Vec<Mistake>,
}

const ANY: Typed = Typed { shape: Type::Any, nullable: false };

fn known(shape: Type) -> Typed {
    Typed { shape, nullable: false }
}

impl Checker<'_> {
    fn infer(&mut self, expr: &IdedExpr, not_null: &BTreeSet<String>) -> Typed {
        match &expr.expr {
            Ast::Call(call) => self.call(expr, call, not_null),
            Ast::Comprehension(comprehension) => self.comprehension(comprehension, not_null),
            Ast::Ident(name) => self.variable(expr, name, not_null),
            Ast::List(list) => {
                let items: Vec<Typed> = list.elements.iter().map(|item| self.infer(item, not_null)).collect();
                let first = items.first().map_or(Type::Any, |item| item.shape.clone());
                let alike = items.iter().all(|item| item.shape == first);
                known(Type::List(Arc::new(if alike { first } else { Type::Any })))
            }
            Ast::Literal(literal) => match literal {
                LiteralValue::Boolean(_) => known(Type::Bool),
                LiteralValue::Double(_) => known(Type::Double),
                LiteralValue::Int(_) | LiteralValue::UInt(_) => known(Type::Int),
                LiteralValue::Null => Typed { shape: Type::Null, nullable: true },
                LiteralValue::String(_) => known(Type::Text(None)),
                LiteralValue::Bytes(_) => ANY,
            },
            Ast::Select(select) => self.select(expr, select, not_null),
            Ast::Map(_) | Ast::Struct(_) => {
                self.mistake(expr, "maps and messages are not built here", None);
                ANY
            }
            Ast::Unspecified => ANY,
        }
    }

    fn variable(&mut self, expr: &IdedExpr, name: &str, not_null: &BTreeSet<String>) -> Typed {
        let Some(variable) = self.scope.get(name) else {
            let near =
                nearest(name, self.scope.keys().map(String::as_str)).map(|near| format!("did you mean `{near}`?"));
            let known = self.scope.keys().filter(|key| !key.starts_with('@')).cloned().collect::<Vec<_>>().join(", ");
            let quotes = format!("known here: {known}; a text stands in quotes: \"{name}\"");
            self.mistake(expr, format!("there is no `{name}`"), near.or(Some(quotes)));
            return ANY;
        };
        Typed { shape: variable.shape.clone(), nullable: variable.nullable && !not_null.contains(&variable.path) }
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
                Typed { shape: field.shape.clone(), nullable: field.nullable && !certain }
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
        match (nearest(&select.field, fields.keys().map(String::as_str)), path_of(&select.operand)) {
            (Some(near), Some(path)) => format!("did you mean `{}.{near}`?", path.join(".")),
            (Some(near), None) => format!("did you mean `{near}`?"),
            _ => format!("known here: {}", fields.keys().cloned().collect::<Vec<_>>().join(", ")),
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
                let shape = match (&then.shape, &otherwise.shape) {
                    (Type::Null, other) | (other, Type::Null) => other.clone(),
                    (a, b) if compatible(a, b) => then.shape.clone(),
                    _ => Type::Any,
                };
                Typed { shape, nullable: then.nullable || otherwise.nullable }
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
            (operators::INDEX, [list, index]) => self.index(list, index, not_null),
            _ => self.function(expr, call, not_null),
        }
    }

    fn logic(&mut self, left: &IdedExpr, right: &IdedExpr, and: bool, not_null: &BTreeSet<String>) -> Typed {
        let operator = if and { "`&&`" } else { "`||`" };
        self.expect(left, &Type::Bool, operator, not_null);
        // The right side only matters where the left is true (for `&&`) or false (for `||`).
        let certain = with(not_null, not_null_if(left, and, &self.scope));
        self.expect(right, &Type::Bool, operator, &certain);
        known(Type::Bool)
    }

    fn equality(&mut self, expr: &IdedExpr, left: &IdedExpr, right: &IdedExpr, not_null: &BTreeSet<String>) -> Typed {
        let (a, b) = (self.infer(left, not_null), self.infer(right, not_null));
        if !compatible(&a.shape, &b.shape) {
            let message = format!(
                "{} is {}, {} is {}: they are never equal",
                spelled(left),
                a.shape.label(),
                spelled(right),
                b.shape.label()
            );
            self.mistake(expr, message, type_help(&a.shape, &b.shape));
        }
        known(Type::Bool)
    }

    fn membership(&mut self, item: &IdedExpr, list: &IdedExpr, not_null: &BTreeSet<String>) -> Typed {
        let item_type = self.infer(item, not_null);
        let list_type = self.infer(list, not_null);
        if list_type.nullable {
            self.can_be_null(list);
        }
        match &list_type.shape {
            Type::List(element) if !compatible(element, &item_type.shape) => {
                let message =
                    format!("{} is {}, the list holds {}", spelled(item), item_type.shape.label(), element.label());
                self.mistake(item, message, None);
            }
            Type::Any | Type::List(_) => {}
            other => {
                let message = format!("`in` looks into a list; {} is {}", spelled(list), other.label());
                let help = matches!(other, Type::Text(_))
                    .then(|| "for a part of a text write `text.contains(part)`".to_owned());
                self.mistake(list, message, help);
            }
        }
        known(Type::Bool)
    }

    fn comparison(&mut self, expr: &IdedExpr, left: &IdedExpr, right: &IdedExpr, not_null: &BTreeSet<String>) {
        let (a, b) = (self.operand(left, not_null), self.operand(right, not_null));
        let fits = match (&a, &b) {
            (Type::Any, other) | (other, Type::Any) => is_number(other) || matches!(other, Type::Any | Type::Text(_)),
            (Type::Text(_), Type::Text(_)) => true,
            (a, b) => is_number(a) && is_number(b),
        };
        if !fits {
            let message =
                format!("{} is {}, {} is {}: they have no order", spelled(left), a.label(), spelled(right), b.label());
            self.mistake(expr, message, in_seconds(left).or_else(|| in_seconds(right)).or_else(|| type_help(&a, &b)));
        }
    }

    fn arithmetic(
        &mut self,
        expr: &IdedExpr,
        name: &str,
        left: &IdedExpr,
        right: &IdedExpr,
        not_null: &BTreeSet<String>,
    ) -> Typed {
        let (a, b) = (self.operand(left, not_null), self.operand(right, not_null));
        let result = match (&a, &b) {
            (Type::Any, other) | (other, Type::Any) => Some(other.clone()),
            (Type::List(element), Type::List(other)) if name == operators::ADD => {
                Some(Type::List(if element == other { element.clone() } else { Arc::new(Type::Any) }))
            }
            (Type::Text(_), Type::Text(_)) if name == operators::ADD => Some(Type::Text(None)),
            (a, b) if is_number(a) && a == b => Some(a.clone()),
            _ => None,
        };
        known(result.unwrap_or_else(|| {
            let operator = name.replace('_', "");
            let message = format!(
                "`{operator}` cannot join {} ({}) and {} ({})",
                spelled(left),
                a.label(),
                spelled(right),
                b.label()
            );
            let help = (name == operators::ADD).then(|| "`string(x)` makes a text of a number".to_owned());
            self.mistake(expr, message, help);
            Type::Any
        }))
    }

    fn index(&mut self, list: &IdedExpr, index: &IdedExpr, not_null: &BTreeSet<String>) -> Typed {
        let shape = self.operand(list, not_null);
        let key = self.operand(index, not_null);
        match shape {
            Type::List(element) if matches!(key, Type::Int | Type::Any) => known((*element).clone()),
            Type::Any => ANY,
            Type::List(_) => {
                self.mistake(index, format!("a list is indexed by a whole number; this is {}", key.label()), None);
                ANY
            }
            other => {
                self.mistake(list, format!("{} is {} and has no elements", spelled(list), other.label()), None);
                ANY
            }
        }
    }

    fn function(&mut self, expr: &IdedExpr, call: &CallExpr, not_null: &BTreeSet<String>) -> Typed {
        let method = call.target.is_some();
        let arguments: Vec<&IdedExpr> = call.target.iter().map(AsRef::as_ref).chain(&call.args).collect();
        let candidate = self.functions.iter().find(|f| f.name == call.func_name && f.method == method).cloned();
        let Some(function) = candidate else {
            if method && (is_macro(&call.func_name) || likely_macro(&call.func_name).is_some()) {
                self.no_macro(expr, call, not_null);
                return ANY;
            }
            let message = format!("there is no function `{}`", call.func_name);
            let help = self.function_help(&call.func_name);
            self.mistake_named(expr, &call.func_name, message, Some(help));
            arguments.iter().for_each(|argument| drop(self.infer(argument, not_null)));
            return ANY;
        };
        if arguments.len() != function.arguments.len() {
            let message = format!(
                "`{}` takes {} argument{}, not {}",
                function.name,
                count(&function),
                if count(&function) == 1 { "" } else { "s" },
                written(&function, arguments.len())
            );
            self.mistake_named(expr, function.name, message, Some(format!("it is written `{}`", function.usage)));
        }
        for (argument, wanted) in arguments.iter().zip(&function.arguments) {
            let shape = self.operand(argument, not_null);
            if !compatible(&shape, wanted) {
                let message = format!(
                    "`{}` wants {} here; {} is {}",
                    function.usage,
                    wanted.label(),
                    spelled(argument),
                    shape.label()
                );
                self.mistake(argument, message, None);
            }
        }
        if let ("matches", [_, pattern]) = (function.name, arguments.as_slice()) {
            self.regex(pattern);
        }
        known(function.result)
    }

    /// A regular expression that is written out must be one; what a server sent is never taken for one.
    fn regex(&mut self, pattern: &IdedExpr) {
        let Ast::Literal(LiteralValue::String(text)) = &pattern.expr else {
            if path_of(pattern).is_none_or(|path| path.first().is_none_or(|root| root != "params")) {
                let help = "write it as a text, or name one of the params".to_owned();
                self.mistake(pattern, "a regular expression is written out", Some(help));
            }
            return;
        };
        if let Err(why) = regex_sound(text.inner()) {
            let help = "the syntax is that of RE2: https://github.com/google/re2/wiki/Syntax".to_owned();
            self.mistake(pattern, format!("this is no regular expression: {why}"), Some(help));
        }
    }

    /// A macro with the wrong arguments, or what other languages call it; of its arguments nothing is said.
    fn no_macro(&mut self, expr: &IdedExpr, call: &CallExpr, not_null: &BTreeSet<String>) {
        let name = call.func_name.as_str();
        let (message, meant) = match likely_macro(name) {
            Some(meant) => (format!("there is no function `{name}`"), meant),
            None => (format!("`{name}` takes a name and an expression"), name),
        };
        let list = call.target.as_deref().map_or("list".to_owned(), |list| spelled(list).trim_matches('`').to_owned());
        let list = if list == "this" { "list".to_owned() } else { list };
        self.mistake_named(
            expr,
            name,
            message,
            Some(format!("write `{list}.{meant}(x, …)`, where `x` is each element")),
        );
        call.target.iter().for_each(|target| drop(self.infer(target, not_null)));
    }

    fn function_help(&self, name: &str) -> String {
        let written = |function: &&Function| format!("it is written `{}`", function.usage);
        if let Some(same) = self.functions.iter().find(|function| function.name == name) {
            return written(&same);
        }
        if let Some(meant) = likely_function(name) {
            return meant.to_owned();
        }
        match nearest(name, self.functions.iter().map(|function| function.name)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`stslint facts --functions` lists them".to_owned(),
        }
    }

    fn comprehension(&mut self, comprehension: &ComprehensionExpr, not_null: &BTreeSet<String>) -> Typed {
        let range = self.operand(&comprehension.iter_range, not_null);
        let element = match range {
            Type::List(element) => (*element).clone(),
            Type::Any => Type::Any,
            other => {
                let message = format!("{} is {}, not a list", spelled(&comprehension.iter_range), other.label());
                self.mistake(&comprehension.iter_range, message, None);
                Type::Any
            }
        };
        let before = self.scope.clone();
        let start = self.infer(&comprehension.accu_init, not_null);
        let variable = |shape, name: &str| Variable { shape, nullable: false, path: format!("@{name}") };
        self.scope.insert(comprehension.iter_var.clone(), variable(element, &comprehension.iter_var));
        self.scope.insert(comprehension.accu_var.clone(), variable(start.shape.clone(), &comprehension.accu_var));
        self.infer(&comprehension.loop_cond, not_null);
        let step = self.infer(&comprehension.loop_step, not_null);
        // `map` and `filter` begin with an empty list: only a step tells what it holds.
        let shape = if matches!(start.shape, Type::List(_)) { step.shape } else { start.shape };
        self.scope.insert(comprehension.accu_var.clone(), variable(shape, &comprehension.accu_var));
        let result = self.infer(&comprehension.result, not_null);
        self.scope = before;
        result
    }

    /// The type of an operand that must not be `null`.
    fn operand(&mut self, expr: &IdedExpr, not_null: &BTreeSet<String>) -> Type {
        let typed = self.infer(expr, not_null);
        if typed.nullable {
            self.can_be_null(expr);
        }
        typed.shape
    }

    fn expect(&mut self, expr: &IdedExpr, wanted: &Type, operator: &str, not_null: &BTreeSet<String>) {
        let typed = self.infer(expr, not_null);
        if !compatible(&typed.shape, wanted) {
            let message = format!("{operator} wants {}; {} is {}", wanted.label(), spelled(expr), typed.shape.label());
            self.mistake(expr, message, Some("compare it with something: `… == …`".to_owned()));
        } else if typed.nullable {
            self.can_be_null(expr);
        }
    }

    fn can_be_null(&mut self, expr: &IdedExpr) {
        if matches!(expr.expr, Ast::Literal(LiteralValue::Null)) {
            return self.mistake(expr, "`null` can only be compared with `==` and `!=`", None);
        }
        let name = spelled(expr);
        let guard = name.trim_matches('`');
        let help = format!(
            "guard it with `{guard} != null && …`, or name a rule under `requires` that passes only where it is not null"
        );
        let (offset, length) = self.extent(expr);
        let null_path = path_of(expr).map(|path| path.join("."));
        let message = format!("{name} is `null` where it is known to be absent");
        self.push(Mistake { offset, length, message, help: Some(help), null_path });
    }

    fn mistake(&mut self, expr: &IdedExpr, message: impl Into<String>, help: Option<String>) {
        let (offset, length) = self.extent(expr);
        self.push(Mistake { offset, length, message: message.into(), help, null_path: None });
    }

    /// A mistake at the field of a selection: the last word of its path.
    fn mistake_at_field(&mut self, expr: &IdedExpr, select: &SelectExpr, message: String, help: Option<String>) {
        let (offset, length) = self.extent(expr);
        let end = offset.saturating_add(length);
        let start = end.saturating_sub(select.field.len());
        self.push(Mistake { offset: start, length: end.saturating_sub(start), message, help, null_path: None });
    }

    /// A mistake at a function's name.
    fn mistake_named(&mut self, expr: &IdedExpr, name: &str, message: String, help: Option<String>) {
        let (offset, length) = self.extent(expr);
        let text = self.info.source.get(offset..offset.saturating_add(length)).unwrap_or_default();
        let (offset, length) = match text.find(name) {
            Some(within) => (offset.saturating_add(within), name.len()),
            None => (offset, length),
        };
        self.push(Mistake { offset, length, message, help, null_path: None });
    }

    fn push(&mut self, mistake: Mistake) {
        if !self.mistakes.contains(&mistake) {
            self.mistakes.push(mistake);
        }
    }

    /// The octets that an expression stands in.
    fn extent(&self, expr: &IdedExpr) -> (usize, usize) {
        let mut range = (usize::MAX, 0);
        self.widen(expr, &mut range);
        let source = &self.info.source;
        let octet = |position: usize| source.char_indices().nth(position).map_or(source.len(), |(offset, _)| offset);
        match range.0 > range.1 {
            true => (0, source.len()),
            false => {
                let start = octet(range.0);
                (start, octet(range.1).saturating_sub(start).max(1))
            }
        }
    }

    /// Widens a range of characters so that it holds the expression.
    fn widen(&self, expr: &IdedExpr, range: &mut (usize, usize)) {
        if let Some((start, stop)) = self.info.offset_for(expr.id) {
            let (mut start, stop) = (start as usize, stop as usize);
            if let Ast::Call(call) = &expr.expr {
                start = self.before_bracket(start, &call.func_name);
            }
            let end = match &expr.expr {
                // Of a selection the parser keeps the place of the dot.
                Ast::Select(select) => self.after(start, &select.field),
                Ast::Ident(name) => start.saturating_add(name.chars().count()),
                _ => stop.saturating_add(1),
            };
            *range = (range.0.min(start), range.1.max(end));
        }
        match &expr.expr {
            Ast::Call(call) => {
                call.target.iter().map(AsRef::as_ref).chain(&call.args).for_each(|part| self.widen(part, range));
            }
            Ast::Comprehension(comprehension) => self.widen(&comprehension.iter_range, range),
            Ast::List(list) => list.elements.iter().for_each(|part| self.widen(part, range)),
            Ast::Select(select) => self.widen(&select.operand, range),
            Ast::Ident(_) | Ast::Literal(_) | Ast::Map(_) | Ast::Struct(_) | Ast::Unspecified => {}
        }
    }

    /// Of a function call the parser keeps the place of the bracket: the name stands before it.
    fn before_bracket(&self, bracket: usize, name: &str) -> usize {
        let name_start = bracket.saturating_sub(name.chars().count());
        let written: String = self.info.source.chars().skip(name_start).take(name.chars().count()).collect();
        if written == name { name_start } else { bracket }
    }

    /// The character after the field's name that follows a dot.
    fn after(&self, dot: usize, field: &str) -> usize {
        let spaces = self.info.source.chars().skip(dot.saturating_add(1)).take_while(|c| c.is_whitespace()).count();
        dot.saturating_add(1).saturating_add(spaces).saturating_add(field.chars().count())
    }
}

fn not_null_if(expr: &IdedExpr, truth: bool, scope: &Scope) -> BTreeSet<String> {
    let Ast::Call(call) = &expr.expr else {
        return BTreeSet::new();
    };
    let path = |expr: &IdedExpr| canonical(expr, scope);
    match (call.func_name.as_str(), call.args.as_slice()) {
        (operators::LOGICAL_AND, [left, right]) if truth => {
            with(&not_null_if(left, true, scope), not_null_if(right, true, scope))
        }
        (operators::LOGICAL_OR, [left, right]) if !truth => {
            with(&not_null_if(left, false, scope), not_null_if(right, false, scope))
        }
        (operators::LOGICAL_AND | operators::LOGICAL_OR, [left, right]) => {
            let (left, right) = (not_null_if(left, truth, scope), not_null_if(right, truth, scope));
            left.intersection(&right).cloned().collect()
        }
        (operators::LOGICAL_NOT, [operand]) => not_null_if(operand, !truth, scope),
        (operators::NOT_EQUALS, [left, right]) | (operators::EQUALS, [left, right]) => {
            let differs = call.func_name == operators::NOT_EQUALS;
            match (is_null(left), is_null(right)) {
                (false, true) if truth == differs => path(left).into_iter().collect(),
                (true, false) if truth == differs => path(right).into_iter().collect(),
                // What equals something that is never null is not null.
                (false, false) if truth != differs && is_literal(right) => path(left).into_iter().collect(),
                (false, false) if truth != differs && is_literal(left) => path(right).into_iter().collect(),
                _ => BTreeSet::new(),
            }
        }
        (operators::IN, [item, list]) if truth && matches!(list.expr, Ast::List(_)) => path(item).into_iter().collect(),
        (operators::LESS | operators::LESS_EQUALS | operators::GREATER | operators::GREATER_EQUALS, [left, right]) => {
            path(left).into_iter().chain(path(right)).collect()
        }
        _ => BTreeSet::new(),
    }
}

/// The path of an expression from the root of the facts, elements of lists written `[]`.
fn canonical(expr: &IdedExpr, scope: &Scope) -> Option<String> {
    let path = path_of(expr)?;
    let (root, rest) = path.split_first()?;
    let variable = scope.get(root)?;
    Some(rest.iter().fold(variable.path.clone(), |path, segment| format!("{path}.{segment}")))
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

/// Whether values of two types can be equal, or one can stand for the other.
fn compatible(a: &Type, b: &Type) -> bool {
    match (a, b) {
        (Type::Any | Type::Null, _) | (_, Type::Any | Type::Null) => true,
        (Type::List(a), Type::List(b)) => compatible(a, b),
        (Type::Object(_), Type::Object(_)) | (Type::Text(_), Type::Text(_)) => true,
        (a, b) if is_number(a) && is_number(b) => true,
        (a, b) => a == b,
    }
}

/// What a text such as "1d" is as a number of seconds.
fn in_seconds(expr: &IdedExpr) -> Option<String> {
    let Ast::Literal(LiteralValue::String(text)) = &expr.expr else { return None };
    let seconds = crate::grammar::policy::max_age_meant(text)?;
    Some(format!("write the number of seconds, without quotes: {seconds}"))
}

fn type_help(a: &Type, b: &Type) -> Option<String> {
    match (a, b) {
        (Type::Int | Type::Double, Type::Text(_)) | (Type::Text(_), Type::Int | Type::Double) => {
            Some("write the number without quotes; times are whole seconds or days, as `stslint facts` says".to_owned())
        }
        (Type::Bool, Type::Text(_)) | (Type::Text(_), Type::Bool) => {
            Some("write `true` or `false` without quotes".to_owned())
        }
        (Type::List(_), _) | (_, Type::List(_)) => Some("`size(list)` counts, `x in list` looks into it".to_owned()),
        _ => None,
    }
}

/// The expression as a message names it.
fn spelled(expr: &IdedExpr) -> String {
    match (path_of(expr), &expr.expr) {
        (Some(path), _) => format!("`{}`", path.join(".")),
        (None, Ast::Literal(LiteralValue::String(text))) => format!("{:?}", text.inner()),
        (None, Ast::Literal(LiteralValue::Int(number))) => format!("`{}`", number.inner()),
        (None, Ast::Select(select)) => {
            let operand = spelled(&select.operand);
            format!("`{}.{}`", if operand == "this" { "(…)" } else { operand.trim_matches('`') }, select.field)
        }
        (None, Ast::Call(call)) if call.func_name == operators::INDEX => {
            let list = call.args.first().map(spelled).unwrap_or_default();
            format!("`{}[…]`", list.trim_matches('`'))
        }
        (None, Ast::Call(call))
            if !call.func_name.contains(['_', '@', '!'])
                || call.func_name.chars().all(|c| c.is_alphabetic() || c == '_') =>
        {
            format!("`{}(…)`", call.func_name)
        }
        _ => "this".to_owned(),
    }
}

fn is_macro(name: &str) -> bool {
    ["all", "exists", "exists_one", "filter", "map"].contains(&name)
}

/// The macro that other languages call so.
fn likely_macro(name: &str) -> Option<&'static str> {
    match name {
        "any" | "some" => Some("exists"),
        "collect" | "select" => Some("map"),
        "each" | "every" | "forEach" | "for_all" => Some("all"),
        "find" | "where" => Some("filter"),
        _ => None,
    }
}

/// What stands for a function that other languages have.
fn likely_function(name: &str) -> Option<&'static str> {
    match name {
        "count" | "len" | "length" => Some("write `size(x)`"),
        "downcase" | "lowerAscii" | "lower_ascii" | "lowercase" | "toLower" | "toLowerCase" | "to_lower" => {
            Some("write `lower(text)`")
        }
        "date" | "now" | "timestamp" | "today" => Some(
            "rules have no clock: `collected_at` is the time of the observation, `days(from, until)` the days between",
        ),
        "has_suffix" | "hasSuffix" => Some("write `text.endsWith(suffix)`"),
        "has_prefix" | "hasPrefix" => Some("write `text.startsWith(prefix)`"),
        "includes" => Some("write `text.contains(part)`, or `x in list`"),
        "match" | "regex" | "re_match" | "test" => Some("write `text.matches(regex)`"),
        _ => None,
    }
}

/// Whether a text is a regular expression; else why not.
pub fn regex_sound(text: &str) -> Result<(), String> {
    regex_bounds(text)?;
    static PROBE: OnceLock<Option<Program>> = OnceLock::new();
    let probe = PROBE.get_or_init(|| environment().compile("''.matches(pattern)").ok());
    let Some(probe) = probe else { return Ok(()) };
    let mut context = Context::with_env(environment().clone());
    context.add_variable_from_value("pattern", text);
    match probe.execute(&context) {
        Ok(_) => Ok(()),
        Err(error) => {
            let said = error.to_string();
            if said.contains("size limit") {
                return Err("it is too large".to_owned());
            }
            let last = said.rsplit("error: ").next().unwrap_or_default().lines().last().unwrap_or_default();
            Err(last.trim_end_matches(['.', '"', ')']).to_owned())
        }
    }
}

fn count(function: &Function) -> usize {
    written(function, function.arguments.len())
}

/// How many arguments stand in the brackets.
fn written(function: &Function, arguments: usize) -> usize {
    if function.method { arguments.saturating_sub(1) } else { arguments }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts;
    use crate::rules::expr::Expr;

    fn scope() -> Scope {
        let variable = |(name, field): (&String, &Field)| {
            (name.clone(), Variable { shape: field.shape.clone(), nullable: field.nullable, path: name.clone() })
        };
        facts::root().iter().map(variable).collect()
    }

    fn mistakes(source: &str) -> Vec<(String, String)> {
        let expr = Expr::new(source);
        let (_, mistakes) = check(expr.compiled().unwrap(), &scope(), &BTreeSet::new());
        let text = |m: &Mistake| source.get(m.offset..m.offset + m.length).unwrap_or("?").to_owned();
        mistakes.iter().map(|m| (text(m), format!("{} / {}", m.message, m.help.clone().unwrap_or_default()))).collect()
    }

    #[test]
    fn sound_expressions_have_no_mistake() {
        for source in [
            "policy.mode in ['enforce', 'testing']",
            "policy.max_age != null && policy.max_age >= 604800",
            "policy.max_age == null || policy.max_age >= 604800",
            "policy.mx.all(p, p.problem == null)",
            "policy.mx.exists(p, p.suggestion != null && p.suggestion.startsWith('*.'))",
            "policy.mx.filter(p, p.wildcard).size() > 0",
            "policy.mx.map(p, p.text) == ['a']",
            "size(mx.hosts) > 1 ? record.id == 'x' : true",
            "mx.hosts[0].name.endsWith('.example.com')",
            "join(policy.mx.map(p, p.text), ', ') != ''",
            "has(record.id) && !record.usable",
            "!(policy.mode == null) && policy.mode.size() > 3",
        ] {
            assert_eq!(mistakes(source), [], "{source}");
        }
    }

    #[test]
    fn mistakes_underline_the_very_characters() {
        for (source, underlined, said) in [
            ("policy.max_agee >= 1", "max_agee", "did you mean `policy.max_age`?"),
            ("polcy.mode == 'x'", "polcy", "did you mean `policy`?"),
            ("policy.max_age >= 604800", "policy.max_age", "`policy.max_age` is `null` where it is known to be absent"),
            ("policy.max_age != null && policy.max_age > '1d'", "policy.max_age > '1d'", "they have no order"),
            ("size(policy.mx) == 'x'", "size(policy.mx) == 'x'", "never equal"),
            ("policy.mx.text == 'x'", "text", "go through the elements"),
            ("policy.mx.all(p, p.wildcrd)", "wildcrd", "did you mean `p.wildcard`?"),
            ("in_zone('a')", "in_zone", "takes 2 arguments, not 1"),
            ("in_zon('a', 'b')", "in_zon", "did you mean `in_zone`?"),
            ("duration('1d') == 'x'", "'1d'", "wants a whole number here"),
            ("record.usable + 1 == 2", "record.usable + 1", "cannot join"),
            ("policy.mode && true", "policy.mode", "wants a truth value"),
            ("mx.hosts[0].nme == 'x'", "nme", "there is no `mx.hosts[…].nme`"),
            ("mx.hosts.all(h)", "all", "takes a name and an expression"),
            ("mx.hosts.any(h, h.resolves)", "any", "`mx.hosts.exists(x, …)`"),
            ("mx.hosts.length > 1", "length", "`size(mx.hosts)`"),
            ("len(mx.hosts) > 1", "len", "`size(x)`"),
            ("record.usable == 'true'", "record.usable == 'true'", "without quotes"),
            ("record.outcome.matches('(a')", "'(a'", "no regular expression: unclosed group"),
            ("record.outcome == enforced", "enforced", "in quotes: \"enforced\""),
            ("days(now(), collected_at) > 1", "now", "no clock"),
            ("'a' in record.outcome", "record.outcome", "text.contains(part)"),
            ("record.outcome.matches('a', 'b')", "matches", "takes 1 argument, not 2"),
        ] {
            let found = mistakes(source);
            assert!(
                found.iter().any(|(text, message)| text == underlined && message.contains(said)),
                "{source}: {found:?}"
            );
        }
    }
}
