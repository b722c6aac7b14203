//! What an expression reads of its variables, and so what must be kept of facts for it, and which fact it missed. Used by
//! `evaluate` and `needed`.

use cel::common::ast::{
    CallExpr, ComprehensionExpr, EntryExpr, Expr as Ast, IdedExpr, LiteralValue, SelectExpr, operators,
};

use crate::facts::ELEMENT;

/// A path that is read: from a variable of the rule on, elements of lists written `[]`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Read {
    /// The path.
    pub path: Vec<String>,
    /// Whether the value is read with all below it; else only whether it is there, and how many elements it has.
    pub whole: bool,
}

/// What an expression reads, in the order of its text. Where it cannot be told what becomes of a value, all of it counts.
pub fn reads(expr: &IdedExpr) -> Vec<Read> {
    let mut reader = Reader::default();
    reader.value(expr);
    reader.reads
}

/// The path of an expression that is one of a variable, and nothing else.
type Place = Option<Vec<String>>;

#[derive(Default)]
struct Reader {
    /// The variables of macros, innermost last, with the path of what they represent.
    bound: Vec<(String, Place)>,
    reads: Vec<Read>,
}

impl Reader {
    fn read(&mut self, path: Vec<String>, whole: bool) {
        self.reads.push(Read { path, whole });
    }

    fn place(&self, expr: &IdedExpr) -> Place {
        match &expr.expr {
            Ast::Call(call) if call.func_name == operators::INDEX => {
                let list = call.args.first()?;
                self.place(list).map(|path| extended(path, ELEMENT))
            }
            Ast::Ident(name) => match self.bound.iter().rev().find(|(bound, _)| bound == name) {
                Some((_, place)) => place.clone(),
                None => (!name.starts_with('@')).then(|| vec![name.clone()]),
            },
            Ast::Select(select) => self.place(&select.operand).map(|path| extended(path, &select.field)),
            _ => None,
        }
    }

    /// Reads a value with all below it.
    fn value(&mut self, expr: &IdedExpr) {
        if let Some(path) = self.place(expr) {
            self.indices(expr);
            return self.read(path, true);
        }
        match &expr.expr {
            Ast::Call(call) => self.call(call),
            Ast::Comprehension(comprehension) => {
                if let Some(element) = self.comprehension(comprehension) {
                    self.read(element, true);
                }
            }
            Ast::List(list) => list.elements.iter().for_each(|part| self.value(part)),
            Ast::Map(map) => {
                for entry in &map.entries {
                    if let EntryExpr::MapEntry(entry) = &entry.expr {
                        self.value(&entry.key);
                        self.value(&entry.value);
                    }
                }
            }
            Ast::Select(SelectExpr { operand, .. }) => self.value(operand),
            Ast::Ident(_) | Ast::Literal(_) | Ast::Struct(_) | Ast::Unspecified => {}
        }
    }

    /// Reads what is between the brackets of a path.
    fn indices(&mut self, expr: &IdedExpr) {
        match &expr.expr {
            Ast::Call(call) => {
                call.args.first().into_iter().for_each(|list| self.indices(list));
                call.args.get(1).into_iter().for_each(|index| self.value(index));
            }
            Ast::Select(select) => self.indices(&select.operand),
            _ => {}
        }
    }

    fn call(&mut self, call: &CallExpr) {
        let mut operands = call.target.iter().map(AsRef::as_ref).chain(&call.args);
        match (call.func_name.as_str(), operands.next(), operands.next()) {
            // How many there are says nothing of each.
            ("size", Some(list), None) => {
                if let Some(element) = self.elements(list) {
                    self.read(element, false);
                }
            }
            // Whether something is `null` says nothing of what is in it.
            (operators::EQUALS | operators::NOT_EQUALS, Some(one), Some(other)) if is_null(one) || is_null(other) => {
                for operand in [one, other] {
                    match self.place(operand) {
                        Some(path) => self.read(path, false),
                        None => self.value(operand),
                    }
                }
            }
            _ => call.target.iter().map(AsRef::as_ref).chain(&call.args).for_each(|operand| self.value(operand)),
        }
    }

    /// The path of the elements of a list, which are read by whoever goes through them.
    fn elements(&mut self, list: &IdedExpr) -> Place {
        if let Some(path) = self.place(list) {
            self.indices(list);
            let element = extended(path, ELEMENT);
            self.read(element.clone(), false);
            return Some(element);
        }
        match &list.expr {
            Ast::Call(call) if ["distinct", "sort"].contains(&call.func_name.as_str()) => {
                let list = call.target.as_deref().or(call.args.first())?;
                // They compare the elements.
                let element = self.elements(list)?;
                self.read(element.clone(), true);
                Some(element)
            }
            Ast::Comprehension(comprehension) => self.comprehension(comprehension),
            _ => {
                self.value(list);
                None
            }
        }
    }

