//! What a response means, and what it means that there is none: hickory's results as outcomes of a question.

use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::dnssec::Proof;
use hickory_resolver::proto::op::{DnsResponse, ResponseCode};
use hickory_resolver::proto::rr::{RData, Record};

use super::dns_denial;
use super::dns_trail::Answer;
use super::failure::{failure, of_io};
use crate::snapshot::{DnsOutcome, Failure, FailureKind};

/// Who was asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Asked {
    /// A name server of the zone: what it does is the domain's.
    NameServer,
    /// The resolver: what it does tells nothing of the domain.
    Resolver,
}

impl Asked {
    fn name(self) -> &'static str {
        match self {
            Asked::NameServer => "the name server",
            Asked::Resolver => "the resolver",
        }
    }

    /// What went wrong with whoever was asked, as opposed to with what was asked for.
    fn fault(self) -> FailureKind {
        match self {
            Asked::NameServer => FailureKind::Other,
            Asked::Resolver => FailureKind::Resolver,
        }
    }
}

/// Reads a result: an answer, or how and why there is none.
pub fn answer(result: Result<DnsResponse, NetError>, asked: Asked) -> Result<Answer, (DnsOutcome, Failure)> {
    match result {
        Ok(response) => of_response(response, None, asked),
        Err(NetError::Dns(DnsError::Nsec { response, proof, .. })) => of_response(*response, Some(proof), asked),
        Err(error) => match absent(&error) {
            Some(answer) => Ok(answer),
            None => Err(of_error(&error, asked)),
        },
    }
}

fn of_response(response: DnsResponse, judged: Option<Proof>, asked: Asked) -> Result<Answer, (DnsOutcome, Failure)> {
    let code = response.metadata.response_code;
    if !matches!(code, ResponseCode::NoError | ResponseCode::NXDomain) {
        return Err(of_code(code, asked));
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

fn of_error(error: &NetError, asked: Asked) -> (DnsOutcome, Failure) {
    let who = asked.name();
    let unreached = |why: &str| (DnsOutcome::Network, asked.fault(), format!("{who} cannot be used: {why}"));
    let unreadable = |what: &str| (DnsOutcome::Malformed, FailureKind::Protocol, format!("the answer of {who} {what}"));
    let (outcome, kind, detail) = match error {
        NetError::Dns(DnsError::ResponseCode(code)) => return of_code(*code, asked),
        NetError::Timeout => (DnsOutcome::Timeout, FailureKind::Timeout, format!("{who} did not answer")),
        NetError::Io(error) => {
            let reason = of_io(&format!("{who} cannot be reached"), error);
            (DnsOutcome::Network, asked.fault(), reason.detail)
        }
        NetError::NoConnections | NetError::Busy | NetError::RustlsError(_) | NetError::H2(_) => {
            unreached("no connection could be made")
        }
        NetError::Proto(_) => unreadable("cannot be read"),
        NetError::ForeignClassRecord { .. } => unreadable("holds a record of another class than IN"),
        NetError::QueryCaseMismatch => unreadable("repeats the query in different letters, as a forged one would"),
        NetError::Truncated => unreadable("is cut short"),
        // The library says so of a connection that ended while a query waited on it.
        NetError::Message(_) | NetError::Msg(_) => {
            (DnsOutcome::Network, asked.fault(), format!("the connection to {who} broke off"))
        }
        _ => (DnsOutcome::Other, FailureKind::Other, format!("{who} gives no answer")),
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

fn of_code(code: ResponseCode, asked: Asked) -> (DnsOutcome, Failure) {
    let who = asked.name();
    match code {
        ResponseCode::ServFail => {
            (DnsOutcome::Servfail, failure(FailureKind::Other, format!("{who} answered SERVFAIL")))
        }
        ResponseCode::Refused => {
            (DnsOutcome::Refused, failure(asked.fault(), format!("{who} refuses to answer (REFUSED)")))
        }
        ResponseCode::FormErr => (DnsOutcome::Other, failure(asked.fault(), format!("{who} answered FORMERR"))),
        code => {
            let number = u16::from(code);
            let name = name_of(number);
            (DnsOutcome::Other, failure(asked.fault(), format!("{who} answered {name} (code {number})")))
        }
    }
}

/// The name of a response code in IANA's registry. Above 15 a code is spelt by OPT (RFC 6891 §6.1.3), where 16 is BADVERS;
/// the BADSIG of TSIG has the same number, in a field of its own.
pub fn name_of(number: u16) -> &'static str {
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
