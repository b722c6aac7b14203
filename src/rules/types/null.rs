//! Which paths are surely not `null` where an expression is true, or false.

use std::collections::BTreeSet;

use cel::common::ast::{Expr as Ast, IdedExpr, LiteralValue, operators};

use super::{Scope, is_literal, is_null, with};

/// The paths that are surely not `null` where the expression is `truth`.
pub fn not_null_if(expr: &IdedExpr, truth: bool, scope: &Scope) -> BTreeSet<String> {
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

/// The path of an expression from the root of the facts; an element that is chosen by a written number keeps it, so
/// that what is known of `list[0].x` is known of it alone.
pub fn canonical(expr: &IdedExpr, scope: &Scope) -> Option<String> {
    match &expr.expr {
        Ast::Ident(name) => Some(scope.get(name)?.path.clone()),
        Ast::Select(select) if !select.test => Some(format!("{}.{}", canonical(&select.operand, scope)?, select.field)),
        Ast::Call(call) if call.func_name == operators::INDEX => match call.args.as_slice() {
            [list, IdedExpr { expr: Ast::Literal(LiteralValue::Int(index)), .. }] => {
                Some(format!("{}[{}]", canonical(list, scope)?, index.inner()))
            }
            _ => None,
        },
        _ => None,
    }
}
