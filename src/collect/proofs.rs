//! The last part of a pass: what DNSSEC proves of each answer is put beside it.

use hickory_resolver::proto::rr::RecordType;

use super::pass::Pass;
use crate::snapshot::{Lookup, Snapshot};

impl Pass<'_> {
    /// Fills in `dnssec` of every lookup. All validations began with their questions, so that waiting for one
    /// after the other takes no longer than the slowest.
    pub(super) async fn prove(&self, snapshot: &mut Snapshot) {
        self.prove_all(&mut snapshot.mx, RecordType::MX).await;
        self.prove_all(&mut snapshot.ipv4, RecordType::A).await;
        self.prove_all(&mut snapshot.ipv6, RecordType::AAAA).await;
        for texts in [&mut snapshot.record, &mut snapshot.tlsrpt, &mut snapshot.parent] {
            self.prove_all(texts, RecordType::TXT).await;
        }
        self.prove_all(snapshot.misplaced.iter_mut().flatten(), RecordType::TXT).await;
        if let Some(host) = &mut snapshot.policy_host {
            self.prove_all(&mut host.ipv4, RecordType::A).await;
            self.prove_all(&mut host.ipv6, RecordType::AAAA).await;
        }
        for host in snapshot.mx_hosts.iter_mut().flatten() {
            self.prove_all(&mut host.ipv4, RecordType::A).await;
            self.prove_all(&mut host.ipv6, RecordType::AAAA).await;
            self.prove_all(&mut host.tlsa, RecordType::TLSA).await;
        }
        for host in snapshot.report_hosts.iter_mut().flatten() {
            self.prove_all(&mut host.mx, RecordType::MX).await;
            self.prove_all(&mut host.ipv4, RecordType::A).await;
            self.prove_all(&mut host.ipv6, RecordType::AAAA).await;
        }
    }

    async fn prove_all<'l, R: 'l>(&self, lookups: impl IntoIterator<Item = &'l mut Lookup<R>>, kind: RecordType) {
        for lookup in lookups {
            let proven = self.collector.questions.proof(lookup, kind, &self.limits).await;
            (lookup.dnssec, lookup.dnssec_reason) = (proven.proof, proven.reason);
            let news = proven.extended_errors.into_iter().filter(|error| !lookup.extended_errors.contains(error));
            let news: Vec<_> = news.collect();
            lookup.extended_errors.extend(news);
        }
    }
}
