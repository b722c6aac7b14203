//! Why an answer is bogus: what of its proof is wrong or missing. The library that validates says only that something is, and
//! says so of what it has no algorithm for, too.
//!
//! Called by `dns_proof`, after the fact: keys and DS records are remembered, so that this asks for little that is new.

use futures_util::future::{join, join_all};
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::dnssec::rdata::{DNSKEY, DNSSECRData, DS, RRSIG};
use hickory_resolver::proto::op::{DnsResponse, Query};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType, SerialNumber};
use jiff::Timestamp;

use super::dns_name::shown;
use super::evidence::{ED448, NOT_SUPPORTED};
use super::resolver::Upstream;
use crate::snapshot::{ProofReason, ProofReasonKind};

/// How many labels of a name are gone up to find the zone that is signed.
const MAX_LABELS: usize = 16;

/// Finds out why what is at a name is bogus; `None` where that cannot be told.
pub async fn of_bogus(upstream: &Upstream, name: &Name, kind: RecordType) -> Option<ProofReason> {
    let asking = upstream.ask_unchecked(Query::query(name.clone(), kind));
    let (asked, zone) = join(asking, signed_zone(upstream, name, kind)).await;
    let asked = Records::of(asked)?;
    let keys = match &zone {
        Some((zone, _)) => Records::of(upstream.ask_unchecked(Query::query(zone.clone(), RecordType::DNSKEY)).await)?,
        None => Records::default(),
    };
    let now = u32::try_from(Timestamp::now().as_second()).ok()?;
    if let Some((zone, ds)) = &zone
        && let Some(reason) = of_keys(zone, ds, &keys, now)
    {
        return Some(reason);
    }
    Some(of_records(name, kind, &asked, &keys, now))
}

/// The closest zone at or above a name that its parent vouches for, with what the parent says.
async fn signed_zone(upstream: &Upstream, name: &Name, kind: RecordType) -> Option<(Name, Records)> {
    let first = if kind == RecordType::DS { name.base_name() } else { name.clone() };
    let above = std::iter::successors(Some(first), |name| (!name.is_root()).then(|| name.base_name()));
    let zones = above.filter(|name| !name.is_root()).take(MAX_LABELS);
    let asking = zones.map(|zone| async move {
        let ds = Records::of(upstream.ask_unchecked(Query::query(zone.clone(), RecordType::DS)).await)?;
        Some((zone, ds))
    });
    // All at once: what is above is remembered, and one after the other would keep the collection waiting.
    join_all(asking).await.into_iter().flatten().find(|(_, ds)| ds.of_type(RecordType::DS).next().is_some())
}

/// What is wrong with the keys of a zone, or with what its parent says of them.
fn of_keys(zone: &Name, ds: &Records, keys: &Records, now: u32) -> Option<ProofReason> {
    let (name, vouched) = (shown(zone), ds.all(ds_of));
    let published = keys.all(key_of);
    if published.is_empty() {
        let detail = format!("{name} has a DS record at its parent, but publishes no key");
        return Some(reason(ProofReasonKind::MissingKey, detail));
    }
    let known = vouched.iter().any(|ds| published.iter().any(|key| ds.covers(zone, key).unwrap_or(false)));
    if !known {
        let tags: Vec<String> = vouched.iter().map(|ds| ds.key_tag().to_string()).collect();
        let detail =
            format!("the DS record of {name} at its parent (key tag {}) matches none of its keys", tags.join(", "));
        return Some(reason(ProofReasonKind::DsMismatch, detail));
    }
    let (of_ds, of_keys) = (ds.signatures(zone, RecordType::DS), keys.signatures(zone, RecordType::DNSKEY));
    out_of_date(&of_ds, &format!("the signature of the DS record of {name}"), now)
        .or_else(|| out_of_date(&of_keys, &format!("the signature of the keys of {name}"), now))
        .or_else(|| {
            let vouched_for = |key: &&&DNSKEY| vouched.iter().any(|ds| ds.covers(zone, key).unwrap_or(false));
            let tags: Vec<u16> =
                published.iter().filter(vouched_for).filter_map(|key| key.calculate_key_tag().ok()).collect();
            let by_those: Vec<&RRSIG> =
                of_keys.iter().copied().filter(|rrsig| tags.contains(&rrsig.input().key_tag)).collect();
            unsupported(&by_those, &format!("the keys of {name} are"))
        })
}

