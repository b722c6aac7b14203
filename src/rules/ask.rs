//! One expression over the facts: for `stslint eval`, and for whoever writes a rule and needs to see a value.

use std::sync::Arc;

use cel::{Context, ExecutionError};
use miette::Diagnostic;
use thiserror::Error;

use super::check::facts_scope;
use super::elements::member;
use super::expr::{Expr, environment, in_words};
use super::meter::Meter;
use super::missing::missing;
use super::values::{to_json, tree_to_cel, variables};
use super::{functions, types};
use crate::facts::{self, Facts};
use crate::source_text::SourceError;

/// What an expression comes to.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// It cannot be evaluated: a comparison with `null`, a text that is not a time.
    Impossible(String),
    /// It asks for a fact that was not observed; why.
    NotObserved(String),
    /// Its value.
    Value(serde_json::Value),
}

/// The mistakes in an expression, each with its place.
#[derive(Debug, Diagnostic, Error)]
#[error("the expression cannot be evaluated")]
#[diagnostic(code(stslint::expression))]
pub struct ExpressionErrors(#[related] pub Vec<SourceError>);

/// Evaluates an expression over the facts, after the same checks that rules go through.
pub fn ask(facts: &Facts, source: &str) -> Result<Answer, ExpressionErrors> {
    let error = |at: (usize, usize), message: &str, help: Option<String>| {
        SourceError::new("expression", source, Some(at), message).with_help(help)
    };
    let expr = Expr::new(source);
    let compiled = expr.compiled().map_err(|wrong| {
        ExpressionErrors(vec![error((wrong.offset, wrong.length), &wrong.message, wrong.help.clone())])
    })?;
    let scope = facts_scope(facts.over());
    let mut mistakes = types::check_to_show(compiled, &scope);
    mistakes.retain(|mistake| !mistake.doubtful);
    if !mistakes.is_empty() {
        let errors = mistakes.into_iter().map(|it| error((it.offset, it.length), &it.message, it.help));
        return Err(ExpressionErrors(errors.collect()));
    }
    let mut context = Context::with_env(environment().clone());
    let meter = Arc::new(Meter::over(facts.domain_count()));
    functions::add_to(&mut context, &meter);
    let root = tree_to_cel(&facts.tree);
    for (name, value) in variables(&root) {
        context.add_variable_from_value(name, value.clone());
    }
    Ok(match compiled.execute(&context) {
        Ok(value) => Answer::Value(to_json(&value)),
        Err(_) if meter.exhausted().is_some() => Answer::Impossible(meter.exhausted().unwrap_or_default()),
        Err(ExecutionError::UndeclaredReference(name)) if facts::root(facts.over()).contains_key(name.as_str()) => {
            Answer::NotObserved(facts.reason_unobserved(&name))
        }
        Err(ExecutionError::NoSuchKey(key)) => {
            let start = |word: &str| (word.to_owned(), member(&root, word));
            Answer::NotObserved(missing(facts, compiled, &start, "", &key))
        }
        Err(error) => Answer::Impossible(crate::source_text::escape(&in_words(&error))),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rules::good_snapshot;

    fn facts() -> Facts {
        Facts::of(&good_snapshot().unwrap(), None)
    }

    #[test]
    fn values_are_shown() {
        for (source, value) in [
            ("policy.max_age", json!(1_209_600)),
            ("mx.hosts.map(h, h.name)", json!(["mx1.example.com", "mx2.mail.example.com"])),
            ("size(policy.mx) > 1 && policy.mode == 'enforce'", json!(true)),
            ("duration(policy.max_age)", json!("2 weeks")),
        ] {
            assert_eq!(ask(&facts(), source).unwrap(), Answer::Value(value), "{source}");
        }
    }

    #[test]
    fn what_was_not_observed_says_why() {
        let empty = Facts::of(&crate::snapshot::Snapshot::of(Some("example.com")), None);
        let Answer::NotObserved(reason) = ask(&empty, "policy.max_age > 1").unwrap() else { panic!() };
        assert_eq!(reason, "the policy was not observed");
    }

    #[test]
    fn mistakes_are_underlined() {
        let errors = ask(&facts(), "policy.max_agee > 1").unwrap_err();
        assert_eq!(errors.0[0].help.as_deref(), Some("did you mean `policy.max_age`?"));
        assert!(ask(&facts(), "policy.mode > 1").is_err());
        assert!(ask(&facts(), "1 +").is_err());
    }
}
