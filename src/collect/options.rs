//! How to collect: what a command line can ask for, with its limits.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use thiserror::Error;

/// How to collect.
#[derive(Clone, Debug)]
pub struct Options {
    /// Who answers DNS questions.
    pub resolver: Resolver,
    /// Which authorities are trusted.
    pub roots: Roots,
    /// The time limit of each step: a question, a connection, a reply.
    pub timeout: Duration,
    /// Whether MX hosts are spoken to.
    pub smtp: bool,
    /// The port of policy hosts.
    pub https_port: u16,
    /// The port of MX hosts.
    pub smtp_port: u16,
    /// Which addresses are asked.
    pub families: Families,
    /// The name that EHLO gives.
    pub helo: String,
    /// How many addresses of one host are asked.
    pub max_addresses: usize,
    /// How many MX hosts are asked.
    pub max_mx_hosts: usize,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            resolver: Resolver::System,
            roots: Roots::Mozilla,
            timeout: Duration::from_secs(10),
            smtp: true,
            https_port: 443,
            smtp_port: 25,
            families: Families::Both,
            helo: "stslint.invalid".to_owned(),
            max_addresses: 8,
            max_mx_hosts: 32,
        }
    }
}

/// Who answers DNS questions.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Resolver {
    /// A server at this address.
    Address(SocketAddr),
    /// What the operating system is set up with.
    System,
}

/// A resolver that cannot be understood.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error(
    "`{0}` is no resolver: write `system`, an address, or an address with a port (192.0.2.53, 192.0.2.53:5353, [2001:db8::53]:53)"
)]
pub struct ResolverError(String);

impl FromStr for Resolver {
    type Err = ResolverError;

    fn from_str(text: &str) -> Result<Self, ResolverError> {
        if text == "system" {
            return Ok(Resolver::System);
        }
        let bare = text.trim_start_matches('[').trim_end_matches(']');
        match (text.parse::<SocketAddr>(), bare.parse::<IpAddr>()) {
            (Ok(address), _) => Ok(Resolver::Address(address)),
            (_, Ok(address)) => Ok(Resolver::Address(SocketAddr::new(address, 53))),
            _ => Err(ResolverError(crate::source_text::escape(text))),
        }
    }
}

impl std::fmt::Display for Resolver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Resolver::Address(address) => write!(f, "{address}"),
            Resolver::System => f.write_str("system"),
        }
    }
}

/// Which authorities are trusted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Roots {
    /// Those in a PEM file.
    File(PathBuf),
    /// Those that Mozilla trusts, as built into this program.
    Mozilla,
    /// Those of the operating system.
    System,
}

impl FromStr for Roots {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "mozilla" => Roots::Mozilla,
            "system" => Roots::System,
            path => Roots::File(path.into()),
        })
    }
}

impl std::fmt::Display for Roots {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Roots::File(path) => write!(f, "{}", path.display()),
            Roots::Mozilla => f.write_str("mozilla"),
            Roots::System => f.write_str("system"),
        }
    }
}

/// Which addresses are asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Families {
    /// IPv4 and IPv6.
    Both,
    /// IPv4 alone.
    Ipv4,
    /// IPv6 alone.
    Ipv6,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resolvers_as_people_write_them() {
        for (text, shown) in [
            ("system", "system"),
            ("192.0.2.53", "192.0.2.53:53"),
            ("127.0.0.1:5353", "127.0.0.1:5353"),
            ("2001:db8::53", "[2001:db8::53]:53"),
            ("[2001:db8::53]:5353", "[2001:db8::53]:5353"),
        ] {
            assert_eq!(text.parse::<Resolver>().map(|resolver| resolver.to_string()), Ok(shown.to_owned()));
        }
        assert!("dns.example".parse::<Resolver>().is_err());
    }
}
