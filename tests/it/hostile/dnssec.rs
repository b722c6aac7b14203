//! Zones whose signatures are made to be dear. What cannot be tried is indeterminate: never secure, never bogus.

use std::time::Duration;

use hickory_resolver::proto::dnssec::crypto::EcdsaSigningKey;
use hickory_resolver::proto::dnssec::rdata::sig::SigInput;
use hickory_resolver::proto::dnssec::rdata::{DNSKEY, DNSSECRData, DS, NSEC3, RRSIG};
use hickory_resolver::proto::dnssec::{Algorithm, DigestType, DnssecSigner, Nsec3HashAlgorithm, SigningKey};
use hickory_resolver::proto::op::{Message, ResponseCode};
use hickory_resolver::proto::rr::rdata::SOA;
use hickory_resolver::proto::rr::{DNSClass, Name, RData, Record, RecordSet, RecordType, SerialNumber};
use stslint::snapshot::{DnsOutcome, DnssecProof, Snapshot};

use super::{Cost, HELD, Peers, healthy, zone};
use crate::peers::{Zone, answer_to, name, name_server};

const TRAP: &str = "trap.test";

/// The root's key, which signs all that is true here.
struct Root {
    signer: DnssecSigner,
    dnskey: DNSKEY,
}

impl Root {
    fn new() -> Self {
        let (key, dnskey) = key(Algorithm::ECDSAP256SHA256);
        let signer =
            DnssecSigner::new(dnskey.clone(), Box::new(key), Name::root(), Duration::from_secs(10 * 31_536_000));
        Root { signer, dnskey }
    }

    /// The records with their signature.
    fn signed(&self, records: Vec<Record>) -> Vec<Record> {
        let (owner, kind) = (records[0].name.clone(), records[0].record_type());
        let mut set = RecordSet::with_ttl(owner.clone(), kind, records[0].ttl);
        for record in &records {
            set.insert(record.clone(), 0);
        }
        let began = rcgen::date_time_ymd(2020, 1, 1);
        let signature = RRSIG::from_rrset(&set, DNSClass::IN, began, &self.signer).unwrap();
        let signature = Record::from_rdata(owner, records[0].ttl, RData::DNSSEC(DNSSECRData::RRSIG(signature)));
        records.into_iter().chain([signature]).collect()
    }

    fn anchor(&self) -> String {
        let record = Record::from_rdata(Name::root(), 300, RData::DNSSEC(DNSSECRData::DNSKEY(self.dnskey.clone())));
        format!("{record}\n")
    }
}

fn key(algorithm: Algorithm) -> (EcdsaSigningKey, DNSKEY) {
    let pkcs8 = EcdsaSigningKey::generate_pkcs8(algorithm).unwrap();
    let key = EcdsaSigningKey::from_pkcs8(&pkcs8, algorithm).unwrap();
    let dnskey = DNSKEY::from_key(&key.to_public_key().unwrap());
    (key, dnskey)
}

/// The key tag of all keys of the trap.
const TAG: u16 = 0x4a4a;

/// Keys of the dearest kind, all with one key tag: the bits of the flags that mean nothing make up for the rest.
fn colliding_keys(count: usize) -> Vec<DNSKEY> {
    let colliding = || {
        let (_, dnskey) = key(Algorithm::ECDSAP384SHA384);
        let with = |flags: u16| DNSKEY::with_flags(flags, dnskey.public_key().clone());
        // The tag is a sum with an end-around carry (RFC 4034 §B), and the flags are its first part.
        let flags = TAG.wrapping_sub(with(0).calculate_key_tag().unwrap());
        let means_zone_key = |flags: &u16| flags & 0x0180 == 0x0100;
        let near = [flags, flags.wrapping_sub(1)].into_iter().filter(means_zone_key);
        near.map(with).find(|key| key.calculate_key_tag().unwrap() == TAG)
    };
    std::iter::repeat_with(colliding).flatten().take(count).collect()
}

/// What the trap's zone is made of.
#[derive(Clone, Copy)]
struct Trap {
    keys: usize,
    vouched: usize,
    signatures: usize,
    /// The iterations that its absences are proven with.
    iterations: u16,
    /// Whether nobody answers who asks for its keys.
    hides_keys: bool,
}

