//! Who asks, as far as limits need it: the network of the client, never kept anywhere else.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use axum::http::HeaderMap;

/// The network that a client is in: an IPv4 address, or an IPv6 /56; one bucket for all where it is not known.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Network {
    /// One IPv4 address.
    V4([u8; 4]),
    /// The first 56 bits of an IPv6 address.
    V6([u8; 7]),
    /// Not known: a Unix socket without a proxy that names its clients.
    Unknown,
}

impl Network {
    /// The network of an address; an IPv4-mapped one is IPv4.
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Network::V4(address.octets()),
            IpAddr::V6(address) => {
                let [a, b, c, d, e, f, g, ..] = address.octets();
                Network::V6([a, b, c, d, e, f, g])
            }
        }
    }

    /// The client's network: that of the peer, or after `proxies` proxies of the operator's, that of the entry of
    /// `X-Forwarded-For` that the outermost of them wrote. What clients write themselves is further to the left.
    pub fn of_request(peer: Option<IpAddr>, headers: &HeaderMap, proxies: usize) -> Self {
        let Some(from_the_right) = proxies.checked_sub(1) else {
            return peer.map_or(Network::Unknown, Network::of);
        };
        let values = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
        let entries: Vec<&str> = values.flat_map(|value| value.split(',')).map(str::trim).collect();
        let entry = entries.iter().rev().nth(from_the_right).and_then(|entry| address(entry));
        entry.or(peer).map_or(Network::Unknown, Network::of)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Network::V4(octets) => IpAddr::from(*octets).fmt(f),
            Network::V6([a, b, c, d, e, g, h]) => {
                let octets = [*a, *b, *c, *d, *e, *g, *h, 0, 0, 0, 0, 0, 0, 0, 0, 0];
                write!(f, "{}/56", Ipv6Addr::from(octets))
            }
            Network::Unknown => f.write_str("unknown"),
        }
    }
}

/// An address as proxies write it: with or without brackets and port.
fn address(entry: &str) -> Option<IpAddr> {
    let entry = entry.trim_matches('"');
    let bare = entry.strip_prefix('[').and_then(|rest| rest.split(']').next()).unwrap_or(entry);
    bare.parse().ok().or_else(|| entry.parse::<std::net::SocketAddr>().ok().map(|address| address.ip()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn network(forwarded: &[&str], proxies: usize) -> String {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", value.parse().unwrap());
        }
        Network::of_request(Some("192.0.2.9".parse().unwrap()), &headers, proxies).to_string()
    }

    #[test]
    fn only_what_ones_own_proxies_wrote_counts() {
        let cases: [(&[&str], usize, &str); 8] = [
            (&["203.0.113.1"], 0, "192.0.2.9"),
            (&["203.0.113.1"], 1, "203.0.113.1"),
            (&["6.6.6.6, 203.0.113.1"], 1, "203.0.113.1"),
            (&["6.6.6.6", "203.0.113.1, 192.0.2.8"], 2, "203.0.113.1"),
            (&["nonsense"], 1, "192.0.2.9"),
            (&[], 1, "192.0.2.9"),
            (&["[2001:db8:1:2ff::1]:4711"], 1, "2001:db8:1:200::/56"),
            (&["::ffff:203.0.113.1"], 1, "203.0.113.1"),
        ];
        for (forwarded, proxies, expected) in cases {
            assert_eq!(network(forwarded, proxies), expected, "{forwarded:?} behind {proxies}");
        }
    }
}
