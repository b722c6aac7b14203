//! The policy host: its addresses, each of them asked, and what policy that shows to be served (RFC 8461 §3.3).

use futures_util::future::{join, join_all};

use super::https;
use super::pass::{NO_ROOM, Pass};
use super::second_try;
use crate::snapshot::{AddressRecord, DnsOutcome, HttpsProbe, Lookup, Octets, Policy, PolicyHost};

impl Pass<'_> {
    /// The policy host and its policy: `Some(None)` where none is served, `None` where that is not known.
    pub(super) async fn policy_host(&self) -> (PolicyHost, Option<Option<Policy>>) {
        let name = format!("mta-sts.{}", self.domain);
        // Each family is asked as soon as its addresses are known, whatever becomes of the other.
        let ipv4 = async {
            let lookup = self.ipv4(&name).await;
            let probes = self.fetch_from(&name, &lookup).await;
            (lookup, probes)
        };
        let ipv6 = async {
            let lookup = self.ipv6(&name).await;
            let probes = self.fetch_from(&name, &lookup).await;
            (lookup, probes)
        };
        let ((ipv4, probes), (ipv6, more)) = join(ipv4, ipv6).await;
        let mut probes: Vec<HttpsProbe> = probes.into_iter().chain(more).collect();
        let policy = served(&ipv4, &ipv6, &mut probes);
        let probes = (!probes.is_empty()).then_some(probes);
        (PolicyHost { name: Some(name), ipv4: Some(ipv4), ipv6: Some(ipv6), probes }, policy)
    }

    async fn fetch_from(&self, name: &str, lookup: &Lookup<AddressRecord>) -> Vec<HttpsProbe> {
        let probes = self.addresses(lookup, "policy_host.probes", name).into_iter().map(|address| async move {
            let port = self.collector.options.https_port;
            let fetch = async {
                let not_attempted = |failure| HttpsProbe { failure: Some(failure), ..https::not_attempted(address) };
                let admitted = match self.collector.guard.admit(address) {
                    Ok(admitted) => admitted,
                    Err(failure) => return not_attempted(failure),
                };
                let _turn = match self.share.turn(name, self.clock).await {
                    Ok(turn) => turn,
                    Err(failure) => return not_attempted(failure),
                };
                match self.collector.shares.connection(admitted, port, self.clock).await {
                    Ok(_leave) => {
                        let user_agent = &self.collector.user_agent;
                        let asked = https::Asked {
                            host: name,
                            admitted,
                            port,
                            user_agent,
                            talks: &self.collector.shares.talks,
                        };
                        let retry = self.collector.options.retry;
                        let probe = second_try::fetch(&asked, retry, &self.prober, self.clock);
                        self.share.work.within(Box::pin(probe)).await.unwrap_or_else(not_attempted)
                    }
                    Err(failure) => not_attempted(failure),
                }
            };
            let probe = self.timeline.step(format!("HTTPS {name} at {address}"), fetch).await;
            let kept = self
                .share
                .keep(name, probe, |failure| HttpsProbe { failure: Some(failure), ..https::not_attempted(address) });
            if kept.is_none() {
                self.leave_out("policy_host.probes", NO_ROOM.to_owned());
            }
            kept
        });
        join_all(probes).await.into_iter().flatten().collect()
    }
}

/// What the probes show to be served; the body then is in the policy and not in the probes too.
fn served(
    ipv4: &Lookup<AddressRecord>,
    ipv6: &Lookup<AddressRecord>,
    probes: &mut [HttpsProbe],
) -> Option<Option<Policy>> {
    let has_none = |lookup: &Lookup<AddressRecord>| {
        lookup.outcome == Some(DnsOutcome::Nxdomain) || lookup.known().is_some_and(<[_]>::is_empty)
    };
    if has_none(ipv4) && has_none(ipv6) {
        return Some(None);
    }
    let Some(policy) = probes.iter().find_map(whole_policy) else {
        let definite =
            probes.iter().any(|probe| probe.response.as_ref().is_some_and(|response| response.status != 200));
        return definite.then_some(None);
    };
    for response in probes.iter_mut().filter_map(|probe| probe.response.as_mut()) {
        if response.body.as_ref() == Some(&policy.body) {
            response.body = None;
        }
    }
    Some(Some(policy))
}

/// The policy that one address serves: status 200 (RFC 8461 §3.3), and the body read to its end or to the limit.
fn whole_policy(probe: &HttpsProbe) -> Option<Policy> {
    let response = probe.response.as_ref().filter(|response| response.status == 200)?;
    // A body that ended early is not a policy, whatever ended it; one that is longer than is read says so itself.
    let body: Octets = response.body.clone().filter(|_| probe.failure.is_none())?;
    Some(Policy { body, address: Some(probe.address), truncated: response.truncated })
}