const HARMLESS: Trap = Trap { keys: 2, vouched: 2, signatures: 2, iterations: 0, hides_keys: false };

/// Serves the trap below a signed root; the others are served as they are.
struct Serving {
    root: Root,
    trap: Trap,
    keys: Vec<DNSKEY>,
    plain: Zone,
}

impl Serving {
    fn new(trap: Trap) -> Self {
        let plain = zone()
            .txt("_mta-sts.trap.test", &[b"v=STSv1; id=1;"])
            .txt("_smtp._tls.trap.test", &[b"v=TLSRPTv1; rua=mailto:a@trap.test"])
            .mx(TRAP, 10, "mx.trap.test");
        Serving { root: Root::new(), trap, keys: colliding_keys(trap.keys), plain }
    }

    fn answer(&self, question: &Message) -> Option<Message> {
        let query = question.queries.first()?;
        let (owner, kind) = (query.name(), query.query_type());
        if name(HELD).zone_of(owner) {
            return self.plain.answer(question);
        }
        let mut message = answer_to(question);
        let of = |data: DNSSECRData| Record::from_rdata(owner.clone(), 300, RData::DNSSEC(data));
        let records: Vec<Record> = match kind {
            RecordType::DNSKEY if owner.is_root() => {
                self.root.signed(vec![of(DNSSECRData::DNSKEY(self.root.dnskey.clone()))])
            }
            RecordType::DNSKEY if *owner == name(TRAP) && self.trap.hides_keys => return None,
            RecordType::DNSKEY if *owner == name(TRAP) => {
                let keys = self.keys.iter().map(|key| of(DNSSECRData::DNSKEY(key.clone()))).collect();
                self.with_signatures(keys)
            }
            RecordType::DS if *owner == name(TRAP) => {
                let vouched = self.keys.iter().take(self.trap.vouched);
                self.root.signed(vouched.map(|key| of(DNSSECRData::DS(ds(owner, key)))).collect())
            }
            _ => match self.plain.answer(question)?.answers {
                records if records.is_empty() => {
                    message.add_authorities(self.absence(owner));
                    if kind != RecordType::DS
                        && !self.plain.answer(question)?.metadata.response_code.eq(&ResponseCode::NoError)
                    {
                        message.metadata.response_code = ResponseCode::NXDomain;
                    }
                    Vec::new()
                }
                records => self.with_signatures(records),
            },
        };
        message.add_answers(records);
        Some(message)
    }

    /// The records with signatures of the trap's keys, none of which is right.
    fn with_signatures(&self, records: Vec<Record>) -> Vec<Record> {
        let (owner, kind) = (records[0].name.clone(), records[0].record_type());
        let input = SigInput {
            type_covered: kind,
            algorithm: Algorithm::ECDSAP384SHA384,
            num_labels: owner.num_labels(),
            original_ttl: 300,
            sig_expiration: SerialNumber::new(2_000_000_000),
            sig_inception: SerialNumber::new(1_600_000_000),
            key_tag: TAG,
            signer_name: name(TRAP),
        };
        let signature = |number: usize| {
            // In the range of a signature, so that it is tried.
            let octets = (0..96_usize).map(|index| (index ^ number) as u8 & 0x7f | 1).collect();
            let signature = RRSIG::from_sig(input.clone(), octets);
            Record::from_rdata(owner.clone(), 300, RData::DNSSEC(DNSSECRData::RRSIG(signature)))
        };
        records.into_iter().chain((0..self.trap.signatures).map(signature)).collect()
    }

    /// A proof by the root that there are no such records, as dear as its iterations make it.
    fn absence(&self, owner: &Name) -> Vec<Record> {
        let salt = vec![7; 255];
        let soa = SOA::new(name("ns.test"), name("root.test"), 1, 2, 3, 4, 300);
        // Whoever needs to know that a dear one is of another name has to compute it: it is not done here.
        let iterations = if self.trap.iterations > 500 { 0 } else { self.trap.iterations };
        let hash = Nsec3HashAlgorithm::SHA1.hash(&salt, owner, iterations).unwrap();
        let nsec3 = NSEC3::new(
            Nsec3HashAlgorithm::SHA1,
            false,
            self.trap.iterations,
            salt,
            hash.as_ref().to_vec(),
            [RecordType::HINFO],
        );
        let label = base32(hash.as_ref());
        let proof = Record::from_rdata(name(&label), 300, RData::DNSSEC(DNSSECRData::NSEC3(nsec3)));
        let mut records = self.root.signed(vec![Record::from_rdata(Name::root(), 300, RData::SOA(soa))]);
        records.extend(self.root.signed(vec![proof]));
        records
    }
}

