//! One domain of the audit: what is odd about it, what a conforming sender does, and how to read what another does.
//!
//! The lists in [`cases`](super::cases) are made of these; [`verdict`](super::verdict) reads observations by them.

use crate::lab::{Dnssec, MxHost, Record, Scenario, scenario};

/// The time to live of every record, in seconds: resolvers must not hide a change from the sender.
const TTL: u32 = 2;

/// The life of a policy in seconds: a week, which no known sender cuts or raises.
const MAX_AGE: u32 = 604_800;

/// One domain of the audit.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// The label of the domain, unique.
    pub name: &'static str,
    /// What is odd about the domain, in one line.
    pub about: &'static str,
    /// How to read what the sender does.
    pub reading: Reading,
    /// What the standard asks a sender to do, if it says.
    pub standard: Option<Course>,
    /// Makes the domain from the one that is right.
    pub(super) change: fn(&mut Scenario),
    /// What is changed after the first mail was delivered; the second mail is the one that counts then.
    pub(super) then: Option<fn(&mut Scenario)>,
}

/// What becomes of a mail.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Course {
    /// It is delivered.
    Delivered,
    /// It stays with the sender, or bounces.
    Held,
}

/// How to read what a sender does with a domain.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reading {
    /// The policy does not cover the MX host. A sender that accepts the policy holds the mail; one that does not accept it
    /// delivers.
    Acceptance,
    /// The policy was right for the first mail, and something changed before the second.
    Change,
    /// Nothing to protect and nothing wrong: whoever does not deliver here says nothing by not delivering elsewhere.
    Control,
    /// The MX host is not as the enforced policy asks. A sender that protects mail holds it.
    Protection,
    /// All is in order in an unusual way. A sender that reads the policy well delivers.
    Tolerance,
}

impl Case {
    /// The domain of this case below a common one.
    pub fn domain(&self, under: &str) -> String {
        format!("{}.{under}", self.name)
    }

    /// Whether the domain changes after the first mail.
    pub fn changes(&self) -> bool {
        self.then.is_some()
    }

    /// The domain as it is served at first.
    pub fn scenario(&self, under: &str) -> Scenario {
        let mut it = right(&self.domain(under));
        (self.change)(&mut it);
        short_lived(&mut it);
        it
    }

    /// The domain as it is served after the change, if there is one.
    pub fn changed(&self, under: &str) -> Option<Scenario> {
        let then = self.then?;
        let mut it = self.scenario(under);
        then(&mut it);
        short_lived(&mut it);
        Some(it)
    }
}

/// A domain without a fault: one MX host that takes mail, and an enforced policy that covers it.
fn right(domain: &str) -> Scenario {
    let mx = format!("mx.{domain}");
    let mut it = Scenario::good(domain);
    it.dnssec = Dnssec::Insecure;
    it.replace_mx(&[(10, &mx)]);
    it.remove_txt(&format!("_smtp._tls.{domain}"));
    it.mx_hosts = vec![MxHost { takes_mail: true, ..MxHost::good(&mx) }];
    it.replace_policy(scenario::policy("enforce", &[&mx], MAX_AGE));
    it
}

fn short_lived(it: &mut Scenario) {
    it.address_ttl = TTL;
    for record in &mut it.records {
        record.ttl = TTL;
    }
}

/// The name of the domain's MX host.
pub(super) fn mx(it: &Scenario) -> String {
    it.name("mx")
}

/// The name of the domain's `_mta-sts` record.
pub(super) fn record(it: &Scenario) -> String {
    it.name("_mta-sts")
}

/// Publishes this text as the only `_mta-sts` record.
pub(super) fn publish(it: &mut Scenario, text: &str) {
    let name = record(it);
    it.replace_txt(&name, text);
}

/// Publishes one more text beside the `_mta-sts` record.
pub(super) fn publish_also(it: &mut Scenario, text: &str) {
    let name = record(it);
    it.records.push(Record::txt(&name, text));
}

/// A policy of some mode for some hosts.
pub(super) fn policy(mode: &str, hosts: &[&str]) -> String {
    scenario::policy(mode, hosts, MAX_AGE)
}

/// An enforced policy that does not cover the MX host: whoever accepts it cannot deliver.
pub(super) fn elsewhere(it: &Scenario) -> String {
    policy("enforce", &[&it.name("elsewhere")])
}

/// Serves the policy that does not cover the MX host.
pub(super) fn uncover(it: &mut Scenario) {
    let body = elsewhere(it);
    it.replace_policy(body);
}
