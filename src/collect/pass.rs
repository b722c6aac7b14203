//! One pass over one domain. Whatever needs no other's answer starts at once; a policy fetch waits for nothing
//! but its addresses, an MX probe for nothing but its own.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::{join, join_all};
use jiff::Timestamp;

use super::Collector;
use super::dns_proof::Limits;
use super::kept::Budget;
use super::limits::{Clock, MAX_LEFT_OUT_OCTETS, MAX_MX_HOSTS, MAX_RECORDS, MAX_REMEMBERED_OCTETS};
use super::misplaced;
use super::options::Families;
use super::reach::is_silent;
use super::second_try;
use super::shares::Share;
use super::smtp;
use super::timeline::Timeline;
use super::tls::TlsProber;
use super::turns::Turn;
use crate::snapshot::{
    AddressFamily, AddressRecord, Collection, DnsOutcome, Failure, LeftOut, Lookup, MAX_SNAPSHOT_OCTETS, MxHost,
    MxRecord, PtrRecord, ReverseLookup, SmtpProbe, Snapshot, TlsaRecord, TxtRecord, written_size,
};

/// Why an address is not in the snapshot.
pub(super) const NO_ROOM: &str = "the addresses of this domain's hosts are more than a snapshot may hold";

/// One pass over one domain.
pub struct Pass<'a> {
    pub(super) collector: &'a Collector,
    pub(super) domain: &'a str,
    pub(super) prober: TlsProber,
    pub(super) clock: Clock,
    pub(super) limits: Limits,
    pub(super) timeline: Timeline<'a>,
    pub(super) share: Share,
    left_out: Mutex<BTreeSet<LeftOut>>,
    remarks: Budget,
}

impl<'a> Pass<'a> {
    /// A pass over `domain` that has until the end of `clock`.
    pub fn new(collector: &'a Collector, domain: &'a str, prober: TlsProber, clock: Clock) -> Self {
        let timeline = Timeline::new(clock, domain, &collector.activity);
        let share = collector.shares.of_domain();
        let limits = Limits { clock, work: share.proofs.clone() };
        Pass {
            collector,
            domain,
            prober,
            clock,
            limits,
            timeline,
            share,
            left_out: Mutex::default(),
            remarks: Budget::of(MAX_LEFT_OUT_OCTETS, 0, 0),
        }
    }

    /// Collects everything.
    pub async fn run(self, collected_at: Timestamp) -> Snapshot {
        let tlsrpt = async {
            let record = self.txt(&format!("_smtp._tls.{}", self.domain)).await;
            let (hosts, record) = join(self.report_hosts(&record), self.txt_as_published(record.clone())).await;
            (record, hosts)
        };
        let record_name = format!("_mta-sts.{}", self.domain);
        let (
            record,
            (tlsrpt, report_hosts),
            (policy_host, policy),
            (mx, mx_hosts),
            (ipv4, ipv6),
            misplaced,
            parent,
            name_servers,
        ) = tokio::join!(
            Box::pin(async { self.txt_as_published(self.txt(&record_name).await).await }),
            Box::pin(tlsrpt),
            Box::pin(self.policy_host()),
            Box::pin(self.mail()),
            Box::pin(join(self.ipv4(self.domain), self.ipv6(self.domain))),
            Box::pin(self.misplaced()),
            Box::pin(self.parent()),
            Box::pin(self.name_servers()),
        );
        self.note_choices();
        let mut snapshot = Snapshot {
            collected_at: Some(collected_at.to_string()),
            collection: Some(self.collection(mx_hosts.as_deref().unwrap_or_default())),
            mx: Some(mx),
            ipv4: Some(ipv4),
            ipv6: Some(ipv6),
            record: Some(record),
            tlsrpt: Some(tlsrpt),
            misplaced,
            parent,
            policy_host: Some(policy_host),
            policy,
            mx_hosts,
            report_hosts,
            name_servers,
            ..Snapshot::of(Some(self.domain))
        };
        self.timeline.step("DNSSEC validation".to_owned(), self.prove(&mut snapshot)).await;
        snapshot.timeline = Some(self.timeline.into_steps());
        debug_assert!(written_size(&snapshot) <= MAX_SNAPSHOT_OCTETS as usize, "{} octets", written_size(&snapshot));
        snapshot
    }

