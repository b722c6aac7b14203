//! Expressions: CEL, compiled within limits, with the paths that they ask for.

use std::sync::{Arc, OnceLock};

use super::expr_error::ExprError;
use cel::common::ast::{EntryExpr, Expr as Ast, IdedExpr};
use cel::{Context, Env, ExecutionError, Program, Value};

use super::{metered, slips};

/// The longest expression in octets.
pub const MAX_EXPRESSION_OCTETS: usize = 4096;
/// The deepest nesting of an expression. A chain such as `1 + 1 + …` nests once a part.
pub const MAX_EXPRESSION_DEPTH: usize = 64;
/// How many operators and brackets may follow or hold each other, before the expression is even parsed.
const MAX_OPERATORS_IN_A_ROW: usize = 128;
/// How many brackets may be in each other.
const MAX_BRACKETS: usize = 32;
/// How deep `all`, `exists`, `filter` and `map` may be in each other: their costs multiply.
pub const MAX_COMPREHENSIONS: usize = 3;
/// How many `all`, `exists`, `filter` and `map` an expression may hold.
const MAX_COMPREHENSIONS_IN_ALL: usize = 8;

/// An expression that is compiled when it is first needed.
#[derive(Clone, Debug)]
pub struct Expr {
    source: Arc<str>,
    compiled: Arc<OnceLock<Result<Compiled, ExprError>>>,
}

/// A compiled expression.
#[derive(Debug)]
pub struct Compiled {
    /// The expression as CEL reads it.
    pub program: Program,
    /// The same with its steps counted, where it takes any.
    metered: Option<Box<IdedExpr>>,
    /// The paths that it asks for, each from its root variable on, in the order of the text.
    pub paths: Vec<Vec<String>>,
}

impl Compiled {
    /// The value in a context that has the functions of rules, and their meter.
    pub fn execute(&self, context: &Context<'_, '_>) -> Result<Value, ExecutionError> {
        Value::resolve(self.metered.as_deref().unwrap_or(self.program.expression()), context)
    }
}

impl Expr {
    /// An expression; nothing is looked at yet.
    pub fn new(source: impl Into<String>) -> Self {
        Expr { source: source.into().into(), compiled: Arc::default() }
    }

    /// The text.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The compiled expression, or why there is none.
    pub fn compiled(&self) -> Result<&Compiled, &ExprError> {
        self.compiled.get_or_init(|| compile(&self.source)).as_ref()
    }
}

/// The environment of all expressions: CEL's standard library and its macros.
pub fn environment() -> &'static Arc<Env> {
    static ENVIRONMENT: OnceLock<Arc<Env>> = OnceLock::new();
    ENVIRONMENT.get_or_init(|| Arc::new(Env::stdlib()))
}

fn compile(source: &str) -> Result<Compiled, ExprError> {
    let help = "make several rules of it, or compare with a list: `x in [\"a\", \"b\"]`";
    let too =
        |message: String| Err(ExprError { message, offset: 0, length: source.len(), help: Some(help.to_owned()) });
    if source.len() > MAX_EXPRESSION_OCTETS {
        return too(format!("an expression has at most {MAX_EXPRESSION_OCTETS} octets; this one has {}", source.len()));
    }
    if deepest_possible(source) > MAX_OPERATORS_IN_A_ROW {
        return too(format!(
            "an expression holds at most {MAX_OPERATORS_IN_A_ROW} operators in a row or in each other"
        ));
    }
    let program = environment().compile(source).map_err(|errors| parse_error(source, &errors))?;
    let mut paths = Vec::new();
    let mut size = Size::default();
    walk(program.expression(), Depth::default(), &mut Vec::new(), &mut paths, &mut size);
    if size.depth > MAX_EXPRESSION_DEPTH {
        return too(format!("an expression nests at most {MAX_EXPRESSION_DEPTH} levels deep; this one is deeper"));
    }
    if size.comprehensions > MAX_COMPREHENSIONS {
        return too(format!("`all`, `exists`, `filter` and `map` nest at most {MAX_COMPREHENSIONS} deep"));
    }
    if size.comprehensions_in_all > MAX_COMPREHENSIONS_IN_ALL {
        return too(format!(
            "an expression holds at most {MAX_COMPREHENSIONS_IN_ALL} of `all`, `exists`, `filter`, `map`"
        ));
    }
    let metered = metered::metered(program.expression()).map(Box::new);
    Ok(Compiled { program, metered, paths })
}

