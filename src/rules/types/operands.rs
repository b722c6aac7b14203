//! Operators: what their operands may be, and what they give.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cel::common::ast::{Expr as Ast, IdedExpr, LiteralValue, operators};

use super::calls::{IsIn, filter_of};
use super::null::{canonical, not_null_if};
use super::words::{in_seconds, likely_word, nearest_known, spelled, type_help};
use super::{ANY, About, Checker, Mistake, Typed, compatible, either, is_null, is_number, known, texts_of_param, with};
use crate::facts::{Field, Form, Texts, Type};
use crate::rules::expr::path_of;

fn is_empty_list(expr: &IdedExpr) -> bool {
    matches!(&expr.expr, Ast::List(list) if list.elements.is_empty())
}

impl Checker<'_> {
    pub(super) fn logic(&mut self, left: &IdedExpr, right: &IdedExpr, and: bool, not_null: &BTreeSet<String>) -> Typed {
        let operator = if and { "`&&`" } else { "`||`" };
        self.expect(left, &Type::Bool, operator, not_null);
        // The right side only matters where the left is true (for `&&`) or false (for `||`).
        let certain = with(not_null, not_null_if(left, and, &self.scope));
        self.expect(right, &Type::Bool, operator, &certain);
        known(Type::Bool)
    }

    pub(super) fn equality(
        &mut self,
        expr: &IdedExpr,
        left: &IdedExpr,
        right: &IdedExpr,
        not_null: &BTreeSet<String>,
    ) -> Typed {
        let (a, b) = (self.infer(left, not_null), self.infer(right, not_null));
        if !compatible(&a.shape, &b.shape) {
            if let Some(help) = self.chained(left, right) {
                self.mistake(expr, "comparisons are not chained", Some(help));
                return known(Type::Bool);
            }
            let message = format!(
                "{} is {}, {} is {}: they are never equal",
                spelled(left),
                a.shape.label(),
                spelled(right),
                b.shape.label()
            );
            self.mistake(expr, message, type_help(&a.shape, &b.shape, number_beside_fact(left, right)));
        } else if ![left, right].into_iter().any(|side| is_null(side) || is_empty_list(side)) {
            // One of two alike is told.
            let _ = self.compared_as_a_whole(left, &a.shape) || self.compared_as_a_whole(right, &b.shape);
        }
        self.one_of(left, "is never", right, &a.shape);
        self.one_of(right, "is never", left, &b.shape);
        self.listed_words(left, right, &a.shape);
        self.listed_words(right, left, &b.shape);
        known(Type::Bool)
    }

    pub(super) fn membership(&mut self, item: &IdedExpr, list: &IdedExpr, not_null: &BTreeSet<String>) -> Typed {
        let item_type = self.infer(item, not_null);
        let list_type = self.infer(list, not_null);
        if list_type.nullable {
            self.can_be_null(list);
        }
        match self.written_elements(list) {
            Some(listed) => {
                listed.iter().for_each(|element| self.one_of(item, "is never", element, &item_type.shape));
            }
            None => self.one_of(item, "is never", list, &item_type.shape),
        }
        if let Type::List(element) = &list_type.shape {
            self.one_of(list, "never holds", item, element);
        }
        match &list_type.shape {
            Type::List(element) if !compatible(element, &item_type.shape) => {
                let message =
                    format!("{} is {}, the list holds {}", spelled(item), item_type.shape.label(), element.label());
                self.mistake(item, message, None);
            }
            Type::List(_) => {
                self.compared_as_a_whole(item, &item_type.shape);
            }
            Type::Any => {}
            other => {
                let message = format!("`in` looks into a list; {} is {}", spelled(list), other.label());
                let help = matches!(other, Type::Text(_))
                    .then(|| "for a part of a text write `text.contains(part)`".to_owned());
                self.mistake(list, message, help);
            }
        }
        known(Type::Bool)
    }

    /// Refuses to compare objects as they are, or lists of them: of two of which nothing was observed, nothing would
    /// differ. Whether it did.
    pub(super) fn compared_as_a_whole(&mut self, expr: &IdedExpr, shape: &Type) -> bool {
        fn object(shape: &Type) -> Option<&BTreeMap<String, Field>> {
            match shape {
                Type::List(element) => object(element),
                Type::Object(fields) => Some(fields),
                _ => None,
            }
        }
        let Some(fields) = object(shape) else { return false };
        let named = ["name", "text", "address", "mode"].into_iter().find(|name| fields.contains_key(*name));
        let name = named.or(fields.keys().next().map(String::as_str)).unwrap_or("name");
        let written = path_of(expr).map_or("…".to_owned(), |path| path.join("."));
        let help = match shape {
            Type::List(_) => format!("compare a fact of each: `{written}.map(x, x.{name})`"),
            _ => format!("compare one of its facts: `{written}.{name}`"),
        };
        let message = format!("{} is {}, which cannot be compared as a whole", spelled(expr), shape.label());
        self.mistake(expr, message, Some(help));
        true
    }

    /// The same for each element of a list that is written out beside a list of such words.
    fn listed_words(&mut self, beside: &IdedExpr, list: &IdedExpr, shape: &Type) {
        if let (Some(listed), Type::List(element)) = (self.written_elements(list), shape) {
            listed.iter().for_each(|item| self.one_of(beside, "never holds", item, element));
        }
    }

    /// The elements of a list that is written out, also where some of them are left out again or put in order.
    pub(super) fn written_elements(&self, list: &IdedExpr) -> Option<Vec<IdedExpr>> {
        match &list.expr {
            Ast::List(listed) => Some(listed.elements.clone()),
            Ast::Call(call) if ["distinct", "sort"].contains(&call.func_name.as_str()) => {
                self.written_elements(call.target.as_deref()?)
            }
            Ast::Call(call) => match (call.func_name.as_str(), call.args.as_slice()) {
                (operators::ADD, [left, right]) | (operators::CONDITIONAL, [_, left, right]) => {
                    let (left, right) = (self.written_elements(left)?, self.written_elements(right)?);
                    Some(left.into_iter().chain(right).collect())
                }
                _ => None,
            },
            Ast::Comprehension(filter) => filter_of(list).and_then(|_| self.written_elements(&filter.iter_range)),
            _ => None,
        }
    }

    /// The expressions of which this one is one: those that a macro goes through, or the two sides of a choice.
    fn alternatives(&self, expr: &IdedExpr) -> Option<Vec<IdedExpr>> {
        match &expr.expr {
            Ast::Ident(name) => self.elements.get(name).cloned(),
            Ast::Call(call) if call.func_name == operators::CONDITIONAL => call.args.get(1..).map(<[IdedExpr]>::to_vec),
            _ => None,
        }
    }

    /// The literals that an expression can be.
    pub(super) fn literals(&self, expr: &IdedExpr) -> Vec<IdedExpr> {
        match (&expr.expr, self.alternatives(expr)) {
            (Ast::Literal(_), _) => vec![expr.clone()],
            (Ast::Ident(_), Some(literals)) => literals,
            (_, Some(sides)) => sides.iter().flat_map(|side| self.literals(side)).collect(),
            (_, None) => Vec::new(),
        }
    }

    /// Refuses a literal that the expression beside it can never be: one of `shape`'s words is expected.
    fn one_of(&mut self, beside: &IdedExpr, never: &str, expr: &IdedExpr, shape: &Type) {
        let Type::Text(texts) = shape else { return };
        if let Some(alternatives) = self.alternatives(expr) {
            return alternatives.iter().for_each(|expr| self.one_of(beside, never, expr, shape));
        }
        let (written, of_param) = match &expr.expr {
            Ast::Literal(LiteralValue::String(text)) => (vec![text.inner().to_owned()], None),
            _ => match self.texts_of_param(expr) {
                Some((written, param)) => (written, Some(param)),
                None => return,
            },
        };
        let Some((text, wrong)) = written.iter().find_map(|text| Some((text, wrong_text(text, texts)?))) else {
            return;
        };
        let about = of_param.clone().map_or(About::Place, |param| About::Params(vec![param]));
        let value = of_param.map(|param| format!(", the value of `params.{param}`")).unwrap_or_default();
        let hardly = if wrong.doubtful { " (most likely)" } else { "" };
        let (offset, length) = self.extent(expr);
        let message = format!("{} {never}{hardly} {text:?}{value}", spelled(beside));
        self.push(Mistake { offset, length, message, about, ..wrong });
    }

    /// The texts of a param, and its name.
    pub(super) fn texts_of_param(&self, expr: &IdedExpr) -> Option<(Vec<String>, String)> {
        let path = path_of(expr)?;
        let [root, name] = path.as_slice() else { return None };
        match &self.scope.get(&texts_of_param(name)).filter(|_| root == "params")?.shape {
            Type::Text(Texts::Only(texts)) => Some((texts.clone(), name.clone())),
            _ => None,
        }
    }

    /// Refuses a part of a text that no text of this shape has: `is_in` says whether a whole text has it.
    pub(super) fn part_of(&mut self, beside: &IdedExpr, never: &str, part: &IdedExpr, shape: &Type, is_in: IsIn) {
        if let Some(alternatives) = self.alternatives(part) {
            return alternatives.iter().for_each(|part| self.part_of(beside, never, part, shape, is_in));
        }
        let (Type::Text(texts), Ast::Literal(LiteralValue::String(text))) = (shape, &part.expr) else { return };
        let text = text.inner();
        let help = match texts {
            Texts::Only(words) if !words.iter().any(|word| is_in(word, text)) => {
                format!("available: {}", listed(words))
            }
            Texts::Written(form, _) if !form.holds_part(text) => format!("it {}", form.about()),
            _ => return,
        };
        self.mistake(part, format!("{} {never} {text:?}", spelled(beside)), Some(help));
    }

    pub(super) fn comparison(
        &mut self,
        expr: &IdedExpr,
        left: &IdedExpr,
        right: &IdedExpr,
        not_null: &BTreeSet<String>,
    ) {
        if let Some(help) = self.chained(left, right) {
            return self.mistake(expr, "comparisons are not chained", Some(help));
        }
        let (a, b) = (self.operand(left, not_null), self.operand(right, not_null));
        for (beside, other, shape) in [(left, right, &a), (right, left, &b)] {
            if matches!(shape, Type::Text(Texts::Written(Form::Time, _))) {
                self.one_of(beside, "cannot be compared with", other, shape);
            }
        }
        let fits = match (&a, &b) {
            (Type::Any, other) | (other, Type::Any) => is_number(other) || matches!(other, Type::Any | Type::Text(_)),
            (Type::Text(_), Type::Text(_)) => true,
            (a, b) => is_number(a) && is_number(b),
        };
        if !fits {
            let message =
                format!("{} is {}, {} is {}: they have no order", spelled(left), a.label(), spelled(right), b.label());
            self.mistake(
                expr,
                message,
                in_seconds(left)
                    .or_else(|| in_seconds(right))
                    .or_else(|| type_help(&a, &b, number_beside_fact(left, right))),
            );
        }
    }

    /// What `a < b < c` has to be written as, where the left side is a comparison itself.
    fn chained(&self, left: &IdedExpr, right: &IdedExpr) -> Option<String> {
        const COMPARISONS: [&str; 6] = [
            operators::EQUALS,
            operators::GREATER,
            operators::GREATER_EQUALS,
            operators::LESS,
            operators::LESS_EQUALS,
            operators::NOT_EQUALS,
        ];
        let Ast::Call(call) = &left.expr else { return None };
        let middle = call.args.get(1).filter(|_| COMPARISONS.contains(&call.func_name.as_str()))?;
        let text = |(start, length): (usize, usize)| self.info.source.get(start..start.saturating_add(length));
        let (start, length) = self.extent(left);
        let sign = self.info.source.get(start.saturating_add(length)..self.extent(right).0)?.trim();
        if sign.contains(')') {
            return None;
        }
        let (left, middle, right) = (text((start, length))?, text(self.extent(middle))?, text(self.extent(right))?);
        Some(format!("write `{left} && {middle} {sign} {right}`"))
    }

    pub(super) fn arithmetic(
        &mut self,
        expr: &IdedExpr,
        name: &str,
        left: &IdedExpr,
        right: &IdedExpr,
        not_null: &BTreeSet<String>,
    ) -> Typed {
        if let Some(field) = self.name_with_hyphen(name, left, right) {
            let message =
                format!("there is no `{}-{}`", spelled(left).trim_matches('`'), spelled(right).trim_matches('`'));
            self.mistake(expr, message, Some(format!("did you mean `{field}`?")));
            return ANY;
        }
        let (left_type, right_type) = (self.operand_typed(left, not_null), self.operand_typed(right, not_null));
        let holds_null = left_type.holds_null || right_type.holds_null;
        let (a, b) = (left_type.shape, right_type.shape);
        let result = match (&a, &b) {
            (Type::Any, other) | (other, Type::Any) => Some(other.clone()),
            (Type::List(element), Type::List(other)) if name == operators::ADD => {
                Some(Type::List(Arc::new(either(element, other))))
            }
            (Type::Text(_), Type::Text(_)) if name == operators::ADD => Some(Type::Text(Texts::Any)),
            (a, b) if is_number(a) && a == b => Some(a.clone()),
            _ => None,
        };
        let shape = result.unwrap_or_else(|| {
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
        });
        Typed { holds_null, ..known(shape) }
    }

    /// The fact whose name was written with a hyphen, which is a minus: `policy.max-age`.
    fn name_with_hyphen(&mut self, operator: &str, left: &IdedExpr, right: &IdedExpr) -> Option<String> {
        let (Ast::Select(select), Some(rest)) = (&left.expr, path_of(right)) else { return None };
        if operator != operators::SUBSTRACT || self.scope.contains_key(rest.first()?) {
            return None;
        }
        let before = self.mistakes.len();
        let shape = self.infer(&select.operand, &BTreeSet::new()).shape;
        self.mistakes.truncate(before);
        let field = format!("{}_{}", select.field, rest.first()?);
        let owner = path_of(&select.operand)?.join(".");
        matches!(shape, Type::Object(fields) if fields.contains_key(&field)).then(|| format!("{owner}.{field}"))
    }

    pub(super) fn index(
        &mut self,
        expr: &IdedExpr,
        list: &IdedExpr,
        index: &IdedExpr,
        not_null: &BTreeSet<String>,
    ) -> Typed {
        let Typed { shape, holds_null, .. } = self.operand_typed(list, not_null);
        let key = self.operand(index, not_null);
        match shape {
            Type::List(element) if matches!(key, Type::Int | Type::Any) => {
                let certain = canonical(expr, &self.scope).is_some_and(|path| not_null.contains(&path));
                Typed { nullable: holds_null && !certain, holds_null, ..known((*element).clone()) }
            }
            Type::Any => ANY,
            Type::Object(fields) if matches!(key, Type::Text(_) | Type::Any) => {
                let mut shapes = fields.values().map(|field| &field.shape);
                let first = shapes.next().cloned().unwrap_or(Type::Any);
                known(if shapes.all(|shape| *shape == first) { first } else { Type::Any })
            }
            Type::List(_) => {
                self.mistake(index, format!("a list is indexed by an integer; this is {}", key.label()), None);
                ANY
            }
            other => {
                self.mistake(list, format!("{} is {} and has no elements", spelled(list), other.label()), None);
                ANY
            }
        }
    }
}

