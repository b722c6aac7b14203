//! What a user may choose about a collection: read by `cli`, obeyed by every file beside this one.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use miette::Diagnostic;
use percent_encoding::percent_decode_str;
use thiserror::Error;
use url::{Host, Url};

use super::limits::PER_ADDRESS;
use super::turns::Turns;

/// The choices of one run.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// Which resolver is asked.
    pub resolver: ResolverChoice,
    /// How DNSSEC is judged.
    pub dnssec: DnssecMode,
    /// A file of DNSKEY records that take the place of the root's built-in trust anchors.
    pub trust_anchor: Option<PathBuf>,
    /// Which authorities' certificates are trusted.
    pub roots: Roots,
    /// How long one step may take: one question, one connection, one reply.
    pub timeout: Duration,
    /// How long the whole collection of one domain may take.
    pub deadline: Duration,
    /// Whether what one sample shows is tried again where it may mislead.
    pub retry: bool,
    /// Whether MX hosts are spoken to.
    pub smtp: bool,
    /// The port of policy hosts: 443 (RFC 8461 §3.3) but in laboratories.
    pub https_port: u16,
    /// The port of MX hosts: 25 (RFC 5321 §4.5.4.2) but in laboratories.
    pub smtp_port: u16,
    /// Which addresses are asked.
    pub families: Families,
    /// The name that EHLO gives. `None`: the address in brackets, as RFC 5321 §4.1.4 has it for hosts without a
    /// meaningful name.
    pub helo: Option<String>,
    /// How many addresses of one host are asked, of each family.
    pub max_addresses: usize,
    /// A SOCKS5 proxy for the connections to MX hosts.
    pub proxy: Option<Proxy>,
    /// Whether the zone's own name servers are asked too, past every cache.
    pub authoritative: bool,
    /// Whether one of them is asked for the TTL of an answer of which a resolver shows only what its cache had left.
    pub published_ttls: bool,
    /// Whether the names are asked for that the addresses of MX hosts lead back to.
    pub reverse_names: bool,
    /// Whether records are searched for at the names where publishers put them by mistake, also where nothing points to
    /// MTA-STS or TLSRPT: sixteen queries more.
    pub search_everywhere: bool,
    /// The port of those name servers: 53 (RFC 1035 §4.2) but in laboratories.
    pub name_server_port: u16,
    /// Which addresses are connected to.
    pub connect_to: ConnectTo,
    /// Turns with the addresses of MX hosts, where conversations are to be rare; shared by all who look at them.
    #[doc(hidden)]
    pub turns: Option<Arc<Turns>>,
    /// A page that says who looks at hosts: named in the User-Agent of policy fetches.
    pub about_url: Option<String>,
    /// How many conversations with hosts go on at the same time, over all domains.
    pub concurrency: usize,
    /// How many of them at the same time with one address of a mail server: many refuse more than a few from one client.
    pub per_address: usize,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            resolver: ResolverChoice::System,
            dnssec: DnssecMode::Validate,
            trust_anchor: None,
            roots: Roots::Mozilla,
            timeout: Duration::from_secs(10),
            deadline: Duration::from_secs(60),
            retry: true,
            smtp: true,
            https_port: 443,
            smtp_port: 25,
            families: Families::Both,
            helo: None,
            max_addresses: 8,
            proxy: None,
            authoritative: false,
            published_ttls: true,
            reverse_names: false,
            search_everywhere: true,
            name_server_port: 53,
            connect_to: ConnectTo::Any,
            turns: None,
            about_url: None,
            concurrency: 128,
            per_address: PER_ADDRESS,
        }
    }
}

/// Which addresses are connected to.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum ConnectTo {
    /// Whatever a domain's DNS names.
    #[default]
    Any,
    /// Public addresses: for domains that strangers name.
    Public,
    /// Public addresses, and those of a laboratory on this machine (127.0.0.0/8, ::1).
    PublicOrLoopback,
}

/// An option's value that cannot be understood.
#[derive(Clone, Debug, Diagnostic, Eq, Error, PartialEq)]
#[error("{message}")]
#[diagnostic(code(stslint::options))]
#[non_exhaustive]
pub struct OptionError {
    /// What is wrong, in one sentence.
    pub message: String,
    /// What can be written instead.
    #[help]
    pub help: &'static str,
}

/// Which resolver is asked.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ResolverChoice {
    /// The one at this address, over UDP and TCP.
    Address(SocketAddr),
    /// DNS over HTTPS (RFC 8484).
    Https {
        /// Where it listens.
        address: SocketAddr,
        /// The name in its certificate.
        server_name: String,
        /// The path of its endpoint.
        path: String,
    },
    /// Those of the operating system.
    System,
    /// DNS over TLS (RFC 7858).
    Tls {
        /// Where it listens.
        address: SocketAddr,
        /// The name in its certificate.
        server_name: String,
    },
}

