//! The `_smtp._tls` TXT record (RFC 8460 §3).

use url::Url;

use super::field_list::{self, Dialect};
use super::names::host_name_problem;
use super::{Field, Offence, Span, VersionTag, trimmed};

const DIALECT: Dialect = Dialect { version: "v=TLSRPTv1", keyword: "rpt", fields: &["rua"] };

/// Fields of DMARC (RFC 7489 §6.3) that people carry over.
pub const DMARC_FIELDS: [&str; 9] = ["adkim", "aspf", "fo", "p", "pct", "rf", "ri", "ruf", "sp"];

/// How many destinations are read.
const MAX_DESTINATIONS: usize = 64;

/// A record taken apart.
#[derive(Clone, Debug, PartialEq)]
pub struct TlsrptRecord {
    /// What stands where `v=TLSRPTv1` must stand.
    pub version: VersionTag,
    /// Whether the text begins with the octets `v=TLSRPTv1;`.
    pub begins: bool,
    /// The fields after the version, in order.
    pub fields: Vec<Field>,
    /// The destinations of all `rua` fields, in order.
    pub destinations: Vec<Destination>,
    /// Why there is no destination at all.
    pub rua_problem: Option<Offence>,
    /// Destinations that a raw `;` cuts short.
    pub truncated: Vec<Offence>,
    /// Places that break the grammar otherwise.
    pub syntax: Vec<Offence>,
    /// Places that are not US-ASCII.
    pub ascii: Vec<Offence>,
}

/// A destination for reports: one URI of a `rua` field.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Destination {
    /// As it is written.
    pub text: String,
    /// Where.
    pub span: Span,
    /// The scheme in lower case.
    pub scheme: Option<String>,
    /// The domain of a `mailto:`, or the host of an `https:` URI, in lower case.
    pub host: Option<String>,
    /// What is wrong with the scheme.
    pub scheme_problem: Option<Offence>,
    /// What is wrong with the URI.
    pub uri_problem: Option<Offence>,
    /// A DMARC-style size suffix, such as `!10m`.
    pub size_suffix: Option<Offence>,
}

impl Destination {
    /// Whether a report can be sent there at all.
    pub fn is_usable(&self) -> bool {
        self.scheme_problem.is_none() && self.uri_problem.is_none() && self.size_suffix.is_none()
    }
}

impl TlsrptRecord {
    /// Whether a sender can use it: right version, no offence, and a destination.
    pub fn is_valid(&self) -> bool {
        let version = matches!(self.version, VersionTag::Exact | VersionTag::ExactThenSpace(_));
        let clean =
            self.syntax.is_empty() && self.ascii.is_empty() && self.truncated.is_empty() && self.rua_problem.is_none();
        version && clean && !self.destinations.is_empty() && self.destinations.iter().all(Destination::is_usable)
    }
}

/// Takes a record apart: its character-strings joined.
pub fn parse(text: &[u8]) -> TlsrptRecord {
    let list = field_list::parse(text, &DIALECT);
    let mut syntax = list.syntax;
    let truncated = truncations(text, &list.fields, &mut syntax);
    let ruas: Vec<&Field> = list.fields.iter().filter(|field| field.name == "rua" && field.has_equals).collect();
    let destinations: Vec<Destination> = ruas
        .iter()
        .filter(|field| field.value_span.length > 0)
        .flat_map(|field| destinations(text, field.value_span))
        .take(MAX_DESTINATIONS)
        .collect();
    if !destinations.is_empty() {
        let empty = ruas.iter().filter(|field| field.value_span.length == 0);
        syntax.extend(empty.map(|field| Offence::new(field.span, "a `rua` is empty")));
    }
    let rua_problem = if destinations.is_empty() { Some(rua_problem(text, &list.fields, &mut syntax)) } else { None };
    TlsrptRecord {
        version: list.version,
        begins: list.begins,
        fields: list.fields,
        destinations,
        rua_problem,
        truncated,
        syntax,
        ascii: field_list::as_one(list.ascii),
    }
}

