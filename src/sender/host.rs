//! What a sender does with one MX host (RFC 8461 §4, §5).

use super::policy::Applied;
use super::{AppliedPolicy, SenderAction, SenderHost};
use crate::facts::tree::{MxHostFacts, SmtpFacts, TlsSessionFacts};
use crate::facts::{Facts, Path};
use crate::snapshot::TlsVersion;
use crate::tls_reports::result_type::ResultType;

/// What validation of one address comes to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// It fails, with the result type that is reported and why.
    Fails(ResultType, String),
    /// Nothing can be delivered there at all: no connection, or the host turns clients away.
    Unreachable(String),
    /// Whether anything can be delivered there was not observed.
    Unknown(String),
    /// Mail can go there; what validation comes to was not observed.
    Unseen(String),
    /// It is valid.
    Valid,
}

/// What the sender does with a host under the policy that it applies; `reports_requested` where reports are asked for.
pub fn of(facts: &Facts, index: usize, host: &MxHostFacts, applied: &Applied, reports_requested: bool) -> SenderHost {
    let exchange = host.name.known().cloned().unwrap_or_default();
    let (action, mut explanation, reports) = judged(facts, index, host, applied, &exchange, reports_requested);
    if let Some(shut_out) = shut_out(host).filter(|_| action == SenderAction::Deliver) {
        explanation.push_str(&format!("; {shut_out} cannot use TLS there"));
    }
    SenderHost {
        preference: host.preference.known().copied().flatten(),
        exchange,
        action,
        explanation,
        reports: if reports_requested { reports } else { Vec::new() },
        dane: None,
    }
}

/// The senders that have no TLS in common with an address of the host.
fn shut_out(host: &MxHostFacts) -> Option<&str> {
    let sessions = host.probes.known()?.iter().filter_map(|probe| probe.tls.known());
    sessions.filter_map(|tls| tls.shut_out.known()?.as_deref()).next()
}

type Judged = (SenderAction, String, Vec<ResultType>);

fn judged(
    facts: &Facts,
    index: usize,
    host: &MxHostFacts,
    applied: &Applied,
    exchange: &str,
    reports_requested: bool,
) -> Judged {
    let path = Path::from("mx").to("hosts").nth(index);
    let verdicts = verdicts(facts, host, &path, &|_, tls, path| session_verdict(facts, tls, path));
    match applied.policy {
        // A host that no mail can reach is out of reach under any policy.
        AppliedPolicy::Unknown if !is_out_of_reach(&verdicts) => {
            return (SenderAction::Unknown, "which policy is applied was not observed".to_owned(), Vec::new());
        }
        AppliedPolicy::Unknown => return settled(&verdicts, ""),
        AppliedPolicy::Absent | AppliedPolicy::None => return opportunistic(&verdicts),
        AppliedPolicy::Enforce | AppliedPolicy::Testing => {}
    }
    let published = host.covered.known().copied().flatten();
    let covered = applied.covers(exchange, published);
    let fails = |reports: Vec<ResultType>, why: String| match (applied.policy, reports_requested) {
        (AppliedPolicy::Enforce, _) => (SenderAction::Refuse, why, reports),
        (_, true) => (SenderAction::DeliverAndReport, why, reports),
        (_, false) => {
            (SenderAction::DeliverUnverified, format!("{why}; without a TLSRPT record nobody is told"), reports)
        }
    };
    match covered {
        // RFC 8460 has no result type of its own for this; reporters use the general one.
        // In mode testing the mail goes on to a host that the policy does not name, where it can be reached.
        Some(false) if applied.policy == AppliedPolicy::Testing && !reached(&verdicts) => {
            return settled(&verdicts, "");
        }
        Some(false) => {
            return fails(vec![ResultType::ValidationFailure], format!("no `mx` pattern matches {exchange}"));
        }
        None => return (SenderAction::Unknown, facts.reason_not_known(path.to("covered")), Vec::new()),
        Some(true) => {}
    }
    if let Some((kinds, why)) = failing(&verdicts) {
        let good = verdicts.iter().filter(|(_, verdict)| *verdict == Verdict::Valid).count();
        return match (applied.policy, good) {
            (AppliedPolicy::Enforce, 1..) => {
                (SenderAction::Deliver, format!("{why}; its other addresses are in order"), kinds)
            }
            _ => fails(kinds, why),
        };
    }
    settled(&verdicts, "the policy names it, and its certificate is valid")
}

/// Whether some address answers, so that mail could go there.
fn reached(verdicts: &[(String, Verdict)]) -> bool {
    verdicts.iter().any(|(_, verdict)| matches!(verdict, Verdict::Fails(..) | Verdict::Unseen(_) | Verdict::Valid))
}

fn is_out_of_reach(verdicts: &[(String, Verdict)]) -> bool {
    verdicts.iter().all(|(_, verdict)| matches!(verdict, Verdict::Unreachable(_)))
}

