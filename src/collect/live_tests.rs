//! What the collector sees of servers on loopback that are right, or wrong in ways that people meet.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use hickory_resolver::proto::op::ResponseCode;
use rcgen::{CertificateParams, ExtendedKeyUsagePurpose};
use tokio::io::AsyncWriteExt;

use super::testing::{
    Authority, DOMAIN, LOOPBACK, POLICY, Zone, closed_port, collect, https, listen, options, response, smtp,
};
use super::{Collector, DnssecMode, Families};
use crate::snapshot::{DnsOutcome, DnssecProof, FailureKind, Format, Octets, Snapshot, TlsVersion, TrustVerdict};

/// A healthy domain's servers, and the options that lead to them.
async fn healthy(zone: Zone) -> (super::Options, Authority) {
    let authority = Authority::new();
    let policy_host = authority.identity(&["mta-sts.example.test"]).acceptor();
    let served = response("200 OK", "Content-Type: text/plain\r\nX-B: 2\r\nX-A: 1\r\n", POLICY);
    let https_port = https(policy_host, served).await;
    let smtp_port = smtp(authority.identity(&["mx.example.test"]).acceptor()).await;
    (options(zone.serve().await, authority.roots(), https_port, smtp_port), authority)
}

#[tokio::test]
async fn a_healthy_domain_is_seen_whole() {
    let (options, _authority) = healthy(Zone::healthy()).await;
    let collector = Collector::new(options).unwrap();
    let snapshot = collector.collect(DOMAIN, "2026-01-02T03:04:05Z".parse().unwrap()).await;
    assert_eq!(snapshot.collected_at.as_deref(), Some("2026-01-02T03:04:05Z"));
    let record = snapshot.record.as_ref().unwrap();
    assert_eq!(
        (record.outcome, record.ttl, record.dnssec),
        (Some(DnsOutcome::Answer), Some(300), Some(DnssecProof::Unchecked))
    );
    assert_eq!(record.records[0].joined(), b"v=STSv1; id=1;");
    assert_eq!(snapshot.ipv4.as_ref().unwrap().outcome, Some(DnsOutcome::Nodata));

    let policy = snapshot.policy.as_ref().unwrap().as_ref().unwrap();
    assert_eq!((policy.body.lossy().as_ref(), policy.truncated), (POLICY, false));
    let probe = &snapshot.policy_host.as_ref().unwrap().probes.as_ref().unwrap()[0];
    assert_eq!((probe.connected, &probe.failure), (Some(true), &None));
    let tls = probe.tls.as_ref().unwrap();
    assert!(tls.handshake);
    assert_eq!(tls.version, Some(TlsVersion::Tls13));
    assert_eq!(tls.cipher.as_deref(), Some("TLS_AES_256_GCM_SHA384"));
    assert_eq!(tls.trust.as_ref().unwrap().verdict, TrustVerdict::Trusted);
    assert_eq!(tls.verifier.as_deref(), Some("ok"));
    assert_eq!(tls.chain[0].dns_ids, ["mta-sts.example.test"]);
    assert_eq!((tls.chain[0].key_algorithm.as_deref(), tls.chain[0].key_bits), (Some("EC"), Some(256)));
    let http = probe.response.as_ref().unwrap();
    assert_eq!((http.status, http.version.as_deref(), &http.body), (200, Some("HTTP/1.1"), &None));
    let names: Vec<_> = http.headers.iter().map(|header| header.name.as_str()).collect();
    assert_eq!(names, ["content-type", "x-b", "x-a", "content-length"]);

    let host = &snapshot.mx_hosts.as_ref().unwrap()[0];
    assert_eq!(host.tlsa.as_ref().unwrap().outcome, Some(DnsOutcome::Nxdomain));
    let probe = &host.probes.as_ref().unwrap()[0];
    assert_eq!(probe.failure, None, "{:?}", probe.transcript);
    assert_eq!(probe.greeting.as_ref().unwrap().lines, ["mx.example.test ESMTP"]);
    assert_eq!(probe.ehlo.as_ref().unwrap().lines, ["mx.example.test", "SIZE 1000", "starttls"]);
    assert_eq!(probe.after_starttls, Some(Octets::default()));
    let tls = probe.tls.as_ref().unwrap();
    assert_eq!((tls.server_name.as_deref(), tls.verifier.as_deref()), (Some("mx.example.test"), Some("ok")));
    assert_eq!(probe.ehlo_after_tls.as_ref().unwrap().lines, ["mx.example.test", "SIZE 1000"]);
    assert!(probe.without_sni.as_ref().unwrap().handshake);
    assert!(probe.transcript.iter().any(|line| line.text == "EHLO [127.0.0.1]"));
    assert_eq!(probe.transcript.last().unwrap().text, "QUIT");

    let report_host = &snapshot.report_hosts.as_ref().unwrap()[0];
    assert_eq!(report_host.mx.as_ref().unwrap().records[0].exchange, "mx.reports.test");
    let collection = snapshot.collection.as_ref().unwrap();
    assert_eq!((collection.smtp_connected, collection.left_out.len()), (Some(true), 0));
    assert!(snapshot.timeline.as_ref().unwrap().iter().any(|step| step.name == "SMTP mx.example.test at 127.0.0.1"));
    for format in [Format::Yaml, Format::Json] {
        let text = crate::snapshot::to_text(&snapshot, format).unwrap();
        assert_eq!(crate::snapshot::parse("snapshot", &text, Some(format)).unwrap(), snapshot);
    }
}

