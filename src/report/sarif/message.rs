//! Messages of SARIF (§3.11). Used for results, related places and notifications.

use serde_json::{Value, json};

use super::super::wording::lines;

/// A plain-text message in which nothing is a placeholder or a link (§3.11.5, §3.11.6).
pub fn message(text: &str) -> Value {
    json!({ "text": inert(text) })
}

/// Gives a related place its id, and returns a link to it: the words of a message by which viewers show the place
/// (§3.11.6).
pub fn link(place: &mut Value, id: usize) -> String {
    let label = place.pointer("/message/text").and_then(Value::as_str).unwrap_or("related").to_owned();
    if let Some(place) = place.as_object_mut() {
        place.insert("id".to_owned(), id.into());
    }
    let label = label.replace('\\', "\\\\").replace('[', "\\[").replace(']', "\\]");
    format!("[{}]({id})", label.split_whitespace().collect::<Vec<_>>().join(" "))
}

fn inert(text: &str) -> String {
    lines(text).replace('{', "{{").replace('}', "}}").replace("](", "] (")
}
