//! The zones of the lab: a signed tree from the root down to each scenario's domain.
//!
//! A resolver that validates has to find its way from a trust anchor to every name, so the lab has
//! a root and top-level zones of its own. What lies in no scenario's domain is still not served.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::net::Ipv4Addr;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use hickory_server::dnssec::NxProofKind;
use hickory_server::net::runtime::TokioRuntimeProvider;
use hickory_server::proto::ProtoError;
use hickory_server::proto::dnssec::crypto::EcdsaSigningKey;
use hickory_server::proto::dnssec::rdata::{DNSKEY, DNSSECRData, DS};
use hickory_server::proto::dnssec::{
    Algorithm, DigestType, DnsSecError, DnssecSigner, Nsec3HashAlgorithm, PublicKeyBuf, SigningKey,
};
use hickory_server::proto::rr::rdata::{A, AAAA, CNAME, MX, NS, NULL, PTR, SOA, TLSA, TXT};
use hickory_server::proto::rr::{LowerName, Name, RData, Record as Rr, RecordSet, RecordType, RrKey};
use hickory_server::proto::serialize::binary::BinEncodable;
use hickory_server::store::in_memory::InMemoryZoneHandler;
use hickory_server::zone_handler::{AxfrPolicy, Catalog, ZoneHandler, ZoneType};

use super::LabError;
use super::denial::ProvenZone;
use super::record::{Dnssec, Record, RecordData};

/// The time to live of what the lab adds to a zone, and of a "no", in seconds.
const ZONE_TTL: u32 = 300;

/// How long signatures hold, from the system's clock on, as the resolver checks them by it.
const SIGNED_FOR: Duration = Duration::from_secs(30 * 86_400);

/// The most octets of a character-string, whose length is one octet on the wire.
const STRING_LIMIT: usize = 255;

/// The number of Ed448 (RFC 8080 §4).
const ED448: u8 = 16;

/// More iterations than validating resolvers compute (RFC 9276 §3.2).
const MANY_ITERATIONS: u16 = 150;

/// The private keys of the zones, by their names: a zone that is made again is signed with the key that it had.
pub(super) type ZoneKeys = BTreeMap<LowerName, Vec<u8>>;

/// All zones, ready to be asked.
pub(super) struct ZoneTree {
    /// Each zone at its own name.
    pub(super) own: Catalog,
    /// Each zone's parent at the zone's name, where its DS record is (RFC 7672 §2.1.1 leans on
    /// the chain of them).
    pub(super) parents: Catalog,
    /// The root's key as a zone file has it.
    pub(super) trust_anchor: String,
    origins: Vec<LowerName>,
}

impl ZoneTree {
    /// Builds and signs the zones of some domains and of all that lies above them, with the keys that are there; those
    /// that are missing are added.
    ///
    /// # Errors
    /// [`LabError::Name`] and [`LabError::Record`] for what no zone can hold,
    /// [`LabError::OutsideZones`] for a record of none of the domains, [`LabError::Dnssec`] when
    /// signing fails.
    pub(super) fn new(domains: &[(&str, Dnssec)], records: &[Record], keys: &mut ZoneKeys) -> Result<Self, LabError> {
        let mut zones = BTreeMap::new();
        for (domain, dnssec) in domains {
            zones.insert(LowerName::new(&name(domain)?), Zone::new(&name(domain)?, *dnssec)?);
        }
        for record in records {
            insert(&mut zones, record)?;
        }
        add_ancestors(&mut zones)?;
        for (origin, zone) in &mut zones {
            zone.key.clone_from(keys.entry(origin.clone()).or_insert_with(|| zone.key.clone()));
        }
        delegate(&mut zones)?;
        let trust_anchor = match zones.get(&LowerName::new(&Name::root())) {
            Some(root) => format!("{}\n", root.signer(&Name::root())?.1),
            None => String::new(),
        };
        Self::serve(zones, trust_anchor)
    }

    /// Whether a name is one that the lab answers for: the root itself, or below a top-level zone.
    pub(super) fn serves(&self, name: &LowerName) -> bool {
        name.is_root() || self.origins.iter().any(|origin| !origin.is_root() && origin.zone_of(name))
    }

    /// Whether a zone begins at a name.
    pub(super) fn begins_at(&self, name: &LowerName) -> bool {
        self.origins.contains(name)
    }

    fn serve(zones: BTreeMap<LowerName, Zone>, trust_anchor: String) -> Result<Self, LabError> {
        let origins: Vec<_> = zones.keys().cloned().collect();
        let mut handlers = BTreeMap::new();
        for (origin, zone) in zones {
            handlers.insert(origin.clone(), zone.into_handler(&origin)?);
        }
        let mut own = Catalog::new();
        let mut parents = Catalog::new();
        for (origin, handler) in &handlers {
            own.upsert(origin.clone(), vec![Arc::clone(handler)]);
            let above = parent(origin, &handlers).and_then(|parent| handlers.get(&parent));
            parents.upsert(origin.clone(), vec![Arc::clone(above.unwrap_or(handler))]);
        }
        Ok(Self { own, parents, trust_anchor, origins })
    }
}