#[tokio::test]
async fn every_outcome_of_a_question_is_told_apart() {
    let zone = Zone::healthy()
        .without("_mta-sts.example.test")
        .a("a._mta-sts.example.test", Ipv4Addr::LOCALHOST)
        .without("mta-sts.example.test")
        .code("mta-sts.example.test", ResponseCode::ServFail)
        .without("_smtp._tls.example.test")
        .silent("_smtp._tls.example.test")
        .without("mx.example.test")
        .code("mx.example.test", ResponseCode::Refused);
    let (options, _authority) = healthy(zone).await;
    let snapshot = collect(options).await;
    assert_eq!(snapshot.record.unwrap().outcome, Some(DnsOutcome::Nodata));
    let tlsrpt = snapshot.tlsrpt.unwrap();
    assert_eq!((tlsrpt.outcome, tlsrpt.failure.unwrap().kind), (Some(DnsOutcome::Timeout), FailureKind::Timeout));
    assert_eq!(snapshot.report_hosts, None, "what the record says is not known");
    let host = snapshot.policy_host.unwrap();
    assert_eq!(host.ipv4.unwrap().outcome, Some(DnsOutcome::Servfail));
    assert_eq!((host.probes, snapshot.policy), (None, None), "a failure is never \"no policy\"");
    let refused = snapshot.mx_hosts.unwrap().remove(0).ipv4.unwrap();
    assert_eq!((refused.outcome, refused.failure.unwrap().kind), (Some(DnsOutcome::Refused), FailureKind::Resolver));
    let misplaced = snapshot.misplaced.unwrap();
    let unknown: Vec<_> = misplaced.iter().filter(|lookup| lookup.known().is_none()).collect();
    assert_eq!((misplaced.len(), unknown.len()), (16, 1), "only mta-sts.example.test fails: {unknown:?}");
}

#[tokio::test]
async fn aliases_are_kept_step_by_step_to_records_and_to_nothing() {
    let zone = Zone::healthy()
        .without("_mta-sts.example.test")
        .cname("_mta-sts.example.test", "sts.provider.test")
        .cname("sts.provider.test", "one.provider.test")
        .txt("one.provider.test", &[b"v=STSv1; ", b"id=2;"])
        .without("_smtp._tls.example.test")
        .cname("_smtp._tls.example.test", "gone.provider.test")
        .without("mta-sts.example.test")
        .cname("mta-sts.example.test", "loop.test")
        .cname("loop.test", "mta-sts.example.test");
    let (options, _authority) = healthy(zone).await;
    let snapshot = collect(options).await;
    let record = snapshot.record.unwrap();
    let targets: Vec<_> = record.aliases.iter().map(|alias| alias.target.as_str()).collect();
    assert_eq!(targets, ["sts.provider.test", "one.provider.test"]);
    assert_eq!(record.records[0].strings.len(), 2);
    let tlsrpt = snapshot.tlsrpt.unwrap();
    assert_eq!((tlsrpt.outcome, tlsrpt.aliases.len()), (Some(DnsOutcome::Nxdomain), 1));
    let circle = snapshot.policy_host.unwrap().ipv4.unwrap();
    assert_eq!((circle.outcome, circle.failure.unwrap().kind), (Some(DnsOutcome::Other), FailureKind::Protocol));
    assert_eq!(snapshot.policy, None);
}

