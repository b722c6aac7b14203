//! The elements of the lists that rules speak of with `for_each` and `forbid`, each made ready for CEL once for all
//! rules. Used by `evaluate`.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Arc, OnceLock};

use cel::common::value::{CowVal, Val};
use cel::context::VariableResolver;
use cel::objects::{Key, Value};

use super::rule::Rule;
use crate::facts::Facts;

/// The most elements that one rule looks at.
const MAX_ELEMENTS: usize = 20_000;
/// The most elements of each domain that a rule over many domains looks at, on average.
const MAX_ELEMENTS_OF_EACH: usize = 20;

/// The variables over lists of a rule, outermost first: name and path.
type Scopes = [(String, Vec<String>)];

/// The elements of every list that some rule speaks of.
#[derive(Debug, Default)]
pub struct Elements<'a> {
    by_scopes: BTreeMap<&'a Scopes, Result<Vec<Element<'a>>, String>>,
}

/// One element of each list of a rule, and the variables that represent them.
#[derive(Clone, Debug)]
pub struct Element<'a> {
    /// The variables, outermost first; fewer than the rule has where an inner list was not observed.
    pub bindings: Vec<Binding<'a>>,
    /// Why the list inside this element was not observed: the rule cannot be checked for what may be in it.
    pub unobserved: Option<String>,
}

/// A variable that represents an element of a list.
#[derive(Clone, Debug)]
pub struct Binding<'a> {
    /// The variable's name.
    pub name: &'a str,
    /// The element's path: `mx.hosts[0]`.
    pub path: String,
    /// The element.
    pub value: Value,
    /// The same as CEL's interpreter holds it, made where an expression first asks for it.
    ready: Ready,
}

/// A value as CEL's interpreter holds it: rules share it. `None` only for a value that CEL has no type for, which facts
/// do not hold.
type Ready = Arc<OnceLock<Option<Box<dyn Val>>>>;

impl VariableResolver for Element<'_> {
    fn resolve<'b>(&'b self, variable: &str) -> Option<CowVal<'b, 'b>> {
        let binding = self.bindings.iter().find(|binding| binding.name == variable)?;
        let ready = binding.ready.get_or_init(|| binding.value.clone().try_into().ok());
        ready.as_deref().map(CowVal::Borrowed)
    }
}

impl<'a> Elements<'a> {
    /// The elements that rules speak of, in the tree of facts as CEL sees it, which is over so many domains.
    pub fn of(rules: impl Iterator<Item = &'a Rule>, facts: &Facts, root: &Value, domains: usize) -> Self {
        let most = MAX_ELEMENTS.max(MAX_ELEMENTS_OF_EACH.saturating_mul(domains));
        let mut gathering = Gathering { facts, root, most, ready: BTreeMap::new() };
        let mut by_scopes: BTreeMap<&'a Scopes, Result<Vec<Element<'a>>, String>> = BTreeMap::new();
        for rule in rules {
            if let Entry::Vacant(vacant) = by_scopes.entry(&rule.scopes) {
                vacant.insert(gathering.elements(&rule.scopes));
            }
        }
        Elements { by_scopes }
    }

    /// The elements that a rule speaks of, one without a variable where it speaks of no list; or why the list was
    /// not observed.
    pub fn of_rule(&self, rule: &Rule) -> Result<&[Element<'a>], String> {
        match self.by_scopes.get(rule.scopes.as_slice()) {
            Some(elements) => elements.as_deref().map_err(Clone::clone),
            None => Ok(&[]),
        }
    }
}

struct Gathering<'f> {
    facts: &'f Facts,
    root: &'f Value,
    /// The most elements that a rule looks at.
    most: usize,
    /// What is ready for CEL, by path: rules share it.
    ready: BTreeMap<String, Ready>,
}

impl Gathering<'_> {
    fn elements<'a>(&mut self, scopes: &'a Scopes) -> Result<Vec<Element<'a>>, String> {
        let mut elements = vec![Element { bindings: Vec::new(), unobserved: None }];
        for (name, path) in scopes {
            let mut next = Vec::new();
            for element in elements {
                if element.unobserved.is_some() {
                    next.push(element);
                    continue;
                }
                match self.list(path, &element.bindings) {
                    Ok(list) => next.extend(list.into_iter().map(|(path, value)| {
                        let mut bindings = element.bindings.clone();
                        bindings.push(self.binding(name, path, value));
                        Element { bindings, unobserved: None }
                    })),
                    Err(reason) if element.bindings.is_empty() => return Err(reason),
                    Err(reason) => next.push(Element { unobserved: Some(reason), ..element }),
                }
                if next.len() > self.most {
                    return Err(format!("there are more than {} elements to check", self.most));
                }
            }
            elements = next;
        }
        Ok(elements)
    }

    /// A variable for an element.
    fn binding<'a>(&mut self, name: &'a str, path: String, value: Value) -> Binding<'a> {
        let ready = Arc::clone(self.ready.entry(path.clone()).or_default());
        Binding { name, path, value, ready }
    }

    fn list(&self, path: &[String], bindings: &[Binding<'_>]) -> Result<Vec<(String, Value)>, String> {
        let Some((root, rest)) = path.split_first() else { return Ok(Vec::new()) };
        let (mut at, mut value) = start(root, bindings, self.root);
        for segment in rest {
            at = format!("{at}.{segment}");
            value = value.as_ref().and_then(|value| member(value, segment));
            if value.is_none() {
                return Err(self.facts.reason_unobserved(&at));
            }
        }
        match value {
            Some(Value::List(list)) => {
                Ok(list.iter().enumerate().map(|(index, item)| (format!("{at}[{index}]"), item.clone())).collect())
            }
            _ => Ok(Vec::new()),
        }
    }
}

/// What the first word of a path represents: its own path, and its value where there is one.
pub fn start(word: &str, bindings: &[Binding<'_>], root: &Value) -> (String, Option<Value>) {
    match bindings.iter().find(|binding| binding.name == word) {
        Some(binding) => (binding.path.clone(), Some(binding.value.clone())),
        None => (word.to_owned(), member(root, word)),
    }
}

/// The value at a key of a map.
pub fn member(value: &Value, key: &str) -> Option<Value> {
    match value {
        Value::Map(map) => map.map.get(&Key::from(key)).cloned(),
        _ => None,
    }
}
