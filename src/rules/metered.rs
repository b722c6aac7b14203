//! Expressions with the counting of their steps written into them. Used by `expr`, once for each expression.

use cel::common::ast::{CallExpr, ComprehensionExpr, EntryExpr, Expr as Ast, IdedExpr, LiteralValue, operators};

use super::function::Cost;
use super::functions::functions;
use super::meter::{SIZED, STEP};

/// The expression with the counting in it: before each element of a list, and around each text or list that it makes.
/// `None` where there is nothing to count.
pub fn metered(expr: &IdedExpr) -> Option<IdedExpr> {
    let mut expr = expr.clone();
    count_in(&mut expr).then_some(expr)
}

/// Writes the counting into an expression; whether there was anything to count.
fn count_in(expr: &mut IdedExpr) -> bool {
    match &mut expr.expr {
        Ast::Call(call) => {
            let parts = call.target.iter_mut().map(AsMut::as_mut).chain(&mut call.args);
            let inside = parts.fold(false, |counted, part| count_in(part) | counted);
            let sized = |made| call_of(SIZED, vec![made]);
            match cost_of(call) {
                Some(Counted::Made) => wrap(expr, sized),
                Some(Counted::Read(index)) => {
                    let mut operands = call.target.iter_mut().map(AsMut::as_mut).chain(&mut call.args);
                    match operands.nth(index).filter(|operand| !is_written_out(operand)) {
                        Some(operand) => wrap(operand, sized),
                        None => return inside,
                    }
                }
                None => return inside,
            }
            true
        }
        Ast::Comprehension(comprehension) => {
            count_steps(comprehension);
            true
        }
        Ast::List(list) => list.elements.iter_mut().fold(false, |counted, part| count_in(part) | counted),
        Ast::Map(map) => map.entries.iter_mut().fold(false, |counted, entry| match &mut entry.expr {
            EntryExpr::MapEntry(entry) => count_in(&mut entry.key) | count_in(&mut entry.value) | counted,
            EntryExpr::StructField(_) => counted,
        }),
        Ast::Select(select) => count_in(&mut select.operand),
        Ast::Ident(_) | Ast::Literal(_) | Ast::Struct(_) | Ast::Unspecified => false,
    }
}

/// What of a call costs as much as it is long, beyond the call itself.
enum Counted {
    /// What it makes.
    Made,
    /// One of its operands, the target counted as the first.
    Read(usize),
}

fn cost_of(call: &CallExpr) -> Option<Counted> {
    // What a macro adds its elements to, CEL recognizes by its shape; they are counted one by one instead.
    let of_macro =
        matches!(call.args.first().map(|first| &first.expr), Some(Ast::Ident(name)) if name.starts_with('@'));
    match call.func_name.as_str() {
        operators::ADD if !of_macro => Some(Counted::Made),
        // A comparison takes no longer than the shorter operand.
        operators::EQUALS | operators::NOT_EQUALS if !call.args.iter().any(is_written_out) => Some(Counted::Read(0)),
        operators::IN => Some(Counted::Read(1)),
        name => {
            let function = functions().iter().find(|function| function.name == name)?;
            (function.cost == Cost::FirstArgument).then_some(Counted::Read(0))
        }
    }
}

/// Whether an operand's length is the rule's own, which is bounded.
fn is_written_out(operand: &IdedExpr) -> bool {
    matches!(operand.expr, Ast::Literal(_) | Ast::List(_))
}

/// Counts the elements that a macro looks at. CEL carries an error in a step of `all` and `exists` on to the last
/// element, but ends at one in the condition; it makes lists in place only where the condition is plain.
fn count_steps(comprehension: &mut ComprehensionExpr) {
    count_in(&mut comprehension.iter_range);
    count_in(&mut comprehension.loop_step);
    if !matches!(comprehension.loop_cond.expr, Ast::Literal(_)) {
        return wrap(&mut comprehension.loop_cond, |condition| after_step(condition, literal(false)));
    }
    let Ast::Call(step) = &mut comprehension.loop_step.expr else { return };
    match (step.func_name.as_str(), step.args.as_mut_slice()) {
        (operators::CONDITIONAL, [guard, ..]) => wrap(guard, |guard| after_step(guard, literal(false))),
        (operators::ADD, [_, made]) => {
            if let Ast::List(list) = &mut made.expr {
                for element in &mut list.elements {
                    wrap(element, |element| after_step(call_of(SIZED, vec![element]), literal(false)));
                }
            }
        }
        _ => {}
    }
}

/// `@step() ? expr : otherwise`.
fn after_step(expr: IdedExpr, otherwise: IdedExpr) -> IdedExpr {
    call_of(operators::CONDITIONAL, vec![call_of(STEP, Vec::new()), expr, otherwise])
}

