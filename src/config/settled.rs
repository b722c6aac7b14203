//! Rules as a configuration set them, and what of each is otherwise than it was written.

use std::collections::BTreeMap;

use serde_json::Value;

use super::file::Level;
use super::origin::Set;
use crate::outcome::Severity;
use crate::rules::RuleSet;

/// What of rules is otherwise than they were written, by their ids.
pub type Changes = BTreeMap<String, Change>;

/// What of a rule is otherwise than it was written.
#[derive(Clone, Debug)]
pub struct Change {
    /// The severity that the rule was written with.
    pub written: Severity,
    /// Whether the rule was written with other severities under conditions.
    pub conditions: bool,
    /// Its new severity.
    pub level: Option<Set<Level>>,
    /// Its new params, each with the value that it was written with.
    pub params: BTreeMap<String, (Value, Set<Value>)>,
}

/// Rules, set as a configuration says.
#[derive(Clone, Debug)]
pub struct Settled {
    /// The rules.
    pub rules: RuleSet,
    /// What of them is otherwise than it was written, by their ids.
    pub changes: Changes,
}
