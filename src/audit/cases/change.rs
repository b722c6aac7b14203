//! Domains that change after the first mail (RFC 8461 §3.3, §5.1): what a sender does with the policy that it holds.

use crate::audit::case::{Case, Course, Reading, mx, policy, publish, record, uncover};
use crate::lab::{CertificateSpec, Scenario, WebReply};

const fn change(name: &'static str, about: &'static str, standard: Option<Course>, then: fn(&mut Scenario)) -> Case {
    Case { name, about, reading: Reading::Change, standard, change: |_| {}, then: Some(then) }
}

/// Makes the MX host one that a sender with the first policy refuses.
fn break_mx(it: &mut Scenario) {
    let mx = mx(it);
    it.replace_mx_certificate(CertificateSpec::self_signed(&mx));
}

fn remove_policy(it: &mut Scenario) {
    it.answer_policy(WebReply::new(404, "text/plain", "Not found.\n").into());
}

pub(super) static CASES: &[Case] = &[
    change("then-record-gone", "the record is removed; the MX host turns bad", Some(Course::Held), |it| {
        break_mx(it);
        let record = record(it);
        it.remove_txt(&record);
    }),
    change(
        "then-policy-gone",
        "the id changes and the policy is removed; the MX host turns bad",
        Some(Course::Held),
        |it| {
            break_mx(it);
            publish(it, "v=STSv1; id=2");
            remove_policy(it);
        },
    ),
    change("then-all-gone", "record and policy are removed; the MX host turns bad", Some(Course::Held), |it| {
        break_mx(it);
        let record = record(it);
        it.remove_txt(&record);
        remove_policy(it);
    }),
    change("then-new-id", "a new id announces a policy that does not cover the MX host", Some(Course::Held), |it| {
        publish(it, "v=STSv1; id=2");
        uncover(it);
    }),
    change("then-same-id", "the policy no longer covers the MX host, under the same id", None, uncover),
    change("then-none", "a new id announces mode none; the MX host turns bad", Some(Course::Delivered), |it| {
        break_mx(it);
        publish(it, "v=STSv1; id=2");
        it.replace_policy(policy("none", &[]));
    }),
];
