//! A reader that goes letter by letter: names are made of letters, white space is dropped wherever it is, and any other
//! character spoils the name that it is in. Called by `senders::record` and `senders::reports`.

use super::verdict::Stop;

/// What a text still has.
struct Rest<'a>(std::slice::Iter<'a, u8>);

/// A name: its letters in lower case, or nothing where another character or too many letters spoil it.
type Name = Option<Vec<u8>>;

/// The most letters of a name; with more it is spoilt.
const LONGEST: usize = 8;

impl Rest<'_> {
    /// The next name that `=` ends. A `;` begins a new one, but what spoilt or filled the old one still counts.
    fn name(&mut self) -> Option<Name> {
        let (mut letters, mut spoilt, mut used) = (Vec::new(), false, 0);
        for octet in self.0.by_ref() {
            match octet {
                b' ' | b'\t' | b'\r' | b'\n' => {}
                b'=' => {
                    // Letters after a dropped name are shifted, so that they never spell a known one.
                    return Some((!spoilt && used == letters.len()).then_some(letters));
                }
                b';' => {
                    letters.clear();
                    spoilt = false;
                }
                letter if letter.is_ascii_alphabetic() && used < LONGEST => {
                    letters.push(letter.to_ascii_lowercase());
                    used = used.saturating_add(1);
                }
                _ => {
                    spoilt = true;
                    used = LONGEST;
                }
            }
        }
        None
    }

    /// Whether these letters come next, in any case and with white space between.
    fn takes(&mut self, wanted: &[u8]) -> bool {
        wanted.iter().all(|letter| {
            self.0
                .by_ref()
                .find(|octet| !octet.is_ascii_whitespace())
                .is_some_and(|octet| octet.eq_ignore_ascii_case(letter))
        })
    }

    /// Whether the field ends here.
    fn ends_field(&mut self) -> bool {
        self.0.by_ref().find(|octet| !octet.is_ascii_whitespace()).is_none_or(|octet| *octet == b';')
    }

    /// What is left of the field, without white space.
    fn value(&mut self) -> String {
        let octets: Vec<u8> = self
            .0
            .by_ref()
            .take_while(|octet| **octet != b';')
            .filter(|octet| !octet.is_ascii_whitespace())
            .copied()
            .collect();
        String::from_utf8_lossy(&octets).into_owned()
    }

    /// The letters and digits up to `:` or `;`, with that; nothing where another character spoils them.
    fn scheme(&mut self) -> (Name, Option<u8>) {
        let (mut letters, mut spoilt) = (Vec::new(), false);
        for octet in self.0.by_ref() {
            match octet {
                b' ' | b'\t' | b'\r' | b'\n' => {}
                b';' | b':' => return ((!spoilt).then_some(letters), Some(*octet)),
                octet if octet.is_ascii_alphanumeric() && letters.len() < LONGEST => {
                    letters.push(octet.to_ascii_lowercase());
                }
                _ => spoilt = true,
            }
        }
        ((!spoilt).then_some(letters), None)
    }

    /// A destination: what comes before the next `,` or `;`, without white space at its ends.
    fn uri(&mut self) -> String {
        let octets: Vec<u8> = self.0.by_ref().take_while(|octet| !matches!(octet, b';' | b',')).copied().collect();
        String::from_utf8_lossy(octets.trim_ascii()).into_owned()
    }
}

/// The id of an `_mta-sts` record.
pub fn sts(text: &str) -> Result<String, Stop> {
    let mut rest = Rest(text.as_bytes().iter());
    let (mut id, mut version) = (None, false);
    while let Some(name) = rest.name() {
        match name.as_deref() {
            Some(b"v") => {
                if !rest.takes(b"STSv1") || !rest.ends_field() {
                    return Err(Stop::no("the field `v` is not the version `STSv1`"));
                }
                version = true;
            }
            Some(b"id") => id = Some(rest.value()),
            _ => drop(rest.value()),
        }
    }
    match (version, id) {
        (true, Some(id)) => Ok(id),
        (false, _) => Err(Stop::no("there is no field `v`")),
        (true, None) => Err(Stop::no("there is no field `id`")),
    }
}

/// The destinations of an `_smtp._tls` record.
pub fn tlsrpt(text: &str) -> Result<Vec<String>, Stop> {
    let mut rest = Rest(text.as_bytes().iter());
    let begins = rest.name().flatten().is_some_and(|name| name == b"v");
    if !begins || !rest.takes(b"TLSRPTv1") || !rest.ends_field() {
        return Err(Stop::no("the record does not begin with `v=TLSRPTv1`"));
    }
    let mut found = Vec::new();
    while let Some(name) = rest.name() {
        if name.as_deref() != Some(b"rua") {
            drop(rest.value());
            continue;
        }
        loop {
            let (scheme, end) = rest.scheme();
            match (scheme.as_deref(), end) {
                (Some(b"mailto"), Some(b':')) => {
                    let address = rest.uri();
                    if !address.is_empty() {
                        found.push(format!("mailto:{address}"));
                    }
                }
                (Some(b"https"), Some(b':')) => found.push(format!("https:{}", rest.uri())),
                _ => {
                    drop(rest.value());
                    break;
                }
            }
        }
    }
    match found.is_empty() {
        true => Err(Stop::no("no destination begins with `mailto:` or `https:`")),
        false => Ok(found),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_count_and_white_space_does_not() {
        assert_eq!(sts(" V = S T Sv1 ;; i d=a b;").unwrap(), "ab");
        assert!(sts("v=STSv1; x1=2; id=3").is_ok());
        assert!(sts("v=STSv1; foo; id=3").is_err(), "the letters of the part before `;` shift those after it");
        assert_eq!(tlsrpt("v=TLSRPTv1; rua=mailto:a@b , https://c").unwrap(), ["mailto:a@b", "https://c".trim()]);
        assert!(tlsrpt("v=TLSRPTv1; rua=http://c").is_err());
    }
}