    fn collection(&self, mx_hosts: &[MxHost]) -> Collection {
        let options = &self.collector.options;
        let left_out = self.left_out.lock().unwrap_or_else(PoisonError::into_inner);
        Collection {
            program: Some(concat!("stslint ", env!("CARGO_PKG_VERSION")).to_owned()),
            resolver: Some(options.resolver.to_string()),
            dnssec: Some(options.dnssec.word().to_owned()),
            roots: Some(options.roots.to_string()),
            https_port: Some(options.https_port).filter(|port| *port != 443),
            smtp_port: Some(options.smtp_port).filter(|port| *port != 25),
            smtp_connected: self.smtp_connected(mx_hosts),
            left_out: left_out.iter().cloned().collect(),
        }
    }

    /// Whether any MX host of the run let us connect. A "no" is said only where each host of this domain kept
    /// silent; one that refuses shows that port 25 is open on the way there.
    fn smtp_connected(&self, mx_hosts: &[MxHost]) -> Option<bool> {
        if self.collector.reach.connected() {
            return Some(true);
        }
        let mut probes = mx_hosts.iter().filter_map(|host| host.probes.as_ref()).flatten().peekable();
        (probes.peek().is_some() && probes.all(is_silent)).then_some(false)
    }

    /// Notes that a field of the snapshot was not observed on purpose.
    pub(super) fn leave_out(&self, field: &str, reason: String) {
        self.note_left_out(LeftOut { field: field.to_owned(), reason, ..LeftOut::default() });
    }

    fn note_left_out(&self, left_out: LeftOut) {
        let size = written_size(&left_out);
        let mut noted = self.left_out.lock().unwrap_or_else(PoisonError::into_inner);
        if !noted.contains(&left_out) && noted.len() < MAX_RECORDS && self.remarks.take("", size) {
            noted.insert(left_out);
        }
    }

    fn note_choices(&self) {
        let options = &self.collector.options;
        if !options.smtp {
            self.leave_out("mx_hosts.probes", "--no-smtp was given".to_owned());
        }
        let not_attempted = match options.families {
            Families::Both => return,
            Families::Ipv4 => (AddressFamily::Ipv6, "--ipv4 was given: no IPv6 address was asked"),
            Families::Ipv6 => (AddressFamily::Ipv4, "--ipv6 was given: no IPv4 address was asked"),
        };
        for field in ["mx_hosts.probes", "policy_host.probes"] {
            let (family, reason) = (Some(not_attempted.0), not_attempted.1.to_owned());
            self.note_left_out(LeftOut { field: field.to_owned(), reason, family, host: None });
        }
    }

    /// The MX RRset, and its hosts (RFC 5321 §5.1).
    async fn mail(&self) -> (Lookup<MxRecord>, Option<Vec<MxHost>>) {
        let mx = self.mx(self.domain).await;
        let Some(records) = mx.known() else { return (mx, None) };
        if records.is_empty() && mx.outcome == Some(DnsOutcome::Nodata) {
            let hosts = self.implicit_host().await;
            return (mx, hosts);
        }
        let hosts = join_all(self.exchanges(records).into_iter().map(|exchange| Box::pin(self.mx_host(exchange))));
        let (hosts, mx) = join(hosts, self.mx_as_published(mx.clone())).await;
        (mx, Some(hosts))
    }

    /// The hosts that MX records name, the most preferred first; none for the null MX (RFC 7505 §3).
    fn exchanges(&self, records: &[MxRecord]) -> Vec<String> {
        let mut records: Vec<&MxRecord> = records.iter().filter(|record| record.exchange != ".").collect();
        records.sort_by(|a, b| (a.preference, &a.exchange).cmp(&(b.preference, &b.exchange)));
        let mut seen = BTreeSet::new();
        records.retain(|record| seen.insert(record.exchange.to_ascii_lowercase()));
        if records.len() > MAX_MX_HOSTS {
            let reason = format!("only the {MAX_MX_HOSTS} most preferred of {} MX hosts are spoken to", records.len());
            self.leave_out("mx_hosts", reason);
        }
        records.into_iter().take(MAX_MX_HOSTS).map(|record| record.exchange.clone()).collect()
    }

