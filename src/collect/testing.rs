//! What the tests of this module share: the servers of `tests/peers`, and a collection of what they serve.

use std::net::SocketAddr;
use std::time::Duration;

#[allow(dead_code)]
#[path = "../../tests/peers/mod.rs"]
mod peers;

pub use self::peers::*;
use super::{Collector, DnssecMode, Options, ResolverChoice, Roots};
use crate::snapshot::Snapshot;

impl Authority {
    pub fn roots(&self) -> Roots {
        Roots::File(self.file())
    }
}

/// Options for a lab: short limits, and a name server of its own.
pub fn options(resolver: SocketAddr, roots: Roots, https_port: u16, smtp_port: u16) -> Options {
    Options {
        resolver: ResolverChoice::Address(resolver),
        dnssec: DnssecMode::Off,
        roots,
        timeout: Duration::from_millis(600),
        deadline: Duration::from_secs(6),
        https_port,
        smtp_port,
        ..Options::default()
    }
}

/// Collects the domain now.
pub async fn collect(options: Options) -> Snapshot {
    Collector::new(options).unwrap().collect(DOMAIN, jiff::Timestamp::now()).await
}