/// The most that an expression can nest, told without parsing it: brackets, and operators that follow each
/// other. The parser and the evaluation recurse that deep, so it is bounded before either begins. Operators
/// in string literals count too, since only a parser could tell them apart for sure.
fn deepest_possible(source: &str) -> usize {
    let mut open: Vec<usize> = Vec::new();
    let mut chain = 0_usize;
    let mut around = 0_usize;
    let mut deepest = 0_usize;
    let mut before = 0;
    for c in source.bytes() {
        match c {
            b'(' | b'[' | b'{' => {
                open.push(chain);
                around = around.saturating_add(chain).saturating_add(1);
                chain = 0;
            }
            b')' | b']' | b'}' => {
                let outer = open.pop().unwrap_or_default();
                around = around.saturating_sub(outer.saturating_add(1));
                // What a bracket closes goes on as one link of the chain around it.
                chain = outer.saturating_add(1);
            }
            b',' => chain = 0,
            b'&' | b'|' if before == c => chain = 0,
            b'.' | b'+' | b'-' | b'*' | b'/' | b'%' | b'!' | b'?' | b'<' | b'>' | b'=' => {
                chain = chain.saturating_add(1)
            }
            _ => {}
        }
        before = c;
        // Each bracket costs the parser many times what an operator costs.
        let brackets = open.len().saturating_mul(MAX_OPERATORS_IN_A_ROW / MAX_BRACKETS);
        deepest = deepest.max(around.saturating_add(chain)).max(brackets);
    }
    deepest
}

fn parse_error(source: &str, errors: &cel::ParseErrors) -> ExprError {
    if source.trim().is_empty() {
        let help = "write what is true when the rule passes: `policy.mode == \"enforce\"`".to_owned();
        return ExprError { message: "there is no expression here".to_owned(), offset: 0, length: 1, help: Some(help) };
    }
    if let Some(slip) = slips::slip(source) {
        return slip;
    }
    let Some(error) = errors.errors.first() else {
        return ExprError {
            message: "this is not a valid CEL expression".to_owned(),
            offset: 0,
            length: 1,
            help: None,
        };
    };
    let (line, column) = error.pos;
    let line = usize::try_from(line).unwrap_or(1).max(1);
    let column = usize::try_from(column).unwrap_or(1).max(1);
    let start: usize = source.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let rest = source.get(start..).unwrap_or_default();
    let within = rest.char_indices().nth(column.saturating_sub(1)).map_or(rest.len(), |(offset, _)| offset);
    let offset = start.saturating_add(within);
    let (message, help) = reworded(&error.msg, source.get(offset..).unwrap_or_default());
    ExprError { message, offset, length: 1, help }
}

/// Why an expression could not be worked out, in words for whoever wrote it.
pub fn in_words(error: &ExecutionError) -> String {
    match error {
        ExecutionError::DivisionByZero(_) | ExecutionError::RemainderByZero(_) => "a number is divided by 0".to_owned(),
        ExecutionError::FunctionError { function, message } => format!("`{function}`: {message}"),
        ExecutionError::IndexOutOfBounds(_) => "the list has no element of this number".to_owned(),
        ExecutionError::Overflow(..) => "a number is too large for 64 bits".to_owned(),
        other => other.to_string(),
    }
}

/// The parser's message without its inner names; `rest` is the text from the place on.
fn reworded(message: &str, rest: &str) -> (String, Option<String>) {
    let message = message.trim_start_matches("Syntax error: ");
    if rest.trim().is_empty() {
        return ("the expression ends too early".to_owned(), Some("write what is missing after it".to_owned()));
    }
    let sign = |from: &str| from.split(" expecting ").next().unwrap_or(from).replace('\'', "`");
    for prefix in ["extraneous input ", "mismatched input "] {
        if let Some(from) = message.strip_prefix(prefix) {
            return (
                format!("{} does not belong here", sign(from)),
                Some("an operator may be missing before it".to_owned()),
            );
        }
    }
    let word = rest.split_whitespace().next().unwrap_or(rest);
    (format!("`{word}` does not belong here"), Some("https://cel.dev shows how expressions are written".to_owned()))
}

#[derive(Default)]
struct Size {
    depth: usize,
    comprehensions: usize,
    comprehensions_in_all: usize,
}

#[derive(Clone, Copy, Default)]
struct Depth {
    nodes: usize,
    comprehensions: usize,
}

impl Depth {
    fn deeper(self) -> Self {
        Depth { nodes: self.nodes.saturating_add(1), ..self }
    }

    fn inside_comprehension(self) -> Self {
        Depth { nodes: self.nodes.saturating_add(1), comprehensions: self.comprehensions.saturating_add(1) }
    }
}

