//! Parts of expressions that ask for no fact: their values, and those that can have none.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cel::common::ast::{Expr as Ast, IdedExpr, LiteralValue, operators};
use cel::{Context, ExecutionError, Value};
use serde_json::Value as Json;

use super::key::key;
use crate::rules::expr::{Compiled, environment, in_words, path_of};
use crate::rules::functions;
use crate::rules::metered::metered;
use crate::rules::rule::Rule;
use crate::rules::types::{About, Mistake, extent_in};
use crate::rules::values::to_cel;

/// So many elements of a list that is written out are tried.
const MAX_TRIED: usize = 64;

/// The value of an expression that asks for nothing, where it is a number, a text, a boolean or `null`.
pub fn folded(expr: &IdedExpr) -> Option<LiteralValue> {
    if let Ast::Literal(literal) = &expr.expr {
        return Some(literal.clone());
    }
    if !matches!(expr.expr, Ast::Call(_)) || !names(expr).is_empty() {
        return None;
    }
    match value(expr, &BTreeMap::new()).ok()? {
        Value::Bool(value) => Some(LiteralValue::Boolean(value.into())),
        Value::Float(value) => Some(LiteralValue::Double(value.into())),
        Value::Int(value) => Some(LiteralValue::Int(value.into())),
        Value::Null => Some(LiteralValue::Null),
        Value::String(text) => Some(LiteralValue::String(text.as_str().to_owned().into())),
        _ => None,
    }
}

/// The expression with a literal instead of each value of this key; `None` where there is none such.
pub fn with_value(expr: &IdedExpr, of: &IdedExpr, literal: &LiteralValue) -> Option<IdedExpr> {
    let wanted = key(of);
    let mut replaced = 0_usize;
    let captured = names(of);
    let made = replace(expr, &captured, &mut |part| {
        (key(part) == wanted).then(|| {
            replaced = replaced.saturating_add(1);
            Ast::Literal(literal.clone())
        })
    });
    (replaced > 0).then_some(made)
}

/// The parts of an expression that have no value whatever the facts are: `date("soon", "%Y")`.
pub fn constant_errors(compiled: &Compiled, params: &BTreeMap<String, Json>) -> Vec<Mistake> {
    let mut search = Search { compiled, params, elements: BTreeMap::new(), found: Vec::new() };
    search.look(compiled.program.expression(), &BTreeSet::new());
    search.found
}

/// Why an expression of a rule has no value with the value that a param has now.
pub fn param_error(rule: &Rule, name: &str) -> Option<String> {
    let expressions = rule.expressions().into_iter().filter_map(|expr| expr.compiled().ok());
    let mut errors = expressions.flat_map(|compiled| constant_errors(compiled, &rule.params));
    let of_it = |about: &About| matches!(about, About::Params(params) if params.iter().any(|param| param == name));
    errors.find(|mistake| of_it(&mistake.about)).map(|mistake| mistake.message)
}

struct Search<'a> {
    compiled: &'a Compiled,
    params: &'a BTreeMap<String, Json>,
    /// What the variables of macros go through, where that is written out.
    elements: BTreeMap<String, Vec<LiteralValue>>,
    found: Vec<Mistake>,
}

impl Search<'_> {
    /// Looks into an expression; of what depends on `asked`, something is asked before, so that an error may be meant.
    fn look(&mut self, expr: &IdedExpr, asked: &BTreeSet<String>) {
        match &expr.expr {
            Ast::Call(call) => {
                let lazy = [operators::CONDITIONAL, operators::LOGICAL_AND, operators::LOGICAL_OR];
                if lazy.contains(&call.func_name.as_str()) {
                    let mut asked = asked.clone();
                    for part in &call.args {
                        self.look(part, &asked);
                        asked.extend(self.written(part));
                    }
                    return;
                }
                let before = self.found.len();
                call.target.iter().map(AsRef::as_ref).chain(&call.args).for_each(|part| self.look(part, asked));
                if self.found.len() == before && self.written(expr).is_disjoint(asked) {
                    self.try_out(expr);
                }
            }
            Ast::Comprehension(comprehension) => {
                self.look(&comprehension.iter_range, asked);
                let before = self.elements.clone();
                match self.listed(&comprehension.iter_range) {
                    Some(listed) => self.elements.insert(comprehension.iter_var.clone(), listed),
                    None => self.elements.remove(&comprehension.iter_var),
                };
                self.look(&comprehension.loop_step, asked);
                self.elements = before;
            }
            Ast::List(list) => list.elements.iter().for_each(|part| self.look(part, asked)),
            Ast::Select(select) => self.look(&select.operand, asked),
            Ast::Ident(_) | Ast::Literal(_) | Ast::Map(_) | Ast::Struct(_) | Ast::Unspecified => {}
        }
    }

    /// What is written out and may be asked about before it is used: params, and variables of macros.
    fn written(&self, expr: &IdedExpr) -> BTreeSet<String> {
        let mut names = names(expr);
        names.retain(|name| self.elements.contains_key(name));
        names.extend(params_in(expr).into_iter().map(|param| format!("params.{param}")));
        names
    }

    fn listed(&self, list: &IdedExpr) -> Option<Vec<LiteralValue>> {
        match &list.expr {
            Ast::List(listed) => listed.elements.iter().take(MAX_TRIED).map(folded).collect(),
            _ => match path_of(list)?.as_slice() {
                [root, name] if root == "params" => {
                    self.params.get(name)?.as_array()?.iter().take(MAX_TRIED).map(literal).collect()
                }
                _ => None,
            },
        }
    }

    /// Works out an expression that asks for no fact.
    fn try_out(&mut self, expr: &IdedExpr) {
        let names = names(expr);
        let mut variables = names.iter().filter(|name| *name != "params");
        let variable = variables.next();
        if variables.next().is_some() {
            return;
        }
        let tried: Vec<IdedExpr> = match variable {
            None => vec![expr.clone()],
            Some(name) => {
                let Some(elements) = self.elements.get(name) else { return };
                let of = IdedExpr { id: 0, expr: Ast::Ident(name.clone()) };
                elements.iter().filter_map(|element| with_value(expr, &of, element)).collect()
            }
        };
        // What another error speaks of, a param that is missing or of another type, has been told.
        let has_none = |error: &ExecutionError| {
            matches!(
                error,
                ExecutionError::DivisionByZero(_)
                    | ExecutionError::FunctionError { .. }
                    | ExecutionError::IndexOutOfBounds(_)
                    | ExecutionError::Overflow(..)
                    | ExecutionError::RemainderByZero(_)
            )
        };
        let mut errors = tried.iter().filter_map(|expr| value(expr, self.params).err());
        let Some(error) = errors.find(has_none) else { return };
        let (offset, length) = extent_in(self.compiled, expr);
        let params = params_in(expr);
        let about = if params.is_empty() { About::Place } else { About::Params(params) };
        let message = format!("this can never be evaluated: {}", in_words(&error));
        self.found.push(Mistake { offset, length, message, about, ..Mistake::default() });
    }
}

