//! The TXT record that was probably meant by a wrong one. Used by `facts` for the corrected lines of reports, never to
//! accept a record.
//!
//! A candidate is put together from what can be recognised in the text, and is offered only where the grammar finds
//! nothing wrong with it.

use super::field_list::Field;
use super::sts_record::{self, StsRecord};
use super::tlsrpt_record::{self, Destination, TlsrptRecord};
use super::{Offence, Span, is_invisible, placeholder};

/// The longest text that is looked at, in octets.
const LONGEST: usize = 4_096;

/// The MTA-STS record that was meant (RFC 8461 §3.1); `None` where the record is right or nothing can be told.
pub fn sts_record(text: &[u8], record: &StsRecord) -> Option<String> {
    if (record.is_valid() && record.begins) || text.len() > LONGEST {
        return None;
    }
    let named = record.fields.iter().find(|field| field.name == "id" || field.meant == Some("id"));
    let written = named.map(|field| field.value.clone()).filter(|value| !value.is_empty());
    let id = written.or_else(|| unnamed_id(text, &record.fields)).filter(|id| !placeholder::is_value(id))?;
    // What follows after a blank is another field, if it looks like one.
    let id = match id.split_once([' ', '\t']) {
        Some((first, rest)) if rest.contains(['=', ':']) => first,
        _ => &id,
    };
    // A longer id is not cut: what is left of it may be an id that was used before.
    let id: String = id.chars().filter(char::is_ascii_alphanumeric).collect();
    let candidate = format!("v=STSv1; id={id};");
    sts_record::parse(candidate.as_bytes()).is_valid().then_some(candidate)
}

/// An id in a record that has no field of that name: after another sign than `=`, or alone.
fn unnamed_id(text: &[u8], fields: &[Field]) -> Option<String> {
    let text = without_quotes(text);
    let words = || text.split([';', ',', ' ', '\t']).filter(|word| !word.is_empty());
    let signed = words().find_map(|word| {
        let (name, value) = word.split_once([':', '='])?;
        (name.eq_ignore_ascii_case("id") && !value.is_empty()).then(|| value.to_owned())
    });
    let digits = |field: &&Field| !field.has_equals && field.name.bytes().all(|octet| octet.is_ascii_digit());
    signed.or_else(|| fields.iter().find(digits).map(|field| field.name.clone()).filter(|id| id.len() >= 6))
}

/// The TLSRPT record that was meant (RFC 8460 §3); `None` where the record is right or nothing can be told.
pub fn tlsrpt_record(text: &[u8], record: &TlsrptRecord) -> Option<String> {
    if (record.is_valid() && record.begins && record.truncated.is_empty()) || text.len() > LONGEST {
        return None;
    }
    let whole = with_suggestions(text, &record.truncated);
    let read = tlsrpt_record::parse(&whole).destinations;
    let found = match read.is_empty() {
        // Without a `rua` that can be read, whatever looks like a destination is one.
        true => pieces(&without_quotes(&whole)).filter_map(bare_destination).collect(),
        false => read.iter().map(destinations).collect::<Option<Vec<_>>>()?.concat(),
    };
    let mut distinct: Vec<String> = Vec::new();
    for destination in found {
        if !distinct.contains(&destination) {
            distinct.push(destination);
        }
    }
    valid_with(&distinct)
}

/// The record with these destinations, where that is valid.
fn valid_with(destinations: &[String]) -> Option<String> {
    let candidate = format!("v=TLSRPTv1; rua={}", destinations.join(","));
    tlsrpt_record::parse(candidate.as_bytes()).is_valid().then_some(candidate)
}

