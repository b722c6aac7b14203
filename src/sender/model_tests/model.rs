//! What a sender does with a case, by the texts. Nothing here knows how the program comes to the same.

use super::case::{Address, Case, Held, Host, Mx, Record, Served, Tlsa};

/// What the sender does: the policy that it applies, what it reports of that, and each host with and without DANE.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Expected {
    pub policy: String,
    pub reports: Vec<String>,
    pub hosts: Vec<(String, Vec<String>)>,
    pub dane: Vec<Option<(String, Vec<String>)>>,
}

/// With what is cached, or with nothing; `None` where too little was seen to say anything.
pub fn expected(case: &Case, cached: bool) -> Option<Expected> {
    let no_policy = matches!(case.served, Served::NotSeen | Served::LookupFails);
    if case.mx == Mx::NotSeen || (case.record == Record::NotSeen && no_policy) {
        return None;
    }
    let (policy, report, held) = if cached { with_cache(case) } else { with_nothing(case) };
    // To a null MX nothing is sent, so that there is nothing to report (RFC 7505 §3).
    let told = case.tlsrpt != Some(false) && case.mx != Mx::Null;
    let hosts = if case.mx == Mx::Published { case.hosts.as_slice() } else { &[] };
    let beside = |host: &Host| by_policy(host, policy, held, told);
    Some(Expected {
        policy: policy.to_owned(),
        reports: report.filter(|_| told).map(str::to_owned).into_iter().collect(),
        hosts: hosts.iter().map(beside).collect(),
        dane: hosts.iter().map(|host| by_dane(host, policy, &beside(host), told)).collect(),
    })
}

/// The policy, the report about it, and whose patterns count.
type Applied = (&'static str, Option<&'static str>, Held);

/// RFC 8461 §3.1, §3.3: a usable record, then a policy over HTTPS.
fn with_nothing(case: &Case) -> Applied {
    let (policy, report) = match case.record {
        Record::Good => fetched(case),
        // More than one record, or one that breaks the grammar: no policy (§3.1).
        Record::Missing | Record::Double | Record::BadId => ("absent", None),
        Record::ServFail | Record::TimesOut | Record::FailsHere | Record::NotSeen => ("unknown", None),
    };
    (policy, report, Held::Nothing)
}

fn fetched(case: &Case) -> (&'static str, Option<&'static str>) {
    match case.served {
        // An address fits the grammar of `mx` (§3.2), and matches nothing.
        Served::Enforce | Served::WithAddress => ("enforce", None),
        Served::Testing => ("testing", None),
        Served::ModeNone => ("none", None),
        Served::BadAge | Served::TooLong => ("absent", Some("sts-policy-invalid")),
        Served::WrongName | Served::Expired => ("absent", Some("sts-webpki-invalid")),
        Served::Status404 | Served::Redirect | Served::NoAddress | Served::LookupFails | Served::NoPort => {
            ("absent", Some("sts-policy-fetch-error"))
        }
        Served::NotSeen => ("unknown", None),
    }
}

/// RFC 8461 §5.1: a policy from the cache that has not expired applies until another takes its place.
fn with_cache(case: &Case) -> Applied {
    let mode = match case.held {
        Held::Enforce | Held::EnforceOtherHosts => "enforce",
        Held::Testing => "testing",
        Held::ModeNone => "none",
        Held::Nothing | Held::Expired | Held::Newer | Held::BadCertificate | Held::BadRecord => {
            return with_nothing(case);
        }
    };
    // Of mode none nothing is reported (§6).
    let keeps = |kind| (mode, Some(kind).filter(|_| mode != "none"), case.held);
    match case.record {
        Record::Good if !case.new_id => (mode, None, case.held),
        Record::Good => match fetched(case) {
            ("absent", Some(kind)) => keeps(kind),
            (policy, report) => (policy, report, Held::Nothing),
        },
        // Neither the lack of a record nor a failure to look it up ends a cached policy (§3.1, §3.3).
        Record::Missing | Record::Double | Record::BadId | Record::ServFail | Record::TimesOut => {
            keeps("sts-policy-fetch-error")
        }
        Record::FailsHere | Record::NotSeen => ("unknown", None, Held::Nothing),
    }
}

/// What one address comes to.
#[derive(Clone, Copy, PartialEq)]
enum Comes {
    Valid,
    Fails(&'static str),
    /// Mail can go there; whether it is valid was not seen.
    Unseen,
    Unreachable,
    Unknown,
}

fn addresses(host: &Host, judge: impl Fn(Address) -> Comes) -> Vec<Comes> {
    if host.lookup_fails {
        return vec![Comes::Unreachable];
    }
    host.addresses
        .iter()
        .map(|address| match address {
            Address::NoConnection | Address::Greets554 => Comes::Unreachable,
            Address::NoStartTls | Address::StartTlsRefused => Comes::Fails("starttls-not-supported"),
            Address::TlsNotSeen => Comes::Unseen,
            Address::NotSeen => Comes::Unknown,
            Address::NoHandshake => Comes::Fails("validation-failure"),
            Address::EndsInTls => match judge(Address::Good) {
                Comes::Valid => Comes::Unreachable,
                other => other,
            },
            other => judge(*other),
        })
        .collect()
}

/// RFC 8461 §4.2: a certificate that names the host, in its dates, from a root that is trusted; TLS 1.2 or later.
fn by_web_pki(address: Address) -> Comes {
    match address {
        Address::Expired => Comes::Fails("certificate-expired"),
        Address::NotYetValid | Address::Untrusted => Comes::Fails("certificate-not-trusted"),
        Address::WrongName => Comes::Fails("certificate-host-mismatch"),
        Address::OldTls => Comes::Fails("validation-failure"),
        Address::LegacyTlsUnseen => Comes::Unseen,
        _ => Comes::Valid,
    }
}

fn kinds(all: &[Comes]) -> Vec<String> {
    let mut kinds: Vec<String> = all
        .iter()
        .filter_map(|comes| match comes {
            Comes::Fails(kind) => Some((*kind).to_owned()),
            _ => None,
        })
        .collect();
    kinds.sort();
    kinds.dedup();
    kinds
}

fn settled(all: &[Comes]) -> &'static str {
    if all.contains(&Comes::Valid) {
        "deliver"
    } else if all.contains(&Comes::Unknown) || all.contains(&Comes::Unseen) {
        "unknown"
    } else {
        "retry"
    }
}