fn call_of(name: &str, args: Vec<IdedExpr>) -> IdedExpr {
    let call = CallExpr { func_name: name.to_owned(), target: None, args };
    IdedExpr { id: 0, expr: Ast::Call(call) }
}

fn literal(value: bool) -> IdedExpr {
    IdedExpr { id: 0, expr: Ast::Literal(LiteralValue::Boolean(value.into())) }
}

fn wrap(expr: &mut IdedExpr, outer: impl FnOnce(IdedExpr) -> IdedExpr) {
    let inner = std::mem::take(expr);
    *expr = outer(inner);
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use cel::Context;

    use crate::rules::expr::{Expr, environment};
    use crate::rules::functions;
    use crate::rules::meter::{MAX_STEPS_OF_DOMAIN, MAX_STEPS_OF_RULE, Meter};

    fn context(meter: &Arc<Meter>, words: usize) -> Context<'static, 'static> {
        let mut context = Context::with_env(environment().clone());
        functions::add_to(&mut context, meter);
        let words: Vec<String> = (0..words).map(|number| format!("word{number}")).collect();
        context.add_variable_from_value("words", words);
        context
    }

    #[test]
    fn counting_changes_no_value() {
        for source in [
            "words.all(w, w.startsWith('word')) && !words.all(w, w == 'word1')",
            "words.exists(w, w == 'word2') && !words.exists(w, w == 'x')",
            "words.exists_one(w, w.endsWith('2')) && !words.exists_one(w, w != '')",
            "words.map(w, w + '!') == ['word0!', 'word1!', 'word2!']",
            "words.map(w, w != 'word1', size(w)) == [5, 5]",
            "words.filter(w, w != 'word1') == ['word0', 'word2'] && 'word0' in words && !('x' in words)",
            "words.map(a, words.filter(b, a == b)) == [['word0'], ['word1'], ['word2']]",
            "join(words + ['x'], '-') == 'word0-word1-word2-x' && words != words.map(w, lower(w) + 'x')",
            "words.all(w, w.nope == 1) || true",
            "!(words.all(w, w.nope == 1) && false)",
            "1 + 2 == 3 && 'a' + 'b' == 'ab' && {'a': words.map(w, 1)}.a == [1, 1, 1]",
        ] {
            let expr = Expr::new(source);
            let compiled = expr.compiled().unwrap();
            let context = context(&Arc::default(), 3);
            assert_eq!(compiled.execute(&context), Ok(cel::Value::Bool(true)), "{source}");
            assert_eq!(compiled.program.execute(&context), Ok(cel::Value::Bool(true)), "{source}, not metered");
        }
    }

    #[test]
    fn what_takes_too_long_ends() {
        for source in [
            "words.all(a, words.all(b, words.all(c, a + b != c)))",
            "words.all(a, words.all(b, words == words))",
            "words.all(a, words.sort() != [a])",
            "words.all(a, words.distinct() != [a])",
            "words.all(a, size(chars(join(words, a))) != 1)",
            "words.all(a, size(join(words, a).split('o')) != 1)",
            "words.all(a, join(words, '').replace('w', a) != a)",
            "words.all(a, join(words, '').substring(3) != a)",
            "!words.exists(a, words.exists(b, a in words && b == 'x'))",
            "words.map(a, words.map(b, words)) == []",
            "words.filter(a, words.exists_one(b, join(words, a) == b)) == []",
            "words.all(a, words.all(b, !join(words, b).matches('x[a-z]*y')))",
            "size([join(words, ' ')].map(a, a + a + a + a + a + a + a + a).map(a, a + a + a + a + a + a + a + a)) == 2",
        ] {
            let meter = Arc::default();
            let context = context(&meter, 10_000);
            assert!(Expr::new(source).compiled().unwrap().execute(&context).is_err(), "{source}");
            assert!(meter.exhausted().unwrap().starts_with("the rule took more than"), "{source}");
            meter.next_rule();
            assert_eq!(meter.exhausted(), None, "{source}");
        }
    }

    #[test]
    fn all_rules_together_end_too() {
        let meter = Meter::default();
        for _ in 0..MAX_STEPS_OF_DOMAIN / (MAX_STEPS_OF_RULE - 1) {
            meter.next_rule();
            assert!(meter.spend(MAX_STEPS_OF_RULE - 1).is_ok());
        }
        meter.next_rule();
        assert!(meter.spend(MAX_STEPS_OF_RULE - 1).is_err());
        meter.next_rule();
        assert!(meter.exhausted().unwrap().starts_with("the rules took more than"));
    }
}
