//! The domains of the audit, each odd in one way.

mod change;
mod host;
mod mx;
mod policy;
mod record;

use super::case::{Case, Course, Reading, mx as mx_name, record as record_name};
use crate::lab::{CertificateSpec, MxHost, Scenario, WebReply};

/// The domain without MTA-STS and with a certificate that nobody trusts: whoever holds mail for it verifies everything,
/// with or without a policy.
pub const PLAIN: &str = "plain";

/// The domain without MTA-STS and without STARTTLS: whoever holds mail for it requires TLS everywhere.
pub const CLEAR: &str = "plain-no-starttls";

/// The domain where all is right: whoever holds mail for it does not trust the lab.
pub const PERFECT: &str = "perfect";

/// The domain whose enforced policy does not cover its MX host: whoever delivers here does not enforce.
pub const UNCOVERED: &str = "mx-not-covered";

/// The controls, without which nothing can be inferred.
static CONTROLS: &[Case] = &[
    Case {
        name: PLAIN,
        about: "no MTA-STS, and the MX host's certificate is self-signed",
        reading: Reading::Control,
        standard: Some(Course::Delivered),
        change: |it| {
            without_policy(it);
            let mx = mx_name(it);
            it.replace_mx_certificate(CertificateSpec::self_signed(&mx));
        },
        then: None,
    },
    Case {
        name: CLEAR,
        about: "no MTA-STS, and the MX host does not offer STARTTLS",
        reading: Reading::Control,
        standard: Some(Course::Delivered),
        change: |it| {
            without_policy(it);
            it.mx_hosts = vec![MxHost { takes_mail: true, ..MxHost::without_starttls(&mx_name(it)) }];
        },
        then: None,
    },
    Case {
        name: PERFECT,
        about: "an enforced policy that covers the MX host",
        reading: Reading::Control,
        standard: Some(Course::Delivered),
        change: |_| {},
        then: None,
    },
];

fn without_policy(it: &mut Scenario) {
    let record = record_name(it);
    it.remove_txt(&record);
    it.answer_policy(WebReply::new(404, "text/plain", "Not found.\n").into());
}

/// All domains of the audit, the controls first.
pub fn all() -> impl Iterator<Item = &'static Case> {
    [CONTROLS, mx::CASES, host::CASES, record::CASES, policy::CASES, change::CASES].into_iter().flatten()
}

/// The domain of this name.
pub fn find(name: &str) -> Option<&'static Case> {
    all().find(|case| case.name == name)
}
