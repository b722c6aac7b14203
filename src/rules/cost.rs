//! What a rule may cost: bounds on what would run long, told when it is loaded.

use std::collections::BTreeMap;

use cel::common::ast::{EntryExpr, Expr as Ast, IdedExpr};
use serde_json::Value;

use super::expr::path_of;

/// How many steps the lists that are written out in a rule may take together, in expressions that go through them.
pub const MAX_STEPS: usize = 10_000;
/// How many octets the params of a rule may hold, as JSON.
pub const MAX_PARAMS_OCTETS: usize = 4_096;
/// How many lists a rule may go through in each other, `for_each` and `forbid` together.
pub const MAX_LISTS: usize = 3;
/// How many rules a rule may require, directly and through others.
pub const MAX_REQUIRED: usize = 64;
/// How many rules an organisation may have.
pub const MAX_RULES: usize = 5_000;
/// How many cases a rule may have.
pub const MAX_CASES: usize = 200;
/// How many mistakes are told at once.
pub const MAX_MISTAKES: usize = 50;
/// The longest regular expression in octets.
pub const MAX_REGEX_OCTETS: usize = 256;
/// How often a regular expression may repeat by number, the numbers of all `{…}` multiplied.
const MAX_REPETITIONS: usize = 128;

/// How many steps an expression takes through lists whose length is known: those written out, and params.
pub fn steps(expr: &IdedExpr, params: &BTreeMap<String, Value>) -> usize {
    let of = |part: &IdedExpr| steps(part, params);
    match &expr.expr {
        Ast::Call(call) => sum(call.target.iter().map(AsRef::as_ref).chain(&call.args).map(of)),
        Ast::Comprehension(comprehension) => {
            let inside = of(&comprehension.loop_step).max(1);
            length(&comprehension.iter_range, params)
                .saturating_mul(inside)
                .saturating_add(of(&comprehension.iter_range))
        }
        Ast::List(list) => sum(list.elements.iter().map(of)),
        Ast::Map(map) => sum(map.entries.iter().map(|entry| match &entry.expr {
            EntryExpr::MapEntry(entry) => of(&entry.key).saturating_add(of(&entry.value)),
            EntryExpr::StructField(_) => 0,
        })),
        Ast::Select(select) => of(&select.operand),
        Ast::Ident(_) | Ast::Literal(_) | Ast::Struct(_) | Ast::Unspecified => 0,
    }
}

/// The length of a list as far as the rule itself tells it; 1 where facts do.
fn length(list: &IdedExpr, params: &BTreeMap<String, Value>) -> usize {
    if let Ast::List(list) = &list.expr {
        return list.elements.len();
    }
    let path = path_of(list).unwrap_or_default();
    match path.as_slice() {
        [root, name] if root == "params" => params.get(name).and_then(Value::as_array).map_or(1, Vec::len),
        _ => 1,
    }
}

fn sum(parts: impl Iterator<Item = usize>) -> usize {
    parts.fold(0, usize::saturating_add)
}

/// Why a regular expression is refused before it is read: each evaluation reads it again.
pub fn regex_bounds(pattern: &str) -> Result<(), String> {
    if pattern.len() > MAX_REGEX_OCTETS {
        return Err(format!("it has more than {MAX_REGEX_OCTETS} octets"));
    }
    let mut product = 1_usize;
    for inside in pattern.split('{').skip(1).filter_map(|rest| rest.split('}').next()) {
        let most = inside.split(',').filter_map(|number| number.trim().parse::<usize>().ok()).max();
        product = product.saturating_mul(most.unwrap_or(1).max(1));
    }
    if product > MAX_REPETITIONS {
        Err(format!("its `{{…}}` repeat more than {MAX_REPETITIONS} times in all"))
    } else {
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::rules::expr::Expr;

    #[test]
    fn lists_in_each_other_multiply() {
        let params = BTreeMap::from([("zones".to_owned(), serde_json::json!(["a", "b", "c"]))]);
        for (source, expected) in [
            ("policy.usable", 0),
            ("[1, 2].all(a, a > 1)", 2),
            ("[1, 2].all(a, params.zones.all(b, b != ''))", 6),
            ("mx.hosts.all(h, params.zones.exists(b, b == h.name))", 3),
            ("[1, 2].all(a, true) && [3].all(a, true)", 3),
        ] {
            assert_eq!(
                steps(Expr::new(source).compiled().unwrap().program.expression(), &params),
                expected,
                "{source}"
            );
        }
    }

    #[test]
    fn regular_expressions_are_bounded() {
        assert!(regex_bounds("^20[0-9]{12}$").is_ok());
        assert!(regex_bounds("^[a-z]{1,64}$").is_ok());
        assert!(regex_bounds("a{100}{100}").is_err());
        assert!(regex_bounds(&"a".repeat(300)).is_err());
    }
}
