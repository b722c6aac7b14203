//! What the log says of each step: one plain line with what was learnt, and the details behind it. Used by whatever speaks
//! to a server; what servers say is escaped, as everywhere.

use std::fmt::Display;
use std::net::IpAddr;
use std::time::Duration;

use hickory_resolver::proto::rr::{RData, RecordType};
use tracing::{Level, debug, enabled, trace};

use crate::snapshot::{DnsOutcome, HttpsProbe, Lookup, Party, SmtpProbe, SmtpReply, TlsFacts, TranscriptLine};
use crate::source_text::escape;

/// How many names of a certificate a line shows.
const NAMES: usize = 3;

/// How a query ended, and the records of its answer; `at` names the server where that is not the resolver.
pub fn answer(kind: RecordType, name: &str, at: Option<&dyn Display>, lookup: &Lookup<RData>, elapsed: Duration) {
    let server = at.map(|server| format!(" at {server}")).unwrap_or_default();
    let question = format!("{kind} {}{server}", escape(name.trim_end_matches('.')));
    let ttl = lookup.ttl.map(|ttl| format!(", TTL {ttl} s")).unwrap_or_default();
    let learnt = match (lookup.outcome, &lookup.failure) {
        (Some(DnsOutcome::Answer), _) => format!("{}{ttl}", count(lookup.records.len(), "record")),
        (Some(outcome), Some(failure)) => format!("{} ({})", outcome.label(), failure.detail),
        (Some(outcome), None) => format!("{}{ttl}", outcome.label()),
        (None, _) => "not observed".to_owned(),
    };
    let aliases: Vec<String> = lookup.aliases.iter().map(|alias| escape(&alias.target)).collect();
    let through = if aliases.is_empty() { String::new() } else { format!(", by CNAME through {}", aliases.join(", ")) };
    debug!("{question}: {learnt}{through}, {} ms", elapsed.as_millis());
    if enabled!(Level::TRACE) {
        for record in &lookup.records {
            trace!("{question}: {}", record_text(record));
        }
    }
}

/// The data of a record as a zone file has it.
fn record_text(record: &RData) -> String {
    match record {
        RData::TXT(txt) => {
            let strings = txt.txt_data.iter().map(|string| format!("\"{}\"", escape(&String::from_utf8_lossy(string))));
            strings.collect::<Vec<_>>().join(" ")
        }
        record => escape(&record.to_string()),
    }
}

/// How a policy fetch ended, with the certificates and the header fields that came.
pub fn policy_host(host: &str, probe: &HttpsProbe, elapsed: Duration) {
    let who = format!("policy host {} [{}]", escape(host), probe.address);
    let mut learnt = Vec::new();
    learnt.extend(probe.tls.as_ref().map(session));
    if let Some(response) = &probe.response {
        let octets = usize::try_from(response.body_length.unwrap_or_default()).unwrap_or_default();
        learnt.push(format!("status {} with {} of body", response.status, count(octets, "octet")));
    }
    learnt.extend(probe.failure.as_ref().map(|failure| failure.detail.clone()));
    debug!("{who}: {}, {} ms", learnt.join(", "), elapsed.as_millis());
    if !enabled!(Level::TRACE) {
        return;
    }
    certificates(&who, probe.tls.as_ref());
    for header in probe.response.iter().flat_map(|response| &response.headers) {
        trace!("{who} < {}: {}", escape(&header.name), escape(&header.value.lossy()));
    }
}

/// How a conversation with an MX host ended, with all that was said.
pub fn mx_host(exchange: &str, probe: &SmtpProbe, said: &[TranscriptLine], elapsed: Duration) {
    let who = format!("MX host {} [{}]", escape(exchange), probe.address);
    if enabled!(Level::TRACE) {
        dialogue(&who, said);
        certificates(&who, probe.tls.as_ref());
    }
    let mut learnt = Vec::new();
    let replies = [("greeting", &probe.greeting), ("EHLO", &probe.ehlo), ("STARTTLS", &probe.starttls)];
    learnt.extend(replies.into_iter().filter_map(|(step, reply)| Some(code(step, reply.as_ref()?))));
    learnt.extend(probe.tls.as_ref().map(session));
    learnt.extend(probe.ehlo_after_tls.as_ref().map(|reply| code("EHLO inside TLS", reply)));
    learnt.extend(probe.without_sni.as_ref().map(|without| match (without.handshake, &without.failure) {
        (true, _) => "TLS without SNI too".to_owned(),
        _ if without.second_look.is_some() => "the same without SNI".to_owned(),
        (false, Some(failure)) => format!("no TLS without SNI ({})", failure.detail),
        (false, None) => "no TLS without SNI".to_owned(),
    }));
    learnt.extend(probe.failure.as_ref().map(|failure| failure.detail.clone()));
    debug!("{who}: {}, {} ms", learnt.join(", "), elapsed.as_millis());
}

/// What was said on a connection, line by line.
pub fn dialogue(who: &str, said: &[TranscriptLine]) {
    for line in said {
        let mark = match line.from {
            Party::Client => ">",
            Party::Note => "*",
            Party::Server => "<",
        };
        trace!("{who} {mark} {}", line.text);
    }
}

/// That a server is tried once more, and after how long.
pub fn second_try(whom: &str, name: &str, address: IpAddr, pause: Duration) {
    debug!("{whom} {} [{address}]: tried once more after {} ms", escape(name), pause.as_millis());
}

fn code(step: &str, reply: &SmtpReply) -> String {
    format!("{step} {}", reply.code)
}

fn session(tls: &TlsFacts) -> String {
    let agreed = match (&tls.version, &tls.cipher, &tls.second_look) {
        (Some(version), Some(cipher), _) if tls.handshake => format!("{version} with {cipher}"),
        (_, _, Some(look)) => format!("{} where all is offered that OpenSSL has", look.version),
        _ => "no TLS".to_owned(),
    };
    let certificate = tls.chain.first().map(|leaf| {
        let mut names = leaf.dns_ids.iter().take(NAMES).cloned().collect::<Vec<_>>().join(", ");
        if let Some(more) = leaf.dns_ids.len().checked_sub(NAMES).filter(|more| *more > 0) {
            names.push_str(&format!(" and {more} more"));
        }
        let trust = tls.trust.as_ref().map_or("not verified", |trust| trust.verdict.word()).replace('_', " ");
        format!(", certificate for {} until {}, {trust}", names, leaf.not_after.as_deref().unwrap_or("?"))
    });
    let older = match &tls.older_version {
        Some(Some(older)) => format!(", {older} accepted too"),
        Some(None) => ", nothing below TLS 1.2".to_owned(),
        None => String::new(),
    };
    format!("{agreed}{}{older}", certificate.unwrap_or_default())
}

fn certificates(who: &str, tls: Option<&TlsFacts>) {
    for (index, certificate) in tls.iter().flat_map(|tls| tls.chain.iter().enumerate()) {
        trace!(
            "{who}: certificate {}: {}, issued by {}, {} until {}, {} {}, {}",
            index.saturating_add(1),
            certificate.subject,
            certificate.issuer,
            certificate.not_before.as_deref().unwrap_or("?"),
            certificate.not_after.as_deref().unwrap_or("?"),
            certificate.key_algorithm.as_deref().unwrap_or("?"),
            certificate.key_bits.map_or_else(|| "?".to_owned(), |bits| bits.to_string()),
            certificate.signature_algorithm.as_deref().unwrap_or("?"),
        );
    }
}

fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}