/// Why there is no destination: an empty `rua`, a `rua` without `=`, another case, or none at all.
fn rua_problem(text: &[u8], fields: &[Field], syntax: &mut Vec<Offence>) -> Offence {
    if let Some(empty) = fields.iter().find(|field| field.name == "rua" && field.has_equals) {
        return Offence::new(empty.span, "`rua` is empty");
    }
    let begins = |field: &&Field, with: &str| !field.has_equals && field.name.to_ascii_lowercase().starts_with(with);
    if let Some(field) = fields.iter().find(|field| begins(field, "rua")) {
        syntax.retain(|offence| offence.span != field.span);
        let shown: String = field.name.chars().take(4).collect();
        return Offence::new(field.span, format!("`{shown}` is not `rua=`"));
    }
    if let Some(field) = fields.iter().find(|field| begins(field, "mailto:") || begins(field, "https:")) {
        syntax.retain(|offence| offence.span != field.span);
        return Offence::new(field.span, "a destination stands without `rua=` before it");
    }
    if let Some(field) = fields.iter().find(|field| field.meant == Some("rua")) {
        return Offence::new(field.name_span, format!("`{}` is not `rua`", field.name)).suggesting("rua");
    }
    Offence::new(Span { offset: 0, length: text.len() }, "there is no `rua` field")
}

/// Fields that are the rest of a URI which a raw `;` cut: pieces without `=`, and, behind a URI with a query,
/// extensions that no registry and no other mail standard knows.
fn truncations(text: &[u8], fields: &[Field], syntax: &mut Vec<Offence>) -> Vec<Offence> {
    let mut offences = Vec::new();
    let mut rua: Option<&Field> = None;
    for field in fields {
        let dmarc = DMARC_FIELDS.contains(&field.name.to_ascii_lowercase().as_str());
        match rua {
            _ if field.name == "rua" && field.has_equals => rua = Some(field),
            Some(before) if !field.known && field.meant.is_none() && !dmarc => {
                let in_query = before.value.contains('?') || before.value.ends_with(['/', '&']);
                // A piece of a URI follows its `;` at once, unless it is a URI of its own.
                let spaced = text.get(before.value_span.end()..field.span.offset).is_some_and(|gap| gap.len() > 1);
                let own = field.name.contains(':');
                if (field.has_equals && !in_query) || (spaced && !own) {
                    rua = None;
                    continue;
                }
                syntax.retain(|offence| {
                    offence.span.end() <= field.span.offset || offence.span.offset >= field.span.end()
                });
                let cut = Span::between(before.value_span.end(), field.span.end());
                let shown = String::from_utf8_lossy(cut.of(text)).into_owned();
                let rest = shown.trim_start_matches([';', ' ', '\t']);
                let lower = rest.to_ascii_lowercase();
                let another = ["mailto:", "https:"].iter().any(|scheme| lower.starts_with(scheme));
                let complete = before.value.contains('@') && !before.value.contains("://");
                let address = !field.has_equals && rest.contains('@') && complete;
                let offence = Offence::new(cut, format!("`{shown}` is cut off from `{}`", before.value));
                let offence = match (another, address) {
                    (true, _) => Offence::new(cut, "destinations are separated by commas, and a `;` stands here")
                        .suggesting(format!(",{rest}")),
                    (false, true) => offence.suggesting(format!(",mailto:{rest}")),
                    (false, false) => offence.suggesting(shown.replace(';', "%3B")),
                };
                offences.push(offence);
            }
            _ => rua = None,
        }
    }
    offences
}

fn destinations(text: &[u8], value: Span) -> Vec<Destination> {
    let mut found: Vec<Destination> = Vec::new();
    let mut from = value.offset;
    for part in value.of(text).split(|octet| *octet == b',') {
        let span = Span { offset: from, length: part.len() };
        from = span.end().saturating_add(1);
        let next = destination(text, trimmed(text, span), span, value.offset);
        match found.last_mut().filter(|last| belongs_to(&next, last)) {
            Some(last) => *last = with_raw_comma(text, last, &next),
            None => found.push(next),
        }
        if found.len() >= MAX_DESTINATIONS {
            break;
        }
    }
    found
}

