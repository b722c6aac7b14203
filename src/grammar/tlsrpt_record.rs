//! The `_smtp._tls` TXT record (RFC 8460 §3).

mod destination;

pub use self::destination::Destination;
use self::destination::{MAX_DESTINATIONS, destinations};
use super::field_list::{self, Dialect};
use super::{Field, Offence, Span, VersionTag};

const DIALECT: Dialect = Dialect { version: "v=TLSRPTv1", keyword: "rpt", fields: &["rua"] };

/// Fields of DMARC (RFC 7489 §6.3) that people carry over.
pub const DMARC_FIELDS: [&str; 9] = ["adkim", "aspf", "fo", "p", "pct", "rf", "ri", "ruf", "sp"];

/// A record taken apart.
#[derive(Clone, Debug, PartialEq)]
pub struct TlsrptRecord {
    /// What is there instead of `v=TLSRPTv1`.
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
    /// Whether each piece that a `;` cuts off is a field by the grammar, which senders skip.
    pub truncated_parses: bool,
    /// Places that break the grammar otherwise.
    pub syntax: Vec<Offence>,
    /// Places that are not US-ASCII.
    pub ascii: Vec<Offence>,
}

impl TlsrptRecord {
    /// Whether a sender can use it: right version, no offence, and a destination.
    pub fn is_valid(&self) -> bool {
        let version = matches!(self.version, VersionTag::Exact | VersionTag::ExactThenSpace(_));
        let clean =
            self.syntax.is_empty() && self.ascii.is_empty() && self.truncated_parses && self.rua_problem.is_none();
        version && clean && !self.destinations.is_empty() && self.destinations.iter().all(Destination::is_usable)
    }
}

/// Takes a record apart: its character-strings joined.
pub fn parse(text: &[u8]) -> TlsrptRecord {
    let list = field_list::parse(text, &DIALECT);
    let mut syntax = list.syntax;
    let judged = syntax.clone();
    let truncated = truncations(text, &list.fields, &mut syntax);
    let broken = |cut: &Offence| judged.iter().any(|it| !syntax.contains(it) && cut.span.overlaps(it.span));
    let truncated_parses = !truncated.iter().any(broken);
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
        truncated_parses,
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
        return Offence::new(field.span, "a destination has no `rua=` in front of it");
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
                    (true, _) => Offence::new(cut, "destinations are separated by commas, not by `;`")
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
            ("v=TLSRPTv1; rua=mailto:mailto:a@x.example", &["uri"]),
            ("v=TLSRPTv1; rua=mailto::a@x.example", &["uri"]),
            ("v=TLSRPTv1; rua=mailto:a%3Ab@x.example", &[]),
            ("v=TLSRPTv1; rua=https:////x.example/", &["uri"]),
            ("v=TLSRPTv1; rua=https:///x.example/", &["uri"]),
            ("v=TLSRPTv1; rua=https://./", &["uri"]),
            ("v=TLSRPTv1; rua=https://r..example/", &["uri"]),
            ("v=TLSRPTv1; rua=https://r.example./", &[]),
            ("v=TLSRPTv1; rua=https://192.0.2.1:8443/", &[]),
            ("v=TLSRPTv1; rua=https://[2001:db8::1]/", &[]),
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
    fn what_a_semicolon_cuts_off_may_be_a_field() {
        for (rest, parses) in
            [(";x=y", true), (";x=", false), (";x", false), (";x=y=z", false), (";x=1;y=2", true), ("", true)]
        {
            let record = parse(format!("v=TLSRPTv1; rua=https://r.example/?q=1{rest}").as_bytes());
            assert_eq!(record.truncated.is_empty(), rest.is_empty(), "{rest}");
            assert_eq!((record.truncated_parses, record.is_valid()), (parses, parses), "{rest}");
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

    /// The grammar of RFC 8460 §3 as an expression, with each `rua` judged as what it is named, and of the URIs those
    /// of the two schemes that the generator below makes.
    fn follows_the_abnf(text: &str) -> bool {
        let wsp = r"[ \t]*";
        let mailto = r"(?i:mailto):[a-z0-9_-]+(?:\.[a-z0-9_-]+)*@[a-z0-9]+(?:\.[a-z0-9]+)*(?:\?[a-z=:]*)?";
        let host = r"(?:[a-z.]*@)?[a-z0-9]+(?:\.[a-z0-9]+)*\.?:?";
        let https = format!(r"(?i:https)://{host}(?:/[a-z0-9/=:]*)?(?:\?[a-z0-9/=:?]*)?");
        let uri = format!("(?:{mailto}|{https})");
        let rua = format!("rua={uri}(?:{wsp},{wsp}{uri})*");
        let extension = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}=[\x21-\x3a\x3c\x3e-\x7e]+";
        let delimiter = format!("{wsp};{wsp}");
        let record = format!(r"\Av=TLSRPTv1(?:{delimiter}(?:{rua}|{extension}))+(?:{delimiter})?\z");
        let rua = regex::Regex::new(&format!(r"\A{rua}\z")).unwrap();
        let fields = || text.split(';').map(|field| field.trim_matches([' ', '\t']));
        let mut ruas = fields().filter(|field| field.starts_with("rua=")).peekable();
        let named = ruas.peek().is_some() && ruas.all(|field| rua.is_match(field));
        named && regex::Regex::new(&record).unwrap().is_match(text)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(700))]

        #[test]
        fn parser_and_abnf_agree(
            text in "v=TLSRPTv1([ \t]{0,2};[ \t]{0,2}((rua|x)=(mailto|https|Mailto|mailt):(//|////|mailto:|:)?[a-z.]{0,3}[@./!,;]?[a-z.]{1,3}[/?;,!]?[a-z=:]{0,3}( ?, ?https://r\\.example/)?|rua=(mailto:a@b\\.example|https://r\\.example/x\\?q=1)(!10m|;x=y|;x=|;x|,)?|[a-z_.-]{0,3}=[a-z=!é\u{1}\u{85} -]{0,4}|rua)){0,3}[ \t]{0,2};?[ \t]?",
        ) {
            let record = parse(text.as_bytes());
            prop_assert_eq!(record.is_valid(), follows_the_abnf(&text), "{:?}", record);
        }
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
