//! What a lab can be made of, and that it goes away.

use super::*;

async fn failure(scenarios: impl IntoIterator<Item = Scenario>) -> LabError {
    let options = LabOptions { scenarios: scenarios.into_iter().collect(), ..LabOptions::empty(SystemTime::now()) };
    match Lab::start(options).await {
        Ok(_) => panic!("it started"),
        Err(error) => error,
    }
}

#[tokio::test]
async fn refuses_what_cannot_be_served() {
    let twice = failure(["odd.example", "ODD.example"].map(Scenario::empty)).await;
    assert!(matches!(&twice, LabError::Duplicate(domain) if domain == "ODD.example"));

    let mut stray = Scenario::empty("odd.example");
    stray.records.push(Record::txt("even.example", "a"));
    let stray = failure([stray]).await;
    assert!(matches!(&stray, LabError::OutsideZones(name) if name == "even.example"));

    let mut long = Scenario::empty("odd.example");
    long.records.push(Record::txt("odd.example", &"x".repeat(256)));
    assert!(matches!(failure([long]).await, LabError::Record(_)));

    let label = "x".repeat(64);
    let unspeakable = failure([Scenario::empty(&format!("{label}.example"))]).await;
    assert!(matches!(unspeakable, LabError::Name(_)));
}

#[tokio::test]
async fn refuses_a_now_that_no_certificate_can_hold() {
    for now in [SystemTime::UNIX_EPOCH, SystemTime::UNIX_EPOCH + Duration::from_secs(10_000_000_000)] {
        let outcome = Lab::start(LabOptions::empty(now)).await;
        assert!(matches!(outcome.err(), Some(LabError::Clock)));
    }
}

#[tokio::test]
async fn certificates_are_dated_from_the_given_now() {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    let authority = CertificateAuthority::new(now, None).unwrap();
    let issued = authority.issue(&CertificateSpec::good("mx.odd.example")).unwrap();
    let (_, leaf) = x509_parser::parse_x509_certificate(&issued.chain[0]).unwrap();
    let day = 86_400;
    assert_eq!(leaf.validity().not_before.timestamp(), 1_000_000_000 - 30 * day);
    assert_eq!(leaf.validity().not_after.timestamp(), 1_000_000_000 + 60 * day);
}

#[tokio::test]
async fn dropping_it_closes_every_port() {
    let lab = lab([built_in("perfect")]).await;
    let mail = (dns::address(&lab, "mx1.perfect.example").await, lab.smtp_port());
    let ports = [mail.into(), (WEB_ADDRESS, lab.https_port()).into(), lab.resolver()];
    drop(lab);
    for port in ports {
        // The runtime ends the servers on its next turns.
        let mut turns = 0;
        while TcpStream::connect(port).await.is_ok() {
            turns += 1;
            assert!(turns < 1_000, "{port} still listens");
        }
    }
}

#[test]
fn every_domain_has_a_reserved_name_of_its_own() {
    let names: BTreeSet<_> = Lab::domains().iter().map(|domain| domain.name).collect();
    assert_eq!(names.len(), Lab::domains().len());
    for domain in Lab::domains() {
        assert!(domain.name.ends_with(".example"), "{}", domain.name);
        assert_eq!(domain.expects.is_empty(), domain.name == "perfect.example");
    }
}

#[test]
fn the_good_policy_covers_the_mx_hosts() {
    let good = Scenario::good("odd.example");
    let body = policy("enforce", &["mx1.odd.example", BACKUP_MX_PATTERN], 1_209_600);
    assert_eq!(good.web_hosts[0].answer, WebReply::text(body).into());
    assert!(BACKUP_MX.ends_with(BACKUP_MX_PATTERN.trim_start_matches('*')));
}