/// Whether an address is public, as far as DNS names it; where DNS names others only, it is none of the host's.
fn is_public(host: &MxHostFacts, address: &str) -> bool {
    let Some(addresses) = host.addresses.known().filter(|addresses| !addresses.is_empty()) else { return true };
    let named = addresses.iter().find(|it| it.address.known().is_some_and(|known| known == address));
    named.is_some_and(|it| it.public.known() != Some(&false))
}

/// How a TLS session is judged, at the path of its facts.
pub type Judge<'a> = &'a dyn Fn(&SmtpFacts, &TlsSessionFacts, &Path) -> Verdict;

/// The verdict on each address, or the one on the whole host where no address was asked.
pub fn verdicts(facts: &Facts, host: &MxHostFacts, path: &Path, judge: Judge<'_>) -> Vec<(String, Verdict)> {
    if let Some(Some(why)) = host.unresolved.known() {
        return vec![(String::new(), Verdict::Unreachable(format!("its addresses cannot be looked up: {why}")))];
    }
    if host.resolves.known() == Some(&false) {
        return vec![(String::new(), Verdict::Unreachable("it has no address".to_owned()))];
    }
    match host.probes.known() {
        None => vec![(String::new(), Verdict::Unknown(facts.reason_not_known(path.to("probes"))))],
        Some(probes) if probes.is_empty() => {
            vec![(String::new(), Verdict::Unknown("none of its addresses was asked".to_owned()))]
        }
        Some(probes) => probes
            .iter()
            .enumerate()
            .map(|(index, probe)| {
                let address = probe.address.known().cloned().unwrap_or_default();
                if facts.of_domain().standard_ports.known() == Some(&true) && !is_public(host, &address) {
                    let why = "no sender on the internet can reach it".to_owned();
                    return (address, Verdict::Unreachable(why));
                }
                (address, verdict(facts, probe, &path.to("probes").nth(index), judge))
            })
            .collect(),
    }
}

fn verdict(facts: &Facts, probe: &SmtpFacts, path: &Path, judge: Judge<'_>) -> Verdict {
    let unknown = |field: &str| Verdict::Unknown(facts.reason_not_known(path.to(field)));
    let unseen = |field: &str| Verdict::Unseen(facts.reason_not_known(path.to(field)));
    match probe.connected.known() {
        None => return unknown("connected"),
        Some(false) => {
            let why = probe.failure.known().cloned().flatten().unwrap_or_else(|| "no connection".to_owned());
            return Verdict::Unreachable(why);
        }
        Some(true) => {}
    }
    match probe.greeting.known() {
        None => return unknown("greeting"),
        Some(None) => return Verdict::Unreachable("it sends no greeting".to_owned()),
        Some(Some(reply)) if reply.code.known() != Some(&220) => {
            let text = reply.text.known().cloned().unwrap_or_default();
            return Verdict::Unreachable(format!("it greets with {text}"));
        }
        Some(Some(_)) => {}
    }
    match (probe.starttls_offered.known(), probe.ehlo.known()) {
        (Some(true), _) => {}
        (Some(false), _) => {
            return Verdict::Fails(ResultType::StarttlsNotSupported, "it does not offer STARTTLS".to_owned());
        }
        (None, Some(None)) => {
            return Verdict::Fails(ResultType::StarttlsNotSupported, "it does not answer EHLO".to_owned());
        }
        (None, _) => return unseen("starttls_offered"),
    }
    let accepted = probe.starttls.known().map(|reply| reply.as_ref().and_then(|reply| reply.code.known().copied()));
    match accepted {
        Some(Some(220)) => {}
        None => return unseen("starttls"),
        _ => {
            return Verdict::Fails(
                ResultType::StarttlsNotSupported,
                "it offers STARTTLS, but does not accept it".to_owned(),
            );
        }
    }
    match probe.tls.known() {
        None => unseen("tls"),
        Some(tls) => match (judge(probe, tls, &path.to("tls")), breaks_off(probe)) {
            (Verdict::Valid, Some(why)) => Verdict::Unreachable(why),
            (verdict, _) => verdict,
        },
    }
}

/// Why no mail can pass though the handshake was done: the host ends the session, or takes no EHLO inside TLS.
fn breaks_off(probe: &SmtpFacts) -> Option<String> {
    match probe.ehlo_after_tls.known()? {
        Some(reply) if reply.code.known() == Some(&250) => None,
        Some(reply) => Some(format!("inside TLS it answers {}", reply.text.known().cloned().unwrap_or_default())),
        None => {
            let why = probe.failure.known().cloned().flatten();
            Some(format!("it breaks off inside TLS{}", why.map(|why| format!(" ({why})")).unwrap_or_default()))
        }
    }
}