#[tokio::test]
async fn no_policy_is_known_only_where_something_said_so() {
    let gone = Zone::healthy().without("mta-sts.example.test");
    let (options, authority) = healthy(gone).await;
    assert_eq!(collect(options).await.policy, Some(None));

    let (mut options, _authority2) = healthy(Zone::healthy()).await;
    options.roots = authority.roots();
    let acceptor = authority.identity(&["mta-sts.example.test"]).acceptor();
    options.https_port = https(acceptor, response("404 Not Found", "", "no")).await;
    let snapshot = collect(options.clone()).await;
    assert_eq!(snapshot.policy, Some(None));
    let probe = snapshot.policy_host.unwrap().probes.unwrap().remove(0);
    assert_eq!(probe.response.unwrap().body.unwrap().0, b"no");

    options.https_port = closed_port().await;
    let snapshot = collect(options.clone()).await;
    assert_eq!(snapshot.policy, None);
    let probe = snapshot.policy_host.unwrap().probes.unwrap().remove(0);
    assert_eq!((probe.connected, probe.tls, probe.failure.unwrap().kind), (Some(false), None, FailureKind::Refused));

    let redirect = response("301 Moved Permanently", "Location: https://elsewhere.test/x\r\n", "");
    options.https_port = https(authority.identity(&["mta-sts.example.test"]).acceptor(), redirect).await;
    let snapshot = collect(options).await;
    assert_eq!(snapshot.policy, Some(None));
    let headers = snapshot.policy_host.unwrap().probes.unwrap().remove(0).response.unwrap().headers;
    assert!(headers.iter().any(|header| header.name == "location" && header.value.0 == b"https://elsewhere.test/x"));
}

/// What is seen of a policy host and an MX host that present `identity`, with `authority` trusted.
async fn presented(identity: super::testing::Identity, authority: &Authority) -> Snapshot {
    let (mut options, _other) = healthy(Zone::healthy()).await;
    options.roots = authority.roots();
    options.https_port = https(identity.acceptor(), response("200 OK", "", POLICY)).await;
    options.smtp_port = smtp(identity.acceptor()).await;
    collect(options).await
}

/// The verdict on the chain and the verifier's word, the same for both protocols.
fn verdict(snapshot: &Snapshot) -> (TrustVerdict, String) {
    let https = snapshot.policy_host.as_ref().unwrap().probes.as_ref().unwrap()[0].tls.as_ref().unwrap();
    let smtp = snapshot.mx_hosts.as_ref().unwrap()[0].probes.as_ref().unwrap()[0].tls.as_ref().unwrap();
    assert!(https.handshake && smtp.handshake, "{:?} {:?}", https.failure, smtp.failure);
    let trust = https.trust.as_ref().unwrap().verdict;
    assert_eq!(trust, smtp.trust.as_ref().unwrap().verdict);
    (trust, https.verifier.clone().unwrap())
}

fn params() -> CertificateParams {
    CertificateParams::new(vec!["mta-sts.example.test".to_owned(), "mx.example.test".to_owned()]).unwrap()
}

#[tokio::test]
async fn a_policy_under_a_bad_certificate_is_still_read() {
    let authority = Authority::new();
    let snapshot = presented(authority.identity(&["other.test"]), &authority).await;
    assert_eq!(verdict(&snapshot), (TrustVerdict::Trusted, "the certificate does not name this host".to_owned()));
    assert!(snapshot.policy.unwrap().is_some());
}

