//! Placeholders: what an example or a template has instead of a value, and nobody filled in. Used by the grammars,
//! which propose nothing made of one, and by the facts.

/// Words that are in examples for a value, without the marks between their parts.
const WORDS: [&str; 8] =
    ["timestamp", "placeholder", "changeme", "replaceme", "yourdomain", "yourcompany", "insertyour", "yourid"];
/// Labels that are in examples for a name of the reader's own, without hyphens and underscores.
const LABELS: [&str; 16] = [
    "yourdomain",
    "yourdomainname",
    "yourcompany",
    "yourhost",
    "yourhostname",
    "yourmailhost",
    "yourmailserver",
    "yourmx",
    "yourmxhost",
    "yourname",
    "yourorg",
    "yourorganization",
    "yourorganisation",
    "yourserver",
    "yoursite",
    "yourtenant",
];

/// Whether a value other than a name is one: `UNIX_TIMESTAMP`, `<id>`, `YYYYMMDD`, `{{ max_age }}`.
pub fn is_value(text: &str) -> bool {
    let text = text.trim();
    let letters = alphanumerics(text);
    has_marks(text)
        || is_date_pattern(text)
        || is_named_constant(text)
        || WORDS.iter().any(|word| letters.contains(word))
        || (letters.len() >= 4 && letters.bytes().all(|octet| octet == b'x'))
}

/// Whether a host name, or the domain of a wildcard, is one: `mail.yourdomain.com`, `<your MX host>`, `mx.domain.tld`.
pub fn is_name(text: &str) -> bool {
    let text = text.trim();
    let last = text.trim_end_matches('.').rsplit('.').next().unwrap_or_default();
    has_marks(text)
        || is_named_constant(text)
        || (text.contains('.') && last.eq_ignore_ascii_case("tld"))
        || text.split(['.', '@']).any(|label| LABELS.contains(&alphanumerics(label).as_str()))
}

/// The letters and digits of a text in lower case.
fn alphanumerics(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// Marks of a template around a word: what is between brackets and is no host name.
fn has_marks(text: &str) -> bool {
    if ["{{", "${", "$(", "<%", "%{"].iter().any(|mark| text.contains(mark)) {
        return true;
    }
    [('<', '>'), ('[', ']'), ('{', '}'), ('%', '%')].iter().any(|(opening, closing)| {
        let inside =
            text.split_once(*opening).and_then(|(_, rest)| rest.split_once(*closing)).map(|(inside, _)| inside);
        inside.is_some_and(|inside| {
            inside.starts_with(|c: char| c.is_alphabetic()) && !inside.contains(['.', ':', '/', '@'])
        })
    })
}

/// A pattern of a date: `YYYYMMDDHHMMSS`, `yyyy-mm-dd`.
fn is_date_pattern(text: &str) -> bool {
    let letters = alphanumerics(text);
    letters.starts_with("yyyymm") && letters.bytes().all(|octet| b"ymdhsnitz".contains(&octet))
}

/// A name of a constant: capitals with an underscore, such as `MAX_AGE`.
fn is_named_constant(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    text.chars().all(allowed)
        && text.trim_matches('_').contains('_')
        && text.starts_with(|c: char| c.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_templates() {
        for text in [
            "UNIX_TIMESTAMP",
            "unixtimestamp",
            "<id>",
            "[new id]",
            "{{ timestamp }}",
            "${ID}",
            "$(date +%s)",
            "%ID%",
            "YYYYMMDD",
            "YYYYMMDDHHMMSS",
            "yyyymmddThhmmssZ",
            "MAX_AGE",
            "BASE64_FINGERPRINT",
            "your-id",
            "XXXXXXXX",
            "<mode>",
        ] {
            assert!(is_value(text), "{text}");
        }
        for text in
            ["", "20260101000000", "enforce", "7d", "604,800", "a-b", "x", "Z9", "id", "1", "STSv1", "mode", "_"]
        {
            assert!(!is_value(text), "{text}");
        }
    }

    #[test]
    fn names_of_templates() {
        for text in [
            "mail.yourdomain.com",
            "mail.your-domain.com",
            "mx.your_domain.com",
            "<your MX host>",
            "mail.<domain>",
            "*.<yourdomain.com>",
            "mx.domain.tld",
            "MX_HOST",
            "{{ mx }}",
            "tls-reports@yourdomain.com",
            "*.yourcompany.example",
        ] {
            assert!(is_name(text), "{text}");
        }
        for text in [
            "mail.example.com",
            "<mail.example.com>",
            "[2001:db8::1]",
            "timestamp.example.com",
            "mx.yourkit.com",
            "*.mail.protection.outlook.com",
            "localhost",
            "my_mx.example.com",
            "",
            "tld",
        ] {
            assert!(!is_name(text), "{text}");
        }
    }
}
