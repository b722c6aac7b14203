//! Domains whose `_mta-sts` record is odd (RFC 8461 §3.1). Their policies do not cover the MX host: whoever takes the
//! record for valid holds the mail.

use crate::audit::case::{Case, Course, Reading, publish, publish_also, record, uncover};
use crate::lab::{Record, RecordData, Scenario};

const fn valid(name: &'static str, about: &'static str, change: fn(&mut Scenario)) -> Case {
    Case { name, about, reading: Reading::Acceptance, standard: Some(Course::Held), change, then: None }
}

const fn invalid(name: &'static str, about: &'static str, change: fn(&mut Scenario)) -> Case {
    Case { name, about, reading: Reading::Acceptance, standard: Some(Course::Delivered), change, then: None }
}

fn text(it: &mut Scenario, text: &str) {
    uncover(it);
    publish(it, text);
}

fn beside(it: &mut Scenario, text: &str) {
    uncover(it);
    publish_also(it, text);
}

pub(super) static CASES: &[Case] = &[
    invalid("record-none", "the policy is served without a record", |it| {
        uncover(it);
        let record = record(it);
        it.remove_txt(&record);
    }),
    invalid("record-two", "there are two records with different ids", |it| beside(it, "v=STSv1; id=2")),
    valid("record-beside-spf", "another TXT record is beside the record", |it| beside(it, "v=spf1 -all")),
    valid("record-alias", "the record is behind a CNAME", |it| {
        text(it, "");
        let (record, target) = (record(it), it.name("sts"));
        it.remove_txt(&record);
        it.records.push(Record::txt(&target, "v=STSv1; id=1"));
        it.records.push(Record::new(&record, RecordData::Cname(target)));
    }),
    valid("record-delimiter", "the record ends in `;`", |it| text(it, "v=STSv1; id=1;")),
    valid("record-delimiter-blank", "the record ends in `; `", |it| text(it, "v=STSv1; id=1; ")),
    valid("record-extension", "the record has an extension field", |it| text(it, "v=STSv1; id=1; x=1")),
    valid("record-two-strings", "the record is split into two character-strings", |it| {
        text(it, "");
        let name = record(it);
        it.remove_txt(&name);
        it.records.push(Record::new(&name, RecordData::Txt(vec![b"v=STSv1; i".to_vec(), b"d=1;".to_vec()])));
    }),
    invalid("record-trailing-blank", "the record ends in a blank without `;`", |it| text(it, "v=STSv1; id=1 ")),
    invalid("record-leading-blank", "the record begins with a blank", |it| text(it, " v=STSv1; id=1")),
    invalid("record-version-case", "the record begins with `V=stsv1`", |it| text(it, "V=stsv1; id=1")),
    invalid("record-no-id", "the record has no id", |it| text(it, "v=STSv1;")),
    invalid("record-id-hyphen", "the id has hyphens", |it| text(it, "v=STSv1; id=2026-11-28")),
    invalid("record-id-long", "the id has 33 characters", |it| {
        text(it, "v=STSv1; id=123456789012345678901234567890123");
    }),
];