const RESOLVER_HELP: &str = "write `system`, an address such as 9.9.9.9 or [2620:fe::fe]:53, \
     `tls://9.9.9.9#dns.quad9.net`, or `https://9.9.9.9/dns-query#dns.quad9.net`";

impl FromStr for ResolverChoice {
    type Err = OptionError;

    fn from_str(text: &str) -> Result<Self, OptionError> {
        let wrong = |why: &str| OptionError {
            message: format!("`{}` is not a resolver: {why}", crate::source_text::escape(text)),
            help: RESOLVER_HELP,
        };
        if text == "system" {
            return Ok(ResolverChoice::System);
        }
        let encrypted = text.starts_with("tls://") || text.starts_with("https://");
        if !encrypted {
            return address(text, 53).map(ResolverChoice::Address).ok_or_else(|| wrong("this is not an IP address"));
        }
        // `tls` is no scheme with an authority of its own kind to the URL Standard; `https` reads the same parts.
        let url = text.strip_prefix("tls://").map_or_else(|| text.to_owned(), |rest| format!("https://{rest}"));
        let url = Url::parse(&url).map_err(|error| wrong(&error.to_string()))?;
        let ip = match url.host() {
            Some(Host::Ipv4(ip)) => IpAddr::V4(ip),
            Some(Host::Ipv6(ip)) => IpAddr::V6(ip),
            _ => return Err(wrong("it needs an IP address, and the name of its certificate after `#`")),
        };
        let server_name = url.fragment().map_or_else(|| ip.to_string(), str::to_owned);
        if text.starts_with("tls://") {
            let address = SocketAddr::new(ip, explicit_port(text).unwrap_or(853));
            return Ok(ResolverChoice::Tls { address, server_name });
        }
        let path = if url.path() == "/" { "/dns-query" } else { url.path() };
        let address = SocketAddr::new(ip, url.port().unwrap_or(443));
        Ok(ResolverChoice::Https { address, server_name, path: path.to_owned() })
    }
}

impl fmt::Display for ResolverChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ResolverChoice::Address(address) => address.fmt(f),
            ResolverChoice::Https { address, server_name, path } => write!(f, "https://{address}{path}#{server_name}"),
            ResolverChoice::System => f.write_str("system"),
            ResolverChoice::Tls { address, server_name } => write!(f, "tls://{address}#{server_name}"),
        }
    }
}

/// An address with or without its port, an IPv6 address with or without brackets.
fn address(text: &str, port: u16) -> Option<SocketAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    match bare.parse::<IpAddr>() {
        Ok(ip) => Some(SocketAddr::new(ip, port)),
        Err(_) => text.parse().ok(),
    }
}

/// The port of a `tls://` URL. `Url` hides 443 as the default of `https`, so it is read from the text.
fn explicit_port(text: &str) -> Option<u16> {
    let authority = text.strip_prefix("tls://")?.split(['/', '#', '?']).next()?;
    authority.parse::<SocketAddr>().ok().map(|address| address.port())
}

/// How DNSSEC is judged (RFC 4035 §4.3).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum DnssecMode {
    /// Not at all.
    Off,
    /// The resolver's AD bit is believed (RFC 6840 §5.7): right where the way to it cannot be tampered with.
    TrustAd,
    /// Here, from the trust anchors on.
    Validate,
}

impl DnssecMode {
    /// The word for it, as [`FromStr`] reads it.
    pub fn word(self) -> &'static str {
        match self {
            DnssecMode::Off => "off",
            DnssecMode::TrustAd => "trust-ad",
            DnssecMode::Validate => "validate",
        }
    }
}

impl FromStr for DnssecMode {
    type Err = OptionError;

    fn from_str(text: &str) -> Result<Self, OptionError> {
        [DnssecMode::Off, DnssecMode::TrustAd, DnssecMode::Validate].into_iter().find(|mode| mode.word() == text).ok_or(
            OptionError {
                message: format!("`{}` is no way to judge DNSSEC", crate::source_text::escape(text)),
                help: "write `validate` (check the signatures here), `trust-ad` (believe the resolver) or `off`",
            },
        )
    }
}

/// Which authorities' certificates are trusted.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Roots {
    /// Those of a file of PEM certificates, and no others.
    File(PathBuf),
    /// Those of Mozilla's root programme, as built in.
    Mozilla,
    /// Those of the operating system.
    System,
}

impl FromStr for Roots {
    type Err = OptionError;

    fn from_str(text: &str) -> Result<Self, OptionError> {
        match text {
            "" => Err(OptionError {
                message: "the name of the file of trusted certificates is empty".to_owned(),
                help: "write `mozilla`, `system`, or the name of a PEM file",
            }),
            "mozilla" => Ok(Roots::Mozilla),
            "system" => Ok(Roots::System),
            path => Ok(Roots::File(path.into())),
        }
    }
}

