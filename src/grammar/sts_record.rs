//! The `_mta-sts` TXT record (RFC 8461 §3.1).

use super::field_list::{self, Dialect};
use super::{Field, Located, Offence, Span, VersionTag, placeholder};

const DIALECT: Dialect = Dialect { version: "v=STSv1", keyword: "stsv", fields: &["id"] };

/// A record taken apart.
#[derive(Clone, Debug, PartialEq)]
pub struct StsRecord {
    /// What is there instead of `v=STSv1`.
    pub version: VersionTag,
    /// Whether the text begins with the octets `v=STSv1;`.
    pub begins: bool,
    /// The fields after the version, in order.
    pub fields: Vec<Field>,
    /// The value of the first `id`, as it is written.
    pub id: Option<Located>,
    /// Why that value is no `1*32(ALPHA / DIGIT)`.
    pub id_problem: Option<Offence>,
    /// Places that break the grammar otherwise.
    pub syntax: Vec<Offence>,
    /// Places that are not US-ASCII.
    pub ascii: Vec<Offence>,
}

impl StsRecord {
    /// Whether a sender can use it: right version, `id`, and no offence.
    pub fn is_valid(&self) -> bool {
        let version = matches!(self.version, VersionTag::Exact | VersionTag::ExactThenSpace(_));
        version && self.id.is_some() && self.id_problem.is_none() && self.syntax.is_empty() && self.ascii.is_empty()
    }
}

/// Takes a record apart: its character-strings joined.
pub fn parse(text: &[u8]) -> StsRecord {
    let list = field_list::parse(text, &DIALECT);
    let first = list.fields.iter().find(|field| field.name == "id");
    let id = first.map(|field| Located::of(text, field.value_span));
    let ascii_in = |span: Span| {
        list.ascii.iter().any(|offence| offence.span.offset < span.end() && span.offset < offence.span.end())
    };
    let id_problem = first
        .filter(|field| field.has_equals && !ascii_in(field.value_span))
        .and_then(|field| id_problem(text, field.value_span, field.span));
    // A lone `id` without `=` is reported as that, and gives no value.
    let id = if first.is_some_and(|field| !field.has_equals) { None } else { id };
    StsRecord {
        version: list.version,
        begins: list.begins,
        fields: list.fields,
        id,
        id_problem,
        syntax: list.syntax,
        ascii: field_list::as_one(list.ascii),
    }
}

