//! A function that rules can call: what the static check, the meter, the interpreter and the documents need to know of it.
//! The tables are in `functions` and `texts_and_lists`.

use std::sync::Arc;

use cel::Context;

use super::meter::Meter;
use crate::facts::Type;

/// A function as rules see it.
#[derive(Clone, Debug)]
pub struct Function {
    /// Its name.
    pub name: &'static str,
    /// Whether it is written after its first argument: `text.startsWith(prefix)`.
    pub method: bool,
    /// The types of its arguments; of a method the first is what it is called on.
    pub arguments: Vec<Type>,
    /// The type of its result.
    pub result: Type,
    /// How it is written.
    pub usage: &'static str,
    /// What it gives.
    pub about: &'static str,
    /// What a call costs.
    pub cost: Cost,
    /// What it does.
    pub body: Body,
}

/// What a call costs beyond a step.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Cost {
    /// What its first argument is long, counted before the call.
    FirstArgument,
    /// Nothing: it reads a number, or as much as two texts have in common.
    Nothing,
    /// What its body spends itself.
    OwnBody,
}

/// What a function does.
#[derive(Clone, Copy, Debug)]
pub enum Body {
    /// What the row above it in the table does, which has the same name.
    Above,
    /// CEL has it.
    OfCel,
    /// Adds it to a context, under its name.
    Ours(fn(&mut Context<'_, '_>, &'static str, &Arc<Meter>)),
}