/// What a destination should be; several where blanks are between them, and `None` where nobody can tell.
fn destinations(written: &Destination) -> Option<Vec<String>> {
    let usable = |uri: &str| valid_with(&[uri.to_owned()]).is_some();
    let suggested = [&written.scheme_problem, &written.uri_problem];
    let suggested = suggested.into_iter().flatten().filter_map(|problem| problem.suggestion.clone());
    let without_size = written.size_suffix.iter().filter_map(|_| Some(written.text.rsplit_once('!')?.0.to_owned()));
    let candidates = [written.text.clone()].into_iter().chain(without_size).chain(suggested);
    if let Some(right) = candidates.into_iter().find(|uri| usable(uri)) {
        return Some(vec![right]);
    }
    if written.text.is_empty() {
        return Some(Vec::new());
    }
    let bare = without_quotes(written.text.as_bytes());
    let parts: Vec<String> = pieces(&bare).filter_map(bare_destination).filter(|uri| usable(uri)).collect();
    (!parts.is_empty() && parts.len() == pieces(&bare).count()).then_some(parts)
}

/// The pieces of a text that is not a list as it should be.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    text.split([';', ',', ' ', '\t']).filter(|piece| !piece.is_empty())
}

/// The text with the offences fixed that know how.
fn with_suggestions(text: &[u8], offences: &[Offence]) -> Vec<u8> {
    let mut fixed = Vec::new();
    let mut from = 0;
    for offence in offences {
        let Some(suggestion) = &offence.suggestion else { continue };
        fixed.extend_from_slice(Span::between(from, offence.span.offset).of(text));
        fixed.extend_from_slice(suggestion.as_bytes());
        from = offence.span.end();
    }
    fixed.extend_from_slice(Span::between(from, text.len()).of(text));
    fixed
}

/// The text without quotes, backslashes and what cannot be seen.
fn without_quotes(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let quote = |c: char| matches!(c, '"' | '\'' | '\\' | '<' | '>' | '\u{2018}'..='\u{201f}' | '\u{ab}' | '\u{bb}');
    text.chars().filter(|c| !quote(*c)).map(|c| if is_invisible(c) { ' ' } else { c }).collect()
}

