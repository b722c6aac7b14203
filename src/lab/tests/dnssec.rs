//! What a resolver that validates makes of the lab.

use hickory_server::proto::dnssec::{Proof, TrustAnchors};

use super::*;

/// Looks a name up and proves the answer from the lab's trust anchor.
async fn validated(lab: &Lab, name: &str, kind: RecordType) -> Result<Vec<Proof>, NetError> {
    let anchor: TrustAnchors = lab.trust_anchor().parse().unwrap();
    let mut builder = dns::resolver_builder(lab).with_trust_anchor(Arc::new(anchor));
    builder.options_mut().validate = true;
    let lookup = builder.build().unwrap().lookup(format!("{name}."), kind).await?;
    Ok(lookup.answers().iter().filter(|record| record.record_type() == kind).map(|record| record.proof).collect())
}

/// Looks for what is not there, and says how well that is proven.
async fn denied(lab: &Lab, name: &str, kind: RecordType) -> Vec<Proof> {
    match validated(lab, name, kind).await {
        Err(NetError::Dns(DnsError::NoRecordsFound(no_records))) => {
            no_records.authorities.unwrap().iter().map(|record| record.proof).collect()
        }
        other => panic!("{name} {kind}: {other:?}"),
    }
}

#[tokio::test]
async fn proves_every_record_of_a_domain() {
    let lab = lab([built_in("perfect"), built_in("delegated")]).await;
    for (name, kind) in [
        ("perfect.example", RecordType::MX),
        ("perfect.example", RecordType::DS),
        ("_mta-sts.perfect.example", RecordType::TXT),
        ("_smtp._tls.perfect.example", RecordType::TXT),
        ("mta-sts.perfect.example", RecordType::A),
        ("mx1.perfect.example", RecordType::A),
        (BACKUP_MX, RecordType::A),
        ("_mta-sts.delegated.example", RecordType::TXT),
        ("mta-sts.delegated.example", RecordType::A),
    ] {
        let proofs = validated(&lab, name, kind).await.unwrap();
        assert!(!proofs.is_empty(), "{name} {kind}");
        assert!(proofs.iter().all(|proof| *proof == Proof::Secure), "{name} {kind}: {proofs:?}");
    }
}

#[tokio::test]
async fn proves_that_what_is_asked_for_in_vain_is_not_there() {
    let lab = Lab::start(LabOptions::demo(SystemTime::now())).await.unwrap();
    let misplaced = ["_tls", "_smtp-tls", "_smtp_tls", "_smtp-tlsrpt", "_tlsrpt", "_smtp._tcp", "mta-sts", "nobody"];
    let misplaced = misplaced.map(|labels| (format!("{labels}.perfect.example"), RecordType::TXT));
    let others = [
        ("_25._tcp.mx1.perfect.example", RecordType::TLSA),
        ("_25._tcp.mx1.in.backup-mx.example", RecordType::TLSA),
        ("_25._tcp.mx1.mx-dangling.example", RecordType::TLSA),
        ("_25._tcp.implicit-mx.example", RecordType::TLSA),
        ("_mta-sts.example", RecordType::TXT),
        ("_mta-sts.no-record.example", RecordType::TXT),
        ("_smtp._tls.no-tlsrpt.example", RecordType::TXT),
        ("implicit-mx.example", RecordType::MX),
        ("mta-sts.delegated.example", RecordType::AAAA),
        ("mta-sts.no-host.example", RecordType::A),
        ("mx1.mx-dangling.example", RecordType::A),
        ("mx1.perfect.example", RecordType::AAAA),
        ("mx1.perfect.example", RecordType::DS),
        ("perfect.example", RecordType::A),
    ];
    let others = others.map(|(name, kind)| (name.to_owned(), kind));
    for (name, kind) in misplaced.into_iter().chain(others) {
        let proofs = denied(&lab, &name, kind).await;
        assert!(proofs.iter().all(|proof| *proof == Proof::Secure), "{name} {kind}: {proofs:?}");
    }
}

#[tokio::test]
async fn an_unsigned_zone_is_insecure() {
    let mut scenario = Scenario::good("odd.example");
    scenario.dnssec = Dnssec::Insecure;
    let lab = lab([scenario]).await;
    let proofs = validated(&lab, "_mta-sts.odd.example", RecordType::TXT).await.unwrap();
    assert_eq!(proofs, [Proof::Insecure]);
}

#[tokio::test]
async fn a_zone_signed_with_the_wrong_key_is_bogus() {
    let mut scenario = Scenario::good("odd.example");
    scenario.dnssec = Dnssec::Bogus;
    let lab = lab([scenario]).await;
    let outcome = validated(&lab, "_mta-sts.odd.example", RecordType::TXT).await;
    assert!(matches!(outcome, Err(NetError::Dns(DnsError::DnssecBogus))), "{outcome:?}");
}

#[tokio::test]
async fn a_domain_below_another_is_proven_too() {
    let lab = lab([Scenario::good("odd.example"), Scenario::good("sub.odd.example")]).await;
    let proofs = validated(&lab, "_mta-sts.sub.odd.example", RecordType::TXT).await.unwrap();
    assert_eq!(proofs, [Proof::Secure]);
}

#[tokio::test]
async fn publishes_the_digest_of_a_hosts_key() {
    let mut digests = Vec::new();
    for dane in [Dane::Matches, Dane::Differs] {
        let mut scenario = Scenario::good("odd.example");
        scenario.mx_hosts[0].dane = Some(dane);
        let lab = lab([scenario]).await;
        let lookup = dns::resolver_builder(&lab).build().unwrap();
        let lookup = lookup.lookup("_25._tcp.mx1.odd.example.", RecordType::TLSA).await.unwrap();
        let RData::TLSA(tlsa) = &lookup.answers()[0].data else {
            panic!("{lookup:?}");
        };
        let stream = smtp::starttls(&lab, "mx1.odd.example").await.unwrap();
        let leaf = &stream.get_ref().1.peer_certificates().unwrap()[0];
        let (_, leaf) = x509_parser::parse_x509_certificate(leaf).unwrap();
        let digest = ::ring::digest::digest(&::ring::digest::SHA256, leaf.public_key().raw);
        digests.push(tlsa.cert_data == digest.as_ref());
    }
    assert_eq!(digests, [true, false]);
}