/// Whether a raw comma tore a piece off the `mailto:` before it, which has no `@` of its own.
fn belongs_to(next: &Destination, last: &Destination) -> bool {
    let torn =
        last.scheme.as_deref() == Some("mailto") && last.text.len() > "mailto:".len() && !last.text.contains('@');
    torn && next.scheme.is_none() && next.text.contains('@')
}

fn with_raw_comma(text: &[u8], last: &Destination, next: &Destination) -> Destination {
    let span = Span::between(last.span.offset, next.span.end());
    let detail = "holds a raw comma, which must be written `%2C`".to_owned();
    let suggestion = Some(format!("{}%2C{}", last.text, next.text));
    Destination {
        text: String::from_utf8_lossy(span.of(text)).into_owned(),
        span,
        scheme: last.scheme.clone(),
        uri_problem: Some(Offence { span, detail, suggestion, lines: 1 }),
        ..Destination::default()
    }
}

fn destination(text: &[u8], span: Span, around: Span, first: usize) -> Destination {
    let written = String::from_utf8_lossy(span.of(text)).into_owned();
    let mut found = Destination { text: written.clone(), span, ..Destination::default() };
    if span.length == 0 {
        // The comma before it, or behind it where it is the first.
        let offset = if around.offset > first { around.offset.saturating_sub(1) } else { around.offset };
        let place = Span { offset, length: around.length.saturating_add(1) };
        found.uri_problem = Some(Offence::new(place, "a comma stands without a URI beside it"));
        return found;
    }
    let mut uri = written.as_str();
    if let Some((before, suffix)) = written.rsplit_once('!')
        && is_size(suffix)
    {
        let place = Span { offset: span.offset.saturating_add(before.len()), length: suffix.len().saturating_add(1) };
        found.size_suffix = Some(
            Offence::new(place, format!("`!{suffix}` is a size limit of DMARC, which TLSRPT does not know"))
                .suggesting(""),
        );
        uri = before;
    }
    let (scheme, rest) = match uri.split_once(':').filter(|(scheme, _)| is_scheme(scheme)) {
        Some((scheme, rest)) => (scheme.to_ascii_lowercase(), rest),
        None => {
            without_scheme(uri, span, &mut found);
            return found;
        }
    };
    let problem = match scheme.as_str() {
        _ if wrong_character(uri).is_some() => wrong_character(uri),
        "mailto" => mailto_problem(rest, &mut found),
        "https" => https_problem(uri, rest, &mut found),
        other => {
            let offence = Offence::new(
                Span { offset: span.offset, length: other.len() },
                format!("begins with `{other}:`, and only `mailto:` and `https:` are allowed"),
            );
            found.scheme_problem = Some(if other == "http" { offence.suggesting("https") } else { offence });
            None
        }
    };
    found.scheme = Some(scheme);
    found.uri_problem = problem.map(|(detail, suggestion)| Offence { span, detail, suggestion, lines: 1 });
    found
}

fn without_scheme(uri: &str, span: Span, found: &mut Destination) {
    let bare = uri.trim_matches(|c| matches!(c, '<' | '>' | '"' | '\''));
    if bare.len() < uri.len() {
        let suggestion = Some(bare.to_owned()).filter(|bare| bare.contains(':'));
        found.uri_problem =
            Some(Offence { span, detail: "has brackets or quotes around it".to_owned(), suggestion, lines: 1 });
        return;
    }
    let mut offence = Offence::new(span, "has no scheme");
    let slipped = [("https//", "https://"), ("http//", "https://"), ("mailto=", "mailto:")];
    if let Some((slip, right)) = slipped.into_iter().find(|(slip, _)| uri.starts_with(slip)) {
        offence.suggestion = Some(uri.replacen(slip, right, 1));
    } else if uri.contains('@') && !uri.contains('/') {
        offence.detail = "is an address without `mailto:`".to_owned();
        offence.suggestion = Some(format!("mailto:{uri}"));
    } else if uri.contains('.')
        && host_name_problem(uri.trim_start_matches("//").split('/').next().unwrap_or_default()).is_none()
    {
        offence.suggestion = Some(format!("https://{}", uri.trim_start_matches("//")));
    }
    found.scheme_problem = Some(offence);
}

