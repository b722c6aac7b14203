//! What is between the lines of a validated response (pure): aliases that a DNAME represents, absences at the owner of one, and
//! gaps that may hold unsigned delegations. The library that validates knows none of these. Used by `dns_failure` and
//! `dns_proof`.

use hickory_resolver::proto::dnssec::Proof;
use hickory_resolver::proto::dnssec::rdata::{DNSSECRData, NSEC3};
use hickory_resolver::proto::op::{DnsResponse, Query, ResponseCode};
use hickory_resolver::proto::rr::rdata::CNAME;
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType, RecordTypeSet};
use hickory_resolver::proto::serialize::binary::{BinDecodable, BinDecoder};

/// Lends the proof of each DNAME to the aliases that were made of it (RFC 6672 §5.3.1): they have no signature of their own.
pub fn prove_synthesised(answers: &mut [Record]) {
    let substitutions: Vec<(Name, Name, Proof)> = answers
        .iter()
        .filter(|record| record.record_type() == RecordType::DNAME)
        .filter_map(|record| Some((record.name.clone(), dname_target(&record.data)?, record.proof)))
        .collect();
    for record in answers.iter_mut() {
        let RData::CNAME(CNAME(target)) = &record.data else { continue };
        let made_of =
            |(owner, to, _): &&(Name, Name, Proof)| synthesised(&record.name, owner, to).as_ref() == Some(target);
        if let Some((.., proof)) = substitutions.iter().find(made_of) {
            record.proof = *proof;
        }
    }
}

/// The name that a DNAME makes of one below its owner (RFC 6672 §2.2).
fn synthesised(name: &Name, owner: &Name, target: &Name) -> Option<Name> {
    if name == owner || !owner.zone_of(name) {
        return None;
    }
    let own = usize::from(name.num_labels()).checked_sub(usize::from(owner.num_labels()))?;
    let labels = name.iter().take(own).chain(target.iter());
    let mut made = Name::from_labels(labels).ok()?;
    made.set_fqdn(true);
    Some(made)
}

fn dname_target(data: &RData) -> Option<Name> {
    match data {
        RData::Unknown { rdata, .. } => Name::read(&mut BinDecoder::new(&rdata.anything)).ok(),
        _ => None,
    }
}

/// Whether a response that was taken for bogus proves that the owner of a DNAME has no records of a type: its NSEC or NSEC3
/// record lists DNAME, which denies names below it and nothing of its own (RFC 6672 §5.3.4.1).
pub fn is_absent_at_dname(query: &Query, response: &DnsResponse) -> bool {
    let plain = response.metadata.response_code == ResponseCode::NoError && response.answers.is_empty();
    let types = |record: &Record| types_at(record, query.name()).cloned();
    let denies = |types: RecordTypeSet| {
        let of_child = types.contains(RecordType::NS) && !types.contains(RecordType::SOA);
        let has = types.contains(query.query_type()) || types.contains(RecordType::CNAME);
        types.contains(RecordType::DNAME) && !of_child && !has
    };
    let secure = |record: &&Record| record.proof == Proof::Secure;
    plain
        && query.query_type() != RecordType::DS
        && response.authorities.iter().filter(secure).filter_map(types).any(denies)
}

/// Whether a denial rests on a gap that may hold unsigned delegations (RFC 5155 §6, §9.2): an absence of records at a name
/// that has an NSEC3 record of its own does not (§8.5), one at a wildcard does (§8.7).
pub fn rests_on_gap(query: Option<&Query>, code: ResponseCode, answers: &[Record], authorities: &[Record]) -> bool {
    let opts_out = authorities.iter().filter_map(nsec3).any(NSEC3::opt_out);
    let denies_name = code == ResponseCode::NXDomain || !answers.is_empty();
    let matched =
        || query.is_some_and(|query| authorities.iter().any(|record| types_at(record, query.name()).is_some()));
    opts_out && (denies_name || !matched())
}

fn nsec3(record: &Record) -> Option<&NSEC3> {
    match &record.data {
        RData::DNSSEC(DNSSECRData::NSEC3(nsec3)) => Some(nsec3),
        _ => None,
    }
}

/// The types at a name, where a record is its NSEC or NSEC3 record.
fn types_at<'a>(record: &'a Record, name: &Name) -> Option<&'a RecordTypeSet> {
    match &record.data {
        RData::DNSSEC(DNSSECRData::NSEC(nsec)) => (record.name == *name).then(|| nsec.type_set()),
        RData::DNSSEC(DNSSECRData::NSEC3(nsec3)) => {
            let hash = nsec3.hash_algorithm().hash(nsec3.salt(), name, nsec3.iterations()).ok()?;
            let own = record.name.iter().next().is_some_and(|label| is_base32_of(label, hash.as_ref()));
            own.then(|| nsec3.type_set())
        }
        _ => None,
    }
}

