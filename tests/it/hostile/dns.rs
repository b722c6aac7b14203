//! Answers that mean harm, and how each of them ends.

use hickory_resolver::proto::op::Message;
use hickory_resolver::proto::rr::rdata::{ANAME, CNAME, MX};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use stslint::snapshot::{DnsOutcome, FailureKind, Lookup, Snapshot, TxtRecord};

use super::{Case, Peers, all, case, zone};
use crate::peers::{DOMAIN, Zone, answer_to, name, name_server};

const RECORD: &str = "_mta-sts.example.test";

async fn served(name: &'static str, zone: Zone, check: impl Fn(&Snapshot) + Send + 'static) -> Case {
    case(name, DOMAIN, Peers::of(zone.serve().await).await, check)
}

/// One that answers the questions for the record by itself.
async fn answers(
    name: &'static str,
    answer: impl Fn(&Message, &Name) -> Message + Send + Sync + 'static,
    check: impl Fn(&Lookup<TxtRecord>) -> bool + Send + 'static,
) -> Case {
    let zone = zone();
    let resolver = name_server(move |question| {
        let asked = question.queries.first()?.name().clone();
        if crate::peers::name("_mta-sts.example.test").zone_of(&asked)
            || crate::peers::name("loop.test").zone_of(&asked)
        {
            return Some(answer(question, &asked));
        }
        zone.answer(question)
    });
    case(name, DOMAIN, Peers::of(resolver.await).await, move |snapshot| {
        let record = snapshot.record.as_ref().unwrap();
        assert!(check(record), "{name}: {record:?}");
    })
}

/// The record's answer is a failure for a reason, and no absence.
fn fails(record: &Lookup<TxtRecord>, outcome: DnsOutcome, kind: FailureKind) -> bool {
    record.outcome == Some(outcome) && record.failure.as_ref().is_some_and(|failure| failure.kind == kind)
}

fn alias(from: &Name, to: &Name) -> Record {
    Record::from_rdata(from.clone(), 60, RData::CNAME(CNAME(to.clone())))
}

