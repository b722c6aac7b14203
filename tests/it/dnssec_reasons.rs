//! Why an answer is bogus, what DNAMEs and unsupported zones come to, and what resolvers say beside their answers, through the
//! binary.

#![cfg(feature = "lab")]

use std::net::SocketAddr;
use std::time::SystemTime;

use hickory_resolver::proto::dnssec::rdata::{DNSSECRData, NSEC3, RRSIG};
use hickory_resolver::proto::dnssec::{Algorithm, PublicKey};
use hickory_resolver::proto::op::{Edns, Message, Query, ResponseCode};
use hickory_resolver::proto::rr::rdata::CNAME;
use hickory_resolver::proto::rr::rdata::opt::EdnsOption;
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType, SerialNumber};
use serde_json::Value;
use stslint::lab::{self, Dnssec, Lab, LabOptions, RecordData, Scenario};
use tokio::net::UdpSocket;

/// What a collection through `resolver` sees, and what is said of it.
async fn seen(lab: &Lab, resolver: SocketAddr, domain: &str) -> (Value, Value) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("roots.pem"), lab.roots_pem()).unwrap();
    std::fs::write(folder.path().join("anchor"), lab.trust_anchor()).unwrap();
    let mut command = assert_cmd::Command::cargo_bin("stslint").unwrap();
    command.current_dir(folder.path()).args([
        "collect",
        domain,
        "-o",
        "seen.json",
        "--authoritative=false",
        "--no-smtp",
    ]);
    command.args(["--roots", "roots.pem", "--trust-anchor", "anchor", "--timeout", "3"]);
    command.args(["--resolver", &resolver.to_string(), "--https-port", &lab.https_port().to_string()]);
    tokio::task::spawn_blocking(move || {
        command.assert().success();
        let file = folder.path().join("seen.json");
        let snapshot = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        let mut command = assert_cmd::Command::cargo_bin("stslint").unwrap();
        command.args(["--no-config", "check", "--format", "json", "--snapshot"]).arg(&file);
        let report: Value = serde_json::from_slice(&command.output().unwrap().stdout).unwrap();
        (snapshot, report["results"][0]["checks"].clone())
    })
    .await
    .unwrap()
}

/// The messages of a rule about the query for the record.
fn message(checks: &Value, rule: &str) -> String {
    let about = |check: &&Value| {
        check["rule"] == rule && check["subject"].as_str().is_some_and(|subject| subject.contains("_mta-sts"))
    };
    let check = checks.as_array().unwrap().iter().find(about);
    check.and_then(|check| check["message"].as_str()).unwrap_or_default().to_owned()
}

async fn lab_of(scenarios: Vec<Scenario>) -> Lab {
    Lab::start(scenarios.into_iter().fold(LabOptions::empty(SystemTime::now()), LabOptions::with)).await.unwrap()
}

fn zone(domain: &str, dnssec: Dnssec) -> Scenario {
    let mut scenario = Scenario::good(domain);
    scenario.dnssec = dnssec;
    scenario
}

/// A resolver in front of another that changes its answers, or answers by itself.
async fn between(
    resolver: SocketAddr,
    change: impl Fn(&Message, Message) -> Message + Clone + Send + Sync + 'static,
) -> SocketAddr {
    let socket = std::sync::Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut buffer = [0; 4096];
        while let Ok((length, peer)) = socket.recv_from(&mut buffer).await {
            let question = buffer[..length].to_vec();
            let (socket, change) = (socket.clone(), change.clone());
            tokio::spawn(async move {
                let answer = asked(resolver, &question).await;
                let answer = change(&Message::from_vec(&question).unwrap(), answer);
                socket.send_to(&answer.to_vec().unwrap(), peer).await.unwrap();
            });
        }
    });
    address
}

async fn asked(resolver: SocketAddr, question: &[u8]) -> Message {
    let upstream = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    upstream.send_to(question, resolver).await.unwrap();
    let mut answer = [0; 4096];
    let length = upstream.recv(&mut answer).await.unwrap();
    Message::from_vec(&answer[..length]).unwrap()
}

fn is_about(question: &Message, name: &str) -> bool {
    question.queries[0].name() == &Name::from_ascii(name).unwrap()
}

fn covers(record: &Record, kind: RecordType) -> bool {
    matches!(&record.data, RData::DNSSEC(DNSSECRData::RRSIG(rrsig)) if rrsig.input().type_covered == kind)
}

