//! Domains whose MX host is not as the enforced policy asks, or just so (RFC 8461 §4).

use super::UNCOVERED;
use crate::audit::case::{Case, Course, Reading, mx, policy, uncover};
use crate::lab::{CertificateSpec, MxHost, SmtpAnswer, TlsHandshake};

const fn protection(name: &'static str, about: &'static str, change: fn(&mut crate::lab::Scenario)) -> Case {
    Case { name, about, reading: Reading::Protection, standard: Some(Course::Held), change, then: None }
}

const fn tolerance(name: &'static str, about: &'static str, change: fn(&mut crate::lab::Scenario)) -> Case {
    Case { name, about, reading: Reading::Tolerance, standard: Some(Course::Delivered), change, then: None }
}

pub(super) static CASES: &[Case] = &[
    protection(UNCOVERED, "the policy does not cover the MX host", uncover),
    protection("mx-expired", "the MX host's certificate expired a week ago", |it| {
        let mx = mx(it);
        it.replace_mx_certificate(CertificateSpec::expired(&mx));
    }),
    protection("mx-wrong-name", "the MX host's certificate is for another name", |it| {
        let other = it.name("mail");
        it.replace_mx_certificate(CertificateSpec::good(&other));
    }),
    protection("mx-common-name", "the MX host's name is only in the common name of its certificate", |it| {
        let mx = mx(it);
        it.replace_mx_certificate(CertificateSpec { dns_ids: Vec::new(), ..CertificateSpec::good(&mx) });
    }),
    protection("mx-self-signed", "the MX host's certificate is self-signed", |it| {
        let mx = mx(it);
        it.replace_mx_certificate(CertificateSpec::self_signed(&mx));
    }),
    protection("mx-unknown-ca", "the MX host's certificate comes from an unknown authority", |it| {
        let mx = mx(it);
        it.replace_mx_certificate(CertificateSpec::unknown_ca(&mx));
    }),
    protection("mx-no-intermediate", "the MX host does not send the intermediate certificate", |it| {
        let mx = mx(it);
        it.replace_mx_certificate(CertificateSpec::without_intermediate(&mx));
    }),
    protection("mx-no-starttls", "the MX host does not offer STARTTLS", |it| {
        it.mx_hosts = vec![MxHost { takes_mail: true, ..MxHost::without_starttls(&mx(it)) }];
    }),
    protection("mx-tls-refused", "the MX host refuses STARTTLS with a temporary error", |it| {
        for host in &mut it.mx_hosts {
            host.starttls = SmtpAnswer::reply(454, &["4.7.0 TLS not available due to temporary reason"]);
        }
    }),
    protection("mx-tls-fails", "the handshake with the MX host fails", |it| {
        for host in &mut it.mx_hosts {
            host.tls.handshake = TlsHandshake::Refused;
        }
    }),
    protection("mx-wildcard-deep", "the policy has `*.DOMAIN`, and the MX host is two labels below", |it| {
        let host = it.name("mx.eu");
        it.replace_mx(&[(10, &host)]);
        it.mx_hosts = vec![MxHost { takes_mail: true, ..MxHost::good(&host) }];
        it.replace_policy(policy("enforce", &[&it.name("*")]));
    }),
    tolerance("mx-wildcard", "the policy covers the MX host by `*.DOMAIN`", |it| {
        it.replace_policy(policy("enforce", &[&it.name("*")]));
    }),
    tolerance("mx-case", "the policy has the MX host's name in capitals", |it| {
        it.replace_policy(policy("enforce", &[&mx(it).to_ascii_uppercase()]));
    }),
    tolerance("mx-requires-sni", "the MX host fails clients that do not name it (SNI)", |it| {
        for host in &mut it.mx_hosts {
            host.tls.requires_sni = true;
        }
    }),
    tolerance("mode-testing", "the policy does not cover the MX host, in mode testing", |it| {
        it.replace_policy(policy("testing", &[&it.name("elsewhere")]));
    }),
    tolerance("mode-none", "the policy has mode none, and the MX host's certificate is self-signed", |it| {
        let mx = mx(it);
        it.replace_policy(policy("none", &[]));
        it.replace_mx_certificate(CertificateSpec::self_signed(&mx));
    }),
];
