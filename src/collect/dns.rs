//! DNS questions by `hickory-resolver`, each ending as a fact.

use std::time::{Duration, Instant};

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts};
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};

use super::SetupError;
use super::options::Resolver;
use crate::snapshot::{AddressRecord, Alias, DnsOutcome, Failure, FailureKind, Lookup, MxRecord, Octets, TxtRecord};
use crate::source_text::escape;

/// Builds the resolver that the options ask for.
pub fn resolver(choice: &Resolver, timeout: Duration) -> Result<TokioResolver, SetupError> {
    let failed = |error: NetError| SetupError::Resolver(error.to_string());
    let mut builder = match choice {
        Resolver::System => TokioResolver::builder_tokio().map_err(failed)?,
        Resolver::Address(address) => {
            let connection = |mut connection: ConnectionConfig| {
                connection.port = address.port();
                connection
            };
            let connections = vec![connection(ConnectionConfig::udp()), connection(ConnectionConfig::tcp())];
            let server = NameServerConfig::new(address.ip(), true, connections);
            let config = ResolverConfig::from_parts(None, Vec::new(), vec![server]);
            TokioResolver::builder_with_config(config, Default::default())
        }
    };
    set(builder.options_mut(), timeout);
    builder.build().map_err(failed)
}

fn set(options: &mut ResolverOpts, timeout: Duration) {
    // Two tries within the time limit: one lost datagram is no time-out.
    options.timeout = timeout / 2;
    options.attempts = 1;
    options.edns0 = true;
    options.use_hosts_file = ResolveHosts::Never;
    options.preserve_intermediates = true;
    options.cache_size = 4096;
    options.try_tcp_on_error = true;
}

/// A kind of record that is asked for.
pub trait Wanted: Sized {
    /// Its DNS type.
    const KIND: RecordType;
    /// The record in an answer, if it is one.
    fn from_answer(data: &RData) -> Option<Self>;
}

impl Wanted for TxtRecord {
    const KIND: RecordType = RecordType::TXT;

    fn from_answer(data: &RData) -> Option<Self> {
        match data {
            RData::TXT(txt) => {
                Some(TxtRecord { strings: txt.txt_data.iter().map(|string| Octets(string.to_vec())).collect() })
            }
            _ => None,
        }
    }
}

impl Wanted for MxRecord {
    const KIND: RecordType = RecordType::MX;

    fn from_answer(data: &RData) -> Option<Self> {
        match data {
            RData::MX(mx) => Some(MxRecord { preference: mx.preference, exchange: presented(&mx.exchange) }),
            _ => None,
        }
    }
}

/// An IPv4 address, asked for by itself.
pub struct Ipv4(pub AddressRecord);
/// An IPv6 address, asked for by itself.
pub struct Ipv6(pub AddressRecord);

impl Wanted for Ipv4 {
    const KIND: RecordType = RecordType::A;

    fn from_answer(data: &RData) -> Option<Self> {
        match data {
            RData::A(a) => Some(Ipv4(AddressRecord { address: a.0.into() })),
            _ => None,
        }
    }
}

impl Wanted for Ipv6 {
    const KIND: RecordType = RecordType::AAAA;

    fn from_answer(data: &RData) -> Option<Self> {
        match data {
            RData::AAAA(aaaa) => Some(Ipv6(AddressRecord { address: aaaa.0.into() })),
            _ => None,
        }
    }
}

/// Asks one question.
pub async fn ask<R: Wanted>(resolver: &TokioResolver, name: &str, limit: Duration) -> Lookup<R> {
    let begun = Instant::now();
    let mut lookup = answer::<R>(resolver, name, limit).await;
    lookup.name = Some(name.to_owned());
    lookup.elapsed_ms = Some(u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX));
    tracing::debug!(target: "stslint::dns", "{} {name}: {}", R::KIND, lookup.outcome.map_or("?", DnsOutcome::label));
    lookup
}

async fn answer<R: Wanted>(resolver: &TokioResolver, name: &str, limit: Duration) -> Lookup<R> {
    let Ok(owner) = Name::from_ascii(format!("{}.", name.trim_end_matches('.'))) else {
        return failed(DnsOutcome::Malformed, FailureKind::Other, format!("`{}` cannot be asked for", escape(name)));
    };
    // The resolver's own limit is for each server; this one is for the whole question.
    let found = tokio::time::timeout(limit.saturating_mul(2), resolver.lookup(owner.clone(), R::KIND)).await;
    match found {
        Ok(Ok(found)) => read(found.answers()),
        Ok(Err(error)) => match (refusal::<R>(&error), is_negative(&error)) {
            (lookup, true) => with_aliases(resolver, owner, lookup, limit).await,
            (lookup, false) => lookup,
        },
        Err(_) => failed(DnsOutcome::Timeout, FailureKind::Timeout, "no answer within the time limit".to_owned()),
    }
}