fn literal(value: &Json) -> Option<LiteralValue> {
    match value {
        Json::Bool(value) => Some(LiteralValue::Boolean((*value).into())),
        Json::Number(number) => match number.as_i64() {
            Some(number) => Some(LiteralValue::Int(number.into())),
            None => number.as_f64().map(|number| LiteralValue::Double(number.into())),
        },
        Json::String(text) => Some(LiteralValue::String(text.clone().into())),
        Json::Array(_) | Json::Null | Json::Object(_) => None,
    }
}

fn value(expr: &IdedExpr, params: &BTreeMap<String, Json>) -> Result<Value, ExecutionError> {
    let mut context = Context::with_env(environment().clone());
    functions::add_to(&mut context, &Arc::default());
    if names(expr).contains("params") {
        let params = Json::Object(params.iter().map(|(name, value)| (name.clone(), value.clone())).collect());
        context.add_variable_from_value("params", to_cel(&params));
    }
    Value::resolve(metered(expr).as_ref().unwrap_or(expr), &context)
}

/// The variables that an expression asks for, without those of its own macros.
fn names(expr: &IdedExpr) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    visit(expr, &mut Vec::new(), &mut |expr, bound| {
        if let Ast::Ident(name) = &expr.expr
            && !bound.contains(name)
        {
            names.insert(name.clone());
        }
    });
    names
}

fn params_in(expr: &IdedExpr) -> Vec<String> {
    let mut params = BTreeSet::new();
    visit(expr, &mut Vec::new(), &mut |expr, _| {
        if let Some([root, name, ..]) = path_of(expr).as_deref()
            && root == "params"
        {
            params.insert(name.clone());
        }
    });
    params.into_iter().collect()
}

fn visit(expr: &IdedExpr, bound: &mut Vec<String>, seen: &mut dyn FnMut(&IdedExpr, &[String])) {
    seen(expr, bound);
    match &expr.expr {
        Ast::Call(call) => {
            call.target.iter().map(AsRef::as_ref).chain(&call.args).for_each(|part| visit(part, bound, seen));
        }
        Ast::Comprehension(it) => {
            visit(&it.iter_range, bound, seen);
            let before = bound.len();
            bound.extend([it.iter_var.clone(), it.accu_var.clone()]);
            [&it.loop_cond, &it.loop_step, &it.result].into_iter().for_each(|part| visit(part, bound, seen));
            bound.truncate(before);
        }
        Ast::List(list) => list.elements.iter().for_each(|part| visit(part, bound, seen)),
        Ast::Select(select) => visit(&select.operand, bound, seen),
        Ast::Ident(_) | Ast::Literal(_) | Ast::Map(_) | Ast::Struct(_) | Ast::Unspecified => {}
    }
}

/// The expression with some of its parts replaced; macros that give a name of `captured` another meaning stay.
fn replace(expr: &IdedExpr, captured: &BTreeSet<String>, with: &mut dyn FnMut(&IdedExpr) -> Option<Ast>) -> IdedExpr {
    let mut made = expr.clone();
    if let Some(other) = with(expr) {
        made.expr = other;
        return made;
    }
    match &mut made.expr {
        Ast::Call(call) => {
            for part in call.target.iter_mut().map(AsMut::as_mut).chain(&mut call.args) {
                *part = replace(part, captured, with);
            }
        }
        Ast::Comprehension(it) => {
            it.iter_range = replace(&it.iter_range, captured, with);
            if !captured.contains(&it.iter_var) {
                it.loop_step = replace(&it.loop_step, captured, with);
            }
        }
        Ast::List(list) => list.elements.iter_mut().for_each(|part| *part = replace(part, captured, with)),
        Ast::Select(select) => *select.operand = replace(&select.operand, captured, with),
        Ast::Ident(_) | Ast::Literal(_) | Ast::Map(_) | Ast::Struct(_) | Ast::Unspecified => {}
    }
    made
}
