//! What a sender that does DANE does with one MX host (RFC 7672 §2.2, §3).

use super::host::{Verdict, failing, settled, verdicts};
use super::{SenderAction, SenderDane};
use crate::facts::tree::{MxHostFacts, TlsSessionFacts, TlsaFacts};
use crate::facts::{Facts, matches_mx};
use crate::snapshot::{DnsOutcome, DnssecProof};

/// What it does; `None` where DANE does not apply: no secure TLSA record, or nothing of it was observed.
pub fn of(facts: &Facts, index: usize, host: &MxHostFacts, told: bool) -> Option<SenderDane> {
    let path = format!("mx.hosts[{index}]");
    let said = |action, explanation: String, reports: Vec<&str>| SenderDane {
        action,
        explanation,
        reports: if told { reports.into_iter().map(str::to_owned).collect() } else { Vec::new() },
    };
    let secure = |proof: Option<&DnssecProof>| proof == Some(&DnssecProof::Secure);
    let outcome = host.tlsa_outcome.known();
    let mx_is_secure = secure(facts.known.mx.known().and_then(|mx| mx.dnssec.known()));
    let elected = if mx_is_secure { "" } else { " (by choice: the MX records are not secure)" };
    if host.tlsa_dnssec.known() == Some(&DnssecProof::Bogus)
        || (matches!(
            outcome,
            Some(DnsOutcome::Servfail | DnsOutcome::Refused | DnsOutcome::Timeout | DnsOutcome::Malformed)
        ) && secure(host.dnssec.known()))
    {
        // Whatever it fails by, a failed lookup makes the host as good as unreachable (RFC 7672 §2.1.2, §2.2.1).
        let text = format!("the TLSA lookup fails under DNSSEC, so the host counts as unreachable{elected}");
        return Some(said(SenderAction::Refuse, text, vec!["dnssec-invalid"]));
    }
    let records = host.tlsa.known().filter(|records| !records.is_empty())?;
    if !secure(host.tlsa_dnssec.known()) {
        return None;
    }
    let usable: Vec<_> = records.iter().filter(|record| record.usable.known() == Some(&true)).collect();
    let verdicts = verdicts(facts, host, &path, handshake_verdict);
    if let Some((kinds, why)) = failing(&verdicts) {
        let text = format!("its TLSA records demand TLS, and {why}{elected}");
        return Some(said(SenderAction::Refuse, text, kinds));
    }
    if usable.is_empty() {
        // Unusable records demand TLS, but nothing to verify (RFC 7672 §2.2).
        let text = format!("none of its TLSA records is usable: TLS is demanded and not verified{elected}");
        return Some(said(SenderAction::DeliverUnverified, text, vec!["tlsa-invalid"]));
    }
    let (action, why, _) = settled(&verdicts, "");
    if action != SenderAction::Deliver {
        return Some(said(action, why, Vec::new()));
    }
    let matches: Vec<Option<bool>> = usable.iter().map(|record| record.matches.known().copied()).collect();
    Some(match () {
        () if matches.contains(&Some(true)) => match anchored_leaf(facts, host, &usable) {
            Some((kind, why)) => {
                said(SenderAction::Refuse, format!("a TLSA record matches its issuer, but {why}{elected}"), vec![kind])
            }
            None => said(SenderAction::Deliver, format!("a TLSA record matches its certificate{elected}"), Vec::new()),
        },
        () if matches.contains(&None) => said(
            SenderAction::Unknown,
            "whether a TLSA record matches its certificate was not observed".to_owned(),
            Vec::new(),
        ),
        () => {
            said(SenderAction::Refuse, format!("no TLSA record matches its certificate{elected}"), vec!["tlsa-invalid"])
        }
    })
}

/// What is wrong with the certificate itself where only its issuer is pinned: usage 2 asks for the host's name, or the
/// domain's, and for its dates (RFC 7672 §3.1.2, §3.2.2); usage 3 asks for neither.
fn anchored_leaf(facts: &Facts, host: &MxHostFacts, usable: &[&TlsaFacts]) -> Option<(&'static str, &'static str)> {
    if usable.iter().any(|record| record.usage.known() == Some(&3) && record.matches.known() == Some(&true)) {
        return None;
    }
    let domain = facts.known.domain.known().and_then(Option::as_deref).unwrap_or_default();
    let sessions = host.probes.known().into_iter().flatten().filter_map(|probe| probe.tls.known());
    sessions.filter_map(|tls| tls.certificate.known().and_then(Option::as_ref)).find_map(|certificate| {
        let names = certificate.dns_ids.known().map(Vec::as_slice).unwrap_or_default();
        let misses = certificate.name_match.known().is_some_and(|found| !found.names_host());
        if certificate.expired.known() == Some(&true) {
            Some(("certificate-expired", "its certificate has expired"))
        } else if certificate.not_yet_valid.known() == Some(&true) {
            Some(("certificate-not-trusted", "its certificate is not yet valid"))
        } else if misses && !names.iter().any(|name| matches_mx(name, domain)) {
            Some(("certificate-host-mismatch", "its certificate does not name it"))
        } else {
            None
        }
    })
}

/// DANE asks for a handshake; the certificate is judged by the TLSA records.
fn handshake_verdict(facts: &Facts, tls: &TlsSessionFacts, path: &str) -> Verdict {
    match tls.handshake.known() {
        Some(true) => Verdict::Valid,
        Some(false) => Verdict::Fails("validation-failure", "the TLS handshake fails".to_owned()),
        None => Verdict::Unknown(facts.why_unobserved(&format!("{path}.handshake"))),
    }
}