/// Collects paths that begin at a variable of the rule (not of a macro), and measures the expression.
fn walk(expr: &IdedExpr, depth: Depth, bound: &mut Vec<String>, paths: &mut Vec<Vec<String>>, size: &mut Size) {
    size.depth = size.depth.max(depth.nodes);
    if depth.nodes > MAX_EXPRESSION_DEPTH {
        return;
    }
    if let Some(path) = path_of(expr) {
        size.depth = size.depth.max(depth.nodes.saturating_add(path.len()));
        let macro_variable = path.first().is_some_and(|root| bound.contains(root) || root.starts_with('@'));
        if !macro_variable {
            paths.push(path);
        }
        return;
    }
    match &expr.expr {
        Ast::Call(call) => {
            for part in call.target.iter().map(AsRef::as_ref).chain(&call.args) {
                walk(part, depth.deeper(), bound, paths, size);
            }
        }
        Ast::Comprehension(comprehension) => {
            let inside = depth.inside_comprehension();
            size.comprehensions = size.comprehensions.max(inside.comprehensions);
            size.comprehensions_in_all = size.comprehensions_in_all.saturating_add(1);
            walk(&comprehension.iter_range, inside, bound, paths, size);
            let before = bound.len();
            bound.push(comprehension.iter_var.clone());
            bound.extend(comprehension.iter_var2.clone());
            bound.push(comprehension.accu_var.clone());
            for part in [&comprehension.loop_step, &comprehension.result] {
                walk(part, inside, bound, paths, size);
            }
            bound.truncate(before);
        }
        Ast::List(list) => list.elements.iter().for_each(|part| walk(part, depth.deeper(), bound, paths, size)),
        Ast::Map(map) => {
            for entry in &map.entries {
                if let EntryExpr::MapEntry(entry) = &entry.expr {
                    walk(&entry.key, depth.deeper(), bound, paths, size);
                    walk(&entry.value, depth.deeper(), bound, paths, size);
                }
            }
        }
        Ast::Select(select) => walk(&select.operand, depth.deeper(), bound, paths, size),
        Ast::Ident(_) | Ast::Literal(_) | Ast::Struct(_) | Ast::Unspecified => {}
    }
}

/// The path that an expression spells: `a.b.c`, also where it is the operand of `has()`.
pub fn path_of(expr: &IdedExpr) -> Option<Vec<String>> {
    let mut segments = Vec::new();
    let mut expr = &expr.expr;
    loop {
        match expr {
            Ast::Ident(name) => {
                segments.push(name.clone());
                segments.reverse();
                return Some(segments);
            }
            Ast::Select(select) => {
                segments.push(select.field.clone());
                expr = &select.operand.expr;
            }
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(source: &str) -> Vec<String> {
        Expr::new(source).compiled().unwrap().paths.iter().map(|path| path.join(".")).collect()
    }

    #[test]
    fn paths_are_those_of_the_rule_and_not_of_a_macro() {
        assert_eq!(paths("policy.mode in ['enforce'] && record.id != null"), ["policy.mode", "record.id"]);
        assert_eq!(paths("policy.mx.all(p, p.wildcard || host.name == p.text)"), ["policy.mx", "host.name"]);
        assert_eq!(paths("has(policy.max_age)"), ["policy.max_age"]);
    }

    #[test]
    fn what_would_run_long_or_deep_is_refused() {
        let nested = "x.all(a, x.all(b, x.all(c, x.all(d, true))))";
        for (source, word) in [
            ("a".repeat(5000), "octets"),
            (["1"; 2000].join("+"), "in a row"),
            (format!("{}1{}", "(".repeat(2000), ")".repeat(2000)), "in a row"),
            (format!("a{}", ".b".repeat(2000)), "in a row"),
            (format!("{}true", "!".repeat(4000)), "in a row"),
            (format!("{}1", "-".repeat(4000)), "in a row"),
            (["1"; 100].join("+"), "levels deep"),
            (format!("{}1{}", "(".repeat(33), ")".repeat(33)), "in a row"),
            (format!("a{}", ".b".repeat(127)), "levels deep"),
            (nested.to_owned(), "nest at most 3 deep"),
            (["x.all(a, a)"; 9].join(" && "), "at most 8"),
        ] {
            let expr = Expr::new(source.as_str());
            let error = expr.compiled().err();
            assert!(error.is_some_and(|error| error.message.contains(word)), "{source}: {error:?}");
        }
    }

    #[test]
    fn a_syntax_error_has_its_place() {
        let expr = Expr::new("policy.mode == ");
        let error = expr.compiled().unwrap_err();
        assert_eq!((error.offset, error.message.as_str()), (15, "the expression ends too early"));
    }
}
