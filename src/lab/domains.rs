//! The built-in domains: one that is right, and the mistakes that people make, one in each.
//!
//! `stslint demo` shows them, and the tests check that each one's [`expects`](LabDomain::expects)
//! are found. A domain is [`Scenario::good`] with one thing changed.

use super::certificate::CertificateSpec;
use super::record::{DnsFault, DnsFaultKind, Record, RecordData};
use super::scenario::{BACKUP_MX, BACKUP_MX_PATTERN, Scenario, policy};
use super::smtp::{MxHost, SmtpAnswer};
use super::web::{WebHost, WebReply};

/// The host of the provider that `delegated.example` and `half-delegated.example` point to.
const PROVIDER_HOST: &str = "mta-sts.backup-mx.example";

/// One built-in domain.
#[derive(Clone, Copy, Debug)]
pub struct LabDomain {
    /// The domain.
    pub name: &'static str,
    /// What is wrong with it, in one line.
    pub about: &'static str,
    /// The rules that must fail on it, by id. What loopback addresses bring upon every domain, and
    /// notes, may come beside them.
    pub expects: &'static [&'static str],
    change: fn(&mut Scenario),
}

impl LabDomain {
    /// The domain as it is served.
    pub fn scenario(&self) -> Scenario {
        let mut scenario = Scenario::good(self.name);
        (self.change)(&mut scenario);
        scenario
    }
}

/// The domains that all others lean on: the provider of their backup MX host and of delegated
/// policies, and the receiver of their reports.
pub(super) fn shared() -> Vec<Scenario> {
    let mut provider = Scenario::empty("backup-mx.example");
    provider.mx_hosts.push(MxHost::good(BACKUP_MX));
    provider.records.push(Record::txt("_mta-sts.mta-sts.backup-mx.example", "v=STSv1; id=20260901T120000"));

    let mut receiver = Scenario::empty("reports.example");
    receiver.replace_mx(&[(10, "mx.reports.example")]);
    receiver.mx_hosts.push(MxHost::good("mx.reports.example"));
    receiver.web_hosts.push(WebHost {
        answer: WebReply::new(404, "text/plain", "Reports are posted elsewhere.\n").into(),
        ..WebHost::policy("tlsrpt.reports.example", "")
    });
    vec![provider, receiver]
}

