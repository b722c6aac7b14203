//! Calls of functions and macros: names, numbers of arguments, types.

use std::collections::BTreeSet;
use std::sync::Arc;

use cel::common::ast::{CallExpr, ComprehensionExpr, Expr as Ast, IdedExpr, LiteralValue};

use super::null::not_null_if;
use super::regex::regex_sound;
use super::words::{is_macro, likely_function, likely_macro, spelled};
use super::{ANY, About, Checker, Mistake, Typed, Variable, compatible, known, unknown, with};
use crate::facts::Type;
use crate::rules::expr::path_of;
use crate::rules::function::Function;
use crate::rules::meter::regex;
use crate::rules::texts_and_lists::{is_network, network_meant, wrong_format};
use crate::source_text::nearest;

impl Checker<'_> {
    pub(super) fn function(&mut self, expr: &IdedExpr, call: &CallExpr, not_null: &BTreeSet<String>) -> Typed {
        let method = call.target.is_some();
        let arguments: Vec<&IdedExpr> = call.target.iter().map(AsRef::as_ref).chain(&call.args).collect();
        if let (false, true, [list, Ast::Ident(element), _]) = (
            method,
            is_macro(&call.func_name),
            call.args.iter().map(|argument| &argument.expr).collect::<Vec<_>>().as_slice(),
        ) && !matches!(list, Ast::Literal(_))
        {
            let list = call.args.first().map(spelled).unwrap_or_default();
            let help = format!("write `{}.{}({element}, …)`", list.trim_matches('`'), call.func_name);
            let message = format!("`{}` is written after its list", call.func_name);
            self.mistake_named(expr, &call.func_name, message, Some(help));
            return ANY;
        }
        let named = || self.functions.iter().filter(|f| f.name == call.func_name && f.method == method);
        let candidate = named().find(|f| f.arguments.len() == arguments.len()).or_else(|| named().next_back()).cloned();
        let Some(function) = candidate else {
            if method
                && (is_macro(&call.func_name)
                    || likely_macro(&call.func_name).is_some()
                    || self.near_macro(call).is_some())
            {
                self.no_macro(expr, call, not_null);
                return ANY;
            }
            let message = format!("there is no function `{}`", call.func_name);
            let help = self.function_help(&call.func_name);
            self.mistake_named(expr, &call.func_name, message, Some(help));
            arguments.iter().for_each(|argument| drop(self.infer(argument, not_null)));
            return ANY;
        };
        if arguments.len() != function.arguments.len() {
            let message = format!(
                "`{}` takes {} argument{}, not {}",
                function.name,
                count(&function),
                if count(&function) == 1 { "" } else { "s" },
                written(&function, arguments.len())
            );
            self.mistake_named(expr, function.name, message, Some(format!("it is written `{}`", function.usage)));
        }
        let mut has_mistake = false;
        for (argument, wanted) in arguments.iter().zip(&function.arguments) {
            let Typed { shape, holds_null, .. } = self.operand_typed(argument, not_null);
            // Of several `null`, `distinct` leaves one.
            if holds_null && matches!(wanted, Type::List(_)) && function.name != "distinct" {
                self.elements_can_be_null(argument);
            }
            if function.name == "size" && matches!(shape, Type::Bool | Type::Double | Type::Int) {
                let message = format!("{} is {}, which has no size", spelled(argument), shape.label());
                let help = "lists and texts have one".to_owned();
                self.mistake(argument, message, Some(help));
                has_mistake = true;
                continue;
            }
            let fraction = shape == Type::Double && *wanted == Type::Int;
            if fraction || !compatible(&shape, wanted) {
                let message = format!(
                    "`{}` needs {} here; {} is {}",
                    function.usage,
                    wanted.label(),
                    spelled(argument),
                    shape.label()
                );
                self.mistake(argument, message, None);
                has_mistake = true;
            }
        }
        if let ("sort", Some(list)) = (function.name, arguments.first()) {
            has_mistake |= self.without_order(list, not_null);
        }
        if let ("distinct", Some(list)) = (function.name, arguments.first()) {
            let shape = self.infer(list, not_null).shape;
            has_mistake |= self.compared_as_a_whole(list, &shape);
        }
        if has_mistake {
            // What it would give of another argument is judged no further: that is the same mistake.
            return ANY;
        }
        self.written_out(&function, &arguments);
        if let ([text, part], Some((never, is_in))) = (arguments.as_slice(), part_asked_for(function.name)) {
            let shape = self.infer(text, not_null).shape;
            self.part_of(text, never, part, &shape, is_in);
        }
        if let ("matches", [text, pattern]) = (function.name, arguments.as_slice()) {
            self.regex(pattern);
            let shape = self.infer(text, not_null).shape;
            let is_in: IsIn = |text, pattern| regex(pattern).map_or(true, |regex| regex.is_match(text));
            self.part_of(text, "never matches", pattern, &shape, is_in);
        }
        // A list in another order, or without some of its elements, holds what it held before.
        if let ("distinct" | "sort", Some(list)) = (function.name, arguments.first()) {
            return self.infer(list, not_null);
        }
        known(function.result)
    }

    /// Refuses to sort what has no order; whether it did.
    fn without_order(&mut self, list: &IdedExpr, not_null: &BTreeSet<String>) -> bool {
        let Type::List(element) = self.infer(list, not_null).shape else { return false };
        if !matches!(*element, Type::List(_) | Type::Object(_)) {
            return false;
        }
        let help = "sort texts or numbers, as in `list.map(x, x.name).sort()`".to_owned();
        self.mistake(list, format!("{} holds {} each, which has no order", spelled(list), element.label()), Some(help));
        true
    }

    /// What is written out and could never be read, whatever the facts are.
    fn written_out(&mut self, function: &Function, arguments: &[&IdedExpr]) {
        let Some(second) = arguments.get(1) else { return };
        match (function.name, &second.expr) {
            ("date" | "is_date", Ast::Literal(LiteralValue::String(format))) => {
                if let Some(why) = wrong_format(format.inner()) {
                    let help = "the format is that of strftime, for example \"%Y%m%dT%H%M%SZ\"".to_owned();
                    self.mistake(second, format!("this format cannot be read: {why}"), Some(help));
                }
            }
            ("in_network", _) => self.networks(second),
            ("network", Ast::Literal(LiteralValue::Int(bits))) if !(0..=128).contains(bits.inner()) => {
                let help = "IPv4 addresses have 32 bits, IPv6 addresses 128".to_owned();
                self.mistake(second, format!("no network has {} bits", bits.inner()), Some(help));
            }
            _ => {}
        }
    }

    /// Refuses texts that are written out, here or among the params, and are no networks.
    fn networks(&mut self, cidr: &IdedExpr) {
        let of_param = self.texts_of_param(cidr);
        let about = of_param.as_ref().map_or(About::Place, |(_, param)| About::Params(vec![param.clone()]));
        let value = of_param.as_ref().map(|(_, param)| format!(", the value of `params.{param}`")).unwrap_or_default();
        let written: Vec<(IdedExpr, String)> = match of_param {
            Some((texts, _)) => texts.into_iter().map(|text| (cidr.clone(), text)).collect(),
            None => self
                .literals(cidr)
                .into_iter()
                .filter_map(|literal| match &literal.expr {
                    Ast::Literal(LiteralValue::String(text)) => Some((literal.clone(), text.inner().to_owned())),
                    _ => None,
                })
                .collect(),
        };
        for (at, text) in written {
            let (message, help) = if !is_network(&text) {
                let help = "write it with its number of bits, for example \"192.0.2.0/24\" or \"2001:db8::/32\"";
                (format!("this is not a network: {text:?}{value}"), help.to_owned())
            } else if let Some(meant) = network_meant(&text) {
                (
                    format!("this network has bits beyond its number: {text:?}{value}"),
                    format!("the network is \"{meant}\""),
                )
            } else {
                continue;
            };
            let (offset, length) = self.extent(&at);
            let about = about.clone();
            self.push(Mistake { offset, length, message, help: Some(help), about, ..Mistake::default() });
        }
    }

    /// A regular expression that is written out must be one; what a server sent is never taken for one.
    pub(super) fn regex(&mut self, pattern: &IdedExpr) {
        let Ast::Literal(LiteralValue::String(text)) = &pattern.expr else {
            if path_of(pattern).is_none_or(|path| path.first().is_none_or(|root| root != "params")) {
                let help = "write it as a text, or name one of the params".to_owned();
                self.mistake(pattern, "a regular expression is written out", Some(help));
            }
            return;
        };
        if let Err(why) = regex_sound(text.inner()) {
            let help = "the syntax is that of RE2: https://github.com/google/re2/wiki/Syntax".to_owned();
            self.mistake(pattern, format!("this is not a valid regular expression: {why}"), Some(help));
        }
    }

    /// A macro with the wrong arguments, or what other languages call it; of its arguments nothing is said.
    pub(super) fn no_macro(&mut self, expr: &IdedExpr, call: &CallExpr, not_null: &BTreeSet<String>) {
        let name = call.func_name.as_str();
        let (message, meant) = match likely_macro(name).or_else(|| self.near_macro(call)) {
            Some(meant) => (format!("there is no function `{name}`"), meant),
            None => (format!("`{name}` takes a name and an expression"), name),
        };
        let list = call.target.as_deref().map_or("list".to_owned(), |list| spelled(list).trim_matches('`').to_owned());
        let list = if list == "this" { "list".to_owned() } else { list };
        self.mistake_named(
            expr,
            name,
            message,
            Some(format!("write `{list}.{meant}(x, …)`, where `x` is each element")),
        );
        call.target.iter().for_each(|target| drop(self.infer(target, not_null)));
    }

    /// The macro that a misspelt method with a macro's two arguments means.
    fn near_macro(&self, call: &CallExpr) -> Option<&'static str> {
        let variable = matches!(call.args.first().map(|first| &first.expr), Some(Ast::Ident(_)));
        let known = self.functions.iter().any(|function| function.name == call.func_name);
        if !variable || call.args.len() < 2 || known || is_macro(&call.func_name) {
            return None;
        }
        nearest(&call.func_name, ["all", "exists", "exists_one", "filter", "map"])
    }

    pub(super) fn function_help(&self, name: &str) -> String {
        let written = |function: &&Function| format!("it is written `{}`", function.usage);
        if let Some(same) = self.functions.iter().find(|function| function.name == name) {
            return written(&same);
        }
        if let Some(meant) = likely_function(name) {
            return meant.to_owned();
        }
        match nearest(name, self.functions.iter().map(|function| function.name)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`stslint facts --functions` lists them".to_owned(),
        }
    }

    pub(super) fn comprehension(&mut self, comprehension: &ComprehensionExpr, not_null: &BTreeSet<String>) -> Typed {
        let range = self.operand_typed(&comprehension.iter_range, not_null);
        let holds_null = range.holds_null;
        let element = match range.shape {
            Type::List(element) => (*element).clone(),
            Type::Any => Type::Any,
            other => {
                let message = format!("{} is {}, not a list", spelled(&comprehension.iter_range), other.label());
                let of_params = path_of(&comprehension.iter_range)
                    .is_some_and(|path| path.first().is_some_and(|root| root == "params"));
                let help = of_params.then(|| "put the value of the param into brackets: `[ … ]`".to_owned());
                self.mistake(&comprehension.iter_range, message, help);
                Type::Any
            }
        };
        let before = (self.scope.clone(), self.elements.clone());
        let elements = self.written_elements(&comprehension.iter_range).unwrap_or_default();
        let literals: Vec<IdedExpr> = elements.iter().flat_map(|element| self.literals(element)).collect();
        if literals.is_empty() {
            self.elements.remove(&comprehension.iter_var);
        } else {
            self.elements.insert(comprehension.iter_var.clone(), literals);
        }
        let mut start = self.infer(&comprehension.accu_init, not_null);
        // The empty list that `map` and `filter` begin with holds nothing yet, and so nothing of another type.
        if matches!(&comprehension.accu_init.expr, Ast::List(list) if list.elements.is_empty()) {
            start.shape = Type::List(Arc::new(Type::Null));
        }
        let variable = |typed: &Typed, name: &str| Variable {
            shape: typed.shape.clone(),
            nullable: typed.nullable,
            holds_null: typed.holds_null,
            path: format!("@{name}"),
        };
        // Of lists in a list it is not known which of them holds the `null`.
        let inner = holds_null && matches!(element, Type::List(_));
        let element = Typed { nullable: holds_null, holds_null: inner, ..known(element) };
        self.scope.insert(comprehension.iter_var.clone(), variable(&element, &comprehension.iter_var));
        self.scope.insert(comprehension.accu_var.clone(), variable(&start, &comprehension.accu_var));
        let not_null = &with(not_null, self.kept_by_filter(&comprehension.iter_range, &comprehension.iter_var));
        self.infer(&comprehension.loop_cond, not_null);
        let step = self.infer(&comprehension.loop_step, not_null);
        // `map` and `filter` begin with an empty list: only a step tells what it holds.
        let accumulated = if matches!(start.shape, Type::List(_)) { step } else { start };
        self.scope.insert(comprehension.accu_var.clone(), variable(&accumulated, &comprehension.accu_var));
        let result = self.infer(&comprehension.result, not_null);
        (self.scope, self.elements) = before;
        result
    }

    /// What of each element of a list is not `null`, because a `filter` has kept those alone.
    fn kept_by_filter(&self, range: &IdedExpr, variable: &str) -> BTreeSet<String> {
        let Some((condition, name)) = filter_of(range) else { return BTreeSet::new() };
        let mut scope = self.scope.clone();
        scope.insert(name.to_owned(), unknown(&format!("@{name}")));
        let of_element = |path: String| {
            let rest = path.strip_prefix(&format!("@{name}"))?.to_owned();
            (rest.is_empty() || rest.starts_with('.')).then(|| format!("@{variable}{rest}"))
        };
        not_null_if(condition, true, &scope).into_iter().filter_map(of_element).collect()
    }
}

