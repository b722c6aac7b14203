//! Conditions as what they say of one value: what it is among, how it compares with another. Used by `reasons`.

use cel::common::ast::{CallExpr, Expr as Ast, IdedExpr, LiteralValue, operators};

use super::constants::folded;
use super::key::key;

/// The first of two values is less than the second.
const LESS: u8 = 1;
/// Both are equal.
const EQUAL: u8 = 2;
/// The first is greater.
const GREATER: u8 = 4;
/// They have no order, as `null` has none.
const OTHER: u8 = 8;

/// What a condition says of a value, where it has the truth that it is asked for.
#[derive(Clone, Debug)]
pub enum Says {
    /// It is one of these.
    In(Vec<LiteralValue>),
    /// It is none of these.
    NotIn(Vec<LiteralValue>),
    /// How it compares with another value: the other's key, and the ways that are left.
    Order(String, u8),
    /// It lies between two numbers.
    Within(Bounds),
}

/// Numbers from one to another; each is inside or not.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    low: f64,
    low_inside: bool,
    high: f64,
    high_inside: bool,
}

impl Bounds {
    /// What no size is below.
    pub const SIZE: Bounds = Bounds { low: 0.0, low_inside: true, high: f64::INFINITY, high_inside: true };

    fn any() -> Self {
        Bounds { low: f64::NEG_INFINITY, low_inside: true, high: f64::INFINITY, high_inside: true }
    }

    /// Whether no number is in both.
    pub fn excludes(self, other: Bounds) -> bool {
        let below = |a: Bounds, b: Bounds| a.high < b.low || (a.high == b.low && !(a.high_inside && b.low_inside));
        below(self, other) || below(other, self)
    }

    /// Whether a literal is a number in it.
    pub fn holds(self, literal: &LiteralValue) -> bool {
        let Some(number) = number(literal) else { return false };
        let above = number > self.low || (number == self.low && self.low_inside);
        above && (number < self.high || (number == self.high && self.high_inside))
    }
}

/// A condition about one value.
#[derive(Clone, Debug)]
pub struct Atom {
    /// The value that it is about.
    pub value: IdedExpr,
    /// The same as a text in which nothing but places is left out.
    pub key: String,
    /// What it says.
    pub says: Says,
    /// The condition, and whether it holds.
    pub whole: (IdedExpr, bool),
}

impl Atom {
    /// What a condition says where it has this truth.
    pub fn of(expr: &IdedExpr, truth: bool) -> Self {
        let atom =
            |value: &IdedExpr, says| Atom { value: value.clone(), key: key(value), says, whole: (expr.clone(), truth) };
        if let Ast::Call(call) = &expr.expr
            && let Some((value, says)) = compared(call, truth)
        {
            return atom(value, says);
        }
        atom(expr, Says::In(vec![LiteralValue::Boolean(truth.into())]))
    }

    /// The ways in which the value compares with another of that key.
    pub fn order_with(&self, other: &Atom) -> Option<(u8, u8)> {
        let (Says::Order(mine, left), Says::Order(its, right)) = (&self.says, &other.says) else { return None };
        if self.key == other.key && mine == its {
            Some((*left, *right))
        } else if self.key == *its && *mine == other.key {
            Some((*left, turned(*right)))
        } else {
            None
        }
    }

    /// Whether it compares a value with itself, in a way that no value allows.
    pub fn denies_itself(&self) -> bool {
        matches!(&self.says, Says::Order(other, ways) if *other == self.key && ways & EQUAL == 0)
    }
}

fn compared(call: &CallExpr, truth: bool) -> Option<(&IdedExpr, Says)> {
    let [left, right] = call.args.as_slice() else { return None };
    if call.func_name == operators::IN {
        let Ast::List(list) = &right.expr else { return None };
        let items = list.elements.iter().map(folded).collect::<Option<Vec<_>>>()?;
        return Some((left, if truth { Says::In(items) } else { Says::NotIn(items) }));
    }
    let ways = match call.func_name.as_str() {
        operators::EQUALS => EQUAL,
        operators::GREATER => GREATER,
        operators::GREATER_EQUALS => GREATER | EQUAL,
        operators::LESS => LESS,
        operators::LESS_EQUALS => LESS | EQUAL,
        operators::NOT_EQUALS => LESS | GREATER | OTHER,
        _ => return None,
    };
    let ways = if truth { ways } else { !ways & (LESS | EQUAL | GREATER | OTHER) };
    let (value, ways, literal) = match (folded(left), folded(right)) {
        (None, Some(literal)) => (left, ways, literal),
        (Some(literal), None) => (right, turned(ways), literal),
        (None, None) => return Some((left, Says::Order(key(right), ways))),
        (Some(_), Some(_)) => return None,
    };
    let says = match (ways & (LESS | EQUAL | GREATER), number(&literal)) {
        (EQUAL, _) => Says::In(vec![literal]),
        (ways, _) if ways == LESS | GREATER => Says::NotIn(vec![literal]),
        (ways, Some(number)) => {
            let inside = ways & EQUAL != 0;
            let any = Bounds::any();
            Says::Within(match ways & (LESS | GREATER) {
                LESS => Bounds { high: number, high_inside: inside, ..any },
                GREATER => Bounds { low: number, low_inside: inside, ..any },
                _ => return None,
            })
        }
        (_, None) => return None,
    };
    Some((value, says))
}

/// The same ways, seen from the other value.
fn turned(ways: u8) -> u8 {
    let other = ways & (EQUAL | OTHER);
    other | if ways & LESS != 0 { GREATER } else { 0 } | if ways & GREATER != 0 { LESS } else { 0 }
}

/// The number that a literal is.
pub fn number(literal: &LiteralValue) -> Option<f64> {
    match literal {
        LiteralValue::Double(number) => Some(*number.inner()),
        LiteralValue::Int(number) => Some(*number.inner() as f64),
        _ => None,
    }
}

/// Whether two literals are equal.
pub fn equal(a: &LiteralValue, b: &LiteralValue) -> bool {
    match (number(a), number(b)) {
        (Some(a), Some(b)) => a == b,
        _ => a == b,
    }
}
