//! Sums up reports: for each domain its connections, senders, days and the causes of failures.
//!
//! Called by `stslint reports` and the receiver's pages. A connection that a report counts under an MTA-STS policy and
//! under TLSA records counts once.

use std::collections::BTreeMap;

use super::applied::Applied;
use super::cause::{CauseKind, Explained, explain, worded};
use super::counts::Counts;
use super::digest::{AppliedPolicy, Cause, CauseDay, DayDigest, Digest, DomainDigest, SenderDigest};
use super::duplicates::Distinct;
use super::model::{FailureDetail, PolicyResult, PolicyType, TlsReport};
use super::when::day;
use super::whose::Owners;

/// Sums up reports.
pub fn digest(distinct: &Distinct) -> Digest {
    let mut gathering = Gathering::default();
    let owners = Owners::of(&distinct.reports);
    for report in &distinct.reports {
        gathering.report(report, &owners);
    }
    Digest { reports: distinct.reports.len() as u64, duplicates: distinct.duplicates, domains: gathering.finish() }
}

#[derive(Debug, Default)]
struct Gathering {
    domains: BTreeMap<String, Gathered>,
}

/// So many causes of one domain are told apart; what is beyond counts for its kind, without the host.
const CAUSES: usize = 1_000;

/// The MX hosts that failures of one kind name on one day.
#[derive(Debug)]
enum NamedHosts {
    One(String),
    Several,
}

/// What is one cause: its kind, the MX host, and for a failed fetch how it failed.
type CauseKey = (CauseKind, Option<String>, String);

#[derive(Debug, Default)]
struct Gathered {
    digest: DomainDigest,
    senders: BTreeMap<String, SenderDigest>,
    days: BTreeMap<String, DayDigest>,
    causes: BTreeMap<CauseKey, Cause>,
    named: BTreeMap<(CauseKind, String), NamedHosts>,
    policies: BTreeMap<Vec<String>, AppliedPolicy>,
}

impl Gathering {
    fn report(&mut self, report: &TlsReport, owners: &Owners) {
        let mut by_domain: BTreeMap<String, Vec<&PolicyResult>> = BTreeMap::new();
        for result in &report.policies {
            by_domain.entry(owners.mail_domain(report, result)).or_default().push(result);
        }
        let at = report.start.map(day).unwrap_or_default();
        for (domain, results) in by_domain {
            let gathered = self.domains.entry(domain).or_default();
            gathered.counts(&report.sender(), &at, Counts::of(&results));
            for result in results {
                gathered.failures(&report.sender(), &at, result);
                gathered.policy(&report.sender(), &at, report.end, result);
            }
        }
    }

    fn finish(self) -> Vec<DomainDigest> {
        let mut domains: Vec<DomainDigest> =
            self.domains.into_iter().map(|(domain, gathered)| gathered.finish(domain)).collect();
        domains.sort_by_key(|domain| std::cmp::Reverse((domain.failed, domain.connections)));
        domains
    }
}

impl Gathered {
    fn counts(&mut self, sender: &str, at: &str, counts: Counts) {
        let add = |to: &mut u64, count: u64| *to = to.saturating_add(count);
        let succeeded = counts.verified.saturating_add(counts.opportunistic);
        let all = succeeded.saturating_add(counts.failed);
        let digest = &mut self.digest;
        add(&mut digest.connections, all);
        add(&mut digest.verified, counts.verified);
        add(&mut digest.opportunistic, counts.opportunistic);
        add(&mut digest.failed, counts.failed);
        add(&mut digest.refused, counts.refused);
        add(&mut digest.delivered, counts.delivered);
        widen(&mut digest.first_day, &mut digest.last_day, at);
        let of_sender = self.senders.entry(sender.to_owned()).or_default();
        sender.clone_into(&mut of_sender.sender);
        add(&mut of_sender.reports, 1);
        add(&mut of_sender.connections, all);
        add(&mut of_sender.failed, counts.failed);
        add(&mut of_sender.opportunistic, counts.opportunistic);
        widen(&mut of_sender.first_day, &mut of_sender.last_day, at);
        let of_day = self.days.entry(at.to_owned()).or_default();
        at.clone_into(&mut of_day.day);
        add(&mut of_day.succeeded, succeeded);
        add(&mut of_day.failed, counts.failed);
    }

