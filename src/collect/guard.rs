//! Which addresses may be connected to: with `--only-public`, none that a stranger's domain must not lead to.
//!
//! [`Guard::admit`] is the only maker of an [`Admitted`] address, and nothing that opens a socket towards a host takes any
//! other: the address that was judged is the one that is connected to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::failure::failure;
use super::options::ConnectTo;
use crate::snapshot::{Failure, FailureKind};

/// An address that may be connected to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Admitted(IpAddr);

impl Admitted {
    /// The address.
    pub fn address(self) -> IpAddr {
        self.0
    }
}

/// What decides.
#[derive(Clone, Debug, Default)]
pub struct Guard {
    connect_to: ConnectTo,
    /// The addresses of this machine: a public one of its own leads inside as well.
    own: Vec<IpAddr>,
}

impl Guard {
    /// A guard that admits these.
    pub fn new(connect_to: ConnectTo) -> Self {
        let own = if connect_to == ConnectTo::Any { Vec::new() } else { own_addresses() };
        Guard { connect_to, own }
    }

    /// The address, where it may be connected to; else a failure that says why not.
    pub fn admit(&self, address: IpAddr) -> Result<Admitted, Failure> {
        let refused = |why: &str| failure(FailureKind::NotPublic, format!("not connected to: {address} {why}"));
        let target = unwrapped(address);
        let admitted = match self.connect_to {
            ConnectTo::Any => true,
            ConnectTo::Public => false,
            ConnectTo::PublicOrLoopback => address.is_loopback(),
        };
        if admitted {
            return Ok(Admitted(address));
        }
        if !is_public(target) {
            return Err(refused("is not a public address"));
        }
        if self.own.contains(&target) || self.own.contains(&address) {
            return Err(refused("is an address of this machine"));
        }
        Ok(Admitted(address))
    }
}

fn own_addresses() -> Vec<IpAddr> {
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    interfaces.iter().map(|interface| interface.ip().to_canonical()).collect()
}

/// The IPv4 address that an IPv6 address represents: IPv4-mapped and IPv4-compatible (RFC 4291 §2.5.5), NAT64
/// (RFC 6052 §2.1), 6to4 (RFC 3056 §2).
fn unwrapped(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else { return address };
    let [a, b, c, d, e, f, g, h] = v6.segments();
    let embedded = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        IpAddr::V4(Ipv4Addr::new(a, b, c, d))
    };
    match (a, b) {
        (0, 0) if (c, d, e) == (0, 0, 0) && (f == 0 || f == 0xffff) => embedded(g, h),
        (0x0064, 0xff9b) if (c, d, e, f) == (0, 0, 0, 0) => embedded(g, h),
        (0x2002, _) => embedded(b, c),
        _ => address,
    }
}

/// The blocks of IPv4 that are not globally reachable unicast (the IANA special-purpose registry, RFC 6890; multicast,
/// RFC 5771; the reserved 240/4; and the relays of 6to4, RFC 7526).
const NOT_PUBLIC_V4: [([u8; 4], u32); 16] = [
    ([0, 0, 0, 0], 8),
    ([10, 0, 0, 0], 8),
    ([100, 64, 0, 0], 10),
    ([127, 0, 0, 0], 8),
    ([169, 254, 0, 0], 16),
    ([172, 16, 0, 0], 12),
    ([192, 0, 0, 0], 24),
    ([192, 0, 2, 0], 24),
    ([192, 88, 99, 0], 24),
    ([192, 168, 0, 0], 16),
    ([198, 18, 0, 0], 15),
    ([198, 51, 100, 0], 24),
    ([203, 0, 113, 0], 24),
    ([224, 0, 0, 0], 4),
    ([240, 0, 0, 0], 4),
    ([255, 255, 255, 255], 32),
];

/// The blocks within 2000::/3, all of global unicast, that are not globally reachable: protocol assignments with Teredo,
/// documentation, and 6to4, whose IPv4 address is judged in its place.
const NOT_PUBLIC_V6: [([u16; 2], u32); 4] =
    [([0x2001, 0x0000], 23), ([0x2001, 0x0db8], 32), ([0x2002, 0x0000], 16), ([0x3fff, 0x0000], 20)];

fn is_public(address: IpAddr) -> bool {
    let within = |address: u32, block: u32, bits: u32| {
        (address ^ block).checked_shr(32_u32.saturating_sub(bits)).unwrap_or(0) == 0
    };
    match address {
        IpAddr::V4(address) => {
            let address = u32::from(address);
            !NOT_PUBLIC_V4.iter().any(|(block, bits)| within(address, u32::from_be_bytes(*block), *bits))
        }
        IpAddr::V6(address) => {
            let high = first_two(address);
            let block = |[a, b]: [u16; 2]| (u32::from(a) << 16) | u32::from(b);
            high >> 29 == 1 && !NOT_PUBLIC_V6.iter().any(|(words, bits)| within(high, block(*words), *bits))
        }
    }
}

/// The first 32 bits.
fn first_two(address: Ipv6Addr) -> u32 {
    let [a, b, ..] = address.segments();
    (u32::from(a) << 16) | u32::from(b)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn admits(address: &str) -> bool {
        Guard { connect_to: ConnectTo::Public, own: vec!["9.9.9.9".parse().unwrap()] }
            .admit(address.parse().unwrap())
            .is_ok()
    }

    #[test]
    fn public_addresses_alone_are_admitted() {
        for public in [
            "8.8.8.8",
            "1.1.1.1",
            "100.63.255.255",
            "100.128.0.0",
            "172.15.0.1",
            "172.32.0.1",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2606:4700::1111",
            "2a00::1",
            "2001:200::1",
            "::ffff:8.8.8.8",
            "64:ff9b::8.8.8.8",
            "2002:808:808::1",
        ] {
            assert!(admits(public), "{public}");
        }
        for other in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.9",
            "224.0.0.1",
            "239.255.255.250",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::10.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::ffff:10.0.0.1",
            "64:ff9b::10.0.0.1",
            "64:ff9b::169.254.169.254",
            "64:ff9b:1::8.8.8.8",
            "2002:7f00:1::",
            "2002:a9fe:a9fe::1",
            "2002:a00:1::1",
            "2001::1",
            "2001:0:808:808::1",
            "2001:10::1",
            "2001:1ff::1",
            "2001:db8::1",
            "3fff::1",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "100::1",
            "4000::1",
            "9.9.9.9",
            "::ffff:9.9.9.9",
        ] {
            assert!(!admits(other), "{other}");
        }
    }

    #[test]
    fn a_laboratory_is_admitted_where_the_operator_wants_it() {
        let admits =
            |connect_to: ConnectTo, address: &str| Guard::new(connect_to).admit(address.parse().unwrap()).is_ok();
        assert!(admits(ConnectTo::Any, "127.0.0.1") && admits(ConnectTo::Any, "10.0.0.1"));
        assert!(admits(ConnectTo::PublicOrLoopback, "127.80.0.1") && admits(ConnectTo::PublicOrLoopback, "::1"));
        for other in ["10.0.0.1", "169.254.169.254", "::ffff:127.0.0.1", "64:ff9b::127.0.0.1"] {
            assert!(!admits(ConnectTo::PublicOrLoopback, other), "{other}");
        }
    }
}
