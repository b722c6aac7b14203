//! What a sender that uses DANE does with one MX host (RFC 7672 §2.2, §3).

use super::host::{Verdict, failing, settled, verdicts};
use super::{SenderAction, SenderDane};
use crate::facts::tree::{MxHostFacts, SmtpFacts, TlsSessionFacts};
use crate::facts::{Facts, Path, matches_mx};
use crate::snapshot::DnssecProof;
use crate::tls_reports::result_type::ResultType;

/// What it does; `None` where DANE does not apply: no secure TLSA record, or nothing of it was observed.
pub fn of(facts: &Facts, index: usize, host: &MxHostFacts, reports_requested: bool) -> Option<SenderDane> {
    let path = Path::from("mx").to("hosts").nth(index);
    let said = |action, explanation: String, reports: Vec<ResultType>| SenderDane {
        action,
        explanation,
        reports: if reports_requested { reports } else { Vec::new() },
    };
    let secure = |proof: Option<&DnssecProof>| proof == Some(&DnssecProof::Secure);
    let mx_is_secure = secure(facts.of_domain().mx.known().and_then(|mx| mx.dnssec.known()));
    let elected = if mx_is_secure { "" } else { " (by choice: the MX records are not secure)" };
    if lookup_fails(host) {
        // Whatever it fails by, a failed lookup makes the host as good as unreachable (RFC 7672 §2.1.2, §2.2.1).
        let text = format!("the TLSA lookup fails under DNSSEC, so the host counts as unreachable{elected}");
        return Some(said(SenderAction::Refuse, text, vec![ResultType::DnssecInvalid]));
    }
    let records = host.tlsa.known().filter(|records| !records.is_empty())?;
    if !secure(host.tlsa_dnssec.known()) {
        return None;
    }
    let usable = records.iter().any(|record| record.usable.known() == Some(&true));
    let verdicts = verdicts(facts, host, &path, &|probe, tls, path| session_verdict(facts, usable, probe, tls, path));
    let one_is_valid = verdicts.iter().any(|(_, verdict)| *verdict == Verdict::Valid);
    let failing = failing(&verdicts);
    if let (Some((kinds, why)), false) = (&failing, one_is_valid) {
        let demands = if usable { "" } else { "its TLSA records demand TLS, and " };
        return Some(said(SenderAction::Refuse, format!("{demands}{why}{elected}"), kinds.clone()));
    }
    let (action, why, _) = settled(&verdicts, "");
    if action != SenderAction::Deliver {
        return Some(said(action, why, Vec::new()));
    }
    // Of an address that fails a sender goes on to the next, as without DANE.
    let (mut kinds, beside) = match failing {
        Some((kinds, why)) => (kinds, format!("; {why}, and it goes on to the host's other addresses")),
        None => (Vec::new(), String::new()),
    };
    if usable {
        let text = format!("a TLSA record matches its certificate{elected}{beside}");
        return Some(said(SenderAction::Deliver, text, kinds));
    }
    // Unusable records demand TLS, but nothing to verify (RFC 7672 §2.2).
    kinds.push(ResultType::TlsaInvalid);
    let text = format!("none of its TLSA records is usable: TLS is demanded and not verified{elected}{beside}");
    Some(said(SenderAction::DeliverUnverified, text, kinds))
}

/// Whether the question for TLSA records fails where DANE asks it: at a host whose addresses are secure.
fn lookup_fails(host: &MxHostFacts) -> bool {
    let bogus = host.tlsa_dnssec.known() == Some(&DnssecProof::Bogus);
    let failed = host.tlsa_outcome.known().is_some_and(|outcome| outcome.is_failure());
    bogus || (failed && host.dnssec.known() == Some(&DnssecProof::Secure))
}

/// DANE asks for a handshake, and for a certificate that a TLSA record matches where one is usable.
fn session_verdict(facts: &Facts, usable: bool, probe: &SmtpFacts, tls: &TlsSessionFacts, path: &Path) -> Verdict {
    match tls.handshake.known() {
        Some(true) => {}
        Some(false) => return Verdict::Fails(ResultType::ValidationFailure, "the TLS handshake fails".to_owned()),
        None => return Verdict::Unseen(facts.reason_not_known(path.to("handshake"))),
    }
    if !usable {
        return Verdict::Valid;
    }
    match probe.tlsa_usages.known().map(Vec::as_slice) {
        None => Verdict::Unseen("whether a TLSA record matches its certificate was not observed".to_owned()),
        Some([]) => Verdict::Fails(ResultType::TlsaInvalid, "no TLSA record matches its certificate".to_owned()),
        Some(usages) if usages.contains(&3) => Verdict::Valid,
        Some(_) => anchored(facts, tls, path),
    }
}

/// The certificate itself where only its issuer is pinned: usage 2 asks for the host's name, or the domain's, and for
/// its dates (RFC 7672 §3.1.2, §3.2.2); usage 3 asks for neither.
fn anchored(facts: &Facts, tls: &TlsSessionFacts, path: &Path) -> Verdict {
    let Some(certificate) = tls.certificate.known().and_then(Option::as_ref) else {
        return Verdict::Unseen(facts.reason_not_known(path.to("certificate")));
    };
    let fails = |kind, why: &str| Verdict::Fails(kind, format!("a TLSA record matches its issuer, but {why}"));
    let domain = facts.of_domain().domain.known().and_then(Option::as_deref).unwrap_or_default();
    let names = certificate.dns_ids.known().map(Vec::as_slice).unwrap_or_default();
    let misses = certificate.name_match.known().is_some_and(|found| !found.names_host());
    if certificate.expired.known() == Some(&true) {
        fails(ResultType::CertificateExpired, "its certificate has expired")
    } else if certificate.not_yet_valid.known() == Some(&true) {
        fails(ResultType::CertificateNotTrusted, "its certificate is not yet valid")
    } else if misses && !names.iter().any(|name| matches_mx(name, domain)) {
        fails(ResultType::CertificateHostMismatch, "its certificate does not name it")
    } else {
        Verdict::Valid
    }
}