impl fmt::Display for Roots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Roots::File(path) => path.display().fmt(f),
            Roots::Mozilla => f.write_str("mozilla"),
            Roots::System => f.write_str("system"),
        }
    }
}

/// Which addresses of a host are asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Families {
    /// IPv4 and IPv6.
    Both,
    /// IPv4 alone.
    Ipv4,
    /// IPv6 alone.
    Ipv6,
}

impl Families {
    /// Whether this address is asked.
    pub fn include(self, address: IpAddr) -> bool {
        match self {
            Families::Both => true,
            Families::Ipv4 => address.is_ipv4(),
            Families::Ipv6 => address.is_ipv6(),
        }
    }
}

/// A SOCKS5 proxy (RFC 1928).
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Proxy {
    /// Where it listens: an address or a name, and a port.
    pub endpoint: String,
    /// Its user name and password (RFC 1929).
    pub login: Option<(String, String)>,
}

impl FromStr for Proxy {
    type Err = OptionError;

    fn from_str(text: &str) -> Result<Self, OptionError> {
        let wrong = |why: &str| OptionError {
            // The text may hold a password, so it is not repeated.
            message: format!("this is not a valid proxy: {why}"),
            help: "write `socks5://HOST:PORT` or `socks5://USER:PASSWORD@HOST:PORT`",
        };
        let url = Url::parse(text).map_err(|error| wrong(&error.to_string()))?;
        if !matches!(url.scheme(), "socks5" | "socks5h") {
            return Err(wrong("only SOCKS5 is spoken"));
        }
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(|| wrong("it has no host"))?;
        // In a URL, what has a meaning of its own there is percent-encoded (RFC 3986 §2.1).
        let decoded = |part: &str| {
            let read = percent_decode_str(part).decode_utf8().map(|part| part.into_owned());
            read.map_err(|_| wrong("user name or password is not UTF-8"))
        };
        let login = match url.username() {
            "" => None,
            user => Some((decoded(user)?, decoded(url.password().unwrap_or_default())?)),
        };
        Ok(Proxy { endpoint: format!("{host}:{}", url.port().unwrap_or(1080)), login })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn resolvers_are_read_in_every_form() {
        let shown = |text: &str| text.parse::<ResolverChoice>().unwrap().to_string();
        assert_eq!(shown("system"), "system");
        assert_eq!(shown("9.9.9.9"), "9.9.9.9:53");
        assert_eq!(shown("127.0.0.1:5353"), "127.0.0.1:5353");
        assert_eq!(shown("2620:fe::fe"), "[2620:fe::fe]:53");
        assert_eq!(shown("[2620:fe::fe]"), "[2620:fe::fe]:53");
        assert_eq!(shown("[::1]:5353"), "[::1]:5353");
        assert_eq!(shown("tls://9.9.9.9#dns.quad9.net"), "tls://9.9.9.9:853#dns.quad9.net");
        assert_eq!(shown("tls://[::1]:443"), "tls://[::1]:443#::1");
        assert_eq!(shown("https://9.9.9.9#dns.quad9.net"), "https://9.9.9.9:443/dns-query#dns.quad9.net");
        assert_eq!(shown("https://127.0.0.1:8443/q"), "https://127.0.0.1:8443/q#127.0.0.1");
    }

    #[test]
    fn what_is_no_resolver_says_what_one_is() {
        for text in ["", "nine", "1.2.3", "1.2.3.4:99999", "tls://dns.quad9.net", "https://", "udp://9.9.9.9"] {
            let error = text.parse::<ResolverChoice>().unwrap_err();
            assert!(error.help.contains("tls://"), "{text}");
            assert!(error.message.contains("is not a resolver"), "{text}");
        }
    }

    #[test]
    fn a_proxy_is_socks5_and_its_password_is_not_repeated() {
        let proxy: Proxy = "socks5://us%40er:p%3Aw@localhost:9050".parse().unwrap();
        assert_eq!(proxy.login, Some(("us@er".to_owned(), "p:w".to_owned())));
        let proxy: Proxy = "socks5://user:secret@localhost:9050".parse().unwrap();
        assert_eq!(proxy.endpoint, "localhost:9050");
        assert_eq!(proxy.login, Some(("user".to_owned(), "secret".to_owned())));
        let error = "http://user:secret@localhost:9050".parse::<Proxy>().unwrap_err();
        assert!(!error.to_string().contains("secret"));
    }

    #[test]
    fn modes_and_roots_are_read() {
        assert_eq!("trust-ad".parse::<DnssecMode>(), Ok(DnssecMode::TrustAd));
        assert!("yes".parse::<DnssecMode>().is_err());
        assert_eq!("ca.pem".parse::<Roots>(), Ok(Roots::File("ca.pem".into())));
        assert!("".parse::<Roots>().is_err());
    }
}