/// A zone on its way to be served.
struct Zone {
    sets: BTreeMap<RrKey, RecordSet>,
    dnssec: Dnssec,
    key: Vec<u8>,
}

impl Zone {
    /// What every zone has: SOA, NS, and the address of its name server.
    fn new(origin: &Name, dnssec: Dnssec) -> Result<Self, LabError> {
        let server = child(origin, "ns")?;
        let contact = child(origin, "hostmaster")?;
        let soa = SOA::new(server.clone(), contact, 1, 3_600, 600, 86_400, ZONE_TTL);
        let mut zone = Self { sets: BTreeMap::new(), dnssec, key: new_key()? };
        zone.insert(Rr::from_rdata(origin.clone(), ZONE_TTL, RData::SOA(soa)));
        zone.insert(Rr::from_rdata(origin.clone(), ZONE_TTL, RData::NS(NS(server.clone()))));
        zone.insert(Rr::from_rdata(server, ZONE_TTL, RData::A(A(Ipv4Addr::LOCALHOST))));
        Ok(zone)
    }

    fn insert(&mut self, rr: Rr) {
        let key = RrKey::new(LowerName::new(&rr.name), rr.record_type());
        let set =
            self.sets.entry(key).or_insert_with(|| RecordSet::with_ttl(rr.name.clone(), rr.record_type(), rr.ttl));
        set.insert(rr, 0);
    }

    /// What signs the zone, and the DNSKEY record that says so.
    fn signer(&self, origin: &Name) -> Result<(DnssecSigner, Rr), LabError> {
        let (key, dnskey) = decode_key(&self.key)?;
        let rr = Rr::from_rdata(origin.clone(), ZONE_TTL, RData::DNSSEC(DNSSECRData::DNSKEY(dnskey.clone())));
        Ok((DnssecSigner::new(dnskey, key, origin.clone(), SIGNED_FOR), rr))
    }

    /// The DS record that vouches for the zone in its parent, if one does.
    fn ds(&self, origin: &Name) -> Result<Option<Rr>, LabError> {
        let key = match self.dnssec {
            Dnssec::Bogus => new_key()?,
            Dnssec::Insecure => return Ok(None),
            Dnssec::ManyIterations | Dnssec::Secure | Dnssec::WithEd448 => self.key.clone(),
        };
        let algorithm = match self.dnssec {
            Dnssec::WithEd448 => Algorithm::Unknown(ED448),
            _ => Algorithm::ECDSAP256SHA256,
        };
        let (_, dnskey) = decode_key(&key)?;
        let digest = dnskey.to_digest(origin, DigestType::SHA256)?;
        let tag = dnskey.calculate_key_tag()?;
        let ds = DS::new(tag, algorithm, DigestType::SHA256, digest.as_ref().to_vec());
        Ok(Some(Rr::from_rdata(origin.clone(), ZONE_TTL, RData::DNSSEC(DNSSECRData::DS(ds)))))
    }

    fn into_handler(self, origin: &LowerName) -> Result<Arc<dyn ZoneHandler>, LabError> {
        let origin = Name::from(origin);
        let signer = match self.dnssec {
            Dnssec::Insecure => None,
            _ => Some(self.signer(&origin)?.0),
        };
        let many = || NxProofKind::Nsec3 {
            algorithm: Nsec3HashAlgorithm::SHA1,
            salt: Arc::from([]),
            iterations: MANY_ITERATIONS,
            opt_out: false,
        };
        let proof = signer.as_ref().map(|_| match self.dnssec {
            Dnssec::ManyIterations => many(),
            _ => NxProofKind::Nsec,
        });
        let mut handler = InMemoryZoneHandler::<TokioRuntimeProvider>::new(
            origin,
            self.sets,
            ZoneType::Primary,
            AxfrPolicy::Deny,
            proof,
        )
        .map_err(LabError::Record)?;
        if let Some(signer) = signer {
            handler.add_zone_signing_key_mut(signer)?;
            handler.secure_zone_mut()?;
        }
        Ok(Arc::new(ProvenZone::new(handler)))
    }
}

fn new_key() -> Result<Vec<u8>, LabError> {
    let key = EcdsaSigningKey::generate_pkcs8(Algorithm::ECDSAP256SHA256)?;
    Ok(key.secret_pkcs8_der().to_vec())
}

fn decode_key(pkcs8: &[u8]) -> Result<(Box<dyn SigningKey>, DNSKEY), LabError> {
    let key = EcdsaSigningKey::from_pkcs8(&pkcs8.into(), Algorithm::ECDSAP256SHA256)?;
    let dnskey = DNSKEY::from_key(&key.to_public_key()?);
    Ok((Box::new(key), dnskey))
}

