//! What findings point into: the user's policy file, and the exhibits (SARIF §3.24 artifact, §3.28 location).

use serde_json::{Value, json};

use super::super::Linted;
use super::super::place::{Place, path_of, path_of_exhibit, uri_of};
use super::super::wording::domain;
use super::message::message;
use crate::outcome::{Check, Decision, Fix, Location, Related};

/// The artifacts that something points into, each once.
#[derive(Default)]
pub struct Artifacts {
    list: Vec<Value>,
}

impl Artifacts {
    /// The artifacts in the order in which they were first pointed into.
    pub fn list(&self) -> &[Value] {
        &self.list
    }

    /// Where a finding is: in a text, and in the terms of the field.
    pub fn location(&mut self, linted: &Linted, check: &Check) -> Value {
        self.place(linted, check.location.as_ref())
    }

    /// A further place that explains a finding (§3.27.22).
    pub fn related(&mut self, linted: &Linted, related: &Related) -> Value {
        let mut location = self.place(linted, Some(&related.location));
        if let Some(location) = location.as_object_mut() {
            location.insert("message".to_owned(), message(&related.label));
        }
        location
    }

    fn place(&mut self, linted: &Linted, location: Option<&Location>) -> Value {
        let place = location.and_then(|location| Place::of(linted, location));
        let physical = match &place {
            Some(place) => json!({ "artifactLocation": self.artifact(linted, place), "region": region(place) }),
            None => json!({ "artifactLocation": { "uri": path_of(linted) } }),
        };
        let domain = domain(linted);
        let exhibit = location.map(|location| location.exhibit.as_str());
        let logical = match exhibit {
            Some(exhibit) => {
                json!({ "name": exhibit, "fullyQualifiedName": format!("{domain}/{exhibit}"), "kind": "resource" })
            }
            None => json!({ "name": domain, "fullyQualifiedName": domain, "kind": "resource" }),
        };
        json!({ "physicalLocation": physical, "logicalLocations": [logical] })
    }

    /// A line of the configuration that decided something of a finding (§3.27.22); `None` where it is not a line.
    pub fn decision(&mut self, linted: &Linted, decision: &Decision) -> Option<Value> {
        let place = Place::of(linted, decision.location.as_ref()?)?;
        let physical = json!({ "artifactLocation": self.artifact(linted, &place), "region": region(&place) });
        Some(
            json!({ "physicalLocation": physical, "message": message(&format!("{}: {}", decision.by, decision.what)) }),
        )
    }

    /// How to fix it; `None` where the text to be replaced is not the file's own.
    pub fn fix(&mut self, linted: &Linted, fix: &Fix) -> Option<Value> {
        let place = Place::of(linted, &fix.location).filter(|place| place.octets.is_some())?;
        let text = if fix.safe { "Fixes an obvious mistake." } else { "Review this fix before you apply it." };
        Some(json!({
            "description": { "text": text },
            "artifactChanges": [{
                "artifactLocation": self.artifact(linted, &place),
                "replacements": [{ "deletedRegion": region(&place), "insertedContent": { "text": fix.with } }],
            }],
            "properties": { "safe": fix.safe },
        }))
    }

    fn artifact(&mut self, linted: &Linted, place: &Place<'_>) -> Value {
        let (uri, artifact) = match place.file {
            Some(file) => (uri_of(file), json!({ "location": { "uri": uri_of(file) }, "roles": ["analysisTarget"] })),
            None => {
                let uri = path_of_exhibit(linted, place.exhibit);
                let artifact = json!({
                    "location": { "uri": uri },
                    "roles": ["analysisTarget", "memoryContents"],
                    "mimeType": "text/plain",
                    "encoding": "UTF-8",
                    "contents": { "text": place.text },
                });
                (uri, artifact)
            }
        };
        let index = self.list.iter().position(|known| *known == artifact).unwrap_or(self.list.len());
        if index == self.list.len() {
            self.list.push(artifact);
        }
        json!({ "uri": uri, "index": index })
    }
}

fn region(place: &Place<'_>) -> Value {
    let mut region = json!({
        "startLine": place.line,
        "startColumn": place.column,
        "endLine": place.end_line,
        "endColumn": place.end_column,
    });
    if let (Some((offset, length)), Some(region)) = (place.octets, region.as_object_mut()) {
        region.insert("byteOffset".to_owned(), offset.into());
        region.insert("byteLength".to_owned(), length.into());
    }
    region
}
