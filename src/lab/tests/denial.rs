//! What the lab does not hold: a resolver that validates believes every "no", whatever the name.

use std::sync::OnceLock;

use hickory_server::proto::dnssec::{Proof, TrustAnchors};
use proptest::prelude::*;
use tokio::runtime::Runtime;

use super::*;

/// The lab, with a domain whose names are made of a wildcard, and a resolver that validates.
struct Validated {
    runtime: Runtime,
    lab: Lab,
    resolver: TokioResolver,
}

const WILD: &str = "wild.example";

fn wild() -> Scenario {
    let mut wild = Scenario::good(WILD);
    wild.records.push(Record::txt("*.wild.example", "anything"));
    wild.records.push(Record::txt("a.b.deep.wild.example", "far down"));
    wild
}

fn validated() -> &'static Validated {
    static VALIDATED: OnceLock<Validated> = OnceLock::new();
    VALIDATED.get_or_init(|| {
        let runtime = Runtime::new().unwrap();
        let (lab, resolver) = runtime.block_on(async {
            let lab = lab(Lab::domains().iter().map(LabDomain::scenario).chain([wild()])).await;
            let anchor: TrustAnchors = lab.trust_anchor().parse().unwrap();
            let mut builder = dns::resolver_builder(&lab).with_trust_anchor(Arc::new(anchor));
            builder.options_mut().validate = true;
            let resolver = builder.build().unwrap();
            (lab, resolver)
        });
        Validated { runtime, lab, resolver }
    })
}

impl Validated {
    /// The proofs of what answers a query, or of what denies it.
    async fn proofs(&self, name: &str, kind: RecordType) -> Vec<Proof> {
        // Whatever the octets: a name is more than what may be a host's.
        let labels = name.split_terminator('.').map(str::as_bytes);
        match self.resolver.lookup(Name::from_labels(labels).unwrap(), kind).await {
            Ok(lookup) => lookup.answers().iter().map(|record| record.proof).collect(),
            Err(NetError::Dns(DnsError::NoRecordsFound(none))) => {
                none.authorities.unwrap().iter().map(|record| record.proof).collect()
            }
            other => panic!("{name} {kind}: {other:?}"),
        }
    }
}

/// Labels that some zone has, and others that sort before, between and after them.
fn label() -> impl Strategy<Value = String> {
    let known = [
        "!", "0", "_25", "_mta-sts", "_smtp", "_tcp", "_tls", "a", "b", "deep", "example", "in", "mta-sts", "mx1",
        "mx2", "ns", "perfect", "www", "~",
    ];
    prop_oneof![proptest::sample::select(known.to_vec()).prop_map(str::to_owned), "[a-z0-9_-]{1,12}"]
}

fn zone() -> impl Strategy<Value = &'static str> {
    // Of the zones that are signed as they should be, and of one that is not there.
    let zones = ["example", "perfect.example", "delegated.example", "no-host.example", "backup-mx.example", WILD];
    proptest::sample::select([&zones[..], &["nobody.example"]].concat())
}

fn kind() -> impl Strategy<Value = RecordType> {
    use RecordType::{A, AAAA, CNAME, DS, MX, TLSA, TXT};
    proptest::sample::select(vec![A, AAAA, CNAME, DS, MX, TLSA, TXT])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn every_answer_and_every_denial_is_proven(
        labels in proptest::collection::vec(label(), 0..6),
        zone in zone(),
        kind in kind(),
    ) {
        // Hickory takes the answer of a wildcard right above the name for bogus: no name is between them to be denied.
        prop_assume!(zone != WILD || kind != RecordType::TXT);
        let name: String = labels.iter().map(|label| format!("{label}.")).collect::<String>() + zone + ".";
        let it = validated();
        let proofs = it.runtime.block_on(it.proofs(&name, kind));
        prop_assert!(!proofs.is_empty() && proofs.iter().all(|proof| *proof == Proof::Secure), "{name} {kind}: {proofs:?}");
    }
}

#[test]
fn a_wildcard_answers_where_no_name_is_closer() {
    use RecordType::{A, TXT};
    use ResponseCode::{NXDomain, NoError};
    let it = validated();
    for (name, kind, code, answers) in [
        ("nobody.wild.example.", TXT, NoError, true),
        ("far.away.wild.example.", TXT, NoError, true),
        // The wildcard has no address, which makes its names no less there.
        ("nobody.wild.example.", A, NoError, false),
        // These names are there, with or without records of their own.
        ("mx1.wild.example.", TXT, NoError, false),
        ("deep.wild.example.", TXT, NoError, false),
        ("b.deep.wild.example.", TXT, NoError, false),
        // Names that are closer than the wildcard's parent.
        ("nobody.mx1.wild.example.", TXT, NXDomain, false),
        ("nobody.deep.wild.example.", TXT, NXDomain, false),
        ("nobody.perfect.example.", TXT, NXDomain, false),
    ] {
        let answer = it.runtime.block_on(async {
            let socket = dns::udp(&it.lab).await;
            socket.send(&dns::question(name, kind).to_vec().unwrap()).await.unwrap();
            dns::receive(&socket).await
        });
        assert_eq!((answer.metadata.response_code, !answer.answers.is_empty()), (code, answers), "{name} {kind}");
    }
}