#[tokio::test]
async fn dates_are_judged_apart_from_trust() {
    let authority = Authority::new();
    let mut expired = params();
    expired.not_after = rcgen::date_time_ymd(2020, 1, 1);
    let (trust, verifier) = verdict(&presented(authority.identity_of(expired), &authority).await);
    assert_eq!(trust, TrustVerdict::Trusted);
    assert_eq!(verifier, "a certificate expired at 2020-01-01T00:00:00Z");
}

#[tokio::test]
async fn an_issuer_that_was_certified_anew_still_vouches_for_an_expired_certificate() {
    let authority = Authority::new();
    let mut expired = params();
    (expired.not_before, expired.not_after) = (rcgen::date_time_ymd(2019, 1, 1), rcgen::date_time_ymd(2020, 1, 1));
    let since = authority.intermediate_since("Test Authority", 2021);
    let other = authority.intermediate_since("Test Authority", 2021);
    for (signer, presented_issuer, trust) in
        [(&since, &since, TrustVerdict::Trusted), (&since, &other, TrustVerdict::IssuerExpired)]
    {
        let key = rcgen::KeyPair::generate().unwrap();
        let leaf = expired.clone().signed_by(&key, signer).unwrap();
        let chain = vec![leaf.der().clone(), presented_issuer.der().clone()];
        let snapshot = presented(super::testing::Identity { chain, key }, &authority).await;
        let expected = (trust, "a certificate expired at 2020-01-01T00:00:00Z".to_owned());
        assert_eq!(verdict(&snapshot), expected);
    }
}

#[tokio::test]
async fn untrusted_chains_say_why() {
    let authority = Authority::new();
    let own = rcgen::KeyPair::generate().unwrap();
    let certificate = params().self_signed(&own).unwrap();
    let self_signed = super::testing::Identity { chain: vec![certificate.der().clone()], key: own };
    assert_eq!(verdict(&presented(self_signed, &authority).await).0, TrustVerdict::SelfSigned);

    let stranger = Authority::named("Somebody");
    assert_eq!(verdict(&presented(stranger.identity_of(params()), &authority).await).0, TrustVerdict::UnknownIssuer);

    let below = authority.intermediate("Test Authority");
    let key = rcgen::KeyPair::generate().unwrap();
    let leaf = params().signed_by(&key, &below).unwrap();
    let whole = vec![leaf.der().clone(), below.der().clone()];
    let with = super::testing::Identity { chain: whole, key: rcgen::KeyPair::from_pem(&key.serialize_pem()).unwrap() };
    assert_eq!(verdict(&presented(with, &authority).await).0, TrustVerdict::Trusted);
    let without = super::testing::Identity { chain: vec![leaf.der().clone()], key };
    assert_eq!(verdict(&presented(without, &authority).await).0, TrustVerdict::MissingIntermediate);

    let mut client = params();
    client.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    assert_eq!(verdict(&presented(authority.identity_of(client), &authority).await).0, TrustVerdict::WrongPurpose);

    let mut forged = authority.identity_of(params());
    let octets = forged.chain[0].to_vec();
    let last = octets.len() - 1;
    let octets: Vec<u8> =
        octets.iter().enumerate().map(|(at, octet)| if at == last { octet ^ 1 } else { *octet }).collect();
    forged.chain = vec![octets.into()];
    assert_eq!(verdict(&presented(forged, &authority).await).0, TrustVerdict::BadSignature);
}

#[tokio::test]
async fn implicit_and_null_mx() {
    let zone = Zone::healthy().without(DOMAIN).a(DOMAIN, Ipv4Addr::LOCALHOST);
    let (options, _authority) = healthy(zone).await;
    let snapshot = collect(options).await;
    assert_eq!(snapshot.mx.unwrap().outcome, Some(DnsOutcome::Nodata));
    let hosts = snapshot.mx_hosts.unwrap();
    assert_eq!((hosts.len(), hosts[0].exchange.as_str()), (1, DOMAIN));
    assert!(hosts[0].probes.as_ref().unwrap()[0].tls.is_some());

    let zone = Zone::healthy().without(DOMAIN).mx(DOMAIN, 0, ".");
    let (options, _authority) = healthy(zone).await;
    let snapshot = collect(options).await;
    assert_eq!(snapshot.mx.unwrap().records[0].exchange, ".");
    assert_eq!(snapshot.mx_hosts, Some(Vec::new()));
}

