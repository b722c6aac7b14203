//! Domains whose policy host is not as it should be (RFC 8461 §3.3). Their policies do not cover the MX host: whoever takes
//! the policy all the same holds the mail.

use std::time::Duration;

use crate::audit::case::{Case, Course, Reading, elsewhere, uncover};
use crate::lab::{CertificateSpec, Scenario, WebAnswer, WebHost, WebReply};

const fn refused(name: &'static str, about: &'static str, change: fn(&mut Scenario)) -> Case {
    Case { name, about, reading: Reading::Acceptance, standard: Some(Course::Delivered), change, then: None }
}

const fn slow(name: &'static str, about: &'static str, change: fn(&mut Scenario)) -> Case {
    Case { name, about, reading: Reading::Acceptance, standard: Some(Course::Held), change, then: None }
}

fn answer_after(it: &mut Scenario, seconds: u64) {
    let reply = WebReply { delay: Duration::from_secs(seconds), ..WebReply::text(elsewhere(it)) };
    it.answer_policy(reply.into());
}

fn certificate(it: &mut Scenario, of: fn(&str) -> CertificateSpec) {
    uncover(it);
    let host = it.name("mta-sts");
    it.replace_policy_certificate(of(&host));
}

pub(super) static CASES: &[Case] = &[
    refused("host-expired", "the policy host's certificate expired a week ago", |it| {
        certificate(it, CertificateSpec::expired);
    }),
    refused("host-wrong-name", "the policy host's certificate is for another name", |it| {
        certificate(it, |host| CertificateSpec::good(&format!("www.{host}")));
    }),
    refused("host-self-signed", "the policy host's certificate is self-signed", |it| {
        certificate(it, CertificateSpec::self_signed);
    }),
    refused("host-unknown-ca", "the policy host's certificate comes from an unknown authority", |it| {
        certificate(it, CertificateSpec::unknown_ca);
    }),
    refused("host-404", "the policy is served with status 404", |it| {
        it.answer_policy(WebReply::new(404, "text/plain; charset=utf-8", elsewhere(it)).into());
    }),
    refused("host-203", "the policy is served with status 203", |it| {
        it.answer_policy(WebReply::new(203, "text/plain; charset=utf-8", elsewhere(it)).into());
    }),
    refused("host-redirect", "the policy host redirects to another that has the policy", |it| {
        let site = it.name("www");
        it.answer_policy(WebReply::redirect(301, &format!("https://{site}/.well-known/mta-sts.txt")).into());
        it.web_hosts.push(WebHost::policy(&site, elsewhere(it)));
    }),
    refused("host-media-type", "the policy is served as text/html", |it| {
        it.answer_policy(WebReply::new(200, "text/html; charset=utf-8", elsewhere(it)).into());
    }),
    Case {
        standard: Some(Course::Held),
        ..refused("host-media-type-case", "the policy is served as Text/Plain", |it| {
            it.answer_policy(WebReply::new(200, "Text/Plain", elsewhere(it)).into());
        })
    },
    Case {
        standard: None,
        ..refused("host-large", "the policy has 100,000 octets of extension fields", |it| {
            let filler = format!("x-filler: {}\r\n", "x".repeat(988)).repeat(100);
            it.replace_policy(format!("{}{filler}", elsewhere(it)));
        })
    },
    refused("host-silent", "the policy host never answers", |it| it.answer_policy(WebAnswer::Silence)),
    slow("host-slow-3", "the policy host answers after 3 seconds", |it| answer_after(it, 3)),
    slow("host-slow-8", "the policy host answers after 8 seconds", |it| answer_after(it, 8)),
    slow("host-slow-25", "the policy host answers after 25 seconds", |it| answer_after(it, 25)),
];