    /// Failures that name a host come first: some senders tell one failure twice, once without its host.
    fn failures(&mut self, sender: &str, at: &str, result: &PolicyResult) {
        let (named, unnamed): (Vec<_>, Vec<_>) =
            result.failures.iter().partition(|failure| failure.receiving_mx_hostname.is_some());
        let details = result.failures.iter().fold(0u64, |sum, one| sum.saturating_add(one.failed_session_count));
        // What the details count beyond the summary, they count twice.
        let mut twice = details.saturating_sub(result.failed);
        let applied = Applied::of(result);
        for failure in named.into_iter().chain(unnamed) {
            let explained = explain(&applied, failure);
            let same = if failure.receiving_mx_hostname.is_none() { self.host_of(explained.kind, at) } else { None };
            let again = if same.is_some() { twice.min(failure.failed_session_count) } else { 0 };
            twice = twice.saturating_sub(again);
            let connections = failure.failed_session_count.saturating_sub(again);
            if let Some(host) = &failure.receiving_mx_hostname {
                self.name_host(explained.kind, at, host);
            }
            let host = failure.receiving_mx_hostname.clone().or(same);
            let cause = self.cause(&applied, failure, host, explained);
            push(&mut cause.result_types, Some(&failure.result_type));
            push(&mut cause.addresses, failure.receiving_ip.as_ref());
            push(&mut cause.reasons, failure.failure_reason_code.as_ref());
            push(&mut cause.senders, Some(&sender.to_owned()));
            cause.connections = cause.connections.saturating_add(connections);
            widen(&mut cause.first_day, &mut cause.last_day, at);
            cause.count_on(at, connections);
        }
    }

    /// The cause of a failure, with its words where it is new.
    fn cause(
        &mut self,
        applied: &Applied<'_>,
        failure: &FailureDetail,
        host: Option<String>,
        explained: Explained,
    ) -> &mut Cause {
        let key = |host: Option<String>, explained: &Explained| {
            let is_fetch = explained.kind == CauseKind::PolicyFetch;
            (explained.kind, host, if is_fetch { explained.explanation.clone() } else { String::new() })
        };
        let mut explained = explained;
        let mut known_as = key(host, &explained);
        if self.causes.len() >= CAUSES && !self.causes.contains_key(&known_as) {
            let without_host = FailureDetail { receiving_mx_hostname: None, ..failure.clone() };
            explained = worded(explained.kind, applied, &without_host);
            known_as = (explained.kind, None, String::new());
        }
        let host = known_as.1.clone();
        self.causes.entry(known_as).or_insert_with(|| Cause {
            kind: explained.kind,
            host,
            explanation: explained.explanation,
            advice: explained.advice,
            ..Cause::default()
        })
    }

    fn name_host(&mut self, kind: CauseKind, at: &str, host: &str) {
        let named = self.named.entry((kind, at.to_owned())).or_insert_with(|| NamedHosts::One(host.to_owned()));
        if matches!(named, NamedHosts::One(known) if known != host) {
            *named = NamedHosts::Several;
        }
    }

    /// The one host for which the same cause was told on the same day.
    fn host_of(&self, kind: CauseKind, at: &str) -> Option<String> {
        match self.named.get(&(kind, at.to_owned())) {
            Some(NamedHosts::One(host)) => Some(host.clone()),
            Some(NamedHosts::Several) | None => None,
        }
    }

    fn policy(&mut self, sender: &str, at: &str, end: Option<i64>, result: &PolicyResult) {
        if result.policy_type != PolicyType::Sts || result.policy_string.is_empty() {
            return;
        }
        let applied = self.policies.entry(result.policy_string.clone()).or_default();
        applied.lines.clone_from(&result.policy_string);
        push(&mut applied.senders, Some(&sender.to_owned()));
        widen(&mut applied.first_day, &mut applied.last_day, at);
        let of_sender = self.senders.entry(sender.to_owned()).or_default();
        if end >= of_sender.policy_until {
            of_sender.policy.clone_from(&result.policy_string);
            at.clone_into(&mut of_sender.policy_day);
            of_sender.policy_until = end;
        }
    }

    fn finish(self, domain: String) -> DomainDigest {
        let mut senders: Vec<SenderDigest> = self.senders.into_values().collect();
        senders.sort_by_key(|sender| std::cmp::Reverse(sender.connections));
        let mut causes: Vec<Cause> = self.causes.into_values().collect();
        causes.sort_by_key(|cause| std::cmp::Reverse(cause.connections));
        let mut policies: Vec<AppliedPolicy> = self.policies.into_values().collect();
        policies.sort_by(|one, other| other.last_day.cmp(&one.last_day));
        DomainDigest { domain, senders, days: self.days.into_values().collect(), causes, policies, ..self.digest }
    }
}

impl Cause {
    fn count_on(&mut self, day: &str, connections: u64) {
        match self.days.binary_search_by(|known| known.day.as_str().cmp(day)) {
            Ok(place) => {
                if let Some(known) = self.days.get_mut(place) {
                    known.connections = known.connections.saturating_add(connections);
                }
            }
            Err(place) => self.days.insert(place, CauseDay { day: day.to_owned(), connections }),
        }
    }
}

/// So many different values are kept of each list in a cause.
const VALUES: usize = 100;

fn push(values: &mut Vec<String>, value: Option<&String>) {
    if let Some(value) = value
        && values.len() < VALUES
        && !values.contains(value)
    {
        values.push(value.clone());
    }
}

