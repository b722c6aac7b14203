//! Where a finding is, for the formats that point into files: the user's own file where there is one, else an
//! exhibit under a path of its own.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::Linted;
use crate::outcome::Location;

/// The exhibit that is the policy file, where one was given.
pub const POLICY: &str = "policy";
/// The exhibit that is the JSON of a TLS report, and so its file where it is one of its own.
const REPORT: &str = "report";
/// All that represents itself in a segment of a URI's path (RFC 3986 §2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A place in a text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Place<'a> {
    /// The user's own file, relative to the working directory where it lies below it.
    pub file: Option<&'a str>,
    /// The exhibit's name.
    pub exhibit: &'a str,
    /// The exhibit's text.
    pub text: &'a str,
    /// The first line, counted from 1.
    pub line: usize,
    /// The first column in characters, counted from 1.
    pub column: usize,
    /// The last line.
    pub end_line: usize,
    /// The column after the last character.
    pub end_column: usize,
    /// The first octet and the number of octets; `None` where the file's octets are not those of the text.
    pub octets: Option<(usize, usize)>,
}

impl<'a> Place<'a> {
    /// The place that a location of this report means.
    pub fn of(linted: &'a Linted, location: &'a Location) -> Option<Self> {
        let (exhibit, text) = linted.report.exhibits.get_key_value(&location.exhibit)?;
        let file = linted.policy_file.as_deref().filter(|_| exhibit == POLICY || exhibit == REPORT);
        let end = location.offset.checked_add(location.length)?;
        let underlined = text.get(location.offset..end)?;
        let end_line = location.line.saturating_add(underlined.matches('\n').count());
        let last = underlined.rsplit('\n').next().unwrap_or_default().chars().count();
        let first = if end_line == location.line { location.column } else { 1 };
        // What is no UTF-8 is in the exhibit as an escape, which the file has not.
        let body =
            linted.snapshot.policy.as_ref().and_then(|policy| policy.as_ref()).map(|policy| policy.body.0.as_slice());
        let same = file.is_none() || exhibit == REPORT || body == Some(text.as_bytes());
        Some(Place {
            file,
            exhibit,
            text,
            line: location.line,
            column: location.column,
            end_line,
            end_column: first.saturating_add(last),
            octets: same.then_some((location.offset, location.length)),
        })
    }
}

/// A path that represents what was observed of a domain, where there is no file: `mta-sts/example.com`.
pub fn path_of(linted: &Linted) -> String {
    format!("mta-sts/{}", linted.report.domain.as_deref().map_or_else(|| "no-domain".to_owned(), encoded))
}

/// The same for one exhibit: `mta-sts/example.com/policy`.
pub fn path_of_exhibit(linted: &Linted, exhibit: &str) -> String {
    format!("{}/{}", path_of(linted), encoded(exhibit))
}

/// A file's path as a relative reference, or as a `file:` URI where it is absolute (RFC 3986 §4.2, RFC 8089 §2).
pub fn uri_of(path: &str) -> String {
    let segments: Vec<String> = path.split('/').map(encoded).collect();
    let joined = segments.join("/");
    if path.starts_with('/') { format!("file://{joined}") } else { joined }
}

fn encoded(segment: &str) -> String {
    utf8_percent_encode(segment, RESERVED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_references() {
        assert_eq!(uri_of("well known/../é.txt"), "well%20known/../%C3%A9.txt");
        assert_eq!(uri_of("/srv/a:b#c.txt"), "file:///srv/a%3Ab%23c.txt");
    }
}
