//! A function that rules can call, as the static check and the documents see it.

use crate::facts::Type;

/// A function as rules see it.
#[derive(Clone, Debug)]
pub struct Function {
    /// Its name.
    pub name: &'static str,
    /// Whether it is written behind its first argument: `text.startsWith(prefix)`.
    pub method: bool,
    /// The types of its arguments; of a method the first is what it is called on.
    pub arguments: Vec<Type>,
    /// The type of its result.
    pub result: Type,
    /// How it is written.
    pub usage: &'static str,
    /// What it gives.
    pub about: &'static str,
}