type Problem = (String, Option<String>);

/// A character that no URI has (RFC 3986 Appendix A), or that RFC 8460 §3 wants encoded.
fn wrong_character(uri: &str) -> Option<Problem> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-._~:/?#[]@$&'()*+=%".contains(c);
    if let Some(wrong) = uri.chars().find(|c| !allowed(*c)) {
        let detail = match wrong {
            '!' => "holds a raw `!`, which must be written `%21`".to_owned(),
            ' ' | '\t' => "holds white space".to_owned(),
            other => format!("holds `{}`, which no URI has", other.escape_default()),
        };
        let suggestion = if wrong == '!' { Some(uri.replace('!', "%21")) } else { None };
        return Some((detail, suggestion));
    }
    let mut parts = uri.split('%');
    parts.next();
    let bad = parts.any(|part| !part.get(..2).is_some_and(|hex| hex.bytes().all(|c| c.is_ascii_hexdigit())));
    bad.then(|| ("has a `%` without two hexadecimal digits behind it".to_owned(), None))
}

/// What is wrong behind `mailto:` (RFC 6068 §2).
fn mailto_problem(rest: &str, found: &mut Destination) -> Option<Problem> {
    if let Some(address) = rest.strip_prefix("//") {
        return Some(("has `//` behind `mailto:`".to_owned(), Some(format!("mailto:{address}"))));
    }
    let address = decoded(rest.split(['?', '#']).next().unwrap_or_default());
    let Some((local, domain)) = address.rsplit_once('@') else {
        let detail = if address.is_empty() { "names no address" } else { "names no address with `@` and a domain" };
        return Some((detail.to_owned(), None));
    };
    let quoted = local.len() > 1 && local.starts_with('"') && local.ends_with('"');
    if local.is_empty() || (local.contains('@') && !quoted) {
        return Some((if local.is_empty() { "names no mailbox before `@`" } else { "holds two `@`" }.to_owned(), None));
    }
    // Outside of quotes, dots separate atoms (RFC 5322 §3.2.3).
    if !quoted && local.split('.').any(str::is_empty) {
        return Some(("has a dot at an edge of the mailbox, or two in a row".to_owned(), None));
    }
    let ascii = idna::domain_to_ascii(domain).unwrap_or_default();
    let literal = domain.starts_with('[') && domain.ends_with(']');
    if domain.is_empty() || (!literal && (host_name_problem(&ascii).is_some() || ascii.ends_with('.'))) {
        return Some((format!("names `{}`, which is no domain", crate::source_text::escape(domain)), None));
    }
    found.host = Some(ascii.to_ascii_lowercase()).filter(|_| !literal);
    None
}

fn https_problem(uri: &str, rest: &str, found: &mut Destination) -> Option<Problem> {
    if !rest.starts_with("//") {
        return Some((
            "wants `//` behind `https:`".to_owned(),
            Some(format!("https://{}", rest.trim_start_matches('/'))),
        ));
    }
    let authority = rest.trim_start_matches("//").split(['/', '?', '#']).next().unwrap_or_default();
    if authority.is_empty() {
        return Some(("names no host".to_owned(), None));
    }
    match Url::parse(uri) {
        Ok(url) => {
            found.host = url.host_str().map(|host| host.trim_end_matches('.').to_ascii_lowercase());
            found.host.is_none().then(|| ("names no host".to_owned(), None))
        }
        Err(error) => Some((format!("is no URL: {error}"), None)),
    }
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'+' | b'-' | b'.'))
}

/// Whether it is the number of a DMARC size limit (RFC 7489 §6.4): digits, then k, m, g, t or nothing.
fn is_size(text: &str) -> bool {
    let digits = text.trim_end_matches(|c: char| "kmgtKMGT".contains(c));
    !digits.is_empty() && text.len() <= digits.len().saturating_add(1) && digits.bytes().all(|c| c.is_ascii_digit())
}

