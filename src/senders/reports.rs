//! How a sender reads the TXT records at `_smtp._tls`. Called by `senders::explain`.

use super::addresses;
use super::blanks::Blanks;
use super::dialect::{Destinations, Records, ReportDialect, ReportReader};
use super::letters;
use super::plain::is_extension_name;
use super::verdict::{Reading, Stop, Verdict, known};

const VERSION: &str = "v=TLSRPTv1";

/// What a sender makes of the TXT records, each with its character-strings joined.
pub fn read(dialect: &ReportDialect, texts: &[String]) -> Verdict {
    if texts.is_empty() {
        return Verdict::no("there is no TXT record");
    }
    if dialect.reader.is_none() {
        return plain(texts);
    }
    chosen(dialect, texts).unwrap_or_else(Verdict::from)
}

/// One record with one `mailto:` destination and nothing else is the same for every sender.
fn plain(texts: &[String]) -> Verdict {
    let unknown = Verdict::unknown("not known: how it reads records that are not plain");
    let [text] = texts else { return unknown };
    let rest = text.strip_prefix("v=TLSRPTv1;").map(|rest| rest.strip_prefix(' ').unwrap_or(rest));
    let uri = rest.and_then(|rest| rest.strip_prefix("rua=")).map(|uri| uri.strip_suffix(';').unwrap_or(uri));
    match uri {
        Some(uri) if uri.strip_prefix("mailto:").is_some_and(|it| addresses::is_mailbox(it) == Some(true)) => {
            Verdict::yes(
                "every known sender takes such a record",
                Reading { rua: vec![uri.to_owned()], ..Reading::default() },
            )
        }
        _ => unknown,
    }
}

fn chosen(dialect: &ReportDialect, texts: &[String]) -> Result<Verdict, Stop> {
    let accepted =
        |rua: Vec<String>| Verdict::yes("it is valid for this sender", Reading { rua, ..Reading::default() });
    if let [text] = texts {
        return one(dialect, text).map(accepted);
    }
    match known(&dialect.records, "what it does with several TXT records")? {
        Records::Any | Records::FirstAccepted => {
            let mut last = Stop::no("there is no record that it can read");
            for text in texts {
                match one(dialect, text) {
                    Ok(rua) => return Ok(accepted(rua)),
                    Err(stop) => last = stop,
                }
            }
            Err(last)
        }
        Records::Joined => one(dialect, &texts.concat()).map(accepted),
        Records::OneRecord => Err(Stop::no(format!("there are {} TXT records, and it takes exactly one", texts.len()))),
        Records::OneCandidate => match texts.iter().filter(|text| is_delimited(text)).collect::<Vec<_>>().as_slice() {
            [text] => one(dialect, text).map(accepted),
            [] => Err(Stop::no("no TXT record begins with `v=TLSRPTv1;`")),
            several => Err(Stop::no(format!("there are {} records, and it takes exactly one", several.len()))),
        },
    }
}

fn is_delimited(text: &str) -> bool {
    text.strip_prefix(VERSION).is_some_and(|rest| Blanks::SpaceAndTab.trim_start(rest).starts_with(';'))
}

fn one(dialect: &ReportDialect, text: &str) -> Result<Vec<String>, Stop> {
    let found = match known(&dialect.reader, "how it takes the record apart")? {
        ReportReader::Letters => return letters::tlsrpt(text),
        ReportReader::Grammar => by_grammar(text)?,
        ReportReader::SecondField => second_field(text)?,
        ReportReader::Tokens => tokens(text)?,
    };
    match known(&dialect.destinations, "which destinations it takes")? {
        Destinations::AnyText => Ok(found),
        Destinations::AnyScheme => match found.iter().find(|uri| !has_scheme(uri)) {
            Some(uri) => Err(Stop::no(format!("`{uri}` is not a URI with a scheme"))),
            None => Ok(found),
        },
        Destinations::MailtoAndHttps => left_over(found.into_iter().filter(|uri| is_reportable(uri)).collect()),
        Destinations::Valid => {
            let mut kept = Vec::new();
            for uri in found {
                match is_valid(&uri) {
                    Some(true) => kept.push(uri),
                    Some(false) => {}
                    None => return Err(Stop::Unknown(format!("not known: whether it takes `{uri}`"))),
                }
            }
            left_over(kept)
        }
    }
}

fn left_over(kept: Vec<String>) -> Result<Vec<String>, Stop> {
    match kept.is_empty() {
        true => Err(Stop::no("it takes none of the destinations")),
        false => Ok(kept),
    }
}

fn is_reportable(uri: &str) -> bool {
    let lower = uri.to_ascii_lowercase();
    lower.starts_with("mailto:") || lower.starts_with("https:")
}