/// Puts a record into the closest zone that is above its name.
fn insert(zones: &mut BTreeMap<LowerName, Zone>, record: &Record) -> Result<(), LabError> {
    let owner = name(&record.name)?;
    let rr = Rr::from_rdata(owner.clone(), record.ttl, rdata(&record.data)?);
    let lower = LowerName::new(&owner);
    zones
        .iter_mut()
        .filter(|(origin, _)| origin.zone_of(&lower))
        .max_by_key(|(origin, _)| origin.num_labels())
        .map(|(_, zone)| zone.insert(rr))
        .ok_or_else(|| LabError::OutsideZones(record.name.clone()))
}

/// Adds a zone for every name above a zone, up to the root.
fn add_ancestors(zones: &mut BTreeMap<LowerName, Zone>) -> Result<(), LabError> {
    let origins: Vec<_> = zones.keys().cloned().collect();
    for origin in origins {
        let mut above = Name::from(origin);
        while !above.is_root() {
            above = above.base_name();
            if let Entry::Vacant(vacant) = zones.entry(LowerName::new(&above)) {
                vacant.insert(Zone::new(&above, Dnssec::Secure)?);
            }
        }
    }
    Ok(())
}

/// Puts into each zone the NS and DS records of those right below it.
fn delegate(zones: &mut BTreeMap<LowerName, Zone>) -> Result<(), LabError> {
    let origins: Vec<_> = zones.keys().cloned().collect();
    for origin in &origins {
        let Some(above) = parent(origin, zones) else {
            continue;
        };
        let below = Name::from(origin);
        let ns = Rr::from_rdata(below.clone(), ZONE_TTL, RData::NS(NS(child(&below, "ns")?)));
        let ds = zones.get(origin).map(|zone| zone.ds(&below)).transpose()?.flatten();
        if let Some(zone) = zones.get_mut(&above) {
            zone.insert(ns);
            ds.into_iter().for_each(|ds| zone.insert(ds));
        }
    }
    Ok(())
}

/// The closest zone above a zone; the root has none.
fn parent<T>(origin: &LowerName, zones: &BTreeMap<LowerName, T>) -> Option<LowerName> {
    zones
        .keys()
        .filter(|above| *above != origin && above.zone_of(origin))
        .max_by_key(|above| above.num_labels())
        .cloned()
}

fn rdata(record: &RecordData) -> Result<RData, LabError> {
    Ok(match record {
        RecordData::A(address) => RData::A(A(*address)),
        RecordData::Aaaa(address) => RData::AAAA(AAAA(*address)),
        RecordData::Cname(target) => RData::CNAME(CNAME(name(target)?)),
        RecordData::Dname(target) => {
            RData::Unknown { code: RecordType::DNAME, rdata: NULL::with(name(target)?.to_bytes()?) }
        }
        RecordData::Dnskey { algorithm, key } => {
            let key = PublicKeyBuf::new(key.clone(), Algorithm::from_u8(*algorithm));
            RData::DNSSEC(DNSSECRData::DNSKEY(DNSKEY::new(true, false, false, key)))
        }
        RecordData::Mx { preference, exchange } => RData::MX(MX::new(*preference, name(exchange)?)),
        RecordData::Ptr(target) => RData::PTR(PTR(name(target)?)),
        RecordData::Tlsa { usage, selector, matching, association } => {
            RData::TLSA(TLSA::new((*usage).into(), (*selector).into(), (*matching).into(), association.clone()))
        }
        RecordData::Txt(strings) => {
            if strings.iter().any(|string| string.len() > STRING_LIMIT) {
                return Err(LabError::Record(format!(
                    "a character-string of a TXT record has more than {STRING_LIMIT} octets"
                )));
            }
            RData::TXT(TXT::from_bytes(strings.iter().map(Vec::as_slice).collect()))
        }
    })
}

/// A name as it is, made absolute.
///
/// # Errors
/// [`LabError::Name`] when DNS cannot hold it.
pub(super) fn name(text: &str) -> Result<Name, LabError> {
    let mut name = Name::from_ascii(text).map_err(|_| LabError::Name(text.to_owned()))?;
    name.set_fqdn(true);
    Ok(name)
}

fn child(origin: &Name, label: &str) -> Result<Name, LabError> {
    Name::from_str(label).and_then(|label| label.append_domain(origin)).map_err(|_| LabError::Name(origin.to_string()))
}

impl From<DnsSecError> for LabError {
    fn from(error: DnsSecError) -> Self {
        Self::Dnssec(error.to_string())
    }
}

impl From<ProtoError> for LabError {
    fn from(error: ProtoError) -> Self {
        Self::Dnssec(error.to_string())
    }
}