fn decoded(text: &str) -> String {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(octet) = rest.next() {
        let hex = |octet: Option<u8>| octet.and_then(|octet| char::from(octet).to_digit(16));
        match octet {
            b'%' => {
                let (high, low) = (hex(rest.next()), hex(rest.next()));
                let value = high.zip(low).map_or(0x3f, |(high, low)| high.saturating_mul(16).saturating_add(low));
                octets.push(u8::try_from(value).unwrap_or(b'?'));
            }
            octet => octets.push(octet),
        }
    }
    String::from_utf8_lossy(&octets).into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn faults(text: &[u8]) -> Vec<&'static str> {
        let record = parse(text);
        let mut faults = Vec::new();
        match &record.version {
            VersionTag::Exact => {}
            VersionTag::ExactThenSpace(_) => faults.push("space"),
            VersionTag::Foreign => return vec!["foreign"],
            VersionTag::NearMiss(_) => return vec!["version"],
        }
        faults.extend(record.syntax.iter().map(|_| "syntax"));
        faults.extend(record.ascii.iter().map(|_| "ascii"));
        faults.extend(record.truncated.iter().map(|_| "truncated"));
        faults.extend(record.rua_problem.iter().map(|_| "rua"));
        for destination in &record.destinations {
            faults.extend(destination.scheme_problem.iter().map(|_| "scheme"));
            faults.extend(destination.uri_problem.iter().map(|_| "uri"));
            faults.extend(destination.size_suffix.iter().map(|_| "size"));
        }
        faults
    }

    #[test]
    fn the_corners_of_the_grammar() {
        for (text, expected) in [
            ("v=TLSRPTv1;rua=mailto:reports@example.com", &[][..]),
            ("v=TLSRPTv1;rua=mailto:a@b.example,https://c.example/x", &[]),
            ("v=TLSRPTv1; rua=mailto:a@example.com , https://r.example/x;", &[]),
            ("v=TLSRPTv1; rua=mailto:a@x.example; rua=mailto:b@x.example", &[]),
            ("v=TLSRPTv1; x=1; rua=mailto:a@example.com", &[]),
            ("v=TLSRPTv1; rua=mailto:a@example.com; x=1", &[]),
            ("v=TLSRPTv1; rua=MAILTO:a@example.com", &[]),
            ("v=TLSRPTv1; rua=https://r.example/x?a=1&b=2", &[]),
            ("v=TLSRPTv1; rua=https://r.example/x?a=1;b=2", &["truncated"]),
            ("v=TLSRPTv1; rua=mailto:a@b.example;c", &["truncated"]),
            ("v=TLSRPTv1; rua=a@example.com", &["scheme"]),
            ("v=TLSRPTv1; rua=mailto:a@example.com,b@example.com", &["scheme"]),
            ("v=TLSRPTv1; rua=mailto:a@example.com!10m", &["size"]),
            ("v=TLSRPTv1; rua=mailto:a!b@example.com", &["uri"]),
            ("v=TLSRPTv1; rua=<mailto:a@example.com>", &["uri"]),
            ("v=TLSRPTv1; rua=mailto:a@example.com,", &["uri"]),
            ("v=TLSRPTv1; rua=http://r.example/", &["scheme"]),
            ("v=TLSRPTv1; rua=tel:12345", &["scheme"]),
            ("v=TLSRPTv1; rua=mailto:", &["uri"]),
            ("v=TLSRPTv1; rua=mailto://a@x.example", &["uri"]),
            ("v=TLSRPTv1; rua=https:r.example", &["uri"]),
            ("v=TLSRPTv1; rua=https:///x", &["uri"]),
            ("v=TLSRPTv1; rua=mailto:a%2Cb@example.com", &[]),
            ("v=TLSRPTv1; rua=mailto:a%zz@example.com", &["uri"]),
            ("v=TLSRPTv1; rua=mailto:a@example.com?subject=x", &[]),
            ("v=TLSRPTv1; RUA=mailto:a@example.com", &["rua"]),
            ("v=TLSRPTv1; ruf=mailto:a@example.com", &["rua"]),
            ("v=TLSRPTv1; rua=mailto:a@example.com; ruf=mailto:b@example.com", &[]),
            ("v=tlsrptv1; rua=mailto:a@example.com", &["version"]),
            ("v=TLSRPT1; rua=mailto:a@example.com", &["version"]),
            ("v=TLS-RPTv1; rua=mailto:a@example.com", &["version"]),
            ("v=TLSRPTv2; rua=mailto:a@example.com", &["version"]),
            ("rua=mailto:a@example.com; v=TLSRPTv1", &["version"]),
            ("rua=mailto:a@example.com", &["version"]),
            ("v=TLSRPTv1 ; rua=mailto:a@example.com", &["space"]),
            ("v=TLSRPTv1", &["rua"]),
            ("v=TLSRPTv1;", &["rua"]),
            ("v=TLSRPTv1;; rua=mailto:a@example.com", &["syntax"]),
            ("v=TLSRPTv1; rua=mailto:a@example.com;;", &["syntax"]),
            ("v=TLSRPTv1; rua=", &["rua"]),
            ("v=TLSRPTv1; rua:mailto:a@example.com", &["rua"]),
            ("v=TLSRPTv1; rua = mailto:a@example.com", &["syntax"]),
            ("v=TLSRPTv1; rua=mailto: a@example.com", &["uri"]),
            ("v=TLSRPTv1; rua=mailto:a@example.com ", &["syntax"]),
            ("v=TLSRPTv1; rua=mailto:a@example.com https://r.example/", &["uri"]),
            ("v=TLSRPTv1; rua=mailto:é@example.com", &["ascii", "uri"]),
            ("v=DMARC1; p=none", &["foreign"]),
        ] {
            assert_eq!(faults(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn suggestions_and_hosts() {
        let one = |text: &str| parse(text.as_bytes()).destinations[0].clone();
        assert_eq!(
            one("v=TLSRPTv1; rua=a@b.example").scheme_problem.unwrap().suggestion.unwrap(),
            "mailto:a@b.example"
        );
        assert_eq!(one("v=TLSRPTv1; rua=mailto:a@B.example").host.unwrap(), "b.example");
        assert_eq!(one("v=TLSRPTv1; rua=https://R.example:8443/x").host.unwrap(), "r.example");
    }

    fn spans_lie_inside(text: &[u8]) {
        let record = parse(text);
        let lists = record.syntax.iter().chain(&record.ascii).chain(&record.truncated).chain(&record.rua_problem);
        let inner =
            record.destinations.iter().flat_map(|d| [&d.scheme_problem, &d.uri_problem, &d.size_suffix]).flatten();
        let spans = lists.chain(inner).map(|offence| offence.span).chain(record.destinations.iter().map(|d| d.span));
        assert!(spans.into_iter().all(|span| span.end() <= text.len()), "{text:?}");
    }

    proptest! {
        #[test]
        fn no_octets_panic_or_leave_the_text(text: Vec<u8>) {
            spans_lie_inside(&text);
        }

        #[test]
        fn nothing_near_the_grammar_does_either(text in "v=TLSRPTv1;( ?(rua|ruf|x)?[=:]?(mailto|https|http)?[:/]{0,3}[a-z@.,;! %2é?=]{0,12};?){0,4}") {
            spans_lie_inside(text.as_bytes());
        }

        #[test]
        fn what_the_grammar_makes_is_valid(local in "[a-z0-9+_-]{1,6}(\\.[a-z0-9+_-]{1,6})?", host in "[a-z0-9]{1,9}\\.example", path in "[a-z0-9/=&?]{0,9}", mail: bool) {
            let uri = if mail { format!("mailto:{local}@{host}") } else { format!("https://{host}/{path}") };
            let record = parse(format!("v=TLSRPTv1; rua={uri}").as_bytes());
            prop_assert!(record.is_valid(), "{:?}", record);
        }
    }
}