/// A piece of a record as a destination for reports: an address, or the URI of one.
fn bare_destination(piece: &str) -> Option<String> {
    let lower = piece.to_ascii_lowercase();
    let named = ["rua=", "rua:", "ruf=", "ruf:"].iter().find(|name| lower.starts_with(**name));
    let uri = piece.get(named.map_or(0, |name| name.len())..)?.trim_start_matches('=');
    let uri = match uri.rsplit_once('!') {
        Some((uri, size)) if !size.is_empty() && size.bytes().all(|octet| octet.is_ascii_alphanumeric()) => uri,
        _ => uri,
    };
    let (scheme, rest) = uri.split_once(':').unwrap_or(("", uri));
    match scheme.to_ascii_lowercase().as_str() {
        "mailto" => Some(format!("mailto:{}", rest.trim_start_matches('/'))),
        "http" | "https" => Some(format!("https://{}", rest.trim_start_matches('/'))),
        "" if rest.contains('@') && !rest.contains('/') => Some(format!("mailto:{rest}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sts(text: &str) -> Option<String> {
        sts_record(text.as_bytes(), &sts_record::parse(text.as_bytes()))
    }

    fn tlsrpt(text: &str) -> Option<String> {
        tlsrpt_record(text.as_bytes(), &tlsrpt_record::parse(text.as_bytes()))
    }

    #[test]
    fn slips_in_the_record_of_mta_sts() {
        for (wrong, right) in [
            ("v=STSv1; id:20260101", Some("v=STSv1; id=20260101;")),
            ("v=STSv1; id=2026-01-01T00:00", Some("v=STSv1; id=20260101T0000;")),
            ("id=1; v=STSv1", Some("v=STSv1; id=1;")),
            ("v=STSv1; 20260101", Some("v=STSv1; id=20260101;")),
            ("v=STSv1; id=\u{201c}1\u{201d}", Some("v=STSv1; id=1;")),
            ("v=STSv1; id=1 mode=enforce", Some("v=STSv1; id=1;")),
            ("v=STSv1;\u{a0}id=1", Some("v=STSv1; id=1;")),
            ("v=STSv1; ID=1", Some("v=STSv1; id=1;")),
            ("v=STSv1; foo", None),
            ("v=STSv1;", None),
            ("v=STSv1; id=1", None),
        ] {
            assert_eq!(sts(wrong).as_deref(), right, "{wrong}");
        }
    }

    #[test]
    fn slips_in_the_record_of_tlsrpt() {
        let good = Some("v=TLSRPTv1; rua=mailto:a@b.example");
        for (wrong, right) in [
            ("v=TLSRPTv1; rua=a@b.example", good),
            ("v=TLSRPT1; rua=mailto:a@b.example", good),
            ("rua=mailto:a@b.example; v=TLSRPTv1", good),
            ("\"v=TLSRPTv1; rua=mailto:a@b.example\"", good),
            ("v=TLSRPTv1 rua=mailto:a@b.example", good),
            ("v=TLSRPTv1; rua=mailto:a@b.example,", good),
            ("v=TLSRPTv1; rua = mailto:a@b.example", good),
            ("v=TLSRPTv1; rua:mailto:a@b.example", good),
            ("v=TLSRPTv1; ruf=mailto:a@b.example", good),
            ("v=TLSRPTv1; rua=mailto:a@b.example!10m", good),
            ("v=TLSRPTv1;; rua=mailto://a@b.example", good),
            ("v=TLSRPTv1; rua=mailto:<a@b.example>", good),
            (
                "v=TLSRPTv1; rua=mailto:a@b.example rua=mailto:c@d.example",
                Some("v=TLSRPTv1; rua=mailto:a@b.example,mailto:c@d.example"),
            ),
            (
                "v=TLSRPTv1; rua=mailto:a@b.example;c@d.example",
                Some("v=TLSRPTv1; rua=mailto:a@b.example,mailto:c@d.example"),
            ),
            ("v=TLSRPTv1; rua=https://r.example/x?a=1;b=2", Some("v=TLSRPTv1; rua=https://r.example/x?a=1%3Bb=2")),
            ("v=TLSRPTv1; rua=http://r.example/x", Some("v=TLSRPTv1; rua=https://r.example/x")),
            ("v=TLSRPTv1; rua=https://r.example/v1/!x", Some("v=TLSRPTv1; rua=https://r.example/v1/%21x")),
            ("v=TLSRPTv1; rua=https://r.example/v1/a b", None),
            ("v=TLSRPTv1; rua=https//r.example", Some("v=TLSRPTv1; rua=https://r.example")),
            ("v=TLSRPTv1; rua=http//x.example", Some("v=TLSRPTv1; rua=https://x.example")),
            ("v=TLSRPTv1; rua=mailto=a@b.example", good),
            ("v=TLSRPTv1; rua=mailto:a@b.example?cc=x,y", None),
            (
                "v=TLSRPTv1; rua=https//r.example,mailto=a@b.example",
                Some("v=TLSRPTv1; rua=https://r.example,mailto:a@b.example"),
            ),
            ("v=TLSRPTv1; rua=mailto:a,b@c.example", Some("v=TLSRPTv1; rua=mailto:a%2Cb@c.example")),
            ("v=TLSRPTv1; rua=mailto:a;b@c.example", Some("v=TLSRPTv1; rua=mailto:a%3Bb@c.example")),
            ("v=TLSRPTv1; mailto:a@b.example", good),
            ("v=TLSRPTv1; rua=,mailto:a@b.example", good),
            ("v=TLSRPTv1; rua=", None),
            ("v=TLSRPTv1; rua=mailto:a@b.example", None),
        ] {
            assert_eq!(tlsrpt(wrong).as_deref(), right, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn what_is_offered_is_valid(text in "(v=STSv1|v=TLSRPTv1|rua|id|mailto:|https:|[a-z0-9@.!%;:,=\"<> \u{e9}-]){0,24}") {
            if let Some(record) = sts(&text) {
                prop_assert!(sts_record::parse(record.as_bytes()).is_valid(), "{}", record);
            }
            if let Some(record) = tlsrpt(&text) {
                prop_assert!(tlsrpt_record::parse(record.as_bytes()).is_valid(), "{}", record);
            }
        }
    }
}
