//! What expressions cost while they run, and their end when it is too much. Used by `evaluate`, `ask` and the
//! functions of expressions.
//!
//! CEL itself runs as long as an expression takes, and its lists come from facts that a stranger may have made as
//! long as the limits let them, under rules by another stranger. So each step through a list, and each text or list
//! that an expression makes or reads whole, is counted: `metered` writes the counting into the expression.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

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
pub const STEP: &str = "@step";
/// Gives back its argument, once its size is counted.
pub const SIZED: &str = "@sized";

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
