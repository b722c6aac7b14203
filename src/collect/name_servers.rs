//! The zone's own name servers, asked past every cache: do they all say the same (RFC 8461 §8.1)?

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use futures_util::future::{join, join_all};
use hickory_resolver::proto::op::Query;
use hickory_resolver::proto::rr::{RData, RecordType};

use super::dns::{read_mx, read_txt, typed, unanswered};
use super::dns_failure::{self, Asked};
use super::dns_name::owner;
use super::dns_trail::Trail;
use super::failure::failure;
use super::limits::{MAX_NAME_SERVERS, millis};
use super::log_lines;
use super::pass::Pass;
use super::resolver::Upstream;
use crate::snapshot::{DnsOutcome, DnssecProof, FailureKind, Lookup, NameServer};

impl Pass<'_> {
    /// What each name server of the zone says; `None` where that was not chosen, or the servers are not known.
    pub(super) async fn name_servers(&self) -> Option<Vec<NameServer>> {
        if !self.collector.options.authoritative {
            return None;
        }
        let Some(names) = self.zone_servers(self.domain).await else {
            self.leave_out("name_servers", "the name servers of the zone could not be found".to_owned());
            return None;
        };
        let mut servers: Vec<(String, Option<IpAddr>)> =
            join_all(names.into_iter().map(|name| self.addresses_of(name))).await.into_iter().flatten().collect();
        if servers.len() > MAX_NAME_SERVERS {
            let reason = format!("only {MAX_NAME_SERVERS} of {} addresses of name servers were asked", servers.len());
            self.leave_out("name_servers", reason);
            servers.truncate(MAX_NAME_SERVERS);
        }
        Some(join_all(servers.into_iter().map(|(name, address)| self.name_server(name, address))).await)
    }

    /// The names of the servers of the zone that a name is in: its own, else that of the nearest parent.
    pub(super) async fn zone_servers(&self, name: &str) -> Option<Vec<String>> {
        let top = psl::domain_str(name).unwrap_or(name);
        let zones = std::iter::successors(Some(name), |zone| {
            zone.split_once('.').map(|(_, parent)| parent).filter(|parent| parent.len() >= top.len())
        });
        let asked = join_all(zones.take(8).map(|zone| self.ns(zone))).await;
        let mut names = asked.into_iter().map(|lookup| lookup.records).find(|names| !names.is_empty())?;
        names.sort();
        Some(names)
    }

    pub(super) async fn addresses_of(&self, name: String) -> Vec<(String, Option<IpAddr>)> {
        // None of these answers is in the snapshot.
        let questions = &self.collector.questions;
        let (ipv4, ipv6) = join(
            self.timeline.step(format!("A {name}"), questions.ipv4(&name, &self.limits)),
            self.timeline.step(format!("AAAA {name}"), questions.ipv6(&name, &self.limits)),
        )
        .await;
        let families = self.collector.options.families;
        let addresses = ipv4.records.iter().chain(&ipv6.records).map(|record| record.address);
        let found: Vec<_> = addresses
            .filter(|address| families.include(*address))
            .map(|address| (name.clone(), Some(address)))
            .collect();
        if found.is_empty() { vec![(name, None)] } else { found }
    }

    async fn name_server(&self, name: String, address: Option<IpAddr>) -> NameServer {
        let Some(address) = address else {
            return NameServer { name, address: None, record: None, tlsrpt: None, mx: None, authority: None };
        };
        if let Err(failure) = self.collector.guard.admit(address) {
            self.leave_out("name_servers", format!("{name}: {}", failure.detail));
            return NameServer { name, address: Some(address), record: None, tlsrpt: None, mx: None, authority: None };
        }
        let server = SocketAddr::new(address, self.collector.options.name_server_port);
        let upstream = Upstream::to_server(server, self.clock.step(), self.collector.options.retry).ok();
        let (record, tlsrpt) = (format!("_mta-sts.{}", self.domain), format!("_smtp._tls.{}", self.domain));
        let ((record, _), (tlsrpt, _), (mx, authority)) = tokio::join!(
            self.ask_server(upstream.as_ref(), server, &record, RecordType::TXT),
            self.ask_server(upstream.as_ref(), server, &tlsrpt, RecordType::TXT),
            self.ask_server(upstream.as_ref(), server, self.domain, RecordType::MX),
        );
        NameServer {
            name,
            address: Some(address),
            record: Some(self.share.keep_answer(&format!("TXT at {address}"), typed(&record, read_txt))),
            tlsrpt: Some(self.share.keep_answer(&format!("TXT at {address}"), typed(&tlsrpt, read_txt))),
            mx: Some(self.share.keep_answer(&format!("MX at {address}"), typed(&mx, read_mx))),
            authority,
        }
    }

    /// One datagram without an answer says nothing about the server: it may have been lost.
    fn unless_lost(&self, lookup: Lookup<RData>) -> Lookup<RData> {
        if self.collector.options.retry || lookup.outcome != Some(DnsOutcome::Timeout) {
            return lookup;
        }
        let detail = "a datagram may have been lost, and was not sent again (--no-retry)";
        Lookup { failure: Some(failure(FailureKind::Network, detail)), ..lookup }
    }

    /// What a server says, and whether it says so with authority where that is known.
    pub(super) async fn ask_server(
        &self,
        upstream: Option<&Upstream>,
        server: SocketAddr,
        name: &str,
        kind: RecordType,
    ) -> (Lookup<RData>, Option<bool>) {
        let (Some(upstream), Some(owner)) = (upstream, owner(name)) else {
            let failure = failure(FailureKind::Other, "this query cannot be made");
            return (unanswered(name, DnsOutcome::Other, failure), None);
        };
        let began = Instant::now();
        let asking =
            self.clock.within("answer from the name server", upstream.ask_plain(Query::query(owner.clone(), kind)));
        let asked = self.timeline.step(format!("{kind} {name} at {}", server.ip()), asking).await;
        let (lookup, authority) = match asked.map(|result| dns_failure::answer(result, Asked::NameServer)) {
            Ok(Ok(answer)) => {
                let mut trail = Trail::new(owner, kind);
                trail.advance(answer);
                // An alias out of the zone is all that this server can say.
                trail.end.get_or_insert((DnsOutcome::Answer, None));
                trail.proof = Some(DnssecProof::Unchecked);
                let authority = trail.authority;
                (trail.into_lookup(name), authority)
            }
            Ok(Err((outcome, failure))) => (unanswered(name, outcome, failure), None),
            Err(failure) => (unanswered(name, DnsOutcome::Timeout, failure), None),
        };
        let lookup = self.unless_lost(lookup);
        log_lines::answer(kind, name, Some(&server.ip()), &lookup, began.elapsed());
        (Lookup { elapsed_ms: Some(millis(began.elapsed())), ..lookup }, authority)
    }
}