    /// Without MX records the domain itself is the host, where it has an address.
    async fn implicit_host(&self) -> Option<Vec<MxHost>> {
        let (ipv4, ipv6) = join(self.ipv4(self.domain), self.ipv6(self.domain)).await;
        let (known4, known6) = (ipv4.known().map(<[_]>::len), ipv6.known().map(<[_]>::len));
        match (known4, known6) {
            (Some(0), Some(0)) => Some(Vec::new()),
            (None | Some(0), None | Some(0)) => None,
            _ => Some(vec![self.mx_host(self.domain.to_owned()).await]),
        }
    }

    async fn mx_host(&self, exchange: String) -> MxHost {
        let ipv4 = async {
            let lookup = self.ipv4(&exchange).await;
            let (probes, names) = join(self.speak_to(&exchange, &lookup), self.reverse(&exchange, &lookup)).await;
            (lookup, probes, names)
        };
        let ipv6 = async {
            let lookup = self.ipv6(&exchange).await;
            let (probes, names) = join(self.speak_to(&exchange, &lookup), self.reverse(&exchange, &lookup)).await;
            (lookup, probes, names)
        };
        let tlsa_name = format!("_25._tcp.{exchange}");
        let ((ipv4, probes, names), (ipv6, more, more_names), tlsa) = tokio::join!(ipv4, ipv6, self.tlsa(&tlsa_name));
        let known = ipv4.known().is_some() || ipv6.known().is_some();
        let probes = (self.collector.options.smtp && known).then(|| probes.into_iter().chain(more).collect());
        let asked = self.collector.options.reverse_names && known;
        let reverse = asked.then(|| names.into_iter().chain(more_names).collect());
        MxHost { exchange, ipv4: Some(ipv4), ipv6: Some(ipv6), tlsa: Some(tlsa), probes, reverse }
    }

    /// The names that the addresses of a host lead back to. What is not public stays here, where nothing else may be
    /// connected to: its name is asked of no server either.
    async fn reverse(&self, exchange: &str, lookup: &Lookup<AddressRecord>) -> Vec<ReverseLookup> {
        if !self.collector.options.reverse_names {
            return Vec::new();
        }
        let mut addresses = self.addresses(lookup, "mx_hosts.reverse", exchange);
        addresses.retain(|address| self.collector.guard.admit(*address).is_ok());
        let asked =
            |address: IpAddr| async move { ReverseLookup { address, ptr: self.ptr(&reverse_name(address)).await } };
        join_all(addresses.into_iter().map(asked)).await
    }

    async fn speak_to(&self, exchange: &str, lookup: &Lookup<AddressRecord>) -> Vec<SmtpProbe> {
        if !self.collector.options.smtp {
            return Vec::new();
        }
        let addresses = self.addresses(lookup, "mx_hosts.probes", exchange);
        let probes = join_all(addresses.into_iter().map(|address| self.smtp_probe(exchange, address))).await;
        probes.into_iter().flatten().collect()
    }

    /// Speaks to one address of a host, unless it was spoken to in this run already.
    async fn smtp_probe(&self, exchange: &str, address: IpAddr) -> Option<SmtpProbe> {
        let probe = self.timeline.step(format!("SMTP {exchange} at {address}"), self.conversation(exchange, address));
        let kept = probe.await.map(Arc::unwrap_or_clone);
        if kept.is_none() {
            self.leave_out("mx_hosts.probes", NO_ROOM.to_owned());
        }
        kept
    }

