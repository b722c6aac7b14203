//! Whether MX hosts can be reached from here at all: many networks block outbound port 25.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::snapshot::{Failure, FailureKind, SmtpProbe};

/// So many addresses that keep silent are remembered.
const REMEMBERED: usize = 65_536;

/// How the MX hosts of a run took connections.
#[derive(Default)]
pub struct Reach {
    silent: AtomicUsize,
    connected: AtomicBool,
    answered: AtomicBool,
    unanswering: Mutex<BTreeMap<IpAddr, Failure>>,
}

impl Reach {
    /// Notes how one address of an MX host answered.
    pub fn note(&self, probe: &SmtpProbe) {
        match (probe.connected, is_silent(probe)) {
            (Some(true), _) => self.connected.store(true, Ordering::Relaxed),
            (_, true) => {
                self.silent.fetch_add(1, Ordering::Relaxed);
                let mut unanswering = self.unanswering.lock().unwrap_or_else(PoisonError::into_inner);
                if unanswering.len() < REMEMBERED {
                    unanswering.extend(probe.failure.clone().map(|failure| (probe.address, failure)));
                }
            }
            // A refusal, or a fault of the proxy: in any case no silence of the network.
            _ => self.answered.store(true, Ordering::Relaxed),
        }
    }

    /// How an address kept silent that was tried before in this run, under whatever name: it is not waited for again.
    pub fn silence_of(&self, address: IpAddr) -> Option<Failure> {
        let unanswering = self.unanswering.lock().unwrap_or_else(PoisonError::into_inner);
        let failure = unanswering.get(&address)?;
        let detail = format!("{} (at this address, for another host)", failure.detail);
        Some(Failure { detail, ..failure.clone() })
    }

    /// Whether any MX host let us connect.
    pub fn connected(&self) -> bool {
        self.connected.load(Ordering::Relaxed)
    }

    /// How many addresses were tried, where not a single one answered.
    pub fn all_silent(&self) -> Option<usize> {
        let nobody = !self.connected() && !self.answered.load(Ordering::Relaxed);
        Some(self.silent.load(Ordering::Relaxed)).filter(|silent| nobody && *silent > 0)
    }
}

/// Whether nothing at all came back from an address: neither a connection nor a refusal.
pub fn is_silent(probe: &SmtpProbe) -> bool {
    let kind = probe.failure.as_ref().map(|failure| failure.kind);
    probe.connected == Some(false) && matches!(kind, Some(FailureKind::Timeout | FailureKind::Network))
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::super::failure::failure;
    use super::super::smtp::not_attempted;
    use super::*;

    #[test]
    fn only_where_nobody_answers_is_the_network_to_blame() {
        let probe = |connected, kind| SmtpProbe {
            connected: Some(connected),
            failure: Some(failure(kind, "")),
            ..not_attempted(IpAddr::V4(Ipv4Addr::LOCALHOST))
        };
        let silent = |probes: &[SmtpProbe]| {
            let reach = Reach::default();
            probes.iter().for_each(|probe| reach.note(probe));
            reach.all_silent()
        };
        let (nothing, no_route) = (probe(false, FailureKind::Timeout), probe(false, FailureKind::Network));
        assert_eq!(silent(&[]), None);
        assert_eq!(silent(&[nothing.clone(), no_route.clone()]), Some(2));
        assert_eq!(silent(&[nothing.clone(), probe(false, FailureKind::Refused)]), None);
        assert_eq!(silent(&[nothing, no_route, probe(true, FailureKind::Protocol)]), None);
    }
}
