//! The certificates that were seen, for the formats that watch over their time.

use crate::facts::Fact;
use crate::facts::tree::{CertificateFacts, FactTree, TlsSessionFacts};

/// A host's own certificate, as one of its addresses showed it.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// What the host is: `policy_host` or `mx`.
    pub service: &'static str,
    /// The host's name.
    pub host: &'a str,
    /// The address.
    pub address: &'a str,
    /// The certificate's facts.
    pub certificate: &'a CertificateFacts,
}

/// The certificates in a tree of facts: the policy host's, then those of the MX hosts.
pub fn certificates(facts: &FactTree) -> Vec<Seen<'_>> {
    let mut seen = Vec::new();
    let mut add = |service, host, address, tls| seen.extend(of_probe(service, host, address, tls));
    if let Some(host) = facts.policy_host.known() {
        for probe in host.probes.entries() {
            add("policy_host", &host.name, &probe.address, &probe.tls);
        }
    }
    for host in facts.mx.at(|mx| &mx.hosts).entries() {
        for probe in host.probes.entries() {
            add("mx", &host.name, &probe.address, &probe.tls);
        }
    }
    seen
}

fn of_probe<'a>(
    service: &'static str,
    host: &'a Fact<String>,
    address: &'a Fact<String>,
    tls: &'a Fact<TlsSessionFacts>,
) -> Option<Seen<'a>> {
    let certificate = tls.at(|tls| &tls.certificate).present()?;
    Some(Seen { service, host: host.text(), address: address.text(), certificate })
}
