//! Where a mistake is in the text of the expression.

use cel::common::ast::{Expr as Ast, IdedExpr, SelectExpr};

use super::{About, Checker, Mistake};
use crate::rules::expr::path_of;

impl Checker<'_> {
    pub(super) fn mistake(&mut self, expr: &IdedExpr, message: impl Into<String>, help: Option<String>) {
        let (offset, length) = self.extent(expr);
        let about = about(expr);
        self.push(Mistake { offset, length, message: message.into(), help, about, ..Mistake::default() });
    }

    /// A mistake at the field of a selection: the last word of its path.
    pub(super) fn mistake_at_field(
        &mut self,
        expr: &IdedExpr,
        select: &SelectExpr,
        message: String,
        help: Option<String>,
    ) {
        let (offset, length) = self.extent(expr);
        let end = offset.saturating_add(length);
        let start = end.saturating_sub(select.field.len());
        let (length, about) = (end.saturating_sub(start), about(expr));
        self.push(Mistake { offset: start, length, message, help, about, ..Mistake::default() });
    }

    /// A mistake at a function's name.
    pub(super) fn mistake_named(&mut self, expr: &IdedExpr, name: &str, message: String, help: Option<String>) {
        let (offset, length) = self.extent(expr);
        let text = self.info.source.get(offset..offset.saturating_add(length)).unwrap_or_default();
        let (offset, length) = match text.find(name) {
            Some(within) => (offset.saturating_add(within), name.len()),
            None => (offset, length),
        };
        self.push(Mistake { offset, length, message, help, ..Mistake::default() });
    }

    pub(super) fn push(&mut self, mistake: Mistake) {
        if !self.mistakes.contains(&mistake) {
            self.mistakes.push(mistake);
        }
    }

    /// The octets that an expression is in.
    pub(super) fn extent(&self, expr: &IdedExpr) -> (usize, usize) {
        let mut range = (usize::MAX, 0);
        self.widen(expr, &mut range);
        let source = &self.info.source;
        if range.0 > range.1 {
            (0, source.len())
        } else {
            // The end may be that of a character's first octet.
            let end = (range.1..source.len()).find(|end| source.is_char_boundary(*end)).unwrap_or(source.len());
            let end = closed(source, range.0, end);
            (range.0, end.saturating_sub(range.0).max(1))
        }
    }

    /// Widens a range of octets so that it holds the expression.
    pub(super) fn widen(&self, expr: &IdedExpr, range: &mut (usize, usize)) {
        if let Some((start, stop)) = self.info.offset_for(expr.id) {
            let (mut start, stop) = (start as usize, stop as usize);
            if let Ast::Call(call) = &expr.expr {
                start = self.before_bracket(start, &call.func_name);
            }
            let end = match &expr.expr {
                // Of a selection the parser keeps the place of the dot.
                Ast::Select(select) => self.after(start, &select.field),
                Ast::Ident(name) => start.saturating_add(name.len()),
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

    /// Of a function call the parser keeps the place of the bracket: the name is before it.
    pub(super) fn before_bracket(&self, bracket: usize, name: &str) -> usize {
        let name_start = bracket.saturating_sub(name.len());
        if self.info.source.get(name_start..bracket) == Some(name) { name_start } else { bracket }
    }

    /// The octet after the field's name that follows a dot.
    pub(super) fn after(&self, dot: usize, field: &str) -> usize {
        let behind = dot.saturating_add(1);
        let rest = self.info.source.get(behind..).unwrap_or_default();
        let spaces = rest.len().saturating_sub(rest.trim_start().len());
        behind.saturating_add(spaces).saturating_add(field.len())
    }
}

/// The end of a text with the brackets that it opens: of a call the parser keeps no place of its last one.
fn closed(source: &str, start: usize, end: usize) -> usize {
    let text = source.get(start..end).unwrap_or_default();
    let mut open = open_brackets(text);
    let mut end = end;
    while open > 0 {
        let rest = source.get(end..).unwrap_or_default();
        let inside = rest.trim_start();
        if !inside.starts_with([')', ']']) {
            break;
        }
        end = end.saturating_add(rest.len().saturating_sub(inside.len())).saturating_add(1);
        open = open.saturating_sub(1);
    }
    end
}

/// How many brackets a text leaves open, those in quotes not counted.
fn open_brackets(text: &str) -> usize {
    let mut quote = None;
    let mut open = 0_usize;
    for c in text.chars() {
        match (quote, c) {
            (Some(mark), c) if mark == c => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, '(' | '[') => open = open.saturating_add(1),
            (None, ')' | ']') => open = open.saturating_sub(1),
            _ => {}
        }
    }
    open
}

/// What a mistake in an expression is about: the params that it is, or whose values it works on.
pub(super) fn about(expr: &IdedExpr) -> About {
    let operands: Vec<&IdedExpr> = match &expr.expr {
        Ast::Call(call) => call.target.iter().map(AsRef::as_ref).chain(&call.args).collect(),
        _ => vec![expr],
    };
    let params: Vec<String> = operands.into_iter().filter_map(param_of).collect();
    if params.is_empty() { About::Place } else { About::Params(params) }
}

/// The param that a path leads to or through.
fn param_of(expr: &IdedExpr) -> Option<String> {
    let mut path = path_of(expr)?.into_iter();
    (path.next()? == "params").then(|| path.next()).flatten()
}
