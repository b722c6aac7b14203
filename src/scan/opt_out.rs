//! The opt-out list: domains whose owners do not want to be looked at. Neither they nor names below them are asked for.
//! Used by `cli::scan`.

use std::collections::HashSet;
use std::io;

use crate::grammar::names::DomainName;

/// Domains that are left alone.
#[derive(Debug, Default)]
pub struct OptOut(HashSet<String>);

impl OptOut {
    /// Reads a list: a domain a line, `#` begins a comment.
    pub fn read(text: &str) -> io::Result<Self> {
        let mut domains = HashSet::new();
        for (index, line) in text.lines().enumerate() {
            let name = line.split('#').next().unwrap_or_default().trim();
            if name.is_empty() {
                continue;
            }
            let wrong = |error| {
                let text = format!("line {}: {error}", index.saturating_add(1));
                io::Error::new(io::ErrorKind::InvalidData, text)
            };
            domains.insert(DomainName::parse(name).map_err(wrong)?.as_str().to_owned());
        }
        Ok(OptOut(domains))
    }

    /// Whether a domain or one above it is in the list.
    pub fn has(&self, domain: &DomainName) -> bool {
        let names = std::iter::successors(Some(domain.as_str()), |name| Some(name.split_once('.')?.1));
        !self.0.is_empty() && names.into_iter().any(|name| self.0.contains(name))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_and_all_below_it_are_left_alone() {
        let list = OptOut::read("# these asked\nExample.com\n\nb.example # by mail\n").unwrap();
        let has = |name: &str| list.has(&DomainName::parse(name).unwrap());
        assert!(has("example.com") && has("a.b.example.com") && has("b.example"));
        assert!(!has("notexample.com") && !has("example") && !has("com"));
        assert!(OptOut::read("a..b").unwrap_err().to_string().contains("line 1"));
    }
}