/// What is wrong with a text that a fact of these texts is compared with, without its place.
fn wrong_text(text: &str, texts: &Texts) -> Option<Mistake> {
    match texts {
        Texts::Any => None,
        Texts::Only(words) if words.iter().any(|word| word == text) => None,
        Texts::Only(words) => {
            let near = likely_word(text, words).map(|near| format!("did you mean \"{near}\"? ")).unwrap_or_default();
            Some(Mistake { help: Some(format!("{near}available: {}", listed(words))), ..Mistake::default() })
        }
        Texts::Written(form, known) if !form.holds(text) => {
            let near = form.written(text).or_else(|| likely_word(text, known).map(str::to_owned));
            let near = near.map(|near| format!("did you mean \"{near}\"? ")).unwrap_or_default();
            Some(Mistake { help: Some(format!("{near}it {}", form.about())), ..Mistake::default() })
        }
        Texts::Written(_, known) if known.iter().any(|known| known == text) => None,
        Texts::Written(_, known) => {
            let near = nearest_known(text, known)?;
            let help = format!("did you mean \"{near}\"? available: {}", listed(known));
            Some(Mistake { help: Some(help), doubtful: true, ..Mistake::default() })
        }
    }
}

fn listed(words: &[String]) -> String {
    words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ")
}

/// Whether one operand is a number that is written out, and the other none that is.
fn number_beside_fact(left: &IdedExpr, right: &IdedExpr) -> bool {
    let number = |expr: &IdedExpr| matches!(expr.expr, Ast::Literal(LiteralValue::Int(_) | LiteralValue::Double(_)));
    let written = |expr: &IdedExpr| matches!(expr.expr, Ast::Literal(_));
    (number(left) && !written(right)) || (number(right) && !written(left))
}