/// Whether a label is the hash of a name in base 32 (RFC 5155 §3.3, RFC 4648 §7), in any case.
fn is_base32_of(label: &[u8], hash: &[u8]) -> bool {
    let bits = hash.iter().flat_map(|octet| (0..8).rev().map(move |bit| octet >> bit & 1));
    let bits: Vec<u8> = bits.collect();
    let digits = bits.chunks(5).map(|chunk| {
        let padded = chunk.iter().copied().chain(std::iter::repeat(0)).take(5);
        let value = padded.fold(0_u8, |value, bit| value << 1 | bit);
        if value < 10 { b'0'.saturating_add(value) } else { b'A'.saturating_add(value.saturating_sub(10)) }
    });
    digits.eq(label.iter().map(u8::to_ascii_uppercase))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use hickory_resolver::proto::dnssec::Nsec3HashAlgorithm;
    use hickory_resolver::proto::op::{Message, OpCode};
    use hickory_resolver::proto::rr::rdata::NULL;

    use super::*;

    fn name(text: &str) -> Name {
        Name::from_ascii(text).unwrap()
    }

    fn dname(owner: &str, proof: Proof) -> Record {
        let target = b"\x03new\x04test\0".to_vec();
        let data = RData::Unknown { code: RecordType::DNAME, rdata: NULL::with(target) };
        let mut record = Record::from_rdata(name(owner), 60, data);
        record.proof = proof;
        record
    }

    #[test]
    fn an_alias_has_the_proof_of_the_dname_that_it_was_made_of() {
        let proven = |owner: &str, target: &str, proof| {
            let alias = Record::from_rdata(name(owner), 60, RData::CNAME(CNAME(name(target))));
            let mut answers = vec![alias, dname("old.test.", proof)];
            prove_synthesised(&mut answers);
            answers.remove(0).proof
        };
        let before = Record::from_rdata(name("x."), 60, RData::CNAME(CNAME(name("y.")))).proof;
        assert_eq!(proven("a.b.old.test.", "a.b.new.test.", Proof::Secure), Proof::Secure);
        assert_eq!(proven("a.b.old.test.", "A.b.NEW.test.", Proof::Secure), Proof::Secure);
        assert_eq!(proven("a.b.old.test.", "a.b.new.test.", Proof::Bogus), Proof::Bogus);
        for (owner, target) in [
            ("a.b.old.test.", "c.b.new.test."),
            ("a.b.old.test.", "new.test."),
            ("old.test.", "new.test."),
            ("a.other.test.", "a.new.test."),
        ] {
            assert_eq!(proven(owner, target, Proof::Secure), before, "{owner}");
        }
    }

    fn denial(owner: Name, opt_out: bool, types: &[RecordType]) -> Record {
        let nsec3 = NSEC3::new(
            Nsec3HashAlgorithm::SHA1,
            opt_out,
            12,
            vec![0xaa, 0xbb, 0xcc, 0xdd],
            vec![0; 20],
            types.to_vec(),
        );
        let mut record = Record::from_rdata(owner, 60, RData::DNSSEC(DNSSECRData::NSEC3(nsec3)));
        record.proof = Proof::Secure;
        record
    }

    /// The hash of `example.` of RFC 5155, Appendix A.
    const OF_EXAMPLE: &str = "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.example.";

    #[test]
    fn only_a_gap_that_opts_out_weakens() {
        let query = Query::query(name("example."), RecordType::TXT);
        let rests = |code, answers: &[Record], owner: &str, opt_out| {
            rests_on_gap(Some(&query), code, answers, &[denial(name(owner), opt_out, &[])])
        };
        let other = "35mthgpgcu1qg68fab165klnsnk3dpvl.example.";
        assert!(rests(ResponseCode::NXDomain, &[], other, true) && !rests(ResponseCode::NXDomain, &[], other, false));
        // Records at a wildcard, no records at a name of its own, and no records at a wildcard.
        assert!(rests(ResponseCode::NoError, &[dname("x.", Proof::Secure)], other, true));
        assert!(!rests(ResponseCode::NoError, &[], OF_EXAMPLE, true));
        assert!(rests(ResponseCode::NoError, &[], other, true) && !rests(ResponseCode::NoError, &[], other, false));
        assert!(!rests_on_gap(Some(&query), ResponseCode::NXDomain, &[], &[]));
    }

    #[test]
    fn the_owner_of_a_dname_can_lack_records() {
        let absent = |types: &[RecordType]| {
            let mut message = Message::response(1, OpCode::Query);
            message.add_authority(denial(name(OF_EXAMPLE), false, types));
            let response = DnsResponse::from_message(message).unwrap();
            is_absent_at_dname(&Query::query(name("example."), RecordType::TXT), &response)
        };
        assert!(
            absent(&[RecordType::DNAME, RecordType::A])
                && absent(&[RecordType::DNAME, RecordType::NS, RecordType::SOA])
        );
        assert!(!absent(&[RecordType::A]) && !absent(&[RecordType::DNAME, RecordType::TXT]));
        assert!(!absent(&[RecordType::DNAME, RecordType::NS]) && !absent(&[RecordType::DNAME, RecordType::CNAME]));
    }
}
