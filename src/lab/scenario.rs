//! What one domain of the lab looks like from outside: its records, its policy host, its MX hosts.
//!
//! [`Scenario::good`] is a domain with nothing wrong; whoever needs a broken one changes the
//! fields that matter and hands it to [`Lab::start`](super::Lab::start). The built-in domains in
//! [`domains`](super::domains) are made the same way.

use super::certificate::CertificateSpec;
use super::record::{DEFAULT_TTL, DnsFault, Dnssec, Record, RecordData};
use super::smtp::MxHost;
use super::web::{WebAnswer, WebHost, WebReply};

/// The MX host that all domains of the lab share as their backup, as customers of one provider do.
pub const BACKUP_MX: &str = "mx1.in.backup-mx.example";

/// The pattern (RFC 8461 §4.1) by which the policies of the lab cover [`BACKUP_MX`].
pub const BACKUP_MX_PATTERN: &str = "*.in.backup-mx.example";

/// One mail domain with everything it publishes and every server it runs.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// The Policy Domain, RFC 8461 §1.1; also the zone that is served for it.
    pub domain: String,
    /// How the zone is in DNSSEC.
    pub dnssec: Dnssec,
    /// The records of the domain. The addresses of hosts come from the lab itself.
    pub records: Vec<Record>,
    /// The time to live of the addresses of its hosts, in seconds.
    pub address_ttl: u32,
    /// Questions that are not answered as they should be.
    pub dns_faults: Vec<DnsFault>,
    /// The HTTPS servers, the policy host first.
    pub web_hosts: Vec<WebHost>,
    /// The SMTP servers that the domain runs itself.
    pub mx_hosts: Vec<MxHost>,
}

impl Scenario {
    /// A domain without a fault: enforced policy, two MX hosts, reports by mail and HTTPS.
    ///
    /// Its MX hosts are `mx1.<domain>` and the shared [`BACKUP_MX`].
    pub fn good(domain: &str) -> Self {
        let mx = format!("mx1.{domain}");
        Self {
            domain: domain.to_owned(),
            dnssec: Dnssec::Secure,
            records: vec![
                Record::mx(domain, 10, &mx),
                Record::mx(domain, 20, BACKUP_MX),
                Record::txt(&format!("_mta-sts.{domain}"), "v=STSv1; id=20260901T120000"),
                Record::txt(
                    &format!("_smtp._tls.{domain}"),
                    "v=TLSRPTv1; rua=mailto:tlsrpt@reports.example,https://tlsrpt.reports.example/v1",
                ),
            ],
            address_ttl: DEFAULT_TTL,
            dns_faults: Vec::new(),
            web_hosts: vec![WebHost::policy(
                &format!("mta-sts.{domain}"),
                policy("enforce", &[&mx, BACKUP_MX_PATTERN], 1_209_600),
            )],
            mx_hosts: vec![MxHost::good(&mx)],
        }
    }

    /// A zone with nothing in it: no records, no servers.
    pub fn empty(domain: &str) -> Self {
        Self {
            domain: domain.to_owned(),
            dnssec: Dnssec::Secure,
            records: Vec::new(),
            address_ttl: DEFAULT_TTL,
            dns_faults: Vec::new(),
            web_hosts: Vec::new(),
            mx_hosts: Vec::new(),
        }
    }

    /// A name in the domain: `scenario.name("mta-sts")` is `mta-sts.<domain>`.
    pub fn name(&self, labels: &str) -> String {
        format!("{labels}.{}", self.domain)
    }

    /// Puts one TXT record of one character-string at a name, in place of all that was there.
    pub fn replace_txt(&mut self, name: &str, text: &str) {
        self.remove_txt(name);
        self.records.push(Record::txt(name, text));
    }

    /// Takes away the TXT records at a name.
    pub fn remove_txt(&mut self, name: &str) {
        self.records.retain(|record| record.name != name || !matches!(record.data, RecordData::Txt(_)));
    }

    /// Puts these MX records in place of all others.
    pub fn replace_mx(&mut self, exchanges: &[(u16, &str)]) {
        self.records.retain(|record| !matches!(record.data, RecordData::Mx { .. }));
        let domain = self.domain.clone();
        self.records.extend(exchanges.iter().map(|(preference, exchange)| Record::mx(&domain, *preference, exchange)));
    }

    /// Serves this body, whatever it is, as the policy.
    pub fn replace_policy(&mut self, body: impl Into<Vec<u8>>) {
        self.answer_policy(WebReply::text(body).into());
    }

    /// Gives this answer to whoever asks for the policy.
    pub fn answer_policy(&mut self, answer: WebAnswer) {
        for host in self.policy_host_entries() {
            host.answer = answer.clone();
        }
    }

    /// Presents this certificate at the policy host.
    pub fn replace_policy_certificate(&mut self, certificate: CertificateSpec) {
        for host in self.policy_host_entries() {
            host.tls.certificate = certificate.clone();
        }
    }

    /// Presents this certificate at the domain's own MX hosts.
    pub fn replace_mx_certificate(&mut self, certificate: CertificateSpec) {
        for host in &mut self.mx_hosts {
            host.tls.certificate = certificate.clone();
        }
    }

    /// Whether another scenario has the same hosts, each listening or not as here.
    pub(super) fn has_hosts_of(&self, other: &Self) -> bool {
        let web = |it: &Self| it.web_hosts.iter().map(|host| (host.name.clone(), host.listens)).collect::<Vec<_>>();
        let mail = |it: &Self| it.mx_hosts.iter().map(|host| (host.name.clone(), host.listens)).collect::<Vec<_>>();
        web(self) == web(other) && mail(self) == mail(other)
    }

    fn policy_host_entries(&mut self) -> impl Iterator<Item = &mut WebHost> {
        let policy_host = self.name("mta-sts");
        self.web_hosts.iter_mut().filter(move |host| host.name == policy_host)
    }
}

/// A policy body as RFC 8461 §3.2 writes it, lines ended by CRLF. `max_age` is in seconds.
pub fn policy(mode: &str, mx: &[&str], max_age: u32) -> String {
    let patterns: String = mx.iter().map(|pattern| format!("mx: {pattern}\r\n")).collect();
    format!("version: STSv1\r\nmode: {mode}\r\n{patterns}max_age: {max_age}\r\n")
}
