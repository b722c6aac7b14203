//! What the collector proves of answers: signed, unsigned and wrongly signed zones, and ways that strip signatures.

#![cfg(feature = "lab")]

use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use hickory_resolver::proto::op::Message;
use hickory_resolver::proto::rr::RecordType;
use stslint::lab::{Dnssec, Lab, LabOptions, Scenario};
use stslint::snapshot::{DnsOutcome, DnssecProof, Snapshot};
use stslint::{Collector, CollectorOptions, DnssecMode, DomainName, ResolverChoice, Roots};
use tokio::net::UdpSocket;

async fn lab() -> Lab {
    let zone = |domain: &str, dnssec: Dnssec| {
        let mut scenario = Scenario::good(domain);
        scenario.dnssec = dnssec;
        scenario
    };
    let options = LabOptions::empty(SystemTime::now())
        .with(zone("secure.example", Dnssec::Secure))
        .with(zone("insecure.example", Dnssec::Insecure))
        .with(zone("bogus.example", Dnssec::Bogus));
    Lab::start(options).await.unwrap()
}

async fn collect(lab: &Lab, resolver: SocketAddr, dnssec: DnssecMode, domain: &str) -> Snapshot {
    collect_from(lab, lab.trust_anchor(), resolver, dnssec, domain).await
}

async fn collect_from(
    lab: &Lab,
    trust_anchor: &str,
    resolver: SocketAddr,
    dnssec: DnssecMode,
    domain: &str,
) -> Snapshot {
    let folder = tempfile::tempdir().unwrap();
    let (roots, anchor) = (folder.path().join("roots.pem"), folder.path().join("anchor"));
    std::fs::write(&roots, lab.roots_pem()).unwrap();
    std::fs::write(&anchor, trust_anchor).unwrap();
    let mut options = CollectorOptions::default();
    options.resolver = ResolverChoice::Address(resolver);
    options.dnssec = dnssec;
    options.trust_anchor = Some(anchor);
    options.roots = Roots::File(roots);
    options.https_port = lab.https_port();
    options.smtp_port = lab.smtp_port();
    options.timeout = Duration::from_secs(3);

    Collector::new(options).unwrap().collect(&DomainName::parse(domain).unwrap()).await
}

