//! What expressions cost while they run, and their end when it is too much. Used by `evaluate`, `ask` and the
//! functions of expressions.
//!
//! CEL itself runs as long as an expression takes, and its lists come from facts that a stranger may have made as
//! long as the limits let them, under rules by another stranger. So each step through a list, and each text or list
//! that an expression makes or reads whole, is counted: [`metered`] writes the counting into the expression.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use cel::common::ast::{CallExpr, ComprehensionExpr, EntryExpr, Expr as Ast, IdedExpr, LiteralValue, operators};
use cel::common::value::CowVal;
use cel::{Context, ExecutionError, FunctionContext};
use regex::{Regex, RegexBuilder};

/// How many steps one rule may take over the facts of one domain.
pub const MAX_STEPS_OF_RULE: u64 = 500_000;
/// How many steps all rules together may take over the facts of one domain.
pub const MAX_STEPS_OF_DOMAIN: u64 = 5_000_000;
/// How many steps a rule over many domains may take for each of them, where that is more.
const STEPS_OF_EACH: u64 = 1_000;
/// How many steps all rules over many domains together may take for each of them, where that is more.
const STEPS_OF_EACH_IN_ALL: u64 = 10_000;
/// How many characters that an expression makes or reads cost one step. An element of a list costs a step of its own.
const CHARACTERS_OF_STEP: u64 = 32;
/// How many steps a finding costs beside the characters in it: so many are kept at most, and shown.
const STEPS_OF_FINDING: u64 = 100;
/// How much memory a compiled regular expression may take, in octets.
const MAX_REGEX_MEMORY: usize = 1 << 20;

/// Says that one more element is looked at; true. No rule can write this name.
const STEP: &str = "@step";
/// Gives back its argument, once its size is counted.
const SIZED: &str = "@sized";

/// A function of expressions that sees its arguments as the interpreter holds them.
type Function = Box<
    dyn for<'context, 'call> Fn(
            &mut FunctionContext<'context, 'call>,
        ) -> Result<CowVal<'context, 'call>, ExecutionError>
        + Send
        + Sync,
>;

/// Counts the steps of the rules over one domain's facts.
#[derive(Debug)]
pub struct Meter {
    most_of_rule: u64,
    most_of_domain: u64,
    of_rule: AtomicU64,
    of_domain: AtomicU64,
    regexes: Mutex<BTreeMap<String, Regex>>,
}

impl Default for Meter {
    fn default() -> Self {
        Meter::over(1)
    }
}

impl Meter {
    /// For the facts of so many domains: rules may take more steps over many, and never more than so many for each.
    pub fn over(domains: usize) -> Self {
        let domains = size_as_steps(domains);
        let most_of_rule = MAX_STEPS_OF_RULE.max(STEPS_OF_EACH.saturating_mul(domains));
        let most_of_domain = MAX_STEPS_OF_DOMAIN.max(STEPS_OF_EACH_IN_ALL.saturating_mul(domains));
        Meter {
            most_of_rule,
            most_of_domain,
            of_rule: AtomicU64::new(most_of_rule),
            of_domain: AtomicU64::new(most_of_domain),
            regexes: Mutex::default(),
        }
    }

    /// Begins the count of the next rule.
    pub fn next_rule(&self) {
        self.of_rule.store(self.most_of_rule, Ordering::Relaxed);
    }

    /// Takes steps; an error, now and ever after for this rule, once they are used up.
    pub fn spend(&self, steps: u64) -> Result<(), ExecutionError> {
        for left in [&self.of_rule, &self.of_domain] {
            let rest = left.load(Ordering::Relaxed).saturating_sub(steps);
            left.store(rest, Ordering::Relaxed);
        }
        match self.exhausted() {
            Some(reason) => Err(ExecutionError::function_error(STEP, reason)),
            None => Ok(()),
        }
    }

    /// Why the rule at hand goes no further, where it took too many steps.
    pub fn exhausted(&self) -> Option<String> {
        if self.of_domain.load(Ordering::Relaxed) == 0 {
            Some(format!("the rules took more than {} steps over the facts of this domain", self.most_of_domain))
        } else if self.of_rule.load(Ordering::Relaxed) == 0 {
            Some(format!("the rule took more than {} steps over the facts of this domain", self.most_of_rule))
        } else {
            None
        }
    }

    /// Takes what it costs to keep a finding with texts of so many octets.
    pub fn spend_on_finding(&self, octets: usize) -> Result<(), ExecutionError> {
        self.spend(STEPS_OF_FINDING.saturating_add(steps_of_text(octets)))
    }

    /// Takes what it costs to make a text of so many octets.
    pub fn spend_on_text(&self, octets: usize) -> Result<(), ExecutionError> {
        self.spend(steps_of_text(octets))
    }