/// RFC 8461 §5.
fn by_policy(host: &Host, policy: &str, held: Held, told: bool) -> (String, Vec<String>) {
    let all = addresses(host, by_web_pki);
    let is_reached = all.iter().any(|comes| matches!(comes, Comes::Valid | Comes::Fails(_) | Comes::Unseen));
    let said = |action: &str, reports: Vec<String>| (action.to_owned(), if told { reports } else { Vec::new() });
    let named = match held {
        Held::EnforceOtherHosts => !host.named,
        _ => host.named,
    };
    let fails = |kinds: Vec<String>| match (policy, told) {
        ("enforce", _) => said("refuse", kinds),
        (_, true) => said("deliver_and_report", kinds),
        (_, false) => said("deliver_unverified", Vec::new()),
    };
    match policy {
        "unknown" if all.iter().all(|comes| *comes == Comes::Unreachable) => said("retry", Vec::new()),
        "unknown" => said("unknown", Vec::new()),
        "absent" | "none" if is_reached => said("deliver_unverified", Vec::new()),
        "absent" | "none" => said(settled(&all), Vec::new()),
        "testing" if !named && !is_reached => said(settled(&all), Vec::new()),
        _ if !named => fails(vec!["validation-failure".to_owned()]),
        _ => match (kinds(&all), all.contains(&Comes::Valid)) {
            (kinds, _) if kinds.is_empty() => said(settled(&all), Vec::new()),
            // At an address that fails it goes on to the next.
            (kinds, true) if policy == "enforce" => said("deliver", kinds),
            (kinds, _) => fails(kinds),
        },
    }
}

/// RFC 7672 §2.2, §3: `None` where a host has no secure TLSA record.
fn by_dane(host: &Host, policy: &str, beside: &(String, Vec<String>), told: bool) -> Option<(String, Vec<String>)> {
    let said = |action: &str, mut reports: Vec<String>| {
        reports.sort();
        reports.dedup();
        Some((action.to_owned(), if told { reports } else { Vec::new() }))
    };
    if host.lookup_fails {
        return None;
    }
    let judge = |address: Address| match (host.tlsa, address) {
        (Tlsa::Matches | Tlsa::MatchesIssuer | Tlsa::Differs, Address::LegacyTlsUnseen) => Comes::Unseen,
        // Usage 3 asks neither for names nor for dates (§3.1.1); usage 2 asks for both (§3.1.2, §3.2.2).
        (Tlsa::Matches, _) => Comes::Valid,
        (Tlsa::MatchesIssuer, Address::Expired) => Comes::Fails("certificate-expired"),
        (Tlsa::MatchesIssuer, Address::NotYetValid) => Comes::Fails("certificate-not-trusted"),
        (Tlsa::MatchesIssuer, Address::WrongName) => Comes::Fails("certificate-host-mismatch"),
        (Tlsa::MatchesIssuer, _) => Comes::Valid,
        (Tlsa::Differs, _) => Comes::Fails("tlsa-invalid"),
        // Unusable records ask for TLS alone (§2.2).
        _ => Comes::Valid,
    };
    match host.tlsa {
        Tlsa::NoRecord | Tlsa::Unsigned | Tlsa::FailsHere | Tlsa::NotSeen => return None,
        Tlsa::Bogus | Tlsa::ServFail => return said("refuse", vec!["dnssec-invalid".to_owned()]),
        Tlsa::Matches | Tlsa::MatchesIssuer | Tlsa::Differs | Tlsa::Unusable => {}
    }
    let all = addresses(host, judge);
    let (mut kinds, is_valid) = (kinds(&all), all.contains(&Comes::Valid));
    if !is_valid && !kinds.is_empty() {
        return said("refuse", kinds);
    }
    if !is_valid {
        return said(settled(&all), Vec::new());
    }
    if host.tlsa != Tlsa::Unusable {
        return said("deliver", kinds);
    }
    kinds.push("tlsa-invalid".to_owned());
    // Where DANE verifies nothing, a policy that is applied still does (RFC 8461 §2).
    if matches!(policy, "enforce" | "testing") {
        kinds.extend(beside.1.iter().cloned());
        return said(&beside.0, kinds);
    }
    said("deliver_unverified", kinds)
}