    /// Reads what a macro asks for; the path of the elements of the list that it makes, where they are at one.
    fn comprehension(&mut self, comprehension: &ComprehensionExpr) -> Place {
        let before = self.bound.len();
        let element = match comprehension.iter_var2 {
            None => self.elements(&comprehension.iter_range),
            // Which of the two variables is the element depends on what is gone through.
            Some(_) => {
                self.value(&comprehension.iter_range);
                None
            }
        };
        self.bound.push((comprehension.iter_var.clone(), element));
        self.bound.extend(comprehension.iter_var2.clone().map(|name| (name, None)));
        self.bound.push((comprehension.accu_var.clone(), None));
        let made = match appended(&comprehension.loop_step) {
            Some((condition, item)) => {
                condition.into_iter().for_each(|condition| self.value(condition));
                let place = self.place(item);
                match &place {
                    Some(path) => {
                        self.indices(item);
                        self.read(path.clone(), false);
                    }
                    None => self.value(item),
                }
                place
            }
            None => {
                self.value(&comprehension.loop_step);
                None
            }
        };
        self.value(&comprehension.loop_cond);
        self.value(&comprehension.result);
        self.bound.truncate(before);
        made
    }
}

/// What a step of `map` or `filter` appends, and under which condition.
fn appended(step: &IdedExpr) -> Option<(Option<&IdedExpr>, &IdedExpr)> {
    let Ast::Call(call) = &step.expr else { return None };
    match (call.func_name.as_str(), call.args.as_slice()) {
        (operators::CONDITIONAL, [condition, then, _]) => match appended(then)? {
            (None, item) => Some((Some(condition), item)),
            (Some(_), _) => None,
        },
        (operators::ADD, [accumulated, made]) => {
            let is_accumulator = matches!(&accumulated.expr, Ast::Ident(name) if name.starts_with('@'));
            match &made.expr {
                Ast::List(list) if is_accumulator => match list.elements.as_slice() {
                    [item] => Some((None, item)),
                    _ => None,
                },
                _ => None,
            }
        }
        _ => None,
    }
}

fn is_null(expr: &IdedExpr) -> bool {
    matches!(expr.expr, Ast::Literal(LiteralValue::Null))
}

fn extended(mut path: Vec<String>, segment: &str) -> Vec<String> {
    path.push(segment.to_owned());
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::expr::Expr;

    fn read(source: &str) -> String {
        let expr = Expr::new(source);
        let read = reads(expr.compiled().unwrap().program.expression());
        let one = |read: &Read| format!("{}{}", read.path.join("."), if read.whole { "" } else { "?" });
        read.iter().map(one).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn macros_are_followed_to_what_they_go_through() {
        for (source, wanted) in [
            ("d.policy.mode == 'enforce'", "d.policy.mode"),
            ("d.policy != null && size(d.mx.hosts) > 1", "d.policy? d.mx.hosts.[]? d.mx.hosts.[]?"),
            ("domains.all(d, d.policy.mode == x)", "domains.[]? domains.[].policy.mode x"),
            (
                "domains.filter(d, d.a).map(e, e.b.c).exists(f, f.g == 1)",
                "domains.[]? domains.[].a domains.[]? domains.[].b.c? domains.[].b.c.g",
            ),
            ("domains.map(d, d.b).distinct()", "domains.[]? domains.[].b? domains.[].b"),
            ("size(domains.map(d, d.b).distinct()) == 1", "domains.[]? domains.[].b? domains.[].b domains.[].b?"),
            ("domains.map(d, d)", "domains.[]? domains.[]? domains.[]"),
            ("domains.map(d, d.a + 'x')", "domains.[]? domains.[].a"),
            ("domains[i.n].mx.hosts[0].name", "i.n domains.[].mx.hosts.[].name"),
            (
                "domains.all(d, d.h.exists(h, h.n == d.n))",
                "domains.[]? domains.[].h.[]? domains.[].h.[].n domains.[].n",
            ),
            ("has(d.a.b)", "d.a.b"),
            ("(c ? d.a : d.b).all(x, x.y)", "c d.a d.b"),
            ("d.list == [d.other]", "d.list d.other"),
        ] {
            assert_eq!(read(source), wanted, "{source}");
        }
    }
}
