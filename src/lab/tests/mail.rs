//! Mail that is taken, what the journal says of it, and domains that change while the lab runs.

use super::smtp::starttls;
use super::*;

async fn said(stream: &mut TlsStream<TcpStream>, line: &str) -> String {
    stream.write_all(line.as_bytes()).await.unwrap();
    let mut octets = [0; 1_024];
    let size = stream.read(&mut octets).await.unwrap();
    String::from_utf8_lossy(&octets[..size]).into_owned()
}

fn taking() -> Scenario {
    let mut it = Scenario::good("odd.example");
    it.mx_hosts[0].takes_mail = true;
    it
}

#[tokio::test]
async fn mail_for_the_own_domain_is_taken_and_noted() {
    let lab = lab([taking()]).await;
    let mut stream = starttls(&lab, "mx1.odd.example").await.unwrap();
    for (line, code) in [
        ("RCPT TO:<a@odd.example>\r\n", "503"),
        ("MAIL FROM:<>\r\n", "250"),
        ("DATA\r\n", "503"),
        ("RCPT TO:<a@even.example>\r\n", "550"),
        ("RCPT TO:nonsense\r\n", "501"),
        ("RCPT TO:<a@ODD.example.>\r\n", "250"),
        ("DATA\r\n", "354"),
        ("a\r\n..\r\n.\r\n", "250"),
        ("DATA\r\n", "503"),
    ] {
        let reply = said(&mut stream, line).await;
        assert!(reply.starts_with(code), "{line}: {reply}");
    }
    let kinds: Vec<EventKind> = lab.journal().events().into_iter().map(|event| event.kind).collect();
    let host = "mx1.odd.example".to_owned();
    let recipient = |domain: &str| EventKind::Recipient { host: host.clone(), domain: domain.to_owned(), tls: true };
    let delivered = EventKind::Delivered { host: host.clone(), domain: "odd.example".to_owned(), tls: true };
    let complete = HandshakeEnd::Complete { named: true };
    for expected in [
        EventKind::MailConnection { host: host.clone() },
        EventKind::MailHandshake { host: host.clone(), end: complete },
        recipient("even.example"),
        recipient("odd.example"),
        delivered,
    ] {
        assert_eq!(kinds.iter().filter(|kind| **kind == expected).count(), 1, "{expected:?} in {kinds:?}");
    }
    assert!(kinds.iter().any(|kind| matches!(kind, EventKind::Query { name, .. } if *name == host)), "{kinds:?}");
}

#[tokio::test]
async fn a_client_that_refuses_the_certificate_is_noted_with_its_alert() {
    let mut it = taking();
    it.replace_mx_certificate(CertificateSpec::expired("mx1.odd.example"));
    let lab = lab([it]).await;
    starttls(&lab, "mx1.odd.example").await.unwrap_err();
    // The server reads the alert on one of its next turns.
    let alert = |event: &Event| matches!(&event.kind, EventKind::MailHandshake { end: HandshakeEnd::Alert(alert), .. } if alert.contains("Expired"));
    let journal = lab.journal();
    let mut turns = 0;
    while !journal.events().iter().any(alert) {
        tokio::task::yield_now().await;
        turns += 1;
        assert!(turns < 1_000_000, "{:?}", journal.events());
    }
}

#[tokio::test]
async fn a_domain_changes_while_the_lab_runs_and_keeps_its_keys_and_hosts() {
    let lab = lab([taking()]).await;
    let anchor = lab.trust_anchor().to_owned();
    let address = dns::address(&lab, "mx1.odd.example").await;
    let mut changed = taking();
    changed.replace_mx_certificate(CertificateSpec::self_signed("mx1.odd.example"));
    lab.replace(vec![changed]).unwrap();
    assert_eq!(dns::address(&lab, "mx1.odd.example").await, address);
    assert_eq!(lab.trust_anchor(), anchor);
    assert_eq!(refusal(starttls(&lab, "mx1.odd.example").await), CertificateError::UnknownIssuer);

    let mut more = taking();
    more.mx_hosts.push(MxHost::good("mx2.odd.example"));
    for other in [more, Scenario::good("even.example")] {
        assert!(matches!(lab.replace(vec![other]), Err(LabError::HostsDiffer(_))));
    }
}

#[tokio::test]
async fn a_root_that_is_kept_is_trusted_by_the_next_lab() {
    let now = SystemTime::now();
    let root = LabRoot::new(now).unwrap();
    let options = LabOptions { root_key: Some(root.key), ..LabOptions::empty(now).with(taking()) };
    let mut lab = Lab::start(options).await.unwrap();
    lab.roots_pem = root.certificate;
    starttls(&lab, "mx1.odd.example").await.unwrap();
}
