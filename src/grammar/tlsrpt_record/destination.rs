//! One destination for reports: a `mailto:` or `https:` URI (RFC 8460 §3). Used by `tlsrpt_record`.

use url::{Host, Url};

use crate::grammar::names::host_name_problem;
use crate::grammar::{Offence, Span, trimmed};

/// How many destinations are read.
pub(super) const MAX_DESTINATIONS: usize = 64;

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

/// The destinations of a `rua` value, separated by commas.
pub(super) fn destinations(text: &[u8], value: Span) -> Vec<Destination> {
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
    let detail = "contains a comma, which must be written `%2C`".to_owned();
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
        // The comma before it, or after it where it is the first.
        let offset = if around.offset > first { around.offset.saturating_sub(1) } else { around.offset };
        let place = Span { offset, length: around.length.saturating_add(1) };
        found.uri_problem = Some(Offence::new(place, "there is a comma without a URI"));
        return found;
    }
    let mut uri = written.as_str();
    if let Some((before, suffix)) = written.rsplit_once('!')
        && is_size(suffix)
    {
        let place = Span { offset: span.offset.saturating_add(before.len()), length: suffix.len().saturating_add(1) };
        found.size_suffix = Some(
            Offence::new(place, format!("`!{suffix}` is a DMARC size limit, which TLSRPT does not have"))
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

/// A character that no URI has (RFC 3986 Appendix A), or that RFC 8460 §3 needs encoded.
fn wrong_character(uri: &str) -> Option<Problem> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-._~:/?#[]@$&'()*+=%".contains(c);
    if let Some(wrong) = uri.chars().find(|c| !allowed(*c)) {
        let detail = match wrong {
            '!' => "contains `!`, which must be written `%21`".to_owned(),
            ' ' | '\t' => "holds white space".to_owned(),
            other => format!("contains `{}`, which is not allowed in a URI", other.escape_default()),
        };
        let suggestion = if wrong == '!' { Some(uri.replace('!', "%21")) } else { None };
        return Some((detail, suggestion));
    }
    let mut parts = uri.split('%');
    parts.next();
    let bad = parts.any(|part| !part.get(..2).is_some_and(|hex| hex.bytes().all(|c| c.is_ascii_hexdigit())));
    bad.then(|| ("has a `%` without two hexadecimal digits after it".to_owned(), None))
}

/// What is wrong after `mailto:` (RFC 6068 §2).
fn mailto_problem(rest: &str, found: &mut Destination) -> Option<Problem> {
    if let Some(address) = rest.strip_prefix("//") {
        return Some(("has `//` after `mailto:`".to_owned(), Some(format!("mailto:{address}"))));
    }
    let written = rest.split(['?', '#']).next().unwrap_or_default();
    if let Some(again) = rest.get(..7).filter(|start| start.eq_ignore_ascii_case("mailto:")) {
        let suggestion = rest.get(again.len()..).map(|address| format!("mailto:{address}"));
        return Some(("has `mailto:` twice".to_owned(), suggestion));
    }
    let address = decoded(written);
    let Some((local, domain)) = address.rsplit_once('@') else {
        let detail =
            if address.is_empty() { "names no address" } else { "does not contain an address with `@` and a domain" };
        return Some((detail.to_owned(), None));
    };
    let quoted = local.len() > 1 && local.starts_with('"') && local.ends_with('"');
    if local.is_empty() || (local.contains('@') && !quoted) {
        return Some((
            if local.is_empty() { "has no mailbox in front of `@`" } else { "holds two `@`" }.to_owned(),
            None,
        ));
    }
    // Of characters that only a quoted mailbox has, some are allowed in a URI all the same (RFC 6068 §2).
    let raw = written.rsplit_once('@').map_or(written, |(local, _)| local);
    if let Some(wrong) = raw.chars().find(|c| !quoted && matches!(c, ':' | ';' | '(' | ')' | '[' | ']')) {
        return Some((format!("contains `{wrong}` in the mailbox"), None));
    }
    // Outside of quotes, dots separate atoms (RFC 5322 §3.2.3).
    if !quoted && local.split('.').any(str::is_empty) {
        return Some(("has a mailbox that begins or ends with a dot, or has two in a row".to_owned(), None));
    }
    let ascii = idna::domain_to_ascii(domain).unwrap_or_default();
    let literal = domain.starts_with('[') && domain.ends_with(']');
    if domain.is_empty() || (!literal && (host_name_problem(&ascii).is_some() || ascii.ends_with('.'))) {
        return Some((format!("names `{}`, which is not a domain", crate::source_text::escape(domain)), None));
    }
    found.host = Some(ascii.to_ascii_lowercase()).filter(|_| !literal);
    None
}

fn https_problem(uri: &str, rest: &str, found: &mut Destination) -> Option<Problem> {
    if !rest.starts_with("//") {
        return Some((
            "needs `//` after `https:`".to_owned(),
            Some(format!("https://{}", rest.trim_start_matches('/'))),
        ));
    }
    let authority = rest.strip_prefix("//").unwrap_or_default().split(['/', '?', '#']).next().unwrap_or_default();
    if authority.is_empty() {
        return Some(("names no host".to_owned(), None));
    }
    match Url::parse(uri) {
        Ok(url) => {
            if let Some(Host::Domain(name)) = url.host()
                && let Some(problem) = host_name_problem(name.strip_suffix('.').unwrap_or(name))
            {
                let name = crate::source_text::escape(name);
                return Some((format!("names the host `{name}`, which {problem}"), None));
            }
            found.host = url.host_str().map(|host| host.trim_end_matches('.').to_ascii_lowercase());
            found.host.is_none().then(|| ("names no host".to_owned(), None))
        }
        Err(error) => Some((format!("is not a valid URL: {error}"), None)),
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