fn is_valid(uri: &str) -> Option<bool> {
    let lower = uri.to_ascii_lowercase();
    if let Some(address) = lower.strip_prefix("mailto:") {
        return addresses::is_mailbox(address);
    }
    let Some(rest) = lower.strip_prefix("https://") else { return Some(false) };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let (host, port) = authority.split_once(':').unwrap_or((authority, "1"));
    if !port.parse::<u16>().is_ok_and(|port| port > 0) {
        return Some(false);
    }
    addresses::is_public_domain(host)
}

/// Whether it is a URI with a scheme, as lenient parsers have it.
fn has_scheme(uri: &str) -> bool {
    let Some((scheme, rest)) = uri.split_once(':') else { return false };
    let begins = scheme.bytes().next().is_some_and(|octet| octet.is_ascii_alphabetic());
    let is_scheme = scheme.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"+-.".contains(&octet));
    let hierarchic = rest.strip_prefix("//").is_none_or(is_hierarchic);
    begins && is_scheme && !uri.bytes().any(|octet| octet.is_ascii_control()) && hierarchic
}

/// Whether what follows `//` has a port of digits, and only whole percent-encodings.
fn is_hierarchic(rest: &str) -> bool {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let port = authority.rsplit_once(':').map_or("", |(_, port)| port);
    let digits = port.bytes().all(|octet| octet.is_ascii_digit()) || authority.ends_with(']');
    let mut encodings = rest.split('%').skip(1);
    digits && encodings.all(|it| it.get(..2).is_some_and(|hex| hex.bytes().all(|octet| octet.is_ascii_hexdigit())))
}

/// From left to right, by the grammar (RFC 8460 §3); white space may follow the last destination.
fn by_grammar(text: &str) -> Result<Vec<String>, Stop> {
    if !is_delimited(text) {
        return Err(Stop::no("the record does not begin with `v=TLSRPTv1;`"));
    }
    let parts: Vec<&str> = text.split(';').collect();
    let mut found = Vec::new();
    for (index, part) in parts.iter().enumerate().skip(1) {
        let is_last = index.saturating_add(1) == parts.len();
        let field = Blanks::SpaceAndTab.trim_start(part);
        let trimmed = Blanks::SpaceAndTab.trim_end(field);
        if trimmed.is_empty() {
            match is_last {
                true => continue,
                false => return Err(Stop::no("there is an empty field between two `;`")),
            }
        }
        let Some((name, value)) = field.split_once('=') else {
            return Err(Stop::no(format!("the field `{trimmed}` has no `=`")));
        };
        if name == "rua" {
            for uri in value.split(',') {
                let uri = Blanks::SpaceAndTab.trim(uri);
                if uri.is_empty() || uri.contains([' ', '\t', '!']) {
                    return Err(Stop::no(format!("`{uri}` is not a destination by the grammar")));
                }
                found.push(uri.to_owned());
            }
            if value.starts_with([' ', '\t']) {
                return Err(Stop::no("there is white space after `rua=`"));
            }
            continue;
        }
        let value = if is_last { value } else { Blanks::SpaceAndTab.trim_end(value) };
        let fits = !value.is_empty() && value.bytes().all(|octet| octet.is_ascii_graphic() && octet != b'=');
        if !is_extension_name(name) || !fits {
            return Err(Stop::no(format!("the field `{trimmed}` does not follow the grammar")));
        }
    }
    match found.is_empty() {
        true => Err(Stop::no("there is no field `rua`")),
        false => Ok(found),
    }
}

fn second_field(text: &str) -> Result<Vec<String>, Stop> {
    let mut parts = text.split(';');
    let (first, second) = (parts.next().unwrap_or_default(), parts.next());
    let Some(second) = second else { return Err(Stop::no("the record has no `;`")) };
    if first != VERSION {
        return Err(Stop::no(format!("`{first}` is not `{VERSION}`")));
    }
    match Blanks::Python.trim(second).strip_prefix("rua=") {
        Some(list) => Ok(list.split(',').map(str::to_owned).collect()),
        None => Err(Stop::no("the field after the version is not `rua`")),
    }
}

fn tokens(text: &str) -> Result<Vec<String>, Stop> {
    let unquoted = text.replace('"', "");
    let (mut version, mut rua) = (None, None);
    for token in unquoted.split([';', '|', ' ']) {
        // What follows a second `=` makes the field unreadable; one at the very end does not count.
        let pieces: Vec<&str> = token.trim_end_matches('=').split('=').collect();
        if let [name, value] = pieces.as_slice() {
            match Blanks::Controls.trim(name) {
                "v" => version = Some(Blanks::Controls.trim(value).to_owned()),
                "rua" => rua = Some(Blanks::Controls.trim(value).to_owned()),
                _ => {}
            }
        }
    }
    if !version.is_some_and(|version| version.eq_ignore_ascii_case("TLSRPTv1")) {
        return Err(Stop::no("the field `v` is not the version `TLSRPTv1`"));
    }
    match rua {
        Some(list) => Ok(list.split(',').filter(|uri| !uri.is_empty()).map(str::to_owned).collect()),
        None => Err(Stop::no("there is no field `rua` that it can read")),
    }
}