    /// Takes what it costs to make a list of so many elements.
    pub fn spend_on_elements(&self, elements: usize) -> Result<(), ExecutionError> {
        self.spend(size_as_steps(elements))
    }

    /// Takes what it costs to join so many elements, each shortened, with a separator of so many octets.
    pub fn spend_on_join(&self, elements: usize, separator: usize) -> Result<(), ExecutionError> {
        self.spend(size_as_steps(elements).saturating_mul(steps_of_text(separator)))
    }

    /// Whether a regular expression is found in a text. Each is compiled once.
    pub fn is_match(&self, text: &str, pattern: &str) -> Result<bool, ExecutionError> {
        self.spend(steps_of_text(text.len()))?;
        let mut regexes = self.regexes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(regex) = regexes.get(pattern) {
            return Ok(regex.is_match(text));
        }
        let compiled = regex(pattern).map_err(|error| ExecutionError::function_error("matches", error))?;
        let found = compiled.is_match(text);
        regexes.insert(pattern.to_owned(), compiled);
        Ok(found)
    }
}

/// Whether an expression ended because it took too many steps.
pub fn is_exhaustion(error: &ExecutionError) -> bool {
    matches!(error, ExecutionError::FunctionError { function, .. } if function == STEP)
}

/// A regular expression, compiled within its bounds.
pub fn regex(pattern: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(pattern).size_limit(MAX_REGEX_MEMORY).build()
}

fn steps_of_text(characters: usize) -> u64 {
    size_as_steps(characters).div_euclid(CHARACTERS_OF_STEP).saturating_add(1)
}

fn size_as_steps(size: usize) -> u64 {
    u64::try_from(size).unwrap_or(u64::MAX)
}

/// Adds what metered expressions call to a context.
pub fn add_to(context: &mut Context<'_, '_>, meter: &Arc<Meter>) {
    let of_step = Arc::clone(meter);
    let of_size = Arc::clone(meter);
    let step = move || of_step.spend(1).map(|()| cel::Value::Bool(true));
    let made: Function = Box::new(move |call: &mut FunctionContext<'_, '_>| {
        let made = call.args.pop().ok_or_else(|| ExecutionError::invalid_argument_count(1, 0))?;
        let size = made.as_sizer().map_or(0, |sized| usize::try_from(*sized.size().inner()).unwrap_or_default());
        of_size.spend(if made.as_iterable().is_some() { size_as_steps(size) } else { steps_of_text(size) })?;
        Ok(made)
    });
    // CEL has neither name, and a rule cannot write them.
    let _ = context.add_function(STEP, step);
    let _ = context.add_function(SIZED, made);
}

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
                Some(Cost::Made) => wrap(expr, sized),
                Some(Cost::Read(index)) => {
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
enum Cost {
    /// What it makes.
    Made,
    /// One of its operands, the target counted as the first.
    Read(usize),
}

fn cost_of(call: &CallExpr) -> Option<Cost> {
    // What a macro adds its elements to, CEL recognizes by its shape; they are counted one by one instead.
    let of_macro =
        matches!(call.args.first().map(|first| &first.expr), Some(Ast::Ident(name)) if name.starts_with('@'));
    match call.func_name.as_str() {
        operators::ADD if !of_macro => Some(Cost::Made),
        // A comparison takes no longer than the shorter operand.
        operators::EQUALS | operators::NOT_EQUALS if !call.args.iter().any(is_written_out) => Some(Cost::Read(0)),
        operators::IN => Some(Cost::Read(1)),
        "contains" | "crlf" | "date" | "days" | "distinct" | "in_network" | "in_zone" | "is_date" | "lower"
        | "matches_mx" | "network" | "public_suffix" | "registrable" | "size" | "sort" | "string" => {
            Some(Cost::Read(0))
        }
        _ => None,
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
    use super::*;
    use crate::rules::expr::{Expr, environment};
    use crate::rules::functions;

    /// The functions that take no longer for longer arguments: they read a number, or as much as two texts have in common.
    const SHORT: [&str; 5] = ["double", "duration", "endsWith", "int", "startsWith"];
    /// The functions that spend in their own bodies.
    const SPENDS: [&str; 6] = ["chars", "join", "matches", "replace", "split", "substring"];

    #[test]
    fn every_function_has_its_cost() {
        for function in functions() {
            let call = CallExpr { func_name: function.name.to_owned(), target: None, args: Vec::new() };
            let costs = cost_of(&call).is_some();
            let told = SHORT.contains(&function.name) || SPENDS.contains(&function.name);
            assert!(costs != told, "`{}`: put it into `cost_of`, or into `SHORT` if it reads little", function.name);
        }
    }

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
