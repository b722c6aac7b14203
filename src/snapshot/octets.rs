//! Bytes as they came, readable in a file wherever they are text.

use std::borrow::Cow;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::source_text::is_unseen;

/// A byte string: in files a plain string where it is UTF-8 that can be seen, else `{ base64: … }`.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct Octets(pub Vec<u8>);

impl Octets {
    /// The bytes as text, with U+FFFD for what is not UTF-8.
    pub fn lossy(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.0)
    }
}

impl From<&[u8]> for Octets {
    fn from(bytes: &[u8]) -> Self {
        Octets(bytes.to_vec())
    }
}

impl fmt::Debug for Octets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Octets({:?})", self.lossy())
    }
}

impl Serialize for Octets {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(&self.0) {
            Ok(text) if !text.chars().any(is_disguise) => serializer.serialize_str(text),
            _ => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("base64", &STANDARD.encode(&self.0))?;
                map.end()
            }
        }
    }
}

/// Whether a character turns or hides what is around it, and is not written as an escape by every format.
fn is_disguise(c: char) -> bool {
    is_unseen(c) && !matches!(c, '\u{2028}' | '\u{2029}' | '\u{FEFF}')
}

impl<'de> Deserialize<'de> for Octets {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OctetsVisitor)
    }
}

impl JsonSchema for Octets {
    fn schema_name() -> Cow<'static, str> {
        "Octets".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Bytes: a string where they are UTF-8 that can be seen, else their base64.",
            "oneOf": [
                { "type": "string" },
                {
                    "type": "object",
                    "properties": { "base64": { "type": "string" } },
                    "required": ["base64"],
                    "additionalProperties": false
                }
            ]
        })
    }
}

struct OctetsVisitor;

impl<'de> Visitor<'de> for OctetsVisitor {
    type Value = Octets;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string, or a mapping with the key `base64`")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Octets, E> {
        Ok(Octets(text.as_bytes().to_vec()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Octets, A::Error> {
        let mut octets = None;
        while let Some(key) = map.next_key::<String>()? {
            if key != "base64" || octets.is_some() {
                return Err(de::Error::unknown_field(&key, &["base64"]));
            }
            let encoded: String = map.next_value()?;
            let decoded =
                STANDARD.decode(&encoded).map_err(|error| de::Error::custom(format!("this is not base64: {error}")))?;
            octets = Some(Octets(decoded));
        }
        octets.ok_or_else(|| de::Error::missing_field("base64"))
    }
}
