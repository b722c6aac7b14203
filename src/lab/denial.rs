//! A signed zone that proves what it does not hold.
//!
//! Hickory's zone denies a name with the wildcard right above it alone, and lends records to names that exist or that have
//! a closer ancestor than the wildcard's. [`ProvenZone`] is in front of it, and says for each name whether it exists, which
//! wildcard answers for it (RFC 4592 §3.3.1), and which NSEC records prove that (RFC 4035 §3.1.3).

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use hickory_server::dnssec::NxProofKind;
use hickory_server::proto::op::ResponseCode;
use hickory_server::proto::rr::{LowerName, RecordSet, RecordType, RrKey, TSigResponseContext};
use hickory_server::server::{Request, RequestInfo};
use hickory_server::store::in_memory::InMemoryZoneHandler;
use hickory_server::zone_handler::{
    AuthLookup, AxfrPolicy, LookupControlFlow, LookupError, LookupOptions, LookupRecords, Nsec3QueryInfo, ZoneHandler,
    ZoneType,
};

/// What a trait written with `async_trait` returns.
type Pending<'f, T> = Pin<Box<dyn Future<Output = T> + Send + 'f>>;

/// A zone of hickory's, and the names in it.
pub(super) struct ProvenZone {
    zone: InMemoryZoneHandler,
    names: Names,
}

impl ProvenZone {
    /// Takes a zone that is complete and, if at all, signed.
    pub(super) fn new(mut zone: InMemoryZoneHandler) -> Self {
        let names = Names::new(zone.records_get_mut());
        Self { zone, names }
    }
}

impl ZoneHandler for ProvenZone {
    fn zone_type(&self) -> ZoneType {
        self.zone.zone_type()
    }

    fn axfr_policy(&self) -> AxfrPolicy {
        self.zone.axfr_policy()
    }

    fn origin(&self) -> &LowerName {
        self.zone.origin()
    }

    fn lookup<'s, 'n, 'i, 'q, 'f>(
        &'s self,
        name: &'n LowerName,
        kind: RecordType,
        request: Option<&'i RequestInfo<'q>>,
        options: LookupOptions,
    ) -> Pending<'f, LookupControlFlow<AuthLookup>>
    where
        's: 'f,
        'n: 'f,
        'i: 'f,
        'q: 'f,
        Self: 'f,
    {
        let absence = match self.names.holder(name) {
            Holder::Delegation => None,
            Holder::None { .. } => Some(LookupError::from(ResponseCode::NXDomain)),
            Holder::Name(holder) => (!self.names.answer(&holder, kind)).then_some(LookupError::NameExists),
        };
        match absence {
            None => self.zone.lookup(name, kind, request, options),
            Some(absence) => Box::pin(async { LookupControlFlow::Continue(Err(absence)) }),
        }
    }

    fn search<'s, 'r, 'f>(
        &'s self,
        request: &'r Request,
        options: LookupOptions,
    ) -> Pending<'f, (LookupControlFlow<AuthLookup>, Option<TSigResponseContext>)>
    where
        's: 'f,
        'r: 'f,
        Self: 'f,
    {
        Box::pin(async move {
            let found = match request.request_info() {
                Ok(info) => self.lookup(info.query.name(), info.query.query_type(), Some(&info), options).await,
                Err(error) => LookupControlFlow::Break(Err(error)),
            };
            (found, None)
        })
    }

    fn nsec_records<'s, 'n, 'f>(
        &'s self,
        name: &'n LowerName,
        options: LookupOptions,
    ) -> Pending<'f, LookupControlFlow<AuthLookup>>
    where
        's: 'f,
        'n: 'f,
        Self: 'f,
    {
        let proof = LookupRecords::many(options, self.names.proof(name));
        Box::pin(async { LookupControlFlow::Continue(Ok(proof.into())) })
    }

    fn nsec3_records<'s, 'q, 'f>(
        &'s self,
        query: Nsec3QueryInfo<'q>,
        options: LookupOptions,
    ) -> Pending<'f, LookupControlFlow<AuthLookup>>
    where
        's: 'f,
        'q: 'f,
        Self: 'f,
    {
        self.zone.nsec3_records(query, options)
    }

    fn nx_proof_kind(&self) -> Option<&NxProofKind> {
        self.zone.nx_proof_kind()
    }
}

