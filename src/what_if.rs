//! Texts in place of what was observed: what if I published this?
//!
//! Used by `check` for texts on its command line, and by `serve` for those of its forms.

use crate::snapshot::{Collection, LeftOut, Lookup, MxRecord, Octets, Policy, Snapshot, TxtRecord};

/// Texts in place of observations; what is empty replaces nothing.
#[derive(Clone, Debug, Default)]
pub struct Texts {
    /// The policy body.
    pub policy: Option<Vec<u8>>,
    /// `_mta-sts` TXT records.
    pub record: Vec<String>,
    /// `_smtp._tls` TXT records.
    pub tlsrpt: Vec<String>,
    /// MX hosts in order of preference; `.` is the null MX.
    pub mx: Vec<String>,
}

impl Texts {
    /// Puts the texts into the place of what a snapshot holds.
    pub fn apply(&self, snapshot: &mut Snapshot) {
        if let Some(body) = &self.policy {
            snapshot.policy = Some(Some(policy(body.clone())));
        }
        if !self.record.is_empty() {
            snapshot.record = Some(lookup(snapshot.record.take(), &self.record));
        }
        if !self.tlsrpt.is_empty() {
            snapshot.tlsrpt = Some(lookup(snapshot.tlsrpt.take(), &self.tlsrpt));
        }
        if !self.mx.is_empty() {
            let record = |(index, host): (usize, &String)| MxRecord {
                preference: u16::try_from(index.saturating_add(1).saturating_mul(10)).unwrap_or(u16::MAX),
                exchange: if host == "." { host.clone() } else { host.trim_end_matches('.').to_owned() },
            };
            let before = snapshot.mx.take().unwrap_or_default();
            let records = self.mx.iter().enumerate().map(record).collect();
            snapshot.mx = Some(Lookup { name: before.name, ..Lookup::answer(None, records) });
        }
    }
}

/// A policy body as if it had been fetched.
pub fn policy(body: Vec<u8>) -> Policy {
    Policy { body: Octets(body), address: None, truncated: false }
}

/// An answer of these texts; TTL and DNSSEC of what is replaced would not be theirs.
fn lookup(before: Option<Lookup<TxtRecord>>, texts: &[String]) -> Lookup<TxtRecord> {
    let records = texts.iter().map(|text| TxtRecord::of(text)).collect();
    Lookup::answer(before.and_then(|before| before.name), records)
}

/// A snapshot of which nothing was observed, and why.
pub fn unobserved(domain: Option<&str>, reason: &str) -> Snapshot {
    let fields = ["mx", "mx_hosts", "record", "tlsrpt", "policy", "policy_host", "misplaced", "parent", "report_hosts"];
    let left_out = fields.into_iter().map(|field| LeftOut {
        field: field.to_owned(),
        reason: reason.to_owned(),
        ..LeftOut::default()
    });
    let collection = Collection { left_out: left_out.collect(), ..Collection::default() };
    Snapshot { collection: Some(collection), ..Snapshot::of(domain) }
}