/// All built-in domains.
pub(super) static DOMAINS: &[LabDomain] = &[
    LabDomain {
        name: "perfect.example",
        about: "All is right: an enforced policy that covers both MX hosts, and reports wanted.",
        expects: &[],
        change: |_| {},
    },
    LabDomain {
        name: "delegated.example",
        about: "Record and policy host are aliases of a provider's, as they should be: both.",
        expects: &["host-alias", "record-alias"],
        change: |it| {
            delegate_policy_host(it);
            let record = it.name("_mta-sts");
            it.remove_txt(&record);
            it.records.push(Record::new(&record, RecordData::Cname("_mta-sts.mta-sts.backup-mx.example".to_owned())));
        },
    },
    LabDomain {
        name: "testing.example",
        about: "The policy has stood in mode testing ever since: nothing is enforced.",
        expects: &["policy-enforced"],
        change: |it| {
            let mx = it.name("mx1");
            it.replace_policy(policy("testing", &[&mx, BACKUP_MX_PATTERN], 1_209_600));
        },
    },
    LabDomain {
        name: "none.example",
        about: "The domain withdraws its policy in the proper way: mode none, for a day.",
        expects: &["policy-enforced"],
        change: |it| it.replace_policy(policy("none", &[], 86_400)),
    },
    LabDomain {
        name: "no-record.example",
        about: "The policy is served, but no _mta-sts record says so: no sender ever looks.",
        expects: &["record-published"],
        change: |it| {
            let record = it.name("_mta-sts");
            it.remove_txt(&record);
        },
    },
    LabDomain {
        name: "two-records.example",
        about: "The new _mta-sts record was added beside the old one: two mean none.",
        expects: &["record-single"],
        change: |it| {
            let record = it.name("_mta-sts");
            it.records.push(Record::txt(&record, "v=STSv1; id=20251103T080000"));
        },
    },
    LabDomain {
        name: "bad-id.example",
        about: "The id is a date with hyphens, which an id cannot hold.",
        expects: &["record-id-format"],
        change: |it| {
            let record = it.name("_mta-sts");
            it.replace_txt(&record, "v=STSv1; id=2026-11-23");
        },
    },
    LabDomain {
        name: "half-delegated.example",
        about: "The policy is the provider's, the record is kept by hand: the id is forgotten.",
        expects: &["record-half-delegated"],
        change: delegate_policy_host,
    },
    LabDomain {
        name: "timeout.example",
        about: "The name server never answers the question for the _mta-sts record.",
        expects: &["dns-answer"],
        change: |it| {
            let record = it.name("_mta-sts");
            it.dns_faults.push(DnsFault::new(&record, DnsFaultKind::NoAnswer));
        },
    },
    LabDomain {
        name: "no-host.example",
        about: "The record was published, but mta-sts.no-host.example does not exist.",
        expects: &["host-resolves"],
        change: |it| it.web_hosts.clear(),
    },
    LabDomain {
        name: "host-expired.example",
        about: "The policy host's certificate ran out a week ago, and mail has no browser to warn.",
        expects: &["host-cert-valid-now"],
        change: |it| {
            let host = it.name("mta-sts");
            it.replace_policy_certificate(CertificateSpec::expired(&host));
        },
    },
    LabDomain {
        name: "host-wrong-name.example",
        about: "The policy host presents the web site's certificate, which lacks its name.",
        expects: &["host-cert-name"],
        change: |it| {
            let site = it.name("www");
            it.replace_policy_certificate(CertificateSpec::good(&site));
        },
    },
    LabDomain {
        name: "policy-404.example",
        about: "The policy host is up, but the file is not at /.well-known/mta-sts.txt.",
        expects: &["host-status"],
        change: |it| {
            let missing = WebReply::new(404, "text/html", "<h1>404 Not Found</h1>\n");
            it.answer_policy(missing.into());
        },
    },
    LabDomain {
        name: "policy-redirect.example",
        about: "The policy host redirects to www, which senders must not follow.",
        expects: &["host-redirect"],
        change: |it| {
            let site = it.name("www");
            let mx = it.name("mx1");
            let body = policy("enforce", &[&mx, BACKUP_MX_PATTERN], 1_209_600);
            let location = format!("https://{site}/.well-known/mta-sts.txt");
            it.answer_policy(WebReply::redirect(301, &location).into());
            it.web_hosts.push(WebHost::policy(&site, body));
        },
    },
    LabDomain {
        name: "policy-html.example",
        about: "The site answers every path with its start page, so the policy is HTML.",
        expects: &["policy-not-html"],
        change: |it| {
            let page = "<!DOCTYPE html>\n<html lang=\"en\">\n<head><title>Welcome</title></head>\n\
                        <body><p>Our new site is coming soon.</p></body>\n</html>\n";
            it.answer_policy(WebReply::new(200, "text/html; charset=utf-8", page).into());
        },
    },
    LabDomain {
        name: "mode-typo.example",
        about: "The mode is `enforced`, which is not a valid mode: the whole policy is invalid.",
        expects: &["policy-mode"],
        change: |it| {
            let mx = it.name("mx1");
            it.replace_policy(policy("enforced", &[&mx, BACKUP_MX_PATTERN], 1_209_600));
        },
    },
    LabDomain {
        name: "bom.example",
        about: "An editor put a byte order mark before `version`, which is then no `version`.",
        expects: &["policy-encoding"],
        change: |it| {
            let mx = it.name("mx1");
            let body = policy("enforce", &[&mx, BACKUP_MX_PATTERN], 1_209_600);
            it.replace_policy(format!("\u{feff}{body}"));
        },
    },
    LabDomain {
        name: "max-age-short.example",
        about: "The policy is cached for an hour: whoever cuts the fetch off once has won.",
        expects: &["policy-max-age-short"],
        change: |it| {
            let mx = it.name("mx1");
            it.replace_policy(policy("enforce", &[&mx, BACKUP_MX_PATTERN], 3_600));
        },
    },
    LabDomain {
        name: "mx-not-covered.example",
        about: "The enforced policy forgets the backup MX host: mail for it is held back.",
        expects: &["mx-covered"],
        change: |it| {
            let mx = it.name("mx1");
            it.replace_policy(policy("enforce", &[&mx], 1_209_600));
        },
    },
    LabDomain {
        name: "wildcard-too-deep.example",
        about: "`*` covers one label, but the MX host is two below the domain.",
        expects: &["mx-covered", "policy-mx-broad"],
        change: |it| {
            let mx = it.name("mx1.eu");
            it.replace_mx(&[(10, &mx), (20, BACKUP_MX)]);
            it.mx_hosts = vec![MxHost::good(&mx)];
            let pattern = it.name("*");
            it.replace_policy(policy("enforce", &[&pattern, BACKUP_MX_PATTERN], 1_209_600));
        },
    },
    LabDomain {
        name: "mx-dangling.example",
        about: "The first MX host was switched off, and its address with it; the MX record stayed.",
        expects: &["mx-resolves"],
        change: |it| {
            let mx = it.name("mx1");
            it.mx_hosts.clear();
            it.records.push(Record::txt(&mx, "v=spf1 a -all"));
        },
    },
    LabDomain {
        name: "mx-down.example",
        about: "The first MX host refuses connections.",
        expects: &["smtp-reachable"],
        change: |it| {
            for host in &mut it.mx_hosts {
                host.listens = false;
            }
        },
    },
    LabDomain {
        name: "mx-no-starttls.example",
        about: "The first MX host does not offer STARTTLS.",
        expects: &["smtp-starttls-offered"],
        change: |it| it.mx_hosts = vec![MxHost::without_starttls(&it.name("mx1"))],
    },
    LabDomain {
        name: "mx-tls-unavailable.example",
        about: "The first MX host offers STARTTLS and then cannot: its key is not readable.",
        expects: &["smtp-starttls-accepted"],
        change: |it| {
            for host in &mut it.mx_hosts {
                host.starttls = SmtpAnswer::reply(454, &["4.7.0 TLS not available due to temporary reason"]);
            }
        },
    },
    LabDomain {
        name: "mx-wrong-name.example",
        about: "The MX host's certificate is for mail.…, but the MX record says mx1.….",
        expects: &["smtp-cert-name"],
        change: |it| {
            let other = it.name("mail");
            it.replace_mx_certificate(CertificateSpec::good(&other));
        },
    },
    LabDomain {
        name: "mx-self-signed.example",
        about: "The MX host still has the certificate that its installation made for itself.",
        expects: &["smtp-cert-trusted"],
        change: |it| {
            let mx = it.name("mx1");
            it.replace_mx_certificate(CertificateSpec::self_signed(&mx));
        },
    },
    LabDomain {
        name: "mx-unknown-ca.example",
        about: "The MX host's certificate comes from the company's own CA.",
        expects: &["smtp-cert-trusted"],
        change: |it| {
            let mx = it.name("mx1");
            it.replace_mx_certificate(CertificateSpec::unknown_ca(&mx));
        },
    },
    LabDomain {
        name: "mx-no-intermediate.example",
        about: "The MX host was given cert.pem in place of fullchain.pem.",
        expects: &["smtp-cert-trusted"],
        change: |it| {
            let mx = it.name("mx1");
            it.replace_mx_certificate(CertificateSpec::without_intermediate(&mx));
        },
    },
    LabDomain {
        name: "mx-expired.example",
        about: "The MX host's certificate was renewed, but the server was never reloaded.",
        expects: &["smtp-cert-valid-now"],
        change: |it| {
            let mx = it.name("mx1");
            it.replace_mx_certificate(CertificateSpec::expired(&mx));
        },
    },
    LabDomain {
        name: "implicit-mx.example",
        about: "There is no MX record: mail goes to the domain's own address.",
        expects: &["mx-implicit"],
        change: |it| {
            let domain = it.domain.clone();
            it.replace_mx(&[]);
            it.mx_hosts = vec![MxHost::good(&domain)];
            it.replace_policy(policy("enforce", &[&domain], 1_209_600));
        },
    },
    LabDomain {
        name: "null-mx.example",
        about: "The domain takes no mail (null MX), yet its old policy is still enforced.",
        expects: &["mx-null-policy"],
        change: |it| {
            it.replace_mx(&[(0, ".")]);
            it.mx_hosts.clear();
        },
    },
    LabDomain {
        name: "no-tlsrpt.example",
        about: "Nobody asked for reports, so nobody hears when senders cannot deliver.",
        expects: &["tlsrpt-published"],
        change: |it| {
            let record = it.name("_smtp._tls");
            it.remove_txt(&record);
        },
    },
    LabDomain {
        name: "tlsrpt-bad-uri.example",
        about: "The address for reports has no `mailto:`.",
        expects: &["tlsrpt-rua-scheme"],
        change: |it| {
            let record = it.name("_smtp._tls");
            it.replace_txt(&record, "v=TLSRPTv1; rua=tlsrpt@reports.example");
        },
    },
];

/// Makes the policy host an alias of the provider's.
fn delegate_policy_host(it: &mut Scenario) {
    let policy_host = it.name("mta-sts");
    it.records.push(Record::new(&policy_host, RecordData::Cname(PROVIDER_HOST.to_owned())));
    for host in &mut it.web_hosts {
        host.address_name = PROVIDER_HOST.to_owned();
    }
}
