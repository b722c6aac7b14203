//! Messages of SARIF (§3.11). Used for results, related places and notifications.

use serde_json::{Value, json};

use super::super::wording::lines;

/// A plain-text message in which nothing is a placeholder or a link (§3.11.5, §3.11.6).
pub fn message(text: &str) -> Value {
    json!({ "text": lines(text).replace('{', "{{").replace('}', "}}").replace("](", "] (") })
}
