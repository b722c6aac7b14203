//! What texts a fact can be: any, certain words, or those of one written form. Used by the shape of the facts.

use crate::grammar::names::DomainName;

/// The texts that there can be.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Texts {
    /// Any.
    #[default]
    Any,
    /// Only these words.
    Only(Vec<String>),
    /// Those of a written form. What comes from outside can be any of them; these are known.
    Written(Form, Vec<String>),
}

/// How a text is written, whatever it says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Form {
    /// In any way.
    Any,
    /// Octets in hexadecimal, lower case, without marks between them.
    Hexadecimal,
    /// One word in upper case.
    Keyword,
    /// In lower case.
    Lower,
    /// A domain name: A-labels in lower case, without the root's dot.
    Name,
    /// A time of RFC 3339, or the beginning of one.
    Time,
}

impl Form {
    /// The form of that word in the schema of the facts.
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "any" => Some(Form::Any),
            "hexadecimal" => Some(Form::Hexadecimal),
            "keyword" => Some(Form::Keyword),
            "lower" => Some(Form::Lower),
            "name" => Some(Form::Name),
            "time" => Some(Form::Time),
            _ => None,
        }
    }

    /// What texts of this form are, as the second half of a sentence.
    pub fn about(self) -> &'static str {
        match self {
            Form::Any => "is a text",
            Form::Hexadecimal => "is written in hexadecimal digits in lower case, without marks between them",
            Form::Keyword => "is one word in upper case",
            Form::Lower => "is in lower case",
            Form::Name => "is in lower case, in A-labels and without a dot at the end",
            Form::Time => "is written as 2027-01-31T10:00:00Z",
        }
    }

    /// Whether a text can be one of this form.
    pub fn holds(self, text: &str) -> bool {
        match self {
            Form::Any => true,
            Form::Hexadecimal => {
                let digits = text.strip_prefix('-').unwrap_or(text);
                digits.len().is_multiple_of(2) && digits.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'))
            }
            Form::Keyword => !text.contains(char::is_whitespace) && text == text.to_ascii_uppercase(),
            Form::Lower => text == text.to_ascii_lowercase(),
            Form::Name => {
                let blank = text.contains(char::is_whitespace);
                text.is_ascii() && !blank && !text.ends_with('.') && text == text.to_ascii_lowercase()
            }
            Form::Time => is_beginning_of_time(text),
        }
    }

    /// Whether a part of a text of this form can be this.
    pub fn holds_part(self, part: &str) -> bool {
        match self {
            Form::Any | Form::Time => true,
            Form::Hexadecimal => part.bytes().all(|c| matches!(c, b'-' | b'0'..=b'9' | b'a'..=b'f')),
            Form::Keyword => self.holds(part),
            Form::Lower => self.holds(part),
            Form::Name => part.is_ascii() && part == part.to_ascii_lowercase(),
        }
    }

    /// The text in this form, where that is plain.
    pub fn written(self, text: &str) -> Option<String> {
        let written = match self {
            Form::Any | Form::Time => return None,
            Form::Hexadecimal => {
                let lower = text.to_ascii_lowercase().replace([':', ' '], "");
                let digits = lower.strip_prefix("0x").unwrap_or(&lower);
                format!("{}{digits}", if digits.len().is_multiple_of(2) { "" } else { "0" })
            }
            Form::Keyword => text.split_whitespace().next()?.to_ascii_uppercase(),
            Form::Lower => text.to_ascii_lowercase(),
            Form::Name => DomainName::parse(text).map_or_else(|_| text.to_ascii_lowercase(), |name| name.to_string()),
        };
        self.holds(&written).then_some(written)
    }
}

/// Whether a text is a time of RFC 3339, or the beginning of one that ends at a mark.
fn is_beginning_of_time(text: &str) -> bool {
    const PATTERN: &str = "0000-00-00T00:00:00";
    let fits = |(c, wanted): (char, char)| if wanted == '0' { c.is_ascii_digit() } else { c == wanted };
    let count = text.chars().count();
    let head = text.chars().zip(PATTERN.chars()).all(fits);
    let rest: String = text.chars().skip(PATTERN.len()).collect();
    let fraction = rest.trim_end_matches('Z').trim_start_matches('.').bytes().all(|c| c.is_ascii_digit());
    head && fraction && ([4, 7, 10, 13, 16].contains(&count) || count >= PATTERN.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_of_a_form_or_is_not() {
        for (form, good, bad, cured) in [
            (Form::Hexadecimal, "04a1b2", "04:A1:B2", Some("04a1b2")),
            (Form::Hexadecimal, "-01", "4a1b2", Some("04a1b2")),
            (Form::Keyword, "STARTTLS", "starttls", Some("STARTTLS")),
            (Form::Keyword, "SIZE", "SIZE 1000", Some("SIZE")),
            (Form::Lower, "strict-transport-security", "Strict-Transport-Security", Some("strict-transport-security")),
            (Form::Name, "mx1.example.com", "MX1.example.com.", Some("mx1.example.com")),
            (Form::Name, "xn--bcher-kva.example", "bücher.example", Some("xn--bcher-kva.example")),
            (Form::Time, "2027-01-31", "31.01.2027", None),
            (Form::Time, "2027-01-31T10:00:00.5Z", "2027-1-31", None),
            (Form::Time, "2027", "soon", None),
        ] {
            assert!(form.holds(good), "{form:?} {good}");
            assert!(!form.holds(bad), "{form:?} {bad}");
            assert_eq!(form.written(bad).as_deref(), cured, "{form:?} {bad}");
        }
    }

    #[test]
    fn a_part_of_a_text_is_judged_as_a_part() {
        assert!(Form::Name.holds_part(".example.com"));
        assert!(Form::Name.holds_part("mail."));
        assert!(!Form::Name.holds_part(".Example.com"));
        assert!(Form::Hexadecimal.holds_part("abc"));
        assert!(Form::Time.holds_part("T10:"));
    }
}
