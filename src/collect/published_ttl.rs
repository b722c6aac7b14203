//! The TTL that an answer was published with, where a resolver's cache shows only what it had left: one of the zone's own
//! name servers is asked. Called by `pass`, beside everything that takes longer.

use std::net::SocketAddr;
use std::time::Duration;

use hickory_resolver::proto::rr::RecordType;

use super::dns::{read_mx, read_txt, typed};
use super::pass::Pass;
use super::resolver::Upstream;
use crate::snapshot::{Lookup, MxRecord, TxtRecord};

/// How many addresses of name servers are tried.
const MAX_TRIES: usize = 3;

/// How long all of it may take: a TTL is worth no more, and many networks let nobody ask name servers.
const PATIENCE: Duration = Duration::from_secs(3);

impl Pass<'_> {
    /// The TXT answer with the TTL that it was published with, where that can be found.
    pub(super) async fn txt_as_published(&self, lookup: Lookup<TxtRecord>) -> Lookup<TxtRecord> {
        let published = self.as_published(&lookup, RecordType::TXT).await;
        with_ttl(lookup, published.map(|lookup| typed(&lookup, read_txt)))
    }

    /// The same of the MX answer.
    pub(super) async fn mx_as_published(&self, lookup: Lookup<MxRecord>) -> Lookup<MxRecord> {
        let published = self.as_published(&lookup, RecordType::MX).await;
        with_ttl(lookup, published.map(|lookup| typed(&lookup, read_mx)))
    }

    /// What a name server of the zone says; `None` where the TTL is known, or none answers with authority.
    async fn as_published<R>(
        &self,
        lookup: &Lookup<R>,
        kind: RecordType,
    ) -> Option<Lookup<hickory_resolver::proto::rr::RData>> {
        if !lookup.ttl_at_least || !self.collector.options.published_ttls {
            return None;
        }
        let name = lookup.aliases.last().map(|alias| alias.target.as_str()).or(lookup.name.as_deref())?.to_owned();
        let asking = Box::pin(self.ask_zone(&name, kind));
        tokio::time::timeout(PATIENCE, asking).await.ok().flatten()
    }

    async fn ask_zone(&self, name: &str, kind: RecordType) -> Option<Lookup<hickory_resolver::proto::rr::RData>> {
        let below_domain = name == self.domain || name.ends_with(&format!(".{}", self.domain));
        let zone = if below_domain { self.domain } else { name };
        let mut tries = 0;
        for server in self.zone_servers(zone).await? {
            for (_, address) in self.addresses_of(server).await {
                let Some(address) = address.filter(|address| self.collector.guard.admit(*address).is_ok()) else {
                    continue;
                };
                if tries == MAX_TRIES {
                    return None;
                }
                tries += 1;
                let server = SocketAddr::new(address, self.collector.options.name_server_port);
                let upstream = Upstream::to_server(server, self.clock.step(), self.collector.options.retry).ok();
                let (lookup, authority) = self.ask_server(upstream.as_ref(), server, name, kind).await;
                if authority == Some(true) && !lookup.records.is_empty() {
                    return Some(lookup);
                }
            }
        }
        None
    }
}

/// The answer with the TTL of the name server's; a cache never has more left than was published.
fn with_ttl<R>(lookup: Lookup<R>, published: Option<Lookup<R>>) -> Lookup<R> {
    match published.and_then(|published| published.ttl) {
        Some(ttl) => Lookup { ttl: lookup.ttl.max(Some(ttl)), ttl_at_least: false, ..lookup },
        None => lookup,
    }
}