fn record(snapshot: &Snapshot) -> &Lookup<TxtRecord> {
    snapshot.record.as_ref().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_cost_little_and_are_no_absence() {
    let chain = |length: usize| {
        let zone = zone().without(RECORD).cname(RECORD, "0.chain.test");
        (0..length).fold(zone, |zone, number| {
            zone.cname(&format!("{number}.chain.test"), &format!("{}.chain.test", number + 1))
        })
    };
    let strings = |count: usize| zone().without(RECORD).txt(RECORD, &vec![&b"x"[..]; count]);
    let hosts =
        (0..1_000).fold(zone().without(DOMAIN), |zone, number| zone.mx(DOMAIN, number, &format!("m{number}.h.test")));
    let odd = zone()
        .without(DOMAIN)
        .mx(DOMAIN, 1, "a\0b\u{1b}[2J.example.test")
        .mx(DOMAIN, 2, "-.example.test")
        .mx(DOMAIN, 3, "*.example.test")
        .mx(DOMAIN, 4, &format!("{}.example.test", "\u{7f}".repeat(63)));
    let itself =
        zone().without(DOMAIN).mx(DOMAIN, 1, DOMAIN).mx(DOMAIN, 2, RECORD).mx(DOMAIN, 3, "mta-sts.example.test");
    let addresses = (0..1_500_u16).fold(zone().without("mx.example.test"), |zone, number| {
        zone.a("mx.example.test", [127, 99, (number >> 8) as u8, number as u8].into())
    });
    all(vec![
        served("4,000 character-strings", strings(4_000), |it| assert_eq!(record(it).records[0].strings.len(), 4_000))
            .await,
        served("30,000 character-strings", strings(30_000), |it| {
            assert!(fails(record(it), DnsOutcome::Other, FailureKind::Limit), "{:?}", record(it).failure);
        })
        .await,
        served("255 aliases", chain(255), |it| {
            assert!(fails(record(it), DnsOutcome::Other, FailureKind::Protocol), "{:?}", record(it).failure);
        })
        .await,
        served("1,000 MX records", hosts, |it| {
            assert_eq!((it.mx.as_ref().unwrap().records.len(), it.mx_hosts.as_ref().unwrap().len()), (1_000, 32));
        })
        .await,
        served("names of no host", odd, |it| {
            let names: Vec<&str> =
                it.mx.as_ref().unwrap().records.iter().map(|record| record.exchange.as_str()).collect();
            assert!(names.contains(&"a\\000b\\027[2J.example.test"), "{names:?}");
            assert!(names.iter().all(|name| !name.chars().any(char::is_control)), "{names:?}");
        })
        .await,
        served("MX records that lead back", itself, |it| assert_eq!(it.mx_hosts.as_ref().unwrap().len(), 3)).await,
        served("1,500 addresses", addresses, |it| {
            let lookup = it.mx_hosts.as_ref().unwrap()[0].ipv4.as_ref().unwrap();
            assert_eq!((lookup.outcome, lookup.records.len()), (Some(DnsOutcome::Other), 0));
        })
        .await,
        served("a TTL of zero", zone().ttl(0), |it| assert_eq!(record(it).ttl, Some(0))).await,
        served("a TTL beyond all", zone().ttl(u32::MAX), |it| assert!(record(it).ttl.is_some())).await,
        answers(
            "an alias of itself",
            |question, asked| {
                let mut message = answer_to(question);
                message.add_answer(alias(asked, asked));
                message
            },
            |record| fails(record, DnsOutcome::Other, FailureKind::Protocol),
        )
        .await,
        answers(
            "aliases that never meet",
            |question, asked| {
                let mut message = answer_to(question);
                let next = asked.iter().next().map_or(0, |label| label.len() % 9 + 1);
                message.add_answer(alias(asked, &name(&format!("{}{}.loop.test", "a".repeat(next), question.id))));
                message
            },
            |record| fails(record, DnsOutcome::Other, FailureKind::Protocol),
        )
        .await,
        answers(
            "a DNAME that leads into itself",
            |question, asked| {
                let mut message = answer_to(question);
                // Each name below leads to a longer one (RFC 6672 §2.2), with the alias that goes with it.
                message.add_answer(Record::from_rdata(
                    name("loop.test"),
                    60,
                    RData::Unknown {
                        code: RecordType::Unknown(39),
                        rdata: hickory_resolver::proto::rr::rdata::NULL::with(b"\x01x\x04loop\x04test\0".to_vec()),
                    },
                ));
                let longer = Name::from_ascii("x").unwrap().append_domain(&name("loop.test")).unwrap();
                let target = asked.iter().next().map_or_else(
                    || longer.clone(),
                    |label| Name::from_labels([label]).unwrap().append_domain(&longer).unwrap(),
                );
                let target = Name::from_ascii("x").unwrap().append_domain(&target).unwrap_or(longer);
                message.add_answer(alias(asked, &target));
                message
            },
            |record| fails(record, DnsOutcome::Other, FailureKind::Protocol),
        )
        .await,
        answers(
            "a DNAME alone",
            |question, _| {
                let mut message = answer_to(question);
                message.add_answer(Record::from_rdata(
                    name("example.test"),
                    60,
                    RData::ANAME(ANAME(CNAME(name("loop.test")).0)),
                ));
                message
            },
            |record| record.outcome == Some(DnsOutcome::Malformed),
        )
        .await,
        answers(
            "hundreds of aliases at one name",
            |question, asked| {
                let mut message = answer_to(question);
                message.add_answers((0..900).map(|number| alias(asked, &name(&format!("{number}.loop.test")))));
                message
            },
            |record| record.outcome == Some(DnsOutcome::Malformed),
        )
        .await,
        answers(
            "records of another kind",
            |question, asked| {
                let mut message = answer_to(question);
                message
                    .add_answers((0..900).map(|number| {
                        Record::from_rdata(asked.clone(), 60, RData::MX(MX::new(number, asked.clone())))
                    }));
                message
            },
            |record| record.known().is_none_or(<[_]>::is_empty) && record.outcome != Some(DnsOutcome::Answer),
        )
        .await,
    ])
    .await;
}
