//! Lists, names and records of a snapshot, none longer than what `collect` may write: a file costs what its size says.
//!
//! Used by the data model, and by the collector, which keeps no more.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};

use super::Octets;

/// How many records of one answer a snapshot holds, and how many hosts, addresses of a family and the like.
pub const MAX_RECORDS: usize = 1_024;
/// How many addresses of one host a snapshot holds, of both families.
pub const MAX_PROBES: usize = 2 * MAX_RECORDS;
/// How many texts a snapshot holds in one list, such as the names of a certificate: a DNS message and a TLS handshake
/// have no more octets.
pub const MAX_TEXTS: usize = 65_536;
/// How many CNAMEs of one answer a snapshot holds.
pub const MAX_ALIASES: usize = 64;
/// How many octets a name of a snapshot has: a DNS name has 255, each of which may be written as an escape.
pub const MAX_NAME: usize = 4_096;
/// How many octets the character-strings of one TXT record have together: a DNS message has no more.
pub const MAX_TXT_OCTETS: usize = 65_535;

/// How many nodes a snapshot has in YAML: keys, values, lists and mappings.
pub const MAX_NODES: usize = 250_000;

/// Reads a list of at most `MOST` elements.
pub(super) fn list<'de, D, T, const MOST: usize>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    deserializer.deserialize_seq(AtMost::<T, MOST>(PhantomData))
}

/// Reads a list of at most `MOST` elements, or nothing.
pub(super) fn optional<'de, D, T, const MOST: usize>(deserializer: D) -> Result<Option<Vec<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let list = Option::<Bounded<T, MOST>>::deserialize(deserializer)?;
    Ok(list.map(|Bounded(list)| list))
}

/// Reads a name.
pub(super) fn name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    String::deserialize(deserializer).and_then(short)
}

/// Reads a name, or nothing.
pub(super) fn optional_name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Option::<String>::deserialize(deserializer)?.map(short).transpose()
}

fn short<E: Error>(name: String) -> Result<String, E> {
    if name.len() > MAX_NAME {
        return Err(E::custom(format_args!("this name has more than {MAX_NAME} octets: it is not a DNS name")));
    }
    Ok(name)
}

/// Reads the character-strings of a TXT record.
pub(super) fn strings<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Octets>, D::Error> {
    let strings = list::<D, Octets, MAX_TEXTS>(deserializer)?;
    if strings.iter().map(|string| string.0.len()).fold(0, usize::saturating_add) > MAX_TXT_OCTETS {
        return Err(D::Error::custom(format_args!(
            "this record has more than {MAX_TXT_OCTETS} octets: it does not fit in a DNS message"
        )));
    }
    Ok(strings)
}

struct Bounded<T, const MOST: usize>(Vec<T>);

impl<'de, T: Deserialize<'de>, const MOST: usize> Deserialize<'de> for Bounded<T, MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        list::<D, T, MOST>(deserializer).map(Bounded)
    }
}

struct AtMost<T, const MOST: usize>(PhantomData<T>);

impl<'de, T: Deserialize<'de>, const MOST: usize> Visitor<'de> for AtMost<T, MOST> {
    type Value = Vec<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a sequence")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(element) = sequence.next_element()? {
            if list.len() >= MOST {
                return Err(A::Error::custom(format_args!(
                    "this list has more than {MOST} elements, the most that a snapshot may have here"
                )));
            }
            list.push(element);
        }
        Ok(list)
    }
}