fn id_problem(text: &[u8], value: Span, field: Span) -> Option<Offence> {
    let octets = value.of(text);
    let letters: String =
        octets.iter().filter(|octet| octet.is_ascii_alphanumeric()).map(|octet| char::from(*octet)).take(32).collect();
    let problem = if octets.is_empty() {
        return Some(Offence::new(field, "is empty"));
    } else if octets.iter().any(|octet| !octet.is_ascii_alphanumeric())
        && placeholder::is_value(&String::from_utf8_lossy(octets))
    {
        return Some(Offence::new(value, "is a placeholder that nobody filled in"));
    } else if let Some(at) = octets.iter().position(|octet| !octet.is_ascii_alphanumeric()) {
        let wrong = octets.get(at).copied().unwrap_or_default();
        let shown = match char::from(wrong) {
            ' ' => "a space".to_owned(),
            wrong if wrong.is_ascii_graphic() => format!("`{wrong}`"),
            _ => format!("the octet 0x{wrong:02X}"),
        };
        Offence::new(value, format!("holds {shown}, which is neither a letter nor a digit"))
    } else if octets.len() > 32 {
        Offence::new(value, format!("has {} characters, but only 32 are allowed", octets.len()))
    } else {
        return None;
    };
    Some(if letters.is_empty() { problem } else { problem.suggesting(letters) })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What is wrong with a record, as short words.
    fn faults(text: &[u8]) -> Vec<String> {
        let record = parse(text);
        let mut faults = Vec::new();
        match &record.version {
            VersionTag::Exact => {}
            VersionTag::ExactThenSpace(_) => faults.push("space".to_owned()),
            VersionTag::Foreign => faults.push("foreign".to_owned()),
            VersionTag::NearMiss(_) => return vec!["version".to_owned()],
        }
        faults.extend(record.syntax.iter().map(|_| "syntax".to_owned()));
        faults.extend(record.ascii.iter().map(|_| "ascii".to_owned()));
        match (&record.id, &record.id_problem) {
            (None, _) => faults.push("no id".to_owned()),
            (_, Some(_)) => faults.push("id".to_owned()),
            _ => {}
        }
        faults
    }

    #[test]
    fn the_corners_of_the_grammar() {
        let long = format!("v=STSv1; id={}", "a".repeat(33));
        let name = format!("v=STSv1; {}=1; id=1", "x".repeat(33));
        for (text, expected) in [
            ("v=STSv1; id=20160831085700Z;", &[][..]),
            ("v=STSv1;id=1", &[]),
            ("v=STSv1;\tid=1", &[]),
            ("v=STSv1;id=1; ", &[]),
            ("v=STSv1; id=1;", &[]),
            ("v=STSv1;  x.y=z ; id=Z9;", &[]),
            ("v=STSv1; x=1; id=1", &[]),
            ("v=STSv1; id=1; id=2", &[]),
            ("v=STSv1; id=1; v=STSv1", &[]),
            ("v=STSv1; id=1; id=a-b", &[]),
            ("v=STSv1; id=1; id=", &["syntax"]),
            ("v=STSv1; id=1; id=a=b", &["syntax"]),
            ("v=STSv1; id=1; id=1 2", &["syntax"]),
            ("v=STSv1; id=1 ;", &[]),
            ("v=STSv1; id=1 ", &["syntax"]),
            (" v=STSv1; id=1", &["version"]),
            ("v=STSv1 ; id=1", &["space"]),
            ("v=STSv1\t;id=1", &["space"]),
            ("v=STSv1", &["no id"]),
            ("v=STSv1;", &["no id"]),
            ("v=STSv1;; id=1", &["syntax"]),
            ("v=STSv1; id=1;;", &["syntax"]),
            ("v=STSv1; id=1; ;", &["syntax"]),
            ("v=stsv1; id=1", &["version"]),
            ("V=STSv1; id=1", &["version"]),
            ("v=STSv1; ID=1", &["no id"]),
            ("v=STSv1; id=2020-01-01", &["id"]),
            ("v=STSv1; id=a-b", &["id"]),
            (long.as_str(), &["id"]),
            ("v=STSv1; id=", &["id"]),
            ("v=STSv1; id=1 2", &["id"]),
            ("v=STSv1; id = 1", &["syntax"]),
            ("v=STSv1; id= 1", &["syntax"]),
            ("v=STSv1; id =1", &["syntax"]),
            ("id=1; v=STSv1", &["version"]),
            ("v=STSv1, id=1", &["syntax"]),
            ("v=STSv1 id=1", &["syntax"]),
            ("\"v=STSv1; id=1\"", &["version"]),
            ("v=STSv1\\; id=1", &["version"]),
            ("v=STSv1; x=a=b; id=1", &["syntax"]),
            ("v=STSv1; x=; id=1", &["syntax"]),
            ("v=STSv1; foo; id=1", &["syntax"]),
            ("v=STSv1; _x=1; id=1", &["syntax"]),
            (name.as_str(), &["syntax"]),
            ("v=STSv1; id=a-b; id=2", &["id"]),
            ("v=STSv12; id=1", &["version"]),
            ("v=STSv1.; id=1", &["version"]),
            ("v=STSv2; id=1", &["version"]),
            ("v=STSv1; id=1\n", &["id"]),
            ("v = STSv1; id=1", &["version"]),
            ("\u{feff}v=STSv1; id=1", &["version"]),
            ("v=STSv1; id=1; x=é", &["ascii"]),
            ("v=STSv1; id=é1", &["ascii"]),
            ("v=STSv1; =1; id=1", &["syntax"]),
            ("v=spf1 -all", &["foreign", "no id"]),
            ("", &["foreign", "no id"]),
            ("id=20200101", &["version"]),
        ] {
            assert_eq!(faults(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn the_first_id_counts_and_its_place_is_known() {
        let text = b"v=STSv1; id=1; id=2";
        let record = parse(text);
        let id = record.id.unwrap();
        assert_eq!((id.text.as_str(), id.span.offset, id.span.length), ("1", 12, 1));
        assert!(record.fields[1].duplicate && !record.fields[0].duplicate);
        assert_eq!(parse(b"v=STSv1; ID=1").fields[0].meant, Some("id"));
        assert_eq!(parse(b"v=STSv1; id = 1").id.unwrap().text, "1");
    }

    #[test]
    fn what_begins_with_the_version_counts() {
        for (text, begins) in [("v=STSv1;", true), ("v=STSv1 ;id=1", false), ("v=STSv12;", false), ("v=STSv1", false)] {
            assert_eq!(parse(text.as_bytes()).begins, begins, "{text}");
        }
    }

    fn spans_lie_inside(text: &[u8]) {
        let record = parse(text);
        let offences = record.syntax.iter().chain(&record.ascii).chain(&record.id_problem).map(|offence| offence.span);
        let fields = record.fields.iter().flat_map(|field| [field.span, field.name_span, field.value_span]);
        let mut spans: Vec<Span> = offences.chain(fields).chain(record.id.map(|id| id.span)).collect();
        if let VersionTag::NearMiss(offence) = record.version {
            spans.push(offence.span);
        }
        assert!(spans.iter().all(|span| span.end() <= text.len()), "{text:?}: {spans:?}");
    }

    /// The grammar of RFC 8461 §3.1 as an expression, with the first `id` judged as what it is named.
    fn follows_the_abnf(text: &str) -> bool {
        let record = regex::bytes::Regex::new(concat!(
            r"(?-u)\Av=STSv1(?:[ \t]*;[ \t]*",
            r"(?:id=[A-Za-z0-9]{1,32}|[A-Za-z0-9][A-Za-z0-9_.-]{0,31}=[\x21-\x3a\x3c\x3e-\x7e]+)",
            r")+(?:[ \t]*;[ \t]*)?\z"
        ));
        let id = text.split(';').find_map(|field| field.trim_matches([' ', '\t']).strip_prefix("id="));
        record.unwrap().is_match(text.as_bytes())
            && id.is_some_and(|id| (1..=32).contains(&id.len()) && id.bytes().all(|c| c.is_ascii_alphanumeric()))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn parser_and_abnf_agree(text in "v=STSv1(?:[ \t]{0,2};[ \t]{0,2}(?:id=[a-zA-Z0-9]{1,3}|id=[a-z=! -]{0,3}|[a-z_.0-9-]{0,3}=[a-z=!é\u{1}\u{85} \t-]{0,4}|id)){0,3}[ \t]{0,2};?[ \t]?") {
            prop_assert_eq!(parse(text.as_bytes()).is_valid(), follows_the_abnf(&text), "{:?}", parse(text.as_bytes()));
        }
    }

    proptest! {
        #[test]
        fn no_octets_panic_or_leave_the_text(text: Vec<u8>) {
            spans_lie_inside(&text);
        }

        #[test]
        fn nothing_near_the_grammar_does_either(text in "(v=STSv1|V=stsv2|\"v=STSv1| )?[;= \tidva-zé\"\\\\,.\u{0}\u{feff}-]{0,40}") {
            spans_lie_inside(text.as_bytes());
        }

        #[test]
        fn what_the_grammar_makes_is_valid(text in "v=STSv1(;[ \t]{0,2}[a-hj-z0-9][a-z0-9._-]{0,10}=[!-:<>-~]{1,9}){0,3};[ \t]?id=[a-zA-Z0-9]{1,32}([ \t]?;[ \t]?)?") {
            let record = parse(text.as_bytes());
            prop_assert!(record.is_valid(), "{:?}", record);
        }
    }
}
