//! The certificates that were seen, for the formats that watch over their time.

use serde_json::Value;

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
    pub certificate: &'a Value,
}

/// The certificates in a tree of facts: the policy host's, then those of the MX hosts.
pub fn certificates(facts: &Value) -> Vec<Seen<'_>> {
    let policy_host = facts.get("policy_host").map(|host| ("policy_host", host));
    let hosts = facts.pointer("/mx/hosts").and_then(Value::as_array).into_iter().flatten().map(|host| ("mx", host));
    let mut seen = Vec::new();
    for (service, host) in policy_host.into_iter().chain(hosts) {
        let name = host.get("name").and_then(Value::as_str).unwrap_or_default();
        for probe in host.get("probes").and_then(Value::as_array).into_iter().flatten() {
            let certificate = probe.pointer("/tls/certificate").filter(|certificate| certificate.is_object());
            let Some(certificate) = certificate else { continue };
            let address = probe.get("address").and_then(Value::as_str).unwrap_or_default();
            seen.push(Seen { service, host: name, address, certificate });
        }
    }
    seen
}
