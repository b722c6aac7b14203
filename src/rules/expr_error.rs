//! Why an expression cannot be compiled. Used by `slips`, which knows the usual mistakes, and by `expr`.

/// Why an expression cannot be compiled, and where in its text (octets).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ExprError {
    /// What is wrong.
    pub message: String,
    /// Where.
    pub offset: usize,
    /// How many octets.
    pub length: usize,
    /// What to write instead.
    pub help: Option<String>,
}
