//! Addresses: which of them the whole internet can reach (RFC 6890).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::fact::Fact;
use super::tree::{AddressFacts, AddressKind};
use crate::snapshot::AddressFamily;

/// The facts of an address.
pub fn address_facts(address: IpAddr) -> AddressFacts {
    let kind = kind(address);
    AddressFacts {
        address: Fact::Known(address.to_string()),
        family: Fact::Known(AddressFamily::of(address)),
        public: Fact::Known(kind == AddressKind::Public),
        kind: Fact::Known(kind),
        reverse_names: Fact::Unobserved,
    }
}

fn kind(address: IpAddr) -> AddressKind {
    match address {
        IpAddr::V4(address) => kind_v4(address),
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(address) => kind_v4(address),
            None => kind_v6(address),
        },
    }
}

fn kind_v4(address: Ipv4Addr) -> AddressKind {
    let [a, b, c, _] = address.octets();
    match address {
        _ if address.is_unspecified() || a == 0 => AddressKind::Unspecified,
        _ if address.is_loopback() => AddressKind::Loopback,
        _ if address.is_private() => AddressKind::Private,
        _ if address.is_link_local() => AddressKind::LinkLocal,
        _ if address.is_documentation() => AddressKind::Documentation,
        _ if address.is_multicast() => AddressKind::Multicast,
        _ if a == 100 && (64..128).contains(&b) => AddressKind::Shared,
        // Benchmarking (RFC 2544), protocol assignments, and what is kept for later (240/4).
        _ if (a == 198 && (b == 18 || b == 19)) || (a, b, c) == (192, 0, 0) || a >= 240 => AddressKind::Reserved,
        _ => AddressKind::Public,
    }
}

fn kind_v6(address: Ipv6Addr) -> AddressKind {
    let [a, b, ..] = address.segments();
    match address {
        _ if address.is_unspecified() => AddressKind::Unspecified,
        _ if address.is_loopback() => AddressKind::Loopback,
        _ if address.is_multicast() => AddressKind::Multicast,
        _ if address.is_unicast_link_local() => AddressKind::LinkLocal,
        _ if address.is_unique_local() => AddressKind::Private,
        _ if (a == 0x2001 && b == 0x0db8) || a == 0x3fff => AddressKind::Documentation,
        _ if a == 0x0100 || (a == 0x2001 && b < 0x0200 && !(b == 0 || b == 1)) => AddressKind::Reserved,
        _ if a & 0xe000 != 0x2000 && a != 0x0064 => AddressKind::Reserved,
        _ => AddressKind::Public,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_of_addresses() {
        for (address, expected) in [
            ("8.8.8.8", "public"),
            ("10.1.2.3", "private"),
            ("172.31.0.1", "private"),
            ("172.32.0.1", "public"),
            ("192.168.1.1", "private"),
            ("127.0.0.2", "loopback"),
            ("169.254.1.1", "link-local"),
            ("192.0.2.1", "documentation"),
            ("100.64.0.1", "shared"),
            ("100.128.0.1", "public"),
            ("198.18.0.1", "reserved"),
            ("224.0.0.1", "multicast"),
            ("255.255.255.255", "reserved"),
            ("0.0.0.0", "unspecified"),
            ("::1", "loopback"),
            ("::", "unspecified"),
            ("fe80::1", "link-local"),
            ("fd00::1", "private"),
            ("2001:db8::1", "documentation"),
            ("2606:2800:220:1::1", "public"),
            ("2001:4860:4860::8888", "public"),
            ("ff02::1", "multicast"),
            ("::ffff:10.0.0.1", "private"),
        ] {
            assert_eq!(kind(address.parse().unwrap()).word(), expected, "{address}");
        }
    }
}
