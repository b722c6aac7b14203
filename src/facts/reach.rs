//! How far a fault at one address of a host reaches: to all who ask the host, to those that connect over one version of
//! the Internet Protocol, or to those that connect to this address. Used by the facts of the policy host and of MX hosts.

use std::net::IpAddr;

/// One address of a host.
#[derive(Clone, Copy, Debug)]
pub struct Site {
    /// The address, where it is known.
    pub address: Option<IpAddr>,
    /// Whether all is well there; `None` where that was not seen.
    pub well: Option<bool>,
}

/// Whom a fault at an address concerns.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reach {
    /// Everybody: no other address of the host is known to be well.
    Host,
    /// Who connects over IPv4: all is well over IPv6 alone.
    Ipv4,
    /// Who connects over IPv6: all is well over IPv4 alone.
    Ipv6,
    /// Who connects to this address.
    Address,
}

/// Whom a fault at `sites[index]` concerns.
pub fn of(sites: &[Site], index: usize) -> Reach {
    let well = |site: &Site| site.well == Some(true);
    let others = || sites.iter().enumerate().filter(|(other, _)| *other != index).map(|(_, site)| site);
    if !others().any(well) {
        return Reach::Host;
    }
    let Some(address) = sites.get(index).and_then(|site| site.address) else { return Reach::Address };
    let same_family = |site: &&Site| site.address.is_some_and(|other| other.is_ipv6() == address.is_ipv6());
    match others().filter(same_family).any(|site| site.well != Some(false)) {
        true => Reach::Address,
        false if address.is_ipv6() => Reach::Ipv6,
        false => Reach::Ipv4,
    }
}

impl Reach {
    /// Which senders it concerns, as the subject of a sentence.
    pub fn senders(self) -> &'static str {
        match self {
            Reach::Host => "senders",
            Reach::Ipv4 => "senders that connect over IPv4",
            Reach::Ipv6 => "senders that connect over IPv6",
            Reach::Address => "senders that connect to this address",
        }
    }

    /// Where mail does not get, after "do not deliver".
    pub fn place(self) -> &'static str {
        match self {
            Reach::Host => "to this host",
            Reach::Ipv4 => "to this host over IPv4",
            Reach::Ipv6 => "to this host over IPv6",
            Reach::Address => "at this address",
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn reach(sites: &[(&str, Option<bool>)], index: usize) -> Reach {
        let sites: Vec<Site> =
            sites.iter().map(|(address, well)| Site { address: Some(address.parse().unwrap()), well: *well }).collect();
        of(&sites, index)
    }

    #[test]
    fn a_fault_reaches_as_far_as_no_other_address_is_well() {
        let (well, ill) = (Some(true), Some(false));
        for (sites, index, expected) in [
            (vec![("192.0.2.1", ill)], 0, Reach::Host),
            (vec![("192.0.2.1", ill), ("2001:db8::1", ill)], 0, Reach::Host),
            (vec![("192.0.2.1", ill), ("2001:db8::1", None)], 0, Reach::Host),
            (vec![("192.0.2.1", well), ("2001:db8::1", ill)], 1, Reach::Ipv6),
            (vec![("192.0.2.1", well), ("2001:db8::1", ill), ("2001:db8::2", ill)], 1, Reach::Ipv6),
            (vec![("192.0.2.1", ill), ("2001:db8::1", well)], 0, Reach::Ipv4),
            (vec![("192.0.2.1", well), ("192.0.2.2", ill)], 1, Reach::Address),
            (vec![("192.0.2.1", well), ("2001:db8::1", ill), ("2001:db8::2", well)], 1, Reach::Address),
            (vec![("192.0.2.1", well), ("2001:db8::1", ill), ("2001:db8::2", None)], 1, Reach::Address),
        ] {
            assert_eq!(reach(&sites, index), expected, "{sites:?}");
        }
    }
}
