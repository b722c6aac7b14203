//! What is known where a condition is asked, and why it can therefore not be true, or not false.

use std::cell::Cell;
use std::collections::BTreeSet;

use cel::common::ast::{Expr as Ast, IdedExpr, LiteralValue, operators};

use super::atoms::{Atom, Bounds, Says, equal};
use super::constants::{folded, with_value};
use crate::facts::{Texts, Type};
use crate::rules::expr::Compiled;
use crate::rules::types::{Scope, extent_in, type_of};

/// So many conditions are held against each other for one expression; beyond them nothing is said.
const MAX_TRIED: u32 = 2_000;
/// So many values that something can be are put in its place elsewhere.
const MAX_VALUES: usize = 8;

/// Where conditions are asked.
pub struct Place<'a> {
    /// The variables.
    pub scope: &'a Scope,
    /// The paths that are surely not `null`.
    pub not_null: &'a BTreeSet<String>,
    /// The expression that is judged.
    pub compiled: &'a Compiled,
}

/// What is known where a condition is asked.
#[derive(Clone)]
pub struct Known<'a> {
    place: &'a Place<'a>,
    atoms: Vec<(Atom, String)>,
    /// Conditions of which one part holds, whichever, with their truth.
    choices: Vec<(IdedExpr, bool)>,
    left: &'a Cell<u32>,
}

/// What is left to try for one expression.
pub fn fuel() -> Cell<u32> {
    Cell::new(MAX_TRIED)
}

impl<'a> Known<'a> {
    /// Nothing.
    pub fn nothing(place: &'a Place<'a>, left: &'a Cell<u32>) -> Self {
        Known { place, atoms: Vec::new(), choices: Vec::new(), left }
    }

    /// Nothing, in the same place.
    pub fn forgotten(&self) -> Self {
        Known::nothing(self.place, self.left)
    }

    /// What is known once a condition of this expression has this truth, too.
    pub fn with(&self, expr: &IdedExpr, truth: bool) -> Self {
        let mut known = self.clone();
        known.learn(self.place.compiled, expr, truth);
        known
    }

    /// Takes in that a condition, which `compiled` has the text of, has this truth.
    pub fn learn(&mut self, compiled: &Compiled, expr: &IdedExpr, truth: bool) {
        match parts(expr, truth) {
            Parts::All(parts) => parts.into_iter().for_each(|(part, truth)| self.learn(compiled, part, truth)),
            Parts::Any(_) => self.choices.push((expr.clone(), truth)),
            Parts::One => {
                let (offset, length) = extent_in(compiled, expr);
                let source = compiled.program.source_info().source.get(offset..offset.saturating_add(length));
                let is_whole = !matches!(expr.expr, Ast::Comprehension(_));
                let text = source.filter(|_| is_whole).map_or("what is asked before it".to_owned(), |text| {
                    format!("`{}`", text.split_whitespace().collect::<Vec<_>>().join(" "))
                });
                let is = if truth { "holds there" } else { "is false there" };
                self.atoms.push((Atom::of(expr, truth), format!("{text} {is}")));
            }
        }
    }

    /// Why a condition cannot have this truth, where so much is known; `None` where it can.
    pub fn impossible(&self, expr: &IdedExpr, truth: bool) -> Option<String> {
        let left = self.left.get().checked_sub(1)?;
        self.left.set(left);
        match parts(expr, truth) {
            Parts::All(parts) => {
                let mut known = self.clone();
                parts.into_iter().find_map(|(part, truth)| {
                    let why = known.impossible(part, truth);
                    known.learn(self.place.compiled, part, truth);
                    why
                })
            }
            Parts::Any(parts) => {
                let mut first = None;
                for (part, truth) in parts {
                    let why = self.impossible(part, truth)?;
                    first.get_or_insert(why);
                }
                first
            }
            Parts::One if matches!(expr.expr, Ast::Literal(_)) => None,
            Parts::One => {
                let atom = Atom::of(expr, truth);
                self.denied(&atom).or_else(|| self.no_choice_left(expr, truth))
            }
        }
    }

    /// Whether an expression has the same truth whatever is known, and why.
    pub fn alone(&self, expr: &IdedExpr) -> Option<(bool, String)> {
        if let Some(LiteralValue::Boolean(truth)) = folded(expr) {
            return Some((*truth.inner(), "it asks for no fact".to_owned()));
        }
        if !is_comparison(expr) {
            return None;
        }
        let nothing = self.forgotten();
        let denied = |truth: bool| nothing.denied(&Atom::of(expr, truth));
        denied(true).map(|why| (false, why)).or_else(|| denied(false).map(|why| (true, why)))
    }

    fn no_choice_left(&self, expr: &IdedExpr, truth: bool) -> Option<String> {
        if self.choices.is_empty() {
            return None;
        }
        let mut known = Known { choices: Vec::new(), ..self.clone() };
        known.learn(self.place.compiled, expr, truth);
        self.choices.iter().find_map(|(choice, truth)| known.impossible(choice, *truth))
    }

    /// Why an atom cannot be so.
    fn denied(&self, atom: &Atom) -> Option<String> {
        if atom.denies_itself() {
            return Some("both sides are the same".to_owned());
        }
        if is_size(&atom.value) && outside(&atom.says, Bounds::SIZE) {
            return Some("a size is 0 or more".to_owned());
        }
        let same = || self.atoms.iter().filter(|(other, _)| other.key == atom.key);
        if let Some((_, why)) = same().find(|(other, _)| excludes(&other.says, &atom.says)) {
            return Some(why.clone());
        }
        let orders = |(other, _): &&(Atom, String)| atom.order_with(other).is_some_and(|(a, b)| a & b == 0);
        if let Some((_, why)) = self.atoms.iter().find(orders) {
            return Some(why.clone());
        }
        self.nothing_left(atom).or_else(|| self.with_values(atom))
    }