/// Base 32 with the extended alphabet (RFC 4648 §7), as NSEC3 has its names (RFC 5155 §1.3).
fn base32(octets: &[u8]) -> String {
    let bits: String = octets.iter().map(|octet| format!("{octet:08b}")).collect();
    let digit = |five: &[u8]| {
        let value = u8::from_str_radix(std::str::from_utf8(five).unwrap(), 2).unwrap();
        char::from(b"0123456789abcdefghijklmnopqrstuv"[usize::from(value)])
    };
    bits.as_bytes().chunks(5).map(digit).collect()
}

fn ds(owner: &Name, key: &DNSKEY) -> DS {
    let digest = key.to_digest(owner, DigestType::SHA256).unwrap();
    DS::new(key.calculate_key_tag().unwrap(), Algorithm::ECDSAP384SHA384, DigestType::SHA256, digest.as_ref().to_vec())
}

async fn trapped(trap: Trap, beside: &Cost) -> Snapshot {
    let serving = Serving::new(trap);
    let trust_anchor = Some(serving.root.anchor());
    let resolver = name_server(move |question| serving.answer(question)).await;
    Peers { trust_anchor, ..Peers::of(resolver).await }.collect(TRAP, TRAP, beside).await
}

/// The proofs of the record, of the MX, and of an address that is not there.
fn proofs(snapshot: &Snapshot) -> [Option<DnssecProof>; 3] {
    let ipv4 = snapshot.ipv4.as_ref().unwrap();
    assert_eq!(snapshot.record.as_ref().unwrap().outcome, Some(DnsOutcome::Answer));
    [snapshot.record.as_ref().unwrap().dnssec, snapshot.mx.as_ref().unwrap().dnssec, ipv4.dnssec]
}

#[tokio::test(flavor = "multi_thread")]
async fn signatures_that_are_dear_cost_little_and_prove_nothing() {
    let beside = healthy().await;
    let bogus = Some(DnssecProof::Bogus);
    let unknown = Some(DnssecProof::Indeterminate);
    let [record, mx, _] = proofs(&trapped(HARMLESS, &beside).await);
    assert_eq!([record, mx], [bogus; 2], "two wrong signatures are tried");
    // As many as are tried, all of the same tag.
    let most = Trap { keys: 16, vouched: 16, signatures: 20, ..HARMLESS };
    let [record, mx, _] = proofs(&trapped(most, &beside).await);
    assert!([record, mx].iter().all(|proof| [bogus, unknown].contains(proof)), "{record:?} {mx:?}");
    for (what, trap) in [
        ("many keys with many signatures", Trap { keys: 200, vouched: 200, signatures: 200, ..HARMLESS }),
        ("many keys that nobody vouches for", Trap { keys: 200, ..HARMLESS }),
        ("many signatures", Trap { signatures: 300, ..HARMLESS }),
        ("keys that cannot be had", Trap { hides_keys: true, ..HARMLESS }),
    ] {
        let [record, mx, _] = proofs(&trapped(trap, &beside).await);
        assert_eq!([record, mx], [unknown; 2], "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_absence_that_is_dear_to_prove_stays_open() {
    let beside = healthy().await;
    let snapshot = trapped(Trap { iterations: u16::MAX, ..HARMLESS }, &beside).await;
    let ipv4 = snapshot.ipv4.as_ref().unwrap();
    assert_eq!((ipv4.outcome, ipv4.dnssec), (Some(DnsOutcome::Nodata), Some(DnssecProof::Indeterminate)));
    // With as many as are usual the same proof is tried, and holds.
    let snapshot = trapped(Trap { iterations: 1, ..HARMLESS }, &beside).await;
    assert_eq!(snapshot.ipv4.unwrap().dnssec, Some(DnssecProof::Secure));
}