/// The condition of a `filter`, and the name that it gives each element.
pub(super) fn filter_of(range: &IdedExpr) -> Option<(&IdedExpr, &str)> {
    let Ast::Comprehension(filter) = &range.expr else { return None };
    let Ast::Call(step) = &filter.loop_step.expr else { return None };
    let [condition, kept, _] = step.args.as_slice() else { return None };
    let Ast::Call(add) = &kept.expr else { return None };
    let Some(Ast::List(list)) = add.args.get(1).map(|list| &list.expr) else { return None };
    match list.elements.as_slice() {
        [IdedExpr { expr: Ast::Ident(name), .. }] if *name == filter.iter_var => Some((condition, &filter.iter_var)),
        _ => None,
    }
}

/// Whether a text has a part.
pub(super) type IsIn = fn(&str, &str) -> bool;

/// How a text is asked for a part of it: in words for where it has none, and as it is done.
fn part_asked_for(function: &str) -> Option<(&'static str, IsIn)> {
    match function {
        "contains" => Some(("never contains", |text, part| text.contains(part))),
        "endsWith" => Some(("never ends in", |text, part| text.ends_with(part))),
        "startsWith" => Some(("never begins with", |text, part| text.starts_with(part))),
        _ => None,
    }
}

fn count(function: &Function) -> usize {
    written(function, function.arguments.len())
}

/// How many arguments are in the brackets.
fn written(function: &Function, arguments: usize) -> usize {
    if function.method { arguments.saturating_sub(1) } else { arguments }
}