#[tokio::test]
async fn what_was_left_out_on_purpose_is_said() {
    let (mut options, _authority) = healthy(Zone::healthy()).await;
    options.smtp = false;
    options.families = Families::Ipv6;
    let snapshot = collect(options).await;
    let host = &snapshot.mx_hosts.unwrap()[0];
    assert_eq!((host.ipv4.as_ref().unwrap().records.len(), &host.probes), (1, &None));
    assert_eq!(snapshot.policy_host.unwrap().probes, None);
    let reasons: Vec<_> = snapshot.collection.unwrap().left_out.into_iter().map(|left| left.reason).collect();
    assert!(reasons.iter().any(|reason| reason == "--no-smtp was given"), "{reasons:?}");
    assert!(reasons.iter().any(|reason| reason.starts_with("--ipv6 was given")), "{reasons:?}");
}

#[tokio::test]
async fn a_shared_host_is_spoken_to_once_in_a_run() {
    let (mut options, _authority) = healthy(Zone::healthy().mx("other.test", 5, "MX.example.test")).await;
    let greeted = Arc::new(AtomicUsize::new(0));
    let count = greeted.clone();
    options.smtp_port = listen(move |mut stream| {
        let count = count.clone();
        async move {
            count.fetch_add(1, Ordering::Relaxed);
            let _ = stream.write_all(b"554 go away\r\n").await;
        }
    })
    .await;
    let now = jiff::Timestamp::now();
    Collector::new(options.clone()).unwrap().collect(DOMAIN, now).await;
    let for_one_domain = greeted.swap(0, Ordering::Relaxed);
    let collector = Collector::new(options).unwrap();
    let (one, two) = tokio::join!(collector.collect(DOMAIN, now), collector.collect("other.test", now));
    for snapshot in [one, two] {
        let probe = snapshot.mx_hosts.unwrap().remove(0).probes.unwrap().remove(0);
        assert_eq!((probe.address, probe.greeting.unwrap().code), (LOOPBACK, 554));
        assert_eq!(probe.failure.unwrap().kind, FailureKind::Protocol);
    }
    // The conversation, and the one without SNI that begins beside it.
    assert_eq!((for_one_domain, greeted.load(Ordering::Relaxed)), (2, 2));
}

#[tokio::test]
async fn an_answer_too_large_for_udp_comes_over_tcp() {
    let long = [b'x'; 255];
    let strings: Vec<&[u8]> = std::iter::repeat_n(&long[..], 200).collect();
    let (options, _authority) = healthy(Zone::healthy().txt(DOMAIN, &strings)).await;
    let snapshot = collect(options).await;
    let misplaced = snapshot.misplaced.unwrap();
    let found = misplaced.iter().find(|lookup| lookup.name.as_deref() == Some(DOMAIN)).unwrap();
    assert_eq!(found.records[0].joined().len(), 51_000, "{:?}", found.failure);
}

#[tokio::test]
async fn setup_says_what_it_lacks() {
    let (good, _authority) = healthy(Zone::healthy()).await;
    let message = |options: super::Options| Collector::new(options).err().unwrap().to_string();
    let mut options = good.clone();
    options.roots = super::Roots::File("no/such/file.pem".into());
    assert!(message(options).contains("no/such/file.pem"));
    let mut options = good.clone();
    options.helo = Some("a\r\nMAIL FROM:<>".to_owned());
    assert!(message(options).contains("cannot be given to EHLO"));
    let mut options = good;
    options.dnssec = DnssecMode::Validate;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("anchors");
    std::fs::write(&path, "nonsense").unwrap();
    options.trust_anchor = Some(path);
    assert!(message(options).contains("is not a file of trust anchors"));
}