    /// What is kept of a conversation. The domain is charged for it before anybody else can have it, and before its turn
    /// is over: no more is ever held than its budget has, and what is under way.
    async fn conversation(&self, exchange: &str, address: IpAddr) -> Option<Arc<SmtpProbe>> {
        let collector = self.collector;
        let not_attempted = |failure| SmtpProbe { failure: Some(failure), ..smtp::not_attempted(address) };
        let admitted = match collector.guard.admit(address) {
            Ok(admitted) => admitted,
            Err(failure) => return self.charged(exchange, Arc::new(not_attempted(failure))),
        };
        // The turn comes first: a domain that waits for one of its own must not hold up the others that share the host.
        let _turn = match self.share.turn(exchange, self.clock).await {
            Ok(turn) => turn,
            Err(failure) => return self.charged(exchange, Arc::new(not_attempted(failure))),
        };
        let key = (exchange.to_ascii_lowercase(), address);
        let (made_here, own_limit) = (AtomicBool::new(false), AtomicBool::new(false));
        // What this domain has no room or no time for is no answer to the others that share the host.
        let is_final = |probe: &Option<Arc<SmtpProbe>>| {
            let fits = |probe: &Arc<SmtpProbe>| written_size(&**probe) <= MAX_REMEMBERED_OCTETS;
            let ended = |probe: &Arc<SmtpProbe>| probe.failure.is_none() || !self.clock.is_over();
            !own_limit.load(Ordering::Relaxed) && probe.as_ref().is_some_and(|probe| ended(probe) && fits(probe))
        };
        let probe = collector.probes.get(key, is_final, || async {
            made_here.store(true, Ordering::Relaxed);
            let limited = |failure| {
                own_limit.store(true, Ordering::Relaxed);
                not_attempted(failure)
            };
            let probe = match collector.shares.connection(admitted, collector.options.smtp_port, self.clock).await {
                Ok(_leave) if collector.reach.silence_of(address).is_some() => {
                    let failure = collector.reach.silence_of(address);
                    return Some(Arc::new(SmtpProbe {
                        connected: Some(false),
                        failure,
                        ..smtp::not_attempted(address)
                    }));
                }
                Ok(_leave) => match self.rare_turn(address).await {
                    Ok(_turn) => {
                        let probe =
                            second_try::converse(exchange, admitted, &collector.smtp_client, &self.prober, self.clock);
                        self.share.work.within(Box::pin(probe)).await.unwrap_or_else(limited)
                    }
                    Err(failure) => not_attempted(failure),
                },
                Err(failure) => not_attempted(failure),
            };
            collector.reach.note(&probe);
            match self.share.charge(exchange, &probe) {
                Ok(()) => Some(Arc::new(probe)),
                Err(failure) => self.charged(exchange, Arc::new(limited(failure))),
            }
        });
        match (probe.await, made_here.load(Ordering::Relaxed)) {
            (Some(probe), false) => match self.share.charge(exchange, &*probe) {
                Ok(()) => Some(probe),
                Err(failure) => self.charged(exchange, Arc::new(not_attempted(failure))),
            },
            (probe, _) => probe,
        }
    }

    /// A probe that says why nothing was kept, where there is room for that.
    fn charged(&self, exchange: &str, probe: Arc<SmtpProbe>) -> Option<Arc<SmtpProbe>> {
        self.share.charge(exchange, &*probe).is_ok().then_some(probe)
    }

    /// The turn with an address, where conversations are to be rare: whoever has it may take long, so that the wait ends
    /// with the deadline.
    async fn rare_turn(&self, address: IpAddr) -> Result<Option<Turn>, Failure> {
        match &self.collector.options.turns {
            Some(turns) => self.clock.until_deadline("turn with the address", turns.take(address)).await.map(Some),
            None => Ok(None),
        }
    }

    /// The addresses of a host that are asked.
    pub(super) fn addresses(&self, lookup: &Lookup<AddressRecord>, field: &str, host: &str) -> Vec<IpAddr> {
        let options = &self.collector.options;
        let mut seen = BTreeSet::new();
        let mut addresses: Vec<IpAddr> = lookup.records.iter().map(|record| record.address).collect();
        addresses.retain(|address| options.families.include(*address) && seen.insert(*address));
        if addresses.len() > options.max_addresses {
            let (most, all) = (options.max_addresses, addresses.len());
            let reason = format!("only {most} of the {all} addresses of {host} were asked");
            let host = Some(host.to_owned());
            self.note_left_out(LeftOut { field: field.to_owned(), reason, family: None, host });
            addresses.truncate(most);
        }
        addresses
    }

    /// TXT records where publishers put one by mistake.
    async fn misplaced(&self) -> Option<Vec<Lookup<TxtRecord>>> {
        if !self.collector.options.search_everywhere && !Box::pin(self.is_set_up()).await {
            let reason =
                "nothing at this domain points to MTA-STS or TLSRPT (--search-everywhere searches all the same)";
            self.leave_out("misplaced", reason.to_owned());
            return None;
        }
        Some(join_all(misplaced::names(self.domain).iter().map(|name| Box::pin(self.txt(name)))).await)
    }

