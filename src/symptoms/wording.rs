//! Words found again in a text, whatever is around and between them: case, punctuation, line breaks, the names
//! and addresses that a wording leaves open.
//!
//! Called by `symptoms` with the wordings of its tables.

use std::ops::Range;

/// So many words may be where a wording leaves something open.
const GAP: usize = 16;
/// Longer words than these are equal or are not alike.
const MOST_ALIKE: usize = 30;

/// The words of a text, in lower case.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Words(Vec<String>);

impl Words {
    /// The words of a text: what is neither letter nor digit is between them. Short numbers are left out, since the
    /// lines of an SMTP reply repeat its codes.
    pub fn of(text: &str) -> Self {
        let parts = text.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty());
        let is_number = |part: &str| part.len() <= 3 && part.bytes().all(|octet| octet.is_ascii_digit());
        Words(parts.filter(|part| !is_number(part)).map(str::to_lowercase).collect())
    }

    /// How many words there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The share of these words, from 0 to 1, that another text has too.
    pub fn share_in(&self, other: &Words) -> f64 {
        self.share(|word| other.0.iter().any(|it| it == word))
    }

    /// The same, where a word may be a typo or another form of a word of the other text.
    pub fn likeness_in(&self, other: &Words) -> f64 {
        self.share(|word| other.0.iter().any(|it| is_like(word, it)))
    }

    fn share(&self, is_shared: impl Fn(&str) -> bool) -> f64 {
        let shared = self.0.iter().filter(|word| is_shared(word)).count();
        if self.0.is_empty() { 0.0 } else { shared as f64 / self.0.len() as f64 }
    }
}

fn is_like(word: &str, other: &str) -> bool {
    let longest = word.chars().count().max(other.chars().count());
    word == other || (4..=MOST_ALIKE).contains(&longest) && strsim::damerau_levenshtein(word, other) <= 1
}

/// A wording: its words, in the pieces between what it leaves open.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Wording {
    pieces: Vec<Words>,
}

impl Wording {
    /// Reads a wording, in which `*` leaves something open.
    pub fn read(text: &str) -> Self {
        Wording { pieces: text.split('*').map(Words::of).filter(|piece| piece.count() > 0).collect() }
    }

    /// How many words it has: the more, the more specific it is.
    pub fn weight(&self) -> usize {
        self.pieces.iter().map(Words::count).sum()
    }

    /// Its words.
    pub fn words(&self) -> Words {
        Words(self.pieces.iter().flat_map(|piece| piece.0.clone()).collect())
    }

    /// Where it is first said in a text, counted in words.
    pub fn find(&self, text: &Words) -> Option<Range<usize>> {
        let (first, rest) = self.pieces.split_first()?;
        let starts = (0..text.0.len()).filter(|at| begins(text, *at, first));
        let mut found = starts.filter_map(|start| {
            let mut end = start.saturating_add(first.count());
            for piece in rest {
                let at = (end..=end.saturating_add(GAP)).find(|at| begins(text, *at, piece))?;
                end = at.saturating_add(piece.count());
            }
            Some(start..end)
        });
        found.next()
    }
}

fn begins(text: &Words, at: usize, piece: &Words) -> bool {
    text.0.get(at..).is_some_and(|rest| rest.starts_with(&piece.0))
}

/// The enhanced status codes (RFC 3463 §2) in a text, in order and each once.
pub fn status_codes(text: &str) -> Vec<String> {
    let mut codes: Vec<String> = Vec::new();
    for run in text.split(|c: char| !c.is_ascii_digit() && c != '.') {
        let code = run.trim_matches('.');
        if is_status_code(code) && !codes.iter().any(|known| known == code) {
            codes.push(code.to_owned());
        }
    }
    codes
}

fn is_status_code(code: &str) -> bool {
    let parts: Vec<&str> = code.split('.').collect();
    match parts.as_slice() {
        [class, rest @ ..] => {
            let is_number = |part: &&str| !part.is_empty() && part.len() <= 3;
            ["2", "4", "5"].contains(class) && rest.len() == 2 && rest.iter().all(is_number)
        }
        [] => false,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_wording_is_found_whatever_is_around_it() {
        let wording = Wording::read("MX hosts of * failed MTA-STS validation");
        assert_eq!(wording.weight(), 7);
        for text in [
            "550 5.4.8 SMTP; MX hosts of 'example.com' failed MTA-STS validation",
            "mx HOSTS of\n   example.com failed\tmta-sts\nvalidation.",
            "550-5.4.8 MX hosts of\n550-5.4.8 example.com failed\n550 5.4.8 MTA-STS validation",
        ] {
            assert!(wording.find(&Words::of(text)).is_some(), "{text}");
        }
        let far = format!("MX hosts of {} failed MTA-STS validation", "x ".repeat(GAP + 1));
        for text in ["", "MX hosts of example.com", "MTA-STS validation failed MX hosts of", far.as_str()] {
            assert!(wording.find(&Words::of(text)).is_none(), "{text}");
        }
    }

    #[test]
    fn what_is_left_open_at_an_end_says_nothing() {
        assert_eq!(Wording::read("TLSA lookup error for *"), Wording::read("* tlsa-lookup, error (for)"));
        assert_eq!(Wording::read("*").find(&Words::of("anything")), None);
    }

    #[test]
    fn status_codes_are_told_from_addresses_and_versions() {
        assert_eq!(status_codes("451 4.7.5 (4.7.5) dsn=5.7.323, [192.0.2.1] 4.7.5.1 3.1.1 4.7."), ["4.7.5", "5.7.323"]);
        assert_eq!(status_codes("4.4.3123 4..5 ..... 5.7.1."), ["5.7.1"]);
    }
}
