//! What a sender makes of a text: yes, no or unknown, with the reason. Returned by every reader of `senders`.

use serde::Serialize;

use crate::vocabulary::vocabulary;

vocabulary! {
    /// Whether a sender accepts something.
    pub enum Answer {
        /// It refuses it.
        No = "no",
        /// Its profile does not say what decides it.
        Unknown = "unknown",
        /// It accepts it.
        Yes = "yes",
    }
}

/// An answer with its reason.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Verdict {
    /// The answer.
    pub answer: Answer,
    /// Why, as a part of a sentence.
    pub because: String,
    /// What the sender understood, where it accepts the text.
    pub reading: Reading,
}

/// What a sender understood.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Reading {
    /// The id of the record; `None` where it reads none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The mode of the policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// `max_age` of the policy, in seconds, as the sender counts it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_age: Option<i64>,
    /// The patterns of the policy.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mx: Vec<String>,
    /// Where it sends reports.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rua: Vec<String>,
}

impl Verdict {
    /// It accepts the text, with what it understood.
    pub fn yes(because: impl Into<String>, reading: Reading) -> Self {
        Verdict { answer: Answer::Yes, because: because.into(), reading }
    }

    /// It refuses the text.
    pub fn no(because: impl Into<String>) -> Self {
        Verdict { answer: Answer::No, because: because.into(), reading: Reading::default() }
    }

    /// The profile does not say.
    pub fn unknown(because: impl Into<String>) -> Self {
        Verdict { answer: Answer::Unknown, because: because.into(), reading: Reading::default() }
    }
}

/// Why reading ends early.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Stop {
    /// The sender refuses the text.
    No(String),
    /// The profile does not say what decides it.
    Unknown(String),
}

impl Stop {
    /// The sender refuses the text.
    pub fn no(because: impl Into<String>) -> Self {
        Stop::No(because.into())
    }
}

impl From<Stop> for Verdict {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::No(because) => Verdict::no(because),
            Stop::Unknown(because) => Verdict::unknown(because),
        }
    }
}

/// A property that the text makes decisive: its value, or *unknown* where the profile leaves it out.
pub fn known<T: Clone>(property: &Option<T>, what: &str) -> Result<T, Stop> {
    property.clone().ok_or_else(|| Stop::Unknown(format!("not known: {what}")))
}