#[tokio::test]
async fn a_resolver_over_tls_is_asked_and_its_certificate_checked() {
    let (mut options, _authority) = healthy(Zone::healthy()).await;
    let authority = Authority::new();
    options.roots = authority.roots();
    let address = Zone::healthy().serve_tls(authority.identity(&["dns.test"]).acceptor()).await;
    options.resolver = format!("tls://{address}#dns.test").parse().unwrap();
    let record = collect(options.clone()).await.record.unwrap();
    assert_eq!((record.outcome, record.records.len()), (Some(DnsOutcome::Answer), 1), "{:?}", record.failure);
    options.resolver = format!("tls://{address}#other.test").parse().unwrap();
    let record = collect(options).await.record.unwrap();
    assert_eq!((record.outcome, record.failure.unwrap().kind), (Some(DnsOutcome::Network), FailureKind::Resolver));
}

#[tokio::test]
async fn mx_hosts_are_reached_through_a_proxy() {
    let (mut options, _authority) = healthy(Zone::healthy()).await;
    let port = listen(|client| async move {
        if let Some((mut client, mut host)) = super::testing::socks5(client, "user", "secret").await {
            let _ = tokio::io::copy_bidirectional(&mut client, &mut host).await;
        }
    })
    .await;
    options.proxy = Some(format!("socks5://user:secret@127.0.0.1:{port}").parse().unwrap());
    let probe = |snapshot: Snapshot| snapshot.mx_hosts.unwrap().remove(0).probes.unwrap().remove(0);
    let seen = probe(collect(options.clone()).await);
    assert!(seen.ehlo_after_tls.is_some(), "{:?}", seen.failure);

    let good = options.smtp_port;
    options.smtp_port = closed_port().await;
    let seen = probe(collect(options.clone()).await);
    assert_eq!((seen.connected, seen.failure.unwrap().kind), (Some(false), FailureKind::Refused));

    options.smtp_port = good;
    options.proxy = Some(format!("socks5://user:wrong@127.0.0.1:{port}").parse().unwrap());
    let seen = probe(collect(options.clone()).await);
    assert_eq!(
        (seen.connected, seen.failure.unwrap().kind),
        (None, FailureKind::Other),
        "the proxy says no, not the host"
    );
    options.proxy = Some(format!("socks5://127.0.0.1:{}", closed_port().await).parse().unwrap());
    assert_eq!(probe(collect(options).await).connected, None);
}

#[tokio::test]
async fn the_zones_own_servers_are_asked_one_by_one() {
    let old = Zone::healthy().without("_mta-sts.example.test").txt("_mta-sts.example.test", &[b"v=STSv1; id=0;"]);
    let aliased =
        Zone::healthy().without("_mta-sts.example.test").cname("_mta-sts.example.test", "sts.elsewhere.invalid");
    // The servers share a port, as they do in the world, and differ in their addresses.
    let port = serve_at(&[([127, 0, 0, 2], Zone::healthy()), ([127, 0, 0, 3], old), ([127, 0, 0, 4], aliased)]).await;
    let zone = Zone::healthy()
        .ns(DOMAIN, "ns1.test")
        .ns(DOMAIN, "ns2.test")
        .ns(DOMAIN, "ns3.test")
        .ns(DOMAIN, "ns4.test")
        .a("ns1.test", Ipv4Addr::new(127, 0, 0, 2))
        .a("ns2.test", Ipv4Addr::new(127, 0, 0, 3))
        .a("ns3.test", Ipv4Addr::new(127, 0, 0, 4));
    let (mut options, _authority) = healthy(zone).await;
    options.authoritative = true;
    options.name_server_port = port;
    let servers = collect(options).await.name_servers.unwrap();
    let names: Vec<_> = servers.iter().map(|server| (server.name.as_str(), server.address.is_some())).collect();
    assert_eq!(names, [("ns1.test", true), ("ns2.test", true), ("ns3.test", true), ("ns4.test", false)]);
    let said = |index: usize| servers[index].record.as_ref().unwrap().records[0].joined();
    assert_eq!((said(0), said(1)), (b"v=STSv1; id=1;".to_vec(), b"v=STSv1; id=0;".to_vec()));
    let alias = servers[2].record.as_ref().unwrap();
    assert_eq!((alias.outcome, alias.aliases[0].target.as_str()), (Some(DnsOutcome::Answer), "sts.elsewhere.invalid"));
    assert_eq!(servers[0].mx.as_ref().unwrap().records[0].exchange, "mx.example.test");
}

