//! What a response means, and what it means that there is none: hickory's results as outcomes of a question.

use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::dnssec::Proof;
use hickory_resolver::proto::op::{DnsResponse, ResponseCode};
use hickory_resolver::proto::rr::{RData, Record};

use super::dns_denial;
use super::dns_trail::Answer;
use super::failure::{failure, of_io};
use crate::snapshot::{DnsOutcome, Failure, FailureKind};

/// Reads a result: an answer, or how and why there is none.
pub fn answer(asked: Result<DnsResponse, NetError>) -> Result<Answer, (DnsOutcome, Failure)> {
    match asked {
        Ok(response) => of_response(response, None),
        Err(NetError::Dns(DnsError::Nsec { response, proof, .. })) => of_response(*response, Some(proof)),
        Err(error) => match absent(&error) {
            Some(answer) => Ok(answer),
            None => Err(of_error(&error)),
        },
    }
}

fn of_response(response: DnsResponse, judged: Option<Proof>) -> Result<Answer, (DnsOutcome, Failure)> {
    let code = response.metadata.response_code;
    if !matches!(code, ResponseCode::NoError | ResponseCode::NXDomain) {
        return Err(of_code(code));
    }
    let mut message = response.into_message();
    dns_denial::prove_synthesised(&mut message.answers);
    // There may be an unsigned delegation in the gap, so nothing is proven.
    let gap = dns_denial::rests_on_gap(message.queries.first(), code, &message.answers, &message.authorities);
    let weakened = |proof: Proof| if gap { proof.min(Proof::Insecure) } else { proof };
    message.answers.iter_mut().for_each(|record| record.proof = weakened(record.proof));
    let soa = message.authorities.iter().find(|record| matches!(record.data, RData::SOA(_)));
    let delegates = message.authorities.iter().any(|record| matches!(record.data, RData::NS(_)));
    Ok(Answer {
        exists: code != ResponseCode::NXDomain,
        authority: Some(message.metadata.authoritative),
        soa: soa.map(|record| record.name.clone()),
        absence: judged.or_else(|| absence(&message.authorities)).map(weakened),
        is_referral: soa.is_none() && delegates && !message.metadata.authoritative && message.answers.is_empty(),
        records: message.answers,
    })
}

/// What was proven of an absence: no more than of its weakest record.
fn absence(authorities: &[Record]) -> Option<Proof> {
    authorities.iter().filter(|record| !record.record_type().is_rrsig()).map(|record| record.proof).min()
}

fn of_error(error: &NetError) -> (DnsOutcome, Failure) {
    let (outcome, kind, detail) = match error {
        NetError::Dns(DnsError::ResponseCode(code)) => return of_code(*code),
        NetError::Timeout => (DnsOutcome::Timeout, FailureKind::Timeout, "the resolver did not answer".to_owned()),
        NetError::Io(error) => {
            let reason = of_io("the resolver cannot be reached", error);
            (DnsOutcome::Network, FailureKind::Resolver, reason.detail)
        }
        NetError::NoConnections | NetError::Busy | NetError::RustlsError(_) | NetError::H2(_) => (
            DnsOutcome::Network,
            FailureKind::Resolver,
            "the resolver cannot be used: no connection came about".to_owned(),
        ),
        NetError::Proto(error) => {
            (DnsOutcome::Malformed, FailureKind::Protocol, format!("the answer cannot be read: {error}"))
        }
        NetError::ForeignClassRecord { .. } | NetError::QueryCaseMismatch | NetError::Truncated => {
            (DnsOutcome::Malformed, FailureKind::Protocol, format!("the answer cannot be used: {error}"))
        }
        // The library says so of a connection that ended while a query waited on it.
        NetError::Message(_) | NetError::Msg(_) => {
            (DnsOutcome::Network, FailureKind::Resolver, "the connection to the resolver broke off".to_owned())
        }
        error => (DnsOutcome::Other, FailureKind::Other, format!("there is no answer: {error}")),
    };
    (outcome, failure(kind, detail))
}

/// The same where the answer did not fit in a datagram: a server that does not answer over TCP then keeps it to itself.
pub fn without_streams(ended: (DnsOutcome, Failure), truncated: bool) -> (DnsOutcome, Failure) {
    let unreached = matches!(ended.0, DnsOutcome::Malformed | DnsOutcome::Network | DnsOutcome::Timeout);
    if !truncated || !unreached {
        return ended;
    }
    // RFC 7766 §5: whoever answers over UDP answers over TCP too.
    let detail = "the answer does not fit in a datagram, and the resolver does not answer over TCP";
    (DnsOutcome::Network, failure(FailureKind::Resolver, detail))
}

/// The same with the reason for which there is no connection, where that is known.
pub fn without_connection(ended: (DnsOutcome, Failure), why: Option<String>) -> (DnsOutcome, Failure) {
    match (ended.0, why) {
        (DnsOutcome::Network, Some(why)) => {
            (ended.0, failure(FailureKind::Resolver, format!("the resolver cannot be used: {why}")))
        }
        _ => ended,
    }
}

fn of_code(code: ResponseCode) -> (DnsOutcome, Failure) {
    match code {
        ResponseCode::ServFail => (DnsOutcome::Servfail, failure(FailureKind::Other, "the resolver answered SERVFAIL")),
        ResponseCode::Refused => {
            (DnsOutcome::Refused, failure(FailureKind::Resolver, "the resolver refuses to answer (REFUSED)"))
        }
        ResponseCode::FormErr => (DnsOutcome::Other, failure(FailureKind::Resolver, "the resolver answered FORMERR")),
        code => {
            let number = u16::from(code);
            let name = name_of(number);
            (DnsOutcome::Other, failure(FailureKind::Resolver, format!("the resolver answered {name} (code {number})")))
        }
    }
}

/// The name of a response code in IANA's registry. Above 15 a code is spelt by OPT (RFC 6891 §6.1.3), where 16 is BADVERS;
/// the BADSIG of TSIG has the same number, in a field of its own.
fn name_of(number: u16) -> &'static str {
    match number {
        0 => "NOERROR",
        1 => "FORMERR",
        2 => "SERVFAIL",
        3 => "NXDOMAIN",
        4 => "NOTIMP",
        5 => "REFUSED",
        6 => "YXDOMAIN",
        7 => "YXRRSET",
        8 => "NXRRSET",
        9 => "NOTAUTH",
        10 => "NOTZONE",
        11 => "DSOTYPENI",
        16 => "BADVERS",
        17 => "BADKEY",
        18 => "BADTIME",
        19 => "BADMODE",
        20 => "BADNAME",
        21 => "BADALG",
        22 => "BADTRUNC",
        23 => "BADCOOKIE",
        _ => "with a code that has no name",
    }
}

/// Reads an error that is an answer all the same: "no records" comes as one from hickory.
fn absent(error: &NetError) -> Option<Answer> {
    let NetError::Dns(DnsError::NoRecordsFound(none)) = error else { return None };
    Some(Answer {
        exists: none.response_code != ResponseCode::NXDomain,
        records: Vec::new(),
        soa: none.soa.as_ref().map(|soa| soa.name.clone()),
        absence: None,
        authority: None,
        is_referral: none.soa.is_none() && none.ns.is_some(),
    })
}