/// What is wrong with the signatures of an answer, or with what denies one.
fn of_records(name: &Name, kind: RecordType, asked: &Records, keys: &Records, now: u32) -> ProofReason {
    let owner = shown(name);
    let found = [kind, RecordType::CNAME].into_iter().find(|kind| asked.at(name, *kind).next().is_some());
    let (what, signatures) = match found {
        Some(found) => (format!("the {found} record of {owner}"), asked.signatures(name, found)),
        None => {
            let denials: Vec<&Record> =
                asked.of_type(RecordType::NSEC).chain(asked.of_type(RecordType::NSEC3)).collect();
            if denials.is_empty() {
                let detail = format!("nothing proves that {owner} has no {kind} record: NSEC and NSEC3 are missing");
                return reason(ProofReasonKind::MissingDenial, detail);
            }
            let signatures = denials.iter().flat_map(|denial| asked.signatures(&denial.name, denial.record_type()));
            (format!("what denies the {kind} record of {owner}"), signatures.collect())
        }
    };
    if signatures.is_empty() {
        return reason(ProofReasonKind::MissingSignature, format!("{what} is not signed"));
    }
    if let Some(dated) = out_of_date(&signatures, &format!("the signature of {what}"), now) {
        return dated;
    }
    let tags: Vec<u16> = keys.all(key_of).iter().filter_map(|key| key.calculate_key_tag().ok()).collect();
    if !tags.is_empty() && signatures.iter().all(|signature| !tags.contains(&signature.input().key_tag)) {
        let detail = format!("{what} is signed with a key that the zone does not publish");
        return reason(ProofReasonKind::MissingKey, detail);
    }
    if let Some(beyond) = unsupported(&signatures, &format!("{what} is")) {
        return beyond;
    }
    match found {
        Some(_) => reason(ProofReasonKind::WrongSignature, format!("the signature of {what} is wrong")),
        None => reason(
            ProofReasonKind::MissingDenial,
            format!("the answer does not prove that {owner} has no {kind} record"),
        ),
    }
}

/// Where all signatures are of an algorithm that others validate and the library does not.
fn unsupported(signatures: &[&RRSIG], what: &str) -> Option<ProofReason> {
    let beyond = |rrsig: &&RRSIG| u8::from(rrsig.input().algorithm) == ED448;
    let all = !signatures.is_empty() && signatures.iter().all(beyond);
    all.then(|| reason(ProofReasonKind::Unsupported, format!("{what} signed with Ed448 alone, {NOT_SUPPORTED}")))
}

/// Where none of the signatures is within its dates: since when, or until when.
fn out_of_date(signatures: &[&RRSIG], what: &str, now: u32) -> Option<ProofReason> {
    let serial = SerialNumber::new(now);
    let current = |rrsig: &RRSIG| rrsig.input().sig_inception <= serial && serial <= rrsig.input().sig_expiration;
    let last = signatures.iter().max_by_key(|rrsig| rrsig.input().sig_expiration.get())?;
    if signatures.iter().any(|rrsig| current(rrsig)) {
        return None;
    }
    if last.input().sig_expiration < serial {
        let detail = format!("{what} expired at {}", date(last.input().sig_expiration));
        return Some(reason(ProofReasonKind::Expired, detail));
    }
    let detail = format!("{what} is valid only from {}", date(last.input().sig_inception));
    Some(reason(ProofReasonKind::NotYetValid, detail))
}

fn date(time: SerialNumber) -> String {
    Timestamp::from_second(i64::from(time.get())).map_or_else(|_| time.get().to_string(), |time| time.to_string())
}

fn reason(kind: ProofReasonKind, detail: String) -> ProofReason {
    ProofReason { kind, detail }
}

/// The records of a response, whatever its sections.
#[derive(Default)]
struct Records(Vec<Record>);

impl Records {
    /// `None` where there is no response.
    fn of(asked: Result<DnsResponse, NetError>) -> Option<Self> {
        match asked {
            Ok(response) => {
                let message = response.into_message();
                Some(Records(message.answers.into_iter().chain(message.authorities).collect()))
            }
            Err(NetError::Dns(DnsError::NoRecordsFound(none))) => {
                Some(Records(none.authorities.map(|records| records.to_vec()).unwrap_or_default()))
            }
            Err(_) => None,
        }
    }

    fn of_type(&self, kind: RecordType) -> impl Iterator<Item = &Record> {
        self.0.iter().filter(move |record| record.record_type() == kind)
    }

    fn at(&self, name: &Name, kind: RecordType) -> impl Iterator<Item = &Record> {
        self.of_type(kind).filter(move |record| record.name == *name)
    }

    fn all<T>(&self, read: impl Fn(&RData) -> Option<&T>) -> Vec<&T> {
        self.0.iter().filter_map(|record| read(&record.data)).collect()
    }

    /// The signatures of the records of a type at a name.
    fn signatures(&self, name: &Name, kind: RecordType) -> Vec<&RRSIG> {
        let at_name = self.0.iter().filter(|record| record.name == *name);
        let signatures = at_name.filter_map(|record| match &record.data {
            RData::DNSSEC(DNSSECRData::RRSIG(rrsig)) => Some(rrsig),
            _ => None,
        });
        signatures.filter(|rrsig| rrsig.input().type_covered == kind).collect()
    }
}

fn key_of(data: &RData) -> Option<&DNSKEY> {
    match data {
        RData::DNSSEC(DNSSECRData::DNSKEY(key)) => Some(key),
        _ => None,
    }
}

fn ds_of(data: &RData) -> Option<&DS> {
    match data {
        RData::DNSSEC(DNSSECRData::DS(ds)) => Some(ds),
        _ => None,
    }
}