#[tokio::test]
async fn the_ttl_is_the_zones_and_not_what_a_cache_has_left() {
    let zone = Zone::healthy().ttl(3_600).authoritative();
    let port = serve_at(&[([127, 0, 0, 5], Zone::healthy().ttl(9)), ([127, 0, 0, 6], zone)]).await;
    let cache = |servers: &[(&str, u8)]| {
        let zone = Zone::healthy();
        servers
            .iter()
            .fold(zone, |zone, (name, last)| zone.ns(DOMAIN, name).a(name, Ipv4Addr::new(127, 0, 0, *last)).ttl(17))
    };
    let seen = |snapshot: &Snapshot| {
        let (record, tlsrpt) = (snapshot.record.as_ref().unwrap(), snapshot.tlsrpt.as_ref().unwrap());
        let mx = snapshot.mx.as_ref().unwrap();
        [(record.ttl, record.ttl_at_least), (tlsrpt.ttl, tlsrpt.ttl_at_least), (mx.ttl, mx.ttl_at_least)]
    };
    // The first server is lame, the second speaks for the zone.
    let (mut options, _authority) = healthy(cache(&[("ns1.test", 5), ("ns2.test", 6)])).await;
    options.name_server_port = port;
    let snapshot = collect(options.clone()).await;
    assert_eq!(seen(&snapshot), [(Some(3_600), false); 3]);
    assert_eq!(snapshot.name_servers, None, "nothing else of the servers was asked for");
    options.published_ttls = false;
    assert_eq!(seen(&collect(options).await), [(Some(17), true); 3]);
    let (mut options, _authority) = healthy(cache(&[("ns1.test", 5)])).await;
    options.name_server_port = port;
    assert_eq!(seen(&collect(options).await), [(Some(17), true); 3]);
}

#[tokio::test]
async fn a_server_that_is_lame_or_refuses_or_is_silent_is_seen() {
    let good = Zone::healthy().authoritative();
    let refusing = Zone::healthy().authoritative().code(DOMAIN, ResponseCode::Refused);
    let silent = Zone::healthy().authoritative().silent(DOMAIN);
    let servers = [
        ([127, 0, 0, 7], good),
        ([127, 0, 0, 8], Zone::healthy()),
        ([127, 0, 0, 9], refusing),
        ([127, 0, 0, 10], silent),
    ];
    let port = serve_at(&servers).await;
    let zone = (7..=10).fold(Zone::healthy(), |zone, last| {
        let name = format!("ns{last}.test");
        zone.ns(DOMAIN, &name).a(&name, Ipv4Addr::new(127, 0, 0, last))
    });
    let (mut options, _authority) = healthy(zone).await;
    options.authoritative = true;
    options.name_server_port = port;
    let snapshot = collect(options).await;
    let facts = crate::facts::Facts::of(&snapshot, None);
    let servers = facts.of_domain().name_servers.known().unwrap().clone().unwrap().servers;
    let problems: Vec<_> = servers
        .known()
        .unwrap()
        .iter()
        .map(|server| (server.name.known().unwrap().clone(), server.problem.known().unwrap().clone()))
        .collect();
    let problem = |name: &str| problems.iter().find(|(server, _)| server == name).unwrap().1.clone();
    assert_eq!(problem("ns7.test"), None);
    assert_eq!(problem("ns8.test").unwrap(), "answers without authority, so that it is lame for the zone");
    assert_eq!(problem("ns9.test").unwrap(), "refuses to answer (REFUSED)");
    assert!(problem("ns10.test").unwrap().starts_with("does not answer ("), "{problems:?}");
}

/// Serves zones at addresses of loopback; the port that they share.
async fn serve_at(zones: &[([u8; 4], Zone)]) -> u16 {
    let first = tokio::net::UdpSocket::bind((Ipv4Addr::from(zones[0].0), 0)).await.unwrap();
    let port = first.local_addr().unwrap().port();
    drop(first);
    for (address, zone) in zones {
        zone.clone().serve_at((Ipv4Addr::from(*address), port).into()).await;
    }
    port
}