/// What is proven of records that are there, and of one that is not.
fn proofs(snapshot: &Snapshot) -> [(Option<DnsOutcome>, Option<DnssecProof>); 3] {
    let (record, mx, parent) =
        (snapshot.record.as_ref().unwrap(), snapshot.mx.as_ref().unwrap(), &snapshot.misplaced.as_ref().unwrap()[1]);
    [(record.outcome, record.dnssec), (mx.outcome, mx.dnssec), (parent.outcome, parent.dnssec)]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_zone_is_what_its_signatures_prove() {
    let lab = lab().await;
    for (domain, proof) in [
        ("secure.example", DnssecProof::Secure),
        ("insecure.example", DnssecProof::Insecure),
        ("bogus.example", DnssecProof::Bogus),
    ] {
        let snapshot = collect(&lab, lab.resolver(), DnssecMode::Validate, domain).await;
        let [record, mx, absent] = proofs(&snapshot);
        assert_eq!(record, (Some(DnsOutcome::Answer), Some(proof)), "{domain}");
        assert_eq!(mx, (Some(DnsOutcome::Answer), Some(proof)), "{domain}");
        assert_eq!(absent.1, Some(proof), "{domain}: {absent:?}");
        assert!(matches!(absent.0, Some(DnsOutcome::Nodata | DnsOutcome::Nxdomain)), "{domain}: {absent:?}");
        let host = &snapshot.mx_hosts.as_ref().unwrap()[0];
        assert_eq!(host.ipv4.as_ref().unwrap().dnssec, Some(proof), "{domain}");
        assert!(host.tlsa.as_ref().unwrap().dnssec.is_some());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alias_and_what_it_does_not_lead_to_are_proven_apart() {
    let mut scenario = Scenario::good("alias.example");
    scenario.remove_txt("_smtp._tls.alias.example");
    let alias = |target: &str| stslint::lab::RecordData::Cname(target.to_owned());
    let mut record = scenario.records[0].clone();
    record.name = "_smtp._tls.alias.example".to_owned();
    record.data = alias("mx1.alias.example");
    scenario.records.push(record.clone());
    record.name = "_mta_sts.alias.example".to_owned();
    record.data = alias("gone.alias.example");
    scenario.records.push(record);
    let lab = Lab::start(LabOptions::empty(SystemTime::now()).with(scenario)).await.unwrap();
    let snapshot = collect(&lab, lab.resolver(), DnssecMode::Validate, "alias.example").await;
    let tlsrpt = snapshot.tlsrpt.as_ref().unwrap();
    assert_eq!((tlsrpt.outcome, tlsrpt.aliases.len()), (Some(DnsOutcome::Nodata), 1));
    assert_eq!(tlsrpt.dnssec, Some(DnssecProof::Secure));
    let gone = snapshot.misplaced.as_ref().unwrap().iter().find(|lookup| !lookup.aliases.is_empty()).unwrap();
    assert_eq!((gone.outcome, gone.dnssec), (Some(DnsOutcome::Nxdomain), Some(DnssecProof::Secure)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_answer_of_a_wildcard_is_proven() {
    let mut scenario = Scenario::good("wild.example");
    scenario.remove_txt("_mta-sts.wild.example");
    scenario.records.push(stslint::lab::Record::txt("*.wild.example", "v=STSv1; id=20260901T120000"));
    let lab = Lab::start(LabOptions::empty(SystemTime::now()).with(scenario)).await.unwrap();
    let snapshot = collect(&lab, lab.resolver(), DnssecMode::Validate, "wild.example").await;
    let record = snapshot.record.as_ref().unwrap();
    assert_eq!((record.outcome, record.dnssec), (Some(DnsOutcome::Answer), Some(DnssecProof::Secure)), "{record:?}");
    // The names of the wildcard have no other records, which is proven as well.
    let absent = snapshot.ipv6.as_ref().unwrap();
    assert_eq!((absent.outcome, absent.dnssec), (Some(DnsOutcome::Nodata), Some(DnssecProof::Secure)), "{absent:?}");
    let no_tlsa = snapshot.mx_hosts.as_ref().unwrap()[0].tlsa.as_ref().unwrap();
    assert_eq!(no_tlsa.dnssec, Some(DnssecProof::Secure), "{no_tlsa:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_proven_outside_of_the_anchors_zone() {
    let lab = lab().await;
    let elsewhere = lab.trust_anchor().trim_start().replacen('.', "elsewhere.example.", 1);
    let snapshot = collect_from(&lab, &elsewhere, lab.resolver(), DnssecMode::Validate, "secure.example").await;
    assert!(proofs(&snapshot).iter().all(|(_, proof)| *proof == Some(DnssecProof::Indeterminate)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_way_that_strips_signatures_proves_nothing() {
    let lab = lab().await;
    let stripping = stripping(lab.resolver()).await;
    for domain in ["secure.example", "insecure.example", "bogus.example"] {
        let snapshot = collect(&lab, stripping, DnssecMode::Validate, domain).await;
        for (outcome, proof) in proofs(&snapshot) {
            assert_eq!(proof, Some(DnssecProof::Indeterminate), "{domain}: {outcome:?}");
        }
        assert!(snapshot.policy.unwrap().is_some(), "the collection itself goes on");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_without_the_ad_bit_is_not_insecure_by_ignorance() {
    let lab = lab().await;
    let snapshot = collect(&lab, lab.resolver(), DnssecMode::TrustAd, "secure.example").await;
    assert_eq!(proofs(&snapshot)[0].1, Some(DnssecProof::Indeterminate));
    let snapshot = collect(&lab, lab.resolver(), DnssecMode::Off, "bogus.example").await;
    assert_eq!(proofs(&snapshot)[0].1, Some(DnssecProof::Unchecked));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ttl_is_the_one_of_the_signature_and_not_what_a_cache_has_left() {
    let lab = lab().await;
    let seen = |snapshot: &Snapshot| {
        let (record, mx) = (snapshot.record.as_ref().unwrap(), snapshot.mx.as_ref().unwrap());
        [(record.ttl, record.ttl_at_least), (mx.ttl, mx.ttl_at_least)]
    };
    let published = seen(&collect(&lab, lab.resolver(), DnssecMode::Validate, "secure.example").await);
    assert!(published.iter().all(|(ttl, at_least)| ttl.is_some_and(|ttl| ttl > 7) && !at_least), "{published:?}");
    let cache = caching(lab.resolver()).await;
    let signed = collect(&lab, cache, DnssecMode::Validate, "secure.example").await;
    assert_eq!(seen(&signed), published);
    assert_eq!(signed.record.unwrap().dnssec, Some(DnssecProof::Secure));
    let unsigned = collect(&lab, cache, DnssecMode::Validate, "insecure.example").await;
    assert_eq!(seen(&unsigned), [(Some(7), true); 2]);
}

/// A forwarder that takes everything of DNSSEC out of the answers, as some home routers do.
async fn stripping(resolver: SocketAddr) -> SocketAddr {
    forwarding(resolver, |message| {
        for section in [&mut message.answers, &mut message.authorities] {
            section.retain(|record| !record.record_type().is_dnssec() || record.record_type() == RecordType::DNSKEY);
        }
    })
    .await
}

/// A forwarder that answers as a cache whose records have seven seconds left.
async fn caching(resolver: SocketAddr) -> SocketAddr {
    forwarding(resolver, |message| {
        message.metadata.authoritative = false;
        message.answers.iter_mut().for_each(|record| record.ttl = 7);
    })
    .await
}

/// A forwarder that changes the answers.
async fn forwarding(resolver: SocketAddr, change: fn(&mut Message)) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let socket = std::sync::Arc::new(socket);
        let mut buffer = [0; 4096];
        while let Ok((length, peer)) = socket.recv_from(&mut buffer).await {
            let question = buffer[..length].to_vec();
            let socket = socket.clone();
            tokio::spawn(async move {
                let upstream = UdpSocket::bind("127.0.0.1:0").await.unwrap();
                upstream.send_to(&question, resolver).await.unwrap();
                let mut answer = [0; 4096];
                let length = upstream.recv(&mut answer).await.unwrap();
                let mut message = Message::from_vec(&answer[..length]).unwrap();
                change(&mut message);
                socket.send_to(&message.to_vec().unwrap(), peer).await.unwrap();
            });
        }
    });
    address
}