/// The same signature with other dates, in seconds since 1970.
fn dated(record: &mut Record, from: u32, until: u32) {
    let RData::DNSSEC(DNSSECRData::RRSIG(rrsig)) = &record.data else { return };
    let mut input = rrsig.input().clone();
    (input.sig_inception, input.sig_expiration) = (SerialNumber::new(from), SerialNumber::new(until));
    let signature = hickory_resolver::proto::dnssec::rdata::RRSIG::from_sig(input, rrsig.sig().to_vec());
    record.data = RData::DNSSEC(DNSSECRData::RRSIG(signature));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_reason_of_a_bogus_answer_is_kept_and_told() {
    const RECORD: &str = "_mta-sts.signed.example.";
    let lab = lab_of(vec![zone("signed.example", Dnssec::Secure), zone("bogus.example", Dnssec::Bogus)]).await;
    let changed = async |change: fn(&mut Message)| {
        between(lab.resolver(), move |question, mut answer| {
            if is_about(question, RECORD) {
                change(&mut answer);
            }
            answer
        })
        .await
    };
    let unsigned = changed(|answer| answer.answers.retain(|record| !covers(record, RecordType::TXT))).await;
    let expired =
        changed(|answer| answer.answers.iter_mut().for_each(|record| dated(record, 1_000, 1_600_000_000))).await;
    let future =
        changed(|answer| answer.answers.iter_mut().for_each(|record| dated(record, 2_500_000_000, 2_600_000_000)));
    let future = future.await;
    let forged = changed(|answer| {
        let text = hickory_resolver::proto::rr::rdata::TXT::new(vec!["v=STSv1; id=forged".to_owned()]);
        answer.answers.iter_mut().filter(|record| record.record_type() == RecordType::TXT).for_each(|record| {
            record.data = RData::TXT(text.clone());
        });
    })
    .await;
    let denied = changed(|answer| {
        answer.answers.clear();
        answer.authorities.clear();
    })
    .await;
    for (domain, resolver, kind, said) in [
        ("bogus.example", lab.resolver(), "ds_mismatch", "the DS record of bogus.example at its parent"),
        ("signed.example", unsigned, "missing_signature", "the TXT record of _mta-sts.signed.example is not signed"),
        ("signed.example", expired, "expired", "expired at 2020-09-13T12:26:40Z"),
        ("signed.example", future, "not_yet_valid", "is valid only from 2049-03-22T04:26:40Z"),
        (
            "signed.example",
            forged,
            "wrong_signature",
            "the signature of the TXT record of _mta-sts.signed.example is wrong",
        ),
        ("signed.example", denied, "missing_denial", "nothing proves that _mta-sts.signed.example has no TXT record"),
    ] {
        let (snapshot, checks) = seen(&lab, resolver, domain).await;
        let record = &snapshot["record"];
        assert_eq!((&record["dnssec"], &record["dnssec_reason"]["kind"]), (&"bogus".into(), &kind.into()), "{record}");
        let told = message(&checks, "dns-bogus");
        assert!(told.contains(said), "{kind}: {told}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_resolver_says_beside_its_answer_is_recorded_and_told() {
    let lab = lab_of(vec![zone("bogus.example", Dnssec::Bogus), zone("lame.example", Dnssec::Secure)]).await;
    let resolver = between(lab.resolver(), |question, mut answer| {
        let mut edns = Edns::new();
        if is_about(question, "_mta-sts.bogus.example.") && !question.metadata.checking_disabled {
            edns.options_mut().insert(EdnsOption::Unknown(15, b"\x00\x09no SEP matching the DS found".to_vec()));
            answer.metadata.response_code = ResponseCode::ServFail;
            answer.answers.clear();
        } else if is_about(question, "_mta-sts.lame.example.") {
            edns.options_mut().insert(EdnsOption::Unknown(15, vec![0, 22]));
            answer.metadata.response_code = ResponseCode::ServFail;
            answer.answers.clear();
        }
        answer.edns = Some(edns);
        answer
    })
    .await;
    let (snapshot, checks) = seen(&lab, resolver, "bogus.example").await;
    assert_eq!(snapshot["record"]["extended_errors"][0]["code"], 9, "{}", snapshot["record"]);
    let told = message(&checks, "dns-bogus");
    assert!(told.contains("The resolver says: DNSKEY Missing (9): no SEP matching the DS found"), "{told}");
    let (snapshot, checks) = seen(&lab, resolver, "lame.example").await;
    assert_eq!(snapshot["record"]["extended_errors"], serde_json::json!([{ "code": 22 }]), "{}", snapshot["record"]);
    let told = message(&checks, "dns-answer");
    assert!(told.contains("the resolver says: No Reachable Authority (22)"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_zone_that_is_not_supported_here_is_not_unsigned() {
    let lab =
        lab_of(vec![zone("curve.example", Dnssec::WithEd448), zone("slow.example", Dnssec::ManyIterations)]).await;
    let (snapshot, _) = seen(&lab, lab.resolver(), "curve.example").await;
    let record = &snapshot["record"];
    assert_eq!((&record["dnssec"], &record["dnssec_reason"]["kind"]), (&"indeterminate".into(), &"unsupported".into()));
    assert!(
        record["dnssec_reason"]["detail"].as_str().unwrap().contains("curve.example is signed with Ed448"),
        "{record}"
    );
    let (snapshot, checks) = seen(&lab, lab.resolver(), "slow.example").await;
    assert_eq!(snapshot["record"]["dnssec"], "secure", "{}", snapshot["record"]);
    let absent = &snapshot["ipv6"];
    assert_eq!((&absent["dnssec"], &absent["dnssec_reason"]["kind"]), (&"indeterminate".into(), &"unsupported".into()));
    assert!(absent["dnssec_reason"]["detail"].as_str().unwrap().contains("150 iterations of NSEC3"), "{absent}");
    assert_eq!(message(&checks, "dns-bogus"), "");
}

/// A zone with a key of Ed448 (RFC 8080) beside the one that its parent vouches for.
fn zone_with_ed448_key(domain: &str) -> Scenario {
    let mut scenario = Scenario::good(domain);
    scenario.records.push(lab::Record::new(domain, RecordData::Dnskey { algorithm: 16, key: vec![7; 57] }));
    scenario
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_signed_with_ed448_alone_is_neither_bogus_nor_unsigned() {
    let lab = lab_of(vec![zone_with_ed448_key("curve.example")]).await;
    // The second key does no harm to what the first has signed.
    let (snapshot, _) = seen(&lab, lab.resolver(), "curve.example").await;
    assert_eq!(snapshot["record"]["dnssec"], "secure", "{}", snapshot["record"]);
    let tag = |message: &Message| {
        let key = message.answers.iter().find_map(|record| match &record.data {
            RData::DNSSEC(DNSSECRData::DNSKEY(key)) if u8::from(key.public_key().algorithm()) == 16 => Some(key),
            _ => None,
        });
        key.unwrap().calculate_key_tag().unwrap()
    };
    let mut query = Message::query();
    query.add_query(Query::query(Name::from_ascii("curve.example.").unwrap(), RecordType::DNSKEY));
    let tag = tag(&asked(lab.resolver(), &query.to_vec().unwrap()).await);
    // All but the keys is signed by that second key, as far as anybody here can tell.
    let with_ed448 = move |rrsig: &RRSIG| {
        let mut input = rrsig.input().clone();
        (input.algorithm, input.key_tag) = (Algorithm::from_u8(16), tag);
        RRSIG::from_sig(input, vec![7; 114])
    };
    let resolver = between(lab.resolver(), move |_, mut answer| {
        for record in answer.answers.iter_mut().chain(&mut answer.authorities) {
            if let RData::DNSSEC(DNSSECRData::RRSIG(rrsig)) = &mut record.data
                && rrsig.input().type_covered != RecordType::DNSKEY
                && rrsig.input().signer_name == Name::from_ascii("curve.example.").unwrap()
            {
                *rrsig = with_ed448(rrsig);
            }
        }
        answer
    })
    .await;
    let (snapshot, checks) = seen(&lab, resolver, "curve.example").await;
    for lookup in [&snapshot["record"], &snapshot["mx"], &snapshot["ipv6"], &snapshot["misplaced"][0]] {
        let reason = &lookup["dnssec_reason"];
        assert_eq!((&lookup["dnssec"], &reason["kind"]), (&"indeterminate".into(), &"unsupported".into()), "{lookup}");
        assert!(
            reason["detail"].as_str().unwrap().ends_with("signed with Ed448 alone, which is not supported here"),
            "{reason}"
        );
    }
    assert_eq!(message(&checks, "dns-bogus"), "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_absence_that_takes_too_many_iterations_is_not_supported_here() {
    let lab = lab_of(vec![zone("slow.example", Dnssec::ManyIterations)]).await;
    let resolver = between(lab.resolver(), |_, mut answer| {
        for record in &mut answer.authorities {
            if let RData::DNSSEC(DNSSECRData::NSEC3(nsec3)) = &mut record.data {
                let (algorithm, types) = (nsec3.hash_algorithm(), nsec3.type_bit_maps().collect::<Vec<_>>());
                let next = nsec3.next_hashed_owner_name().to_vec();
                *nsec3 = NSEC3::new(algorithm, false, 2_500, Vec::new(), next, types);
            }
        }
        answer
    })
    .await;
    let (snapshot, checks) = seen(&lab, resolver, "slow.example").await;
    let absent = &snapshot["ipv6"];
    assert_eq!((&absent["dnssec"], &absent["dnssec_reason"]["kind"]), (&"indeterminate".into(), &"unsupported".into()));
    assert!(absent["dnssec_reason"]["detail"].as_str().unwrap().contains("2500 iterations of NSEC3"), "{absent}");
    assert_eq!(message(&checks, "dns-bogus"), "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_dname_leads_to_is_proven_and_so_is_what_its_owner_lacks() {
    // All below `_tls` is below another name, in the same zone.
    let mut scenario = Scenario::good("renamed.example");
    scenario.records.retain(|record| record.name != "_smtp._tls.renamed.example");
    let text = "v=TLSRPTv1; rua=mailto:tls@reports.example";
    scenario.records.push(lab::Record::txt("_smtp.reports.renamed.example", text));
    let dname = RecordData::Dname("reports.renamed.example".to_owned());
    scenario.records.push(lab::Record::new("_tls.renamed.example", dname));
    let lab = lab_of(vec![scenario]).await;
    let upstream = lab.resolver();
    let socket = std::sync::Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut buffer = [0; 4096];
        while let Ok((length, peer)) = socket.recv_from(&mut buffer).await {
            let question = buffer[..length].to_vec();
            let socket = socket.clone();
            tokio::spawn(async move {
                let answer = substituting(upstream, &question).await;
                socket.send_to(&answer.to_vec().unwrap(), peer).await.unwrap();
            });
        }
    });
    let (snapshot, checks) = seen(&lab, address, "renamed.example").await;
    let tlsrpt = &snapshot["tlsrpt"];
    assert_eq!(tlsrpt["aliases"][0]["target"], "_smtp.reports.renamed.example", "{tlsrpt}");
    assert_eq!((&tlsrpt["outcome"], &tlsrpt["dnssec"]), (&"answer".into(), &"secure".into()), "{tlsrpt}");
    let misplaced = snapshot["misplaced"].as_array().unwrap();
    let owner = misplaced.iter().find(|lookup| lookup["name"] == "_tls.renamed.example").unwrap();
    assert_eq!((&owner["outcome"], &owner["dnssec"]), (&"nodata".into(), &"secure".into()), "{owner}");
    assert_eq!(message(&checks, "dns-bogus"), "");
}

/// The answer of a resolver that substitutes names by the DNAME at `_tls.renamed.example` (RFC 6672 §3.1).
async fn substituting(upstream: SocketAddr, question: &[u8]) -> Message {
    let asked_for = Message::from_vec(question).unwrap();
    let owner = Name::from_ascii("_tls.renamed.example.").unwrap();
    let name = asked_for.queries[0].name().clone();
    if name == owner || !owner.zone_of(&name) {
        return asked(upstream, question).await;
    }
    let put = async |name: &Name, kind: RecordType| {
        let mut query = asked_for.clone();
        query.queries[0].set_name(name.clone());
        query.queries[0].set_query_type(kind);
        asked(upstream, &query.to_vec().unwrap()).await
    };
    let target = Name::from_ascii("_smtp.reports.renamed.example.").unwrap();
    let dname = put(&owner, RecordType::DNAME).await;
    let found = put(&target, asked_for.queries[0].query_type()).await;
    let mut answer = Message::response(asked_for.id, asked_for.op_code);
    answer.add_queries(asked_for.queries.clone());
    answer.add_answers(dname.answers);
    answer.add_answer(Record::from_rdata(name, 300, RData::CNAME(CNAME(target))));
    answer.add_answers(found.answers);
    answer.metadata.recursion_available = true;
    answer.edns = Some(Edns::new());
    answer
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_labs_own_internet_proves_names_that_do_not_exist() {
    let lab = Lab::start(LabOptions::demo(SystemTime::now())).await.unwrap();
    // The policy host, asked about as a domain: everything about it is absent.
    let (snapshot, checks) = seen(&lab, lab.resolver(), "mta-sts.perfect.example").await;
    let failed = |check: &&Value| check["rule"] == "dns-bogus" && check["outcome"] == "fail";
    assert_eq!(checks.as_array().unwrap().iter().find(failed), None);
    for lookup in ["mx", "record", "tlsrpt"] {
        assert_eq!(snapshot[lookup]["dnssec"], "secure", "{}", snapshot[lookup]);
    }
}
