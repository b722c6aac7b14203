//! Conditions that are decided before any fact is known: a rule with one never applies, always passes or always fails,
//! and nobody would be told. Used by `check`, once an expression is known to be sound.

mod atoms;
mod constants;
mod key;
mod reasons;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use cel::common::ast::{CallExpr, ComprehensionExpr, Expr as Ast, IdedExpr, LiteralValue, operators};

pub use self::constants::{constant_errors, param_error};
use self::reasons::{Known, Place, fuel};
use super::expr::Compiled;
use super::types::{Mistake, Scope, extent_in};

/// What is decided in an expression before any fact is known, each with its place and the reason. `before` are the
/// conditions that hold where it is asked, `not_null` the paths that are surely not `null` there.
pub fn decided(compiled: &Compiled, scope: &Scope, not_null: &BTreeSet<String>, before: &[&Compiled]) -> Vec<Mistake> {
    let place = Place { scope, not_null, compiled };
    let left = fuel();
    let nothing = Known::nothing(&place, &left);
    let mut known = nothing.clone();
    before.iter().for_each(|condition| known.learn(condition, condition.program.expression(), true));
    let expr = compiled.program.expression();
    let mut decider = Decider { compiled, found: Vec::new() };
    // What is wrong with the expression alone is told alone.
    decider.visit(expr, &nothing);
    if decider.found.is_empty() && !before.is_empty() {
        if let Some(why) = known.impossible(expr, true) {
            decider.tell(expr, format!("this is never true where it is asked: {why}"));
        } else if let Some(why) = known.impossible(expr, false) {
            decider.tell(expr, format!("this is always true where it is asked: {why}"));
        }
    }
    decider.found
}

struct Decider<'a> {
    compiled: &'a Compiled,
    found: Vec<Mistake>,
}

impl Decider<'_> {
    /// Looks for what is decided in an expression, and in its parts, where so much is known.
    fn visit(&mut self, expr: &IdedExpr, known: &Known<'_>) {
        match &expr.expr {
            Ast::Call(call) => self.call(expr, call, known),
            Ast::Comprehension(comprehension) => self.comprehension(comprehension, known),
            Ast::List(list) => list.elements.iter().for_each(|part| self.visit(part, known)),
            Ast::Select(select) => self.visit(&select.operand, known),
            Ast::Ident(_) | Ast::Literal(_) | Ast::Map(_) | Ast::Struct(_) | Ast::Unspecified => {}
        }
    }

    fn call(&mut self, expr: &IdedExpr, call: &CallExpr, known: &Known<'_>) {
        match (call.func_name.as_str(), call.args.as_slice()) {
            (operators::LOGICAL_AND, [left, right]) => self.logic(left, right, true, known),
            (operators::LOGICAL_OR, [left, right]) => self.logic(left, right, false, known),
            (operators::CONDITIONAL, [condition, then, otherwise]) => {
                if let Ast::Literal(LiteralValue::Boolean(value)) = &condition.expr {
                    return self.tell(condition, format!("this is always {}", value.inner()));
                }
                let before = self.found.len();
                self.visit(condition, known);
                if self.found.len() == before {
                    for (truth, side) in [(true, "the part after `:`"), (false, "the part before `:`")] {
                        if let Some(why) = known.impossible(condition, !truth) {
                            let message = format!("this is always {truth}, so {side} is never used: {why}");
                            return self.tell(condition, message);
                        }
                    }
                }
                self.visit(then, &known.with(condition, true));
                self.visit(otherwise, &known.with(condition, false));
            }
            (operators::LOGICAL_NOT, [operand]) => self.visit(operand, known),
            _ => {
                let before = self.found.len();
                call.target.iter().map(AsRef::as_ref).chain(&call.args).for_each(|part| self.visit(part, known));
                if self.found.len() == before
                    && let Some((truth, why)) = known.alone(expr)
                {
                    self.tell(expr, format!("this is {}: {why}", if truth { "always true" } else { "never true" }));
                }
            }
        }
    }

    fn logic(&mut self, left: &IdedExpr, right: &IdedExpr, and: bool, known: &Known<'_>) {
        for side in [left, right] {
            if let Ast::Literal(LiteralValue::Boolean(value)) = &side.expr {
                let value = *value.inner();
                let what = match (and, value) {
                    (true, false) => "with this the condition is never true",
                    (false, true) => "with this the condition is always true",
                    _ => "this changes nothing",
                };
                self.tell(side, what.to_owned());
            }
        }
        let before = self.found.len();
        self.visit(left, known);
        let beside = known.with(left, and);
        self.visit(right, &beside);
        if self.found.len() != before {
            return;
        }
        let impossible = [(left, known), (right, &beside)].into_iter().find_map(|(side, known)| {
            let why = known.impossible(side, and)?;
            Some((side, why))
        });
        if let Some((side, why)) = impossible {
            let never = if and { "this is never true here" } else { "with this the condition is always true" };
            self.tell(side, format!("{never}: {why}"));
        }
    }

    /// A macro: of its variable nothing is known, and what is known of others may be of another with that name.
    fn comprehension(&mut self, comprehension: &ComprehensionExpr, known: &Known<'_>) {
        self.visit(&comprehension.iter_range, known);
        self.visit(&comprehension.loop_step, &known.forgotten());
    }

    fn tell(&mut self, expr: &IdedExpr, message: String) {
        let (offset, length) = extent_in(self.compiled, expr);
        if !self.found.iter().any(|found| found.offset == offset) {
            self.found.push(Mistake { offset, length, message, doubtful: true, ..Mistake::default() });
        }
    }
}
