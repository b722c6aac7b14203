//! Patterns of `ignore` entries: a text in which `*` matches any text.

use std::fmt;

/// The longest pattern in octets: a domain name has 253 at most.
const MAX_OCTETS: usize = 512;
/// The most `*` in one pattern.
const MAX_STARS: usize = 16;

/// A pattern, matched over the whole of a text and without case.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Pattern {
    written: String,
    folded: String,
}

impl Pattern {
    /// A pattern of any text; an error says what is wrong.
    pub fn of_text(written: &str) -> Result<Self, String> {
        if written.trim().is_empty() {
            return Err("this pattern is empty and would match nothing".to_owned());
        }
        if written.len() > MAX_OCTETS {
            return Err(format!("this pattern has more than {MAX_OCTETS} octets"));
        }
        if written.matches('*').count() > MAX_STARS {
            return Err(format!("this pattern has more than {MAX_STARS} `*`"));
        }
        Ok(Pattern { written: written.to_owned(), folded: written.to_lowercase() })
    }

    /// A pattern of domain names. U-labels are read as their A-labels (RFC 5890 §2.3.2.1), a trailing dot is left out.
    pub fn of_domain(written: &str) -> Result<Self, String> {
        let pattern = Self::of_text(written)?;
        let allowed = |c: char| !c.is_ascii() || c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '*');
        if let Some(c) = written.chars().find(|c| !allowed(*c)) {
            return Err(format!("`{}` is not allowed in a domain", crate::source_text::escape(&c.to_string())));
        }
        let labels = written.strip_suffix('.').unwrap_or(written).split('.').map(|label| match label {
            "" => Err("there is nothing between two dots, or in front of the first: no domain matches".to_owned()),
            label if label.is_ascii() => Ok(label.to_ascii_lowercase()),
            label if label.contains('*') => Err("`*` cannot be combined with letters beyond ASCII".to_owned()),
            label => idna::domain_to_ascii(label).map_err(|_| format!("`{label}` is not a label of a domain")),
        });
        let folded = labels.collect::<Result<Vec<_>, _>>()?.join(".");
        Ok(Pattern { folded, ..pattern })
    }

    /// Whether the whole of a text matches.
    pub fn matches(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        let Some((first, rest)) = self.folded.split_once('*') else {
            return text == self.folded;
        };
        let Some(mut open) = text.strip_prefix(first) else { return false };
        let mut parts: Vec<&str> = rest.split('*').collect();
        let last = parts.pop().unwrap_or_default();
        for part in parts {
            let Some((_, behind)) = open.split_once(part) else { return false };
            open = behind;
        }
        open.ends_with(last)
    }

    /// The domain of which the pattern matches every name below: `example.com` for `*.example.com`.
    pub fn domain_above(&self) -> Option<&str> {
        self.folded.strip_prefix("*.").filter(|domain| !domain.is_empty() && !domain.contains('*'))
    }

    /// Whether a text would match but for one or two characters: those of the fixed parts of the pattern.
    pub fn nearly_matches(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        let (before, after) = match (self.folded.split_once('*'), self.folded.rsplit_once('*')) {
            (Some((before, _)), Some((_, after))) => (before, after),
            _ => return near(&self.folded, &text),
        };
        let characters: Vec<char> = text.chars().collect();
        let head: String = characters.iter().take(before.chars().count()).collect();
        let tail: String = characters.iter().skip(characters.len().saturating_sub(after.chars().count())).collect();
        let fits = characters.len() >= before.chars().count().saturating_add(after.chars().count());
        fits && (head == before && near(after, &tail) || tail == after && near(before, &head))
    }

    /// Whether a finding's subject matches. Where a finding speaks of several things, all of them must: an entry
    /// for one MX host never hides another.
    pub fn matches_subject(&self, subject: &str) -> bool {
        let same = subject.to_lowercase() == self.folded;
        same || subject.split(", ").all(|part| self.matches(part))
    }
}

/// Whether two texts differ in one or two characters, and are longer than that.
fn near(one: &str, other: &str) -> bool {
    let distance = strsim::damerau_levenshtein(one, other);
    (1..=2).contains(&distance) && one.chars().count() > 5
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_any_text() {
        for (pattern, text, expected) in [
            ("*.example.com", "a.example.com", true),
            ("*.example.com", "a.b.Example.COM", true),
            ("*.example.com", "example.com", false),
            ("*.example.com", "a.example.com.evil.test", false),
            ("Example.com", "example.com", true),
            ("example.com", "an-example.com", false),
            ("*", "anything", true),
            ("mx*.example.*", "mx1.example.net", true),
            ("a*a", "a", false),
            ("a*b*b", "ab", false),
            ("a*b*c", "a-b-b-c", true),
            ("*ab", "aab", true),
            ("bücher.example.", "xn--bcher-kva.example", true),
        ] {
            assert_eq!(Pattern::of_domain(pattern).unwrap().matches(text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn what_cannot_match_is_refused() {
        for wrong in [
            "",
            " ",
            "*..example",
            ".example",
            "a b",
            "[a-z].example",
            "exam?le.com",
            "user@example.com",
            "bü*.example",
            "http://x",
        ] {
            assert!(Pattern::of_domain(wrong).is_err(), "{wrong}");
        }
        assert!(Pattern::of_text(&"*".repeat(17)).is_err() && Pattern::of_text(&"a".repeat(600)).is_err());
    }

    #[test]
    fn a_typo_in_a_pattern_nearly_matches() {
        for (pattern, text, expected) in [
            ("bank.exmaple", "bank.example", true),
            ("*.bank.exmaple", "a.bank.example", true),
            ("prked-*.bank.example", "parked-1.bank.example", true),
            ("*.bank.example", "a.other.example", false),
            ("bank.example", "bank.example", false),
            ("a.example", "long.name.of.another.example", false),
        ] {
            assert_eq!(Pattern::of_domain(pattern).unwrap().nearly_matches(text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn an_entry_for_one_host_never_hides_another() {
        let pattern = Pattern::of_text("mx1.*").unwrap();
        assert!(pattern.matches_subject("mx1.example.com"));
        assert!(!pattern.matches_subject("mx1.example.com, mx2.example.com"));
        assert!(Pattern::of_text("line 3, twice").unwrap().matches_subject("line 3, twice"));
    }
}