    /// Of a closed set of values, whether none is left.
    fn nothing_left(&self, atom: &Atom) -> Option<String> {
        let says = self.atoms.iter().map(|(other, _)| other).filter(|other| other.key == atom.key);
        let says: Vec<&Says> = says.map(|other| &other.says).chain([&atom.says]).collect();
        if !says.iter().any(|says| matches!(says, Says::NotIn(_))) {
            return None;
        }
        let given = says.iter().find_map(|says| match says {
            Says::In(values) => Some(values.clone()),
            _ => None,
        });
        let words = given.is_none().then(|| self.words(&atom.value)).flatten();
        let mut left = given.or_else(|| words.clone())?;
        left.retain(|value| says.iter().all(|says| allows(says, value)));
        let listed = |words: Vec<LiteralValue>| words.iter().map(shown).collect::<Vec<_>>().join(", ");
        left.is_empty().then(|| match words {
            Some(words) => format!("it is always one of {}", listed(words)),
            None => "what is asked before it leaves no value".to_owned(),
        })
    }

    /// All that a value can be.
    fn words(&self, value: &IdedExpr) -> Option<Vec<LiteralValue>> {
        let Place { scope, not_null, compiled } = self.place;
        let (shape, nullable) = type_of(compiled, value, scope, not_null);
        let words: Vec<LiteralValue> = match shape {
            Type::Text(Texts::Only(words)) => words.into_iter().map(|word| LiteralValue::String(word.into())).collect(),
            Type::Bool => [false, true].map(|value| LiteralValue::Boolean(value.into())).into(),
            _ => return None,
        };
        Some(words.into_iter().chain(nullable.then_some(LiteralValue::Null)).collect())
    }

    /// Puts what a value is known to be in its place elsewhere: in the atom, and in what is known.
    fn with_values(&self, atom: &Atom) -> Option<String> {
        for (other, why) in &self.atoms {
            for (from, to) in [(other, atom), (atom, other)] {
                let Says::In(values) = &from.says else { continue };
                let is_truth = matches!(values.as_slice(), [LiteralValue::Boolean(_)]);
                if from.key == to.key || is_truth || values.is_empty() || values.len() > MAX_VALUES {
                    continue;
                }
                let (whole, truth) = &to.whole;
                let never = |value: &LiteralValue| {
                    let made = with_value(whole, &from.value, value)?;
                    match folded(&made)? {
                        LiteralValue::Boolean(is) => Some(is.inner() != truth),
                        _ => None,
                    }
                };
                if values.iter().all(|value| never(value) == Some(true)) {
                    return Some(why.clone());
                }
            }
        }
        None
    }
}

/// What a condition of some truth is made of.
enum Parts<'e> {
    /// All of these hold.
    All(Vec<(&'e IdedExpr, bool)>),
    /// One of these holds, whichever.
    Any(Vec<(&'e IdedExpr, bool)>),
    /// It has no parts.
    One,
}

fn parts(expr: &IdedExpr, truth: bool) -> Parts<'_> {
    let Ast::Call(call) = &expr.expr else { return Parts::One };
    match (call.func_name.as_str(), call.args.as_slice()) {
        (operators::LOGICAL_AND | operators::LOGICAL_OR, [left, right]) => {
            let sides = vec![(left, truth), (right, truth)];
            if truth == (call.func_name == operators::LOGICAL_AND) { Parts::All(sides) } else { Parts::Any(sides) }
        }
        (operators::LOGICAL_NOT, [operand]) => Parts::All(vec![(operand, !truth)]),
        _ => Parts::One,
    }
}

fn is_size(expr: &IdedExpr) -> bool {
    matches!(&expr.expr, Ast::Call(call) if call.func_name == "size")
}

fn is_comparison(expr: &IdedExpr) -> bool {
    const COMPARISONS: [&str; 7] = [
        operators::EQUALS,
        operators::GREATER,
        operators::GREATER_EQUALS,
        operators::IN,
        operators::LESS,
        operators::LESS_EQUALS,
        operators::NOT_EQUALS,
    ];
    matches!(&expr.expr, Ast::Call(call) if COMPARISONS.contains(&call.func_name.as_str()))
}

fn outside(says: &Says, bounds: Bounds) -> bool {
    match says {
        Says::In(values) => !values.iter().any(|value| bounds.holds(value)),
        Says::Within(other) => bounds.excludes(*other),
        Says::NotIn(_) | Says::Order(..) => false,
    }
}

/// Whether two things that are said of one value cannot both be so.
fn excludes(a: &Says, b: &Says) -> bool {
    match (a, b) {
        (Says::In(values), other) | (other, Says::In(values)) => !values.iter().any(|value| allows(other, value)),
        (Says::Within(a), Says::Within(b)) => a.excludes(*b),
        _ => false,
    }
}

fn allows(says: &Says, value: &LiteralValue) -> bool {
    match says {
        Says::In(values) => values.iter().any(|other| equal(other, value)),
        Says::NotIn(values) => !values.iter().any(|other| equal(other, value)),
        Says::Order(..) => true,
        Says::Within(bounds) => bounds.holds(value),
    }
}

fn shown(value: &LiteralValue) -> String {
    match value {
        LiteralValue::Boolean(value) => value.inner().to_string(),
        LiteralValue::String(text) => format!("{:?}", text.inner()),
        _ => "null".to_owned(),
    }
}