/// Whether a session is valid by RFC 8461 §4.2.
fn session_verdict(facts: &Facts, tls: &TlsSessionFacts, path: &Path) -> Verdict {
    let unseen = |field: &str| Verdict::Unseen(facts.reason_not_known(path.to(field)));
    match tls.handshake.known() {
        Some(true) => {}
        Some(false) => return Verdict::Fails(ResultType::ValidationFailure, "the TLS handshake fails".to_owned()),
        None => return unseen("handshake"),
    }
    if let Some(Some(version)) = tls.version.known()
        && *version < TlsVersion::Tls12
    {
        return Verdict::Fails(
            ResultType::ValidationFailure,
            format!("it speaks {version}, but at least TLS 1.2 is needed"),
        );
    }
    let Some(Some(certificate)) = tls.certificate.known() else { return unseen("certificate") };
    let fails = |kind, why: &str| Verdict::Fails(kind, why.to_owned());
    match (certificate.expired.known(), certificate.not_yet_valid.known()) {
        (Some(true), _) => return fails(ResultType::CertificateExpired, "its certificate has expired"),
        (_, Some(true)) => return fails(ResultType::CertificateNotTrusted, "its certificate is not yet valid"),
        _ => {}
    }
    // A partial wildcard such as `mx*.example.com` may be accepted (RFC 6125 §6.4.3).
    if certificate.name_match.known().is_some_and(|found| !found.names_host()) {
        return fails(ResultType::CertificateHostMismatch, "its certificate does not name it");
    }
    match (tls.trusted.known(), certificate.server_auth.known()) {
        (Some(false), _) => {
            fails(ResultType::CertificateNotTrusted, "its certificate does not chain to a trusted root")
        }
        (_, Some(false)) => fails(ResultType::CertificateNotTrusted, "its certificate is not for TLS servers"),
        (None, _) => unseen("trusted"),
        _ if certificate.expired.is_unobserved() => unseen("certificate.expired"),
        _ if certificate.name_match.is_unobserved() => unseen("certificate.name_match"),
        _ => Verdict::Valid,
    }
}

/// The result types of the addresses that fail, and why the first of them does.
pub fn failing(verdicts: &[(String, Verdict)]) -> Option<(Vec<ResultType>, String)> {
    let mut kinds: Vec<ResultType> = Vec::new();
    let mut first = None;
    for (address, verdict) in verdicts {
        let Verdict::Fails(kind, why) = verdict else { continue };
        if !kinds.contains(kind) {
            kinds.push(*kind);
        }
        first.get_or_insert_with(|| if verdicts.len() > 1 { format!("at {address}, {why}") } else { why.clone() });
    }
    kinds.sort_unstable();
    Some((kinds, first?))
}

/// Where nothing fails: delivered, out of reach, or not known.
pub fn settled(verdicts: &[(String, Verdict)], valid: &str) -> Judged {
    let unknown = verdicts.iter().find_map(|(_, verdict)| match verdict {
        Verdict::Unknown(why) | Verdict::Unseen(why) => Some(why.clone()),
        _ => None,
    });
    let unreachable = verdicts.iter().find_map(|(_, verdict)| match verdict {
        Verdict::Unreachable(why) => Some(why.clone()),
        _ => None,
    });
    let any_valid = verdicts.iter().any(|(_, verdict)| *verdict == Verdict::Valid);
    match (any_valid, unknown, unreachable) {
        (true, ..) => (SenderAction::Deliver, valid.to_owned(), Vec::new()),
        (false, Some(why), _) => (SenderAction::Unknown, why, Vec::new()),
        (false, None, Some(why)) => (SenderAction::Retry, why, Vec::new()),
        (false, None, None) => (SenderAction::Unknown, "nothing was observed".to_owned(), Vec::new()),
    }
}

/// Without a policy that asks for more, TLS is used where it works and nothing is verified.
fn opportunistic(verdicts: &[(String, Verdict)]) -> Judged {
    let delivers = |why: String| (SenderAction::DeliverUnverified, why, Vec::new());
    let clear =
        verdicts.iter().any(|(_, verdict)| matches!(verdict, Verdict::Fails(ResultType::StarttlsNotSupported, _)));
    let unseen = verdicts.iter().find_map(|(_, verdict)| match verdict {
        Verdict::Unseen(why) => Some(why),
        _ => None,
    });
    if clear {
        delivers("no policy requires TLS, and it does not offer STARTTLS: mail travels in the clear".to_owned())
    } else if verdicts.iter().any(|(_, verdict)| matches!(verdict, Verdict::Fails(..) | Verdict::Valid)) {
        delivers("no policy requires verified TLS".to_owned())
    } else if let Some(why) = unseen {
        // Whether TLS works does not matter where nothing asks for it.
        delivers(format!("no policy requires verified TLS; {why}"))
    } else {
        settled(verdicts, "")
    }
}