fn widen(first: &mut String, last: &mut String, at: &str) {
    if at.is_empty() {
        return;
    }
    if first.is_empty() || at < first.as_str() {
        at.clone_into(first);
    }
    if at > last.as_str() {
        at.clone_into(last);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn failure() -> impl Strategy<Value = FailureDetail> {
        const KINDS: [&str; 5] =
            ["certificate-expired", "sts-policy-fetch-error", "sts-policy-invalid", "validation-failure", "odd"];
        let host = proptest::option::of("(mx1|a.mx|other)\\.example");
        (proptest::sample::select(&KINDS[..]), host, 0u64..4).prop_map(|(kind, receiving_mx_hostname, count)| {
            FailureDetail {
                result_type: kind.to_owned(),
                receiving_mx_hostname,
                failed_session_count: count,
                ..FailureDetail::default()
            }
        })
    }

    fn result() -> impl Strategy<Value = PolicyResult> {
        const KINDS: [&str; 4] = ["sts", "tlsa", "no-policy-found", "other"];
        const MODES: [&str; 2] = ["mode: enforce", "mode: testing"];
        let parts = (
            proptest::sample::select(&KINDS[..]),
            proptest::option::of("(one|two|mx1|m\u{fc})\\.example"),
            proptest::sample::select(&MODES[..]),
            0u64..9,
            proptest::collection::vec(failure(), 0..4),
        );
        parts.prop_map(|(kind, policy_domain, mode, successful, failures)| PolicyResult {
            policy_type: PolicyType::parse(kind),
            policy_domain,
            policy_string: vec![mode.to_owned(), "mx: *.example".to_owned()],
            successful,
            failed: failures.iter().map(|failure| failure.failed_session_count).sum(),
            failures,
            ..PolicyResult::default()
        })
    }

    fn reports() -> impl Strategy<Value = Vec<TlsReport>> {
        let one = ("[ab]", 0i64..4, proptest::collection::vec(result(), 0..4));
        let report = one.prop_map(|(sender, day, policies)| TlsReport {
            organization_name: Some(sender),
            start: Some(day * 86_400),
            end: Some(day * 86_400 + 86_399),
            policies,
            ..TlsReport::default()
        });
        proptest::collection::vec(report, 0..6)
    }

    fn total(counts: impl Iterator<Item = u64>) -> u64 {
        counts.sum()
    }

    proptest! {
        /// Whatever is counted by sender, by day or by fate is what is counted in all.
        #[test]
        fn every_way_of_counting_gives_the_same_sum(reports in reports()) {
            let summed = digest(&Distinct { reports: reports.clone(), duplicates: 0 });
            for domain in &summed.domains {
                prop_assert_eq!(domain.connections, domain.verified + domain.opportunistic + domain.failed);
                prop_assert_eq!(domain.connections, total(domain.senders.iter().map(|sender| sender.connections)));
                prop_assert_eq!(domain.failed, total(domain.senders.iter().map(|sender| sender.failed)));
                prop_assert_eq!(domain.failed, total(domain.days.iter().map(|day| day.failed)));
                prop_assert_eq!(domain.connections, total(domain.days.iter().map(|day| day.failed + day.succeeded)));
                prop_assert!(domain.refused + domain.delivered <= domain.failed);
                for cause in &domain.causes {
                    prop_assert_eq!(cause.connections, total(cause.days.iter().map(|day| day.connections)));
                    prop_assert!(cause.days.is_sorted_by(|one, other| one.day < other.day));
                }
            }
            // Without TLSA entries no connection is in two of them.
            let entries = || reports.iter().flat_map(|report| &report.policies);
            if entries().all(|result| result.policy_type != PolicyType::Tlsa) {
                let all = total(entries().map(|result| result.successful + result.failed));
                prop_assert_eq!(total(summed.domains.iter().map(|domain| domain.connections)), all);
                let causes = summed.domains.iter().flat_map(|domain| &domain.causes);
                prop_assert_eq!(
                    total(causes.map(|cause| cause.connections)),
                    total(entries().map(|result| result.failed))
                );
            }
        }
    }

    /// A report at its limits: each failure is held against each line of the policy by a look into an index.
    #[test]
    fn causes_beyond_the_limit_count_for_their_kind() {
        let failure = |host: usize| FailureDetail {
            result_type: "validation-failure".to_owned(),
            receiving_mx_hostname: Some(format!("h{host}.example.net")),
            failed_session_count: 1,
            ..FailureDetail::default()
        };
        let result = PolicyResult {
            policy_type: PolicyType::Sts,
            policy_domain: Some("example.com".to_owned()),
            policy_string: (0..1_000).map(|number| format!("mx: *.p{number}.example.com")).collect(),
            failed: 10_000,
            failures: (0..10_000).map(failure).collect(),
            ..PolicyResult::default()
        };
        let report = TlsReport { policies: vec![result], ..TlsReport::default() };
        let summed = digest(&Distinct { reports: vec![report], duplicates: 0 });
        let causes: Vec<&Cause> = summed.domains.iter().flat_map(|domain| &domain.causes).collect();
        assert_eq!(causes.len(), CAUSES + 1);
        assert_eq!(total(causes.iter().map(|cause| cause.connections)), 10_000);
        assert_eq!(causes.iter().filter(|cause| cause.host.is_none()).count(), 1);
    }
}