fn read<R: Wanted>(answers: &[Record]) -> Lookup<R> {
    let records: Vec<R> = answers.iter().filter_map(|record| R::from_answer(&record.data)).collect();
    let outcome = if records.is_empty() { DnsOutcome::Nodata } else { DnsOutcome::Answer };
    let ttl = answers.iter().filter(|record| R::from_answer(&record.data).is_some()).map(|record| record.ttl).min();
    Lookup { outcome: Some(outcome), ttl, aliases: aliases(answers), records, ..Lookup::default() }
}

fn aliases(answers: &[Record]) -> Vec<Alias> {
    let alias = |record: &Record| match &record.data {
        RData::CNAME(target) => {
            Some(Alias { name: presented(&record.name), target: presented(&target.0), ttl: Some(record.ttl) })
        }
        _ => None,
    };
    answers.iter().filter_map(alias).take(16).collect()
}

/// A negative answer may stand at the end of a CNAME, which the resolver does not tell: asked for by itself.
async fn with_aliases<R>(resolver: &TokioResolver, owner: Name, lookup: Lookup<R>, limit: Duration) -> Lookup<R> {
    match tokio::time::timeout(limit, resolver.lookup(owner, RecordType::CNAME)).await {
        Ok(Ok(found)) => Lookup { aliases: aliases(found.answers()), ..lookup },
        _ => lookup,
    }
}

fn is_negative(error: &NetError) -> bool {
    matches!(error, NetError::Dns(DnsError::NoRecordsFound(none)) if matches!(none.response_code, ResponseCode::NoError | ResponseCode::NXDomain))
}

/// The fact that an error is.
fn refusal<R>(error: &NetError) -> Lookup<R> {
    let code = match error {
        NetError::Dns(DnsError::NoRecordsFound(none)) => Some(none.response_code),
        NetError::Dns(DnsError::ResponseCode(code)) => Some(*code),
        _ => None,
    };
    let said = |outcome, kind| failed(outcome, kind, escape(&error.to_string()));
    match (code, error) {
        (Some(ResponseCode::NoError), _) => negative(DnsOutcome::Nodata),
        (Some(ResponseCode::NXDomain), _) => negative(DnsOutcome::Nxdomain),
        (Some(ResponseCode::ServFail), _) => {
            failed(DnsOutcome::Servfail, FailureKind::Other, "the server answered SERVFAIL".to_owned())
        }
        (Some(ResponseCode::Refused), _) => {
            failed(DnsOutcome::Refused, FailureKind::Other, "the server answered REFUSED".to_owned())
        }
        (Some(ResponseCode::FormErr), _) => said(DnsOutcome::Malformed, FailureKind::Protocol),
        (Some(code), _) => failed(DnsOutcome::Other, FailureKind::Other, format!("the server answered {code}")),
        (None, NetError::Timeout) => {
            failed(DnsOutcome::Timeout, FailureKind::Timeout, "no answer within the time limit".to_owned())
        }
        (None, NetError::NoConnections | NetError::Busy) => said(DnsOutcome::Network, FailureKind::Resolver),
        (None, NetError::Io(_)) => said(DnsOutcome::Network, FailureKind::Network),
        (None, NetError::Proto(_)) => said(DnsOutcome::Malformed, FailureKind::Protocol),
        (None, _) => said(DnsOutcome::Other, FailureKind::Other),
    }
}

fn negative<R>(outcome: DnsOutcome) -> Lookup<R> {
    Lookup { outcome: Some(outcome), ..Lookup::default() }
}

fn failed<R>(outcome: DnsOutcome, kind: FailureKind, detail: String) -> Lookup<R> {
    Lookup { outcome: Some(outcome), failure: Some(Failure { kind, detail }), ..Lookup::default() }
}

/// A name in lower case without the trailing dot; the root is `.`.
fn presented(name: &Name) -> String {
    let text = name.to_ascii().to_ascii_lowercase();
    match text.strip_suffix('.') {
        Some("") | None if text == "." => text,
        Some(bare) => bare.to_owned(),
        None => text,
    }
}
