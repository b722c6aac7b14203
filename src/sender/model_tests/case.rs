//! A domain in a few words, and the snapshot that shows it.

use crate::snapshot::Snapshot;
use serde_json::{Value, json};

/// The same numbers in every run.
pub struct Numbers(pub u64);

impl Numbers {
    /// One of a list, the first of them half of the time: with everything wrong at once little is tested.
    fn of<T: Copy>(&mut self, from: &[T]) -> T {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let number = usize::try_from(self.0 >> 33).unwrap();
        if number % 2 == 0 { from[0] } else { from[number / 2 % from.len()] }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Record {
    Good,
    Missing,
    Double,
    BadId,
    ServFail,
    TimesOut,
    FailsHere,
    NotSeen,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Served {
    Enforce,
    Testing,
    ModeNone,
    WithAddress,
    BadAge,
    TooLong,
    Status404,
    Redirect,
    WrongName,
    Expired,
    NoAddress,
    LookupFails,
    NoPort,
    NotSeen,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Held {
    Nothing,
    Enforce,
    Testing,
    ModeNone,
    EnforceOtherHosts,
    Expired,
    Newer,
    BadCertificate,
    BadRecord,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mx {
    Published,
    Null,
    ServFail,
    NotSeen,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Address {
    Good,
    NoStartTls,
    StartTlsRefused,
    NoHandshake,
    Expired,
    NotYetValid,
    WrongName,
    Untrusted,
    OldTls,
    LegacyTls,
    LegacyTlsUnseen,
    NoConnection,
    Greets554,
    EndsInTls,
    TlsNotSeen,
    NotSeen,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Tlsa {
    NoRecord,
    Matches,
    MatchesIssuer,
    Differs,
    Unusable,
    Unsigned,
    Bogus,
    ServFail,
    FailsHere,
    NotSeen,
}

#[derive(Clone, Debug)]
pub struct Host {
    pub named: bool,
    pub addresses: Vec<Address>,
    pub lookup_fails: bool,
    pub tlsa: Tlsa,
}

#[derive(Clone, Debug)]
pub struct Case {
    pub record: Record,
    pub new_id: bool,
    pub served: Served,
    pub held: Held,
    pub mx: Mx,
    pub mx_signed: bool,
    pub hosts: Vec<Host>,
    pub tlsrpt: Option<bool>,
}

const GOOD_LEAF: &str = "TUVTU0FHRQ==";
const LEAF_DIGEST: &str = "b194d92018d6074234280c5f5b88649c8db14ef4f2c3746d8a23896a0f6f3b66";
const ISSUER: &str = "SVNTVUVS";
const ISSUER_DIGEST: &str = "ae95d44a1240e0b8d6aa3958f8dbbf2627a5edc88bdded57623debda91cf8825";

impl Case {
    pub fn random(numbers: &mut Numbers) -> Self {
        use Address as A;
        use Record as R;
        use Served as S;
        let addresses = [
            A::Good,
            A::NoStartTls,
            A::StartTlsRefused,
            A::NoHandshake,
            A::Expired,
            A::NotYetValid,
            A::WrongName,
            A::Untrusted,
            A::OldTls,
            A::LegacyTls,
            A::LegacyTlsUnseen,
            A::NoConnection,
            A::Greets554,
            A::EndsInTls,
            A::TlsNotSeen,
            A::NotSeen,
        ];
        let tlsa = [
            Tlsa::NoRecord,
            Tlsa::Matches,
            Tlsa::MatchesIssuer,
            Tlsa::Differs,
            Tlsa::Unusable,
            Tlsa::Unsigned,
            Tlsa::Bogus,
            Tlsa::ServFail,
            Tlsa::FailsHere,
            Tlsa::NotSeen,
        ];
        let served = [
            S::Enforce,
            S::Testing,
            S::ModeNone,
            S::WithAddress,
            S::BadAge,
            S::TooLong,
            S::Status404,
            S::Redirect,
            S::WrongName,
            S::Expired,
            S::NoAddress,
            S::LookupFails,
            S::NoPort,
            S::NotSeen,
        ];
        let held = [
            Held::Nothing,
            Held::Enforce,
            Held::Testing,
            Held::ModeNone,
            Held::EnforceOtherHosts,
            Held::Expired,
            Held::Newer,
            Held::BadCertificate,
            Held::BadRecord,
        ];
        let record = [R::Good, R::Missing, R::Double, R::BadId, R::ServFail, R::TimesOut, R::FailsHere, R::NotSeen];
        let mut host = || Host {
            named: numbers.of(&[true, true, false]),
            addresses: (0..numbers.of(&[1, 2])).map(|_| numbers.of(&addresses)).collect(),
            lookup_fails: numbers.of(&[false, false, false, false, true]),
            tlsa: numbers.of(&tlsa),
        };
        let hosts = vec![host(), host()];
        Case {
            hosts,
            record: numbers.of(&record),
            new_id: numbers.of(&[true, false]),
            served: numbers.of(&served),
            held: numbers.of(&held),
            mx: numbers.of(&[
                Mx::Published,
                Mx::Published,
                Mx::Published,
                Mx::Published,
                Mx::Null,
                Mx::ServFail,
                Mx::NotSeen,
            ]),
            mx_signed: numbers.of(&[true, false]),
            tlsrpt: numbers.of(&[Some(true), Some(false), None]),
        }
    }

    /// The name of an MX host: what the policy names is below `mail.example.com`.
    fn name(&self, index: usize) -> String {
        format!("mx{index}.{}", if self.hosts[index].named { "mail.example.com" } else { "elsewhere.example" })
    }

    pub fn snapshot(&self) -> Snapshot {
        let mut tree = json!({ "snapshot": 1, "domain": "example.com", "collected_at": "2026-11-20T00:00:00Z" });
        let parts = [
            ("record", self.record()),
            ("tlsrpt", self.tlsrpt()),
            ("mx", self.mx()),
            ("mx_hosts", self.mx_hosts()),
            ("policy_host", self.policy_host()),
            ("policy", self.policy()),
        ];
        for (name, part) in parts {
            if let Some(part) = part {
                tree[name] = part;
            }
        }
        serde_json::from_value(tree).unwrap()
    }

    fn record(&self) -> Option<Value> {
        let name = "_mta-sts.example.com";
        let id = if self.new_id { "new" } else { "old" };
        let records = |texts: &[String]| {
            let records: Vec<Value> = texts.iter().map(|text| json!({ "strings": [text] })).collect();
            json!({ "name": name, "outcome": "answer", "records": records })
        };
        let good = format!("v=STSv1; id={id};");
        Some(match self.record {
            Record::Good => records(&[good]),
            Record::Missing => json!({ "name": name, "outcome": "nxdomain" }),
            Record::Double => records(&[good, "v=STSv1; id=other;".to_owned()]),
            Record::BadId => records(&["v=STSv1; id=a-b;".to_owned()]),
            Record::ServFail => json!({ "name": name, "outcome": "servfail" }),
            Record::TimesOut => json!({ "name": name, "outcome": "timeout" }),
            Record::FailsHere => json!({ "name": name, "outcome": "network" }),
            Record::NotSeen => return None,
        })
    }

    fn tlsrpt(&self) -> Option<Value> {
        let name = "_smtp._tls.example.com";
        self.tlsrpt.map(|there| match there {
            true => {
                let text = "v=TLSRPTv1; rua=mailto:tls@example.com";
                json!({ "name": name, "outcome": "answer", "records": [{ "strings": [text] }] })
            }
            false => json!({ "name": name, "outcome": "nxdomain" }),
        })
    }

    fn mx(&self) -> Option<Value> {
        let proof = if self.mx_signed { "secure" } else { "insecure" };
        let records = |records: Vec<Value>| json!({ "name": "example.com", "outcome": "answer", "dnssec": proof, "records": records });
        Some(match self.mx {
            Mx::Published => records(
                (0..self.hosts.len())
                    .map(|index| json!({ "preference": index * 10, "exchange": self.name(index) }))
                    .collect(),
            ),
            Mx::Null => records(vec![json!({ "preference": 0, "exchange": "." })]),
            Mx::ServFail => json!({ "name": "example.com", "outcome": "servfail" }),
            Mx::NotSeen => return None,
        })
    }

    fn policy(&self) -> Option<Value> {
        let text = |lines: &str| json!({ "body": format!("version: STSv1\r\n{lines}\r\n") });
        let mx = "mx: *.mail.example.com";
        match self.served {
            Served::Enforce => Some(text(&format!("mode: enforce\r\n{mx}\r\nmax_age: 604800"))),
            Served::Testing => Some(text(&format!("mode: testing\r\n{mx}\r\nmax_age: 604800"))),
            Served::ModeNone => Some(text("mode: none\r\nmax_age: 86400")),
            Served::WithAddress => Some(text(&format!("mode: enforce\r\n{mx}\r\nmx: 192.0.2.1\r\nmax_age: 604800"))),
            Served::BadAge => Some(text(&format!("mode: enforce\r\n{mx}\r\nmax_age: week"))),
            Served::TooLong => {
                let long = "x".repeat(65_536);
                Some(text(&format!("mode: enforce\r\n{mx}\r\nmax_age: 604800\r\nnote: {long}")))
            }
            Served::WrongName | Served::Expired => Some(text(&format!("mode: enforce\r\n{mx}\r\nmax_age: 604800"))),
            Served::Status404 | Served::Redirect | Served::NoAddress | Served::NoPort => Some(Value::Null),
            Served::LookupFails | Served::NotSeen => None,
        }
    }

    fn policy_host(&self) -> Option<Value> {
        let name = "mta-sts.example.com";
        let host = |probe: Option<Value>| {
            json!({
                "name": name,
                "ipv4": { "name": name, "outcome": "answer", "records": [{ "address": "93.184.216.34" }] },
                "ipv6": { "name": name, "outcome": "nodata" },
                "probes": probe.into_iter().collect::<Vec<_>>(),
            })
        };
        let answers = |status: u16, tls: Value| {
            let response = json!({ "status": status, "headers": [{ "name": "content-type", "value": "text/plain" }] });
            host(Some(json!({ "address": "93.184.216.34", "connected": true, "tls": tls, "response": response })))
        };
        Some(match self.served {
            Served::Status404 => answers(404, session(name, Address::Good)),
            Served::Redirect => answers(301, session(name, Address::Good)),
            Served::WrongName => answers(200, session(name, Address::WrongName)),
            Served::Expired => answers(200, session(name, Address::Expired)),
            Served::NoPort => {
                let failure = json!({ "kind": "refused", "detail": "connection refused" });
                host(Some(json!({ "address": "93.184.216.34", "connected": false, "failure": failure })))
            }
            Served::NoAddress => json!({ "name": name, "ipv4": null, "ipv6": null, "probes": [] }),
            Served::LookupFails => json!({
                "name": name,
                "ipv4": { "name": name, "outcome": "servfail" },
                "ipv6": { "name": name, "outcome": "servfail" },
            }),
            Served::NotSeen => return None,
            _ => answers(200, session(name, Address::Good)),
        })
    }

    fn mx_hosts(&self) -> Option<Value> {
        let hosts = (0..self.hosts.len()).map(|index| self.mx_host(index)).collect();
        (self.mx == Mx::Published).then_some(Value::Array(hosts))
    }

    fn mx_host(&self, index: usize) -> Value {
        let (host, name) = (&self.hosts[index], self.name(index));
        let address = |number: usize| format!("93.184.21{index}.{}", number + 1);
        if host.lookup_fails {
            let failed = json!({ "name": name, "outcome": "servfail" });
            return json!({ "exchange": name, "ipv4": failed, "ipv6": failed });
        }
        let records: Vec<Value> =
            (0..host.addresses.len()).map(|number| json!({ "address": address(number) })).collect();
        let asked = host.addresses.iter().enumerate().filter(|(_, it)| **it != Address::NotSeen);
        let probes: Vec<Value> = asked.map(|(number, state)| probe(&name, &address(number), *state)).collect();
        let mut tree = json!({
            "exchange": name,
            "ipv4": { "name": name, "outcome": "answer", "dnssec": "secure", "records": records },
            "ipv6": { "name": name, "outcome": "nodata", "dnssec": "secure" },
            "probes": probes,
        });
        if let Some(tlsa) = tlsa(&name, host.tlsa) {
            tree["tlsa"] = tlsa;
        }
        tree
    }

    /// The older observation, where the sender holds something of it.
    pub fn baseline(&self) -> Option<Snapshot> {
        let (mode, mx, at, max_age) = match self.held {
            Held::Nothing => return None,
            Held::Enforce | Held::BadCertificate | Held::BadRecord => {
                ("enforce", "*.mail.example.com", "10", 1_209_600)
            }
            Held::Testing => ("testing", "*.mail.example.com", "10", 1_209_600),
            Held::ModeNone => ("none", "*.mail.example.com", "10", 1_209_600),
            Held::EnforceOtherHosts => ("enforce", "*.elsewhere.example", "10", 1_209_600),
            Held::Expired => ("enforce", "*.elsewhere.example", "10", 86_400),
            Held::Newer => ("enforce", "*.elsewhere.example", "25", 1_209_600),
        };
        let name = "mta-sts.example.com";
        let shown = if self.held == Held::BadCertificate { Address::Untrusted } else { Address::Good };
        let id = if self.held == Held::BadRecord { "a-b" } else { "old" };
        let tree = json!({
            "snapshot": 1, "domain": "example.com", "collected_at": format!("2026-11-{at}T00:00:00Z"),
            "record": { "name": "_mta-sts.example.com", "outcome": "answer", "records": [{ "strings": [format!("v=STSv1; id={id};")] }] },
            "policy_host": {
                "name": name,
                "ipv4": { "name": name, "outcome": "answer", "records": [{ "address": "93.184.216.34" }] },
                "ipv6": { "name": name, "outcome": "nodata" },
                "probes": [{ "address": "93.184.216.34", "connected": true, "tls": session(name, shown), "response": { "status": 200 } }],
            },
            "policy": { "body": format!("version: STSv1\r\nmode: {mode}\r\nmx: {mx}\r\nmax_age: {max_age}\r\n") },
        });
        Some(serde_json::from_value(tree).unwrap())
    }
}

fn probe(name: &str, address: &str, state: Address) -> Value {
    if state == Address::NoConnection {
        let failure = json!({ "kind": "refused", "detail": "connection refused" });
        return json!({ "address": address, "connected": false, "failure": failure });
    }
    let code = if state == Address::Greets554 { 554 } else { 220 };
    let mut tree = json!({ "address": address, "connected": true, "greeting": { "code": code, "lines": ["here"] } });
    if state == Address::Greets554 {
        return tree;
    }
    let offered = if state == Address::NoStartTls { "SIZE" } else { "STARTTLS" };
    tree["ehlo"] = json!({ "code": 250, "lines": [name, offered] });
    if state == Address::NoStartTls {
        return tree;
    }
    let code = if state == Address::StartTlsRefused { 454 } else { 220 };
    tree["starttls"] = json!({ "code": code, "lines": ["answer"] });
    if matches!(state, Address::StartTlsRefused | Address::TlsNotSeen) {
        return tree;
    }
    tree["tls"] = session(name, state);
    match state {
        Address::NoHandshake | Address::LegacyTls | Address::LegacyTlsUnseen => {}
        Address::EndsInTls => tree["failure"] = json!({ "kind": "closed", "detail": "it hangs up" }),
        _ => tree["ehlo_after_tls"] = json!({ "code": 250, "lines": [name] }),
    }
    tree
}

fn session(name: &str, state: Address) -> Value {
    if state == Address::NoHandshake {
        return json!({ "handshake": false });
    }
    let (from, to) = match state {
        Address::Expired => ("2026-01-01", "2026-02-01"),
        Address::NotYetValid => ("2027-01-01", "2027-02-01"),
        _ => ("2026-01-01", "2027-01-01"),
    };
    let named = if state == Address::WrongName { "www.example.net" } else { name };
    let pem = |der: &str| format!("-----BEGIN CERTIFICATE-----\n{der}\n-----END CERTIFICATE-----\n");
    let mut session = json!({
        "server_name": name,
        "handshake": true,
        "version": if state == Address::OldTls { "TLSv1.1" } else { "TLSv1.3" },
        "chain": [
            { "subject": "CN=leaf", "issuer": "CN=issuer", "dns_ids": [named], "extended_key_usage": ["serverAuth"],
              "not_before": format!("{from}T00:00:00Z"), "not_after": format!("{to}T00:00:00Z"), "pem": pem(GOOD_LEAF) },
            { "subject": "CN=issuer", "issuer": "CN=root", "not_before": "2020-01-01T00:00:00Z",
              "not_after": "2035-01-01T00:00:00Z", "authority": true, "pem": pem(ISSUER) },
        ],
        "trust": { "verdict": if state == Address::Untrusted { "unknown_issuer" } else { "trusted" } },
    });
    // RFC 9325 §4.1: what Postfix and Exim speak, and others do not.
    if matches!(state, Address::LegacyTls | Address::LegacyTlsUnseen) {
        session["handshake"] = json!(false);
        session["failure"] = json!({ "kind": "tls_alert", "detail": "handshake_failure" });
        session["second_look"] = json!({ "version": "TLSv1.2", "cipher": "TLS_RSA_WITH_AES_128_CBC_SHA" });
    }
    if state == Address::LegacyTlsUnseen {
        session["chain"] = json!([]);
        session["second_look"] = json!({ "version": "TLSv1.3", "group": "secp521r1" });
    }
    session
}

fn tlsa(host: &str, state: Tlsa) -> Option<Value> {
    let name = format!("_25._tcp.{host}");
    let records = |usage: u8, association: &str, proof: &str| {
        let record = json!({ "usage": usage, "selector": 0, "matching": 1, "association": association });
        json!({ "name": name, "outcome": "answer", "dnssec": proof, "records": [record] })
    };
    Some(match state {
        Tlsa::NoRecord => json!({ "name": name, "outcome": "nxdomain", "dnssec": "secure" }),
        Tlsa::Matches => records(3, LEAF_DIGEST, "secure"),
        Tlsa::MatchesIssuer => records(2, ISSUER_DIGEST, "secure"),
        Tlsa::Differs => records(3, ISSUER_DIGEST, "secure"),
        Tlsa::Unusable => records(1, LEAF_DIGEST, "secure"),
        Tlsa::Unsigned => records(3, ISSUER_DIGEST, "insecure"),
        Tlsa::Bogus => records(3, LEAF_DIGEST, "bogus"),
        Tlsa::ServFail => json!({ "name": name, "outcome": "servfail" }),
        Tlsa::FailsHere => json!({ "name": name, "outcome": "network" }),
        Tlsa::NotSeen => return None,
    })
}
