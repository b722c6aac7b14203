//! What is told of a symptom: made by `symptoms`, shown by `report::symptoms` and, as JSON, to programs.

use schemars::JsonSchema;
use serde::Serialize;

/// What is known of what was asked.
#[derive(Clone, Debug, JsonSchema, PartialEq, Serialize)]
pub struct Explained {
    /// What was asked, shortened, with control characters as escapes.
    pub asked: String,
    /// What it is, the most specific first; empty where nothing is known of it.
    pub answers: Vec<Answer>,
    /// Where nothing is known of it: what may have been meant.
    pub near: Vec<String>,
}

/// One thing that was asked about.
#[derive(Clone, Debug, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Answer {
    /// A group of rules.
    Group(Group),
    /// How a sender words a failure.
    Reply(ReplyAnswer),
    /// A result type of TLS reports.
    ResultType(ResultTypeAnswer),
    /// A rule.
    Rule(RuleLine),
}

/// A group of rules.
#[derive(Clone, Debug, JsonSchema, PartialEq, Serialize)]
pub struct Group {
    /// Its name.
    pub group: String,
    /// Its rules, in their order.
    pub rules: Vec<RuleLine>,
    /// The command that checks them.
    pub command: String,
}

/// A rule in one line.
#[derive(Clone, Debug, JsonSchema, PartialEq, Serialize)]
pub struct RuleLine {
    /// Its id.
    pub rule: String,
    /// Its severity: `error`, `warning`, `note`, `remark`, or `off`.
    pub severity: String,
    /// What is so when it passes.
    pub title: String,
}

/// How a sender words a failure.
#[derive(Clone, Debug, JsonSchema, PartialEq, Serialize)]
pub struct ReplyAnswer {
    /// The sender, as people call it.
    pub who: String,
    /// What it says; `*` represents names and addresses.
    pub says: String,
    /// The enhanced status codes that it gives with it.
    pub codes: Vec<String>,
    /// By what it was found.
    pub found_by: FoundBy,
    /// What it means, in one sentence.
    pub means: String,
    /// What happens to the mail.
    pub mail: String,
    /// Where the cause may be on the sender's side, what that is.
    pub beside: Option<String>,
    /// Possible causes, the most frequent first; empty where nothing that the domain publishes has a part in it.
    pub causes: Vec<Cause>,
    /// The command that checks all causes.
    pub command: Option<String>,
    /// The public document that has the words.
    pub source: String,
    /// The day on which it did.
    pub seen: String,
}

/// By what a reply was found in a text.
#[derive(Clone, Copy, Debug, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FoundBy {
    /// Its enhanced status code alone: others give the same code.
    Code,
    /// Some of its words.
    SomeWords,
    /// All of its words.
    Words,
}

/// A result type of TLS reports.
#[derive(Clone, Debug, JsonSchema, PartialEq, Serialize)]
pub struct ResultTypeAnswer {
    /// The result type.
    pub result_type: String,
    /// What it says, in one sentence.
    pub means: String,
    /// Possible causes, the most frequent first.
    pub causes: Vec<Cause>,
    /// Why they are in this order.
    pub order: String,
    /// The public document that says so, where one does.
    pub order_source: Option<String>,
    /// The command that checks all causes.
    pub command: Option<String>,
}

/// Something that may be behind a symptom.
#[derive(Clone, Debug, JsonSchema, PartialEq, Serialize)]
pub struct Cause {
    /// The rule that finds it.
    pub rule: String,
    /// What it is, in a few words.
    pub what: String,
    /// The command that tells whether it is this one.
    pub command: String,
}