    /// Whether the domain has a record or a policy host, or whether it could not be seen that it has none. All of these are
    /// asked for anyway.
    async fn is_set_up(&self) -> bool {
        let domain = self.domain;
        let (questions, limits) = (&self.collector.questions, &self.limits);
        let names = [format!("_mta-sts.{domain}"), format!("_smtp._tls.{domain}"), format!("mta-sts.{domain}")];
        let [record, tlsrpt, host] = &names;
        let absent = |known: Option<usize>, outcome: Option<DnsOutcome>| {
            known == Some(0) || outcome == Some(DnsOutcome::Nxdomain)
        };
        let (record, tlsrpt, ipv4, ipv6) = tokio::join!(
            questions.txt(record, limits),
            questions.txt(tlsrpt, limits),
            questions.ipv4(host, limits),
            questions.ipv6(host, limits),
        );
        let texts = [record, tlsrpt];
        let hosts = [ipv4, ipv6];
        !texts.iter().all(|lookup| absent(lookup.known().map(<[_]>::len), lookup.outcome))
            || !hosts.iter().all(|lookup| absent(lookup.known().map(<[_]>::len), lookup.outcome))
    }

    /// The parent's record, where the parent is no public suffix.
    async fn parent(&self) -> Option<Lookup<TxtRecord>> {
        let registrable = psl::domain_str(self.domain)?;
        let (_, parent) = self.domain.split_once('.').filter(|_| registrable != self.domain)?;
        Some(self.txt(&format!("_mta-sts.{parent}")).await)
    }
}

/// The questions of a pass, each noted in its timeline.
impl Pass<'_> {
    async fn txt(&self, name: &str) -> Lookup<TxtRecord> {
        let asking = self.collector.questions.txt(name, &self.limits);
        self.share.keep_answer("TXT", self.timeline.step(format!("TXT {name}"), asking).await)
    }

    pub(super) async fn mx(&self, name: &str) -> Lookup<MxRecord> {
        let asking = self.collector.questions.mx(name, &self.limits);
        self.share.keep_answer("MX", self.timeline.step(format!("MX {name}"), asking).await)
    }

    pub(super) async fn ipv4(&self, name: &str) -> Lookup<AddressRecord> {
        let asking = self.collector.questions.ipv4(name, &self.limits);
        self.share.keep_answer("A", self.timeline.step(format!("A {name}"), asking).await)
    }

    pub(super) async fn ipv6(&self, name: &str) -> Lookup<AddressRecord> {
        let asking = self.collector.questions.ipv6(name, &self.limits);
        self.share.keep_answer("AAAA", self.timeline.step(format!("AAAA {name}"), asking).await)
    }

    pub(super) async fn ns(&self, name: &str) -> Lookup<String> {
        self.timeline.step(format!("NS {name}"), self.collector.questions.ns(name, &self.limits)).await
    }

    async fn ptr(&self, name: &str) -> Lookup<PtrRecord> {
        let asking = self.collector.questions.ptr(name, &self.limits);
        self.share.keep_answer("PTR", self.timeline.step(format!("PTR {name}"), asking).await)
    }

    async fn tlsa(&self, name: &str) -> Lookup<TlsaRecord> {
        let asking = self.collector.questions.tlsa(name, &self.limits);
        self.share.keep_answer("TLSA", self.timeline.step(format!("TLSA {name}"), asking).await)
    }
}

/// The name at which the names of an address are (RFC 1035 §3.5, RFC 3596 §2.5).
fn reverse_name(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => {
            let [a, b, c, d] = address.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        IpAddr::V6(address) => {
            let nibbles = address.octets().into_iter().rev().flat_map(|octet| [octet & 0xf, octet >> 4]);
            nibbles.map(|nibble| format!("{nibble:x}.")).collect::<String>() + "ip6.arpa"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::reverse_name;

    #[test]
    fn reverse_names_are_those_of_the_standards() {
        for (address, name) in [
            // RFC 1035 §3.5, RFC 3596 §2.5.
            ("10.2.0.52", "52.0.2.10.in-addr.arpa"),
            ("4321:0:1:2:3:4:567:89ab", "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.0.0.0.0.1.2.3.4.ip6.arpa"),
        ] {
            assert_eq!(reverse_name(address.parse().unwrap()), name);
        }
    }
}