/// Where the records of a name come from.
#[derive(Debug, Eq, PartialEq)]
enum Holder {
    /// Another zone, to which the name is delegated.
    Delegation,
    /// The name itself, which may have none, or the wildcard that answers for it.
    Name(LowerName),
    /// No name; this wildcard would answer for it.
    None { wildcard: LowerName },
}

/// The names of a zone in canonical order (RFC 4034 §6.1).
struct Names {
    types: BTreeMap<LowerName, BTreeSet<RecordType>>,
    nsecs: BTreeMap<LowerName, Arc<RecordSet>>,
}

impl Names {
    fn new(records: &BTreeMap<RrKey, Arc<RecordSet>>) -> Self {
        let mut names = Self { types: BTreeMap::new(), nsecs: BTreeMap::new() };
        for (key, set) in records {
            match key.record_type {
                RecordType::NSEC => drop(names.nsecs.insert(key.name.clone(), Arc::clone(set))),
                // Its owner is a hash, and no name of the zone.
                RecordType::NSEC3 => {}
                kind => drop(names.types.entry(key.name.clone()).or_default().insert(kind)),
            }
        }
        names
    }

    fn holder(&self, name: &LowerName) -> Holder {
        if self.is_delegated(name) {
            return Holder::Delegation;
        }
        if self.exists(name) {
            return Holder::Name(name.clone());
        }
        let wildcard = self.source_of_synthesis(name);
        match self.exists(&wildcard) {
            true => Holder::Name(wildcard),
            false => Holder::None { wildcard },
        }
    }

    /// Whether a name has records of a type, or an alias in their place.
    fn answer(&self, name: &LowerName, kind: RecordType) -> bool {
        let types = self.types.get(name);
        types.is_some_and(|types| {
            matches!(kind, RecordType::ANY | RecordType::NSEC | RecordType::NSEC3)
                || types.contains(&kind)
                || types.contains(&RecordType::CNAME)
        })
    }

    /// The NSEC records that prove that a name is not there, or which types it does not have.
    fn proof(&self, name: &LowerName) -> Vec<Arc<RecordSet>> {
        let owners = match self.holder(name) {
            // RFC 4035 §3.1.3.1. A name above others that has no records is between its neighbours (RFC 4592 §2.2.2).
            Holder::Delegation => vec![name.clone()],
            Holder::Name(holder) if holder == *name => vec![holder],
            // RFC 4035 §3.1.3.4; where the wildcard has the type, §3.1.3.3 asks for the first of them.
            Holder::Name(wildcard) => vec![name.clone(), wildcard],
            // RFC 4035 §3.1.3.2.
            Holder::None { wildcard } => vec![name.clone(), wildcard],
        };
        let records = owners.iter().filter_map(|owner| self.nsecs.range(..=owner).next_back());
        let proof: BTreeMap<_, _> = records.collect();
        proof.into_values().cloned().collect()
    }

    /// Whether a name has records, or is above one that has.
    fn exists(&self, name: &LowerName) -> bool {
        // In canonical order the names below a name follow it.
        self.types.range(name..).next().is_some_and(|(next, _)| name.zone_of(next))
    }

    /// The wildcard below the closest encloser of a name that does not exist (RFC 4592 §3.3.1).
    fn source_of_synthesis(&self, name: &LowerName) -> LowerName {
        let mut below = name.clone();
        while !below.is_root() && !self.exists(&below.base_name()) {
            below = below.base_name();
        }
        below.into_wildcard()
    }

    /// Whether a name is at or below the place where another zone begins.
    fn is_delegated(&self, name: &LowerName) -> bool {
        let mut above = name.clone();
        loop {
            let types = self.types.get(&above);
            if types.is_some_and(|types| types.contains(&RecordType::NS) && !types.contains(&RecordType::SOA)) {
                return true;
            }
            if above.is_root() {
                return false;
            }
            above = above.base_name();
        }
    }
}
