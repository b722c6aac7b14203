//! The facts of a TLS handshake and its chain, for the policy host and for MX hosts alike.

use jiff::Timestamp;

use super::builder::{Builder, failure_text};
use super::chain;
use super::fact::Fact;
use super::legacy::{self, Legacy};
use super::location::Place;
use super::near_miss;
use super::octets_of_certificate;
use super::path::Path;
use super::tree::{CertificateFacts, KeyAlgorithm, NameMatch, NearMissFacts, TlsSessionFacts};
use crate::grammar::names::{DnsIdMatch, dns_id_matches};
use crate::grammar::near_miss::Wanted;
use crate::snapshot::{Certificate, TlsFacts, TrustVerdict, instant};
use crate::source_text::escape;

const DAY: i64 = 86_400;

/// The facts of a handshake with `host`, noted under `path`; the certificates' summary goes into `exhibit`.
pub fn session(builder: &mut Builder<'_>, tls: &TlsFacts, host: &str, path: &Path, exhibit: &str) -> TlsSessionFacts {
    let legacy = legacy::of(tls, path.as_str().starts_with("policy_host"));
    let mut facts = agreed(tls, legacy.as_ref());
    if facts.older_version.is_unobserved() {
        let reason = "whether it accepts TLS 1.0 or 1.1 was not observed";
        builder.note_unobserved(path.to("older_version"), reason);
    }
    summary(builder, tls, legacy.as_ref(), path, exhibit);
    if tls.chain.is_empty() {
        match tls.handshake {
            _ if legacy.is_some() => builder.note_unobserved(path, legacy::BEYOND_LIBRARY),
            true => builder.note_unobserved(path, "the snapshot holds no certificate of this handshake"),
            false => {
                facts.certificate = Fact::Known(None);
                builder.note_unobserved(path, "the TLS handshake failed, so no certificate was seen");
            }
        }
        return facts;
    }
    let now = builder.now;
    let is_policy_host = path.as_str().starts_with("policy_host");
    let wanted = Wanted { host, canonical: builder.canonical(host), domain: builder.domain(), is_policy_host };
    let chain: Vec<CertificateFacts> =
        tls.chain.iter().map(|certificate| certificate_facts(certificate, wanted, now)).collect();
    if now.is_none() {
        builder.note_unobserved(
            path,
            "the snapshot does not say when it was made (`collected_at`), or the certificate has no dates",
        );
    }
    facts.certificate = Fact::Known(chain.first().cloned());
    facts.chain = Fact::Known(chain);
    let sent = chain::look_at(&tls.chain);
    facts.chain_ordered = Fact::Known(!sent.misordered && sent.duplicates.is_empty() && sent.foreign.is_empty());
    if let Some(index) = sent.out_of_place {
        let place = builder.locations.get(path.to("chain").nth(index));
        builder.locations.note_as(path.to("chain_ordered"), place);
    }
    facts.misordered = Fact::Known(sent.misordered);
    facts.duplicates = Fact::Known(sent.duplicates);
    facts.foreign = Fact::Known(sent.foreign);
    facts.unsent_issuer = Fact::Known(sent.unsent_issuer);
    facts.strays = Fact::Known(strays(&tls.chain));
    facts.weaknesses = weaknesses(&tls.chain);
    for (field, what) in [("sha256", "the certificate itself"), ("spki_sha256", "the public key")] {
        builder.note_unobserved(path.to("certificate").to(field), format!("the snapshot does not hold {what}"));
    }
    builder.note_unobserved(path.to("certificate").to("curve"), "the snapshot does not hold the curve of the key");
    if facts.weaknesses.is_unobserved() {
        builder.note_unobserved(
            path.to("weaknesses"),
            "the snapshot does not hold every key's size and signature's algorithm",
        );
    }
    match &tls.trust {
        Some(trust) => {
            facts.trusted = Fact::Known(trust.verdict == TrustVerdict::Trusted);
            facts.trust = Fact::Known(trust.verdict);
            facts.trust_detail = Fact::Known(trust.detail.as_deref().map(escape));
        }
        None => {
            let said = tls.verifier.as_deref().filter(|said| *said != "ok").map(|said| format!(": {}", escape(said)));
            let reason = format!("the chain was not verified{}", said.unwrap_or_default());
            for field in ["trust", "trusted", "trust_detail"] {
                builder.note_unobserved(path.to(field), reason.clone());
            }
        }
    }
    facts
}

/// What the two sides agreed on, or would have.
fn agreed(tls: &TlsFacts, legacy: Option<&Legacy>) -> TlsSessionFacts {
    let looked = tls.second_look.as_ref().filter(|_| legacy.is_some());
    let (version, cipher) = match looked {
        Some(look) => (Fact::Known(Some(look.version)), Fact::Known(look.cipher.as_deref().map(escape))),
        None => (negotiated(tls, &tls.version), negotiated(tls, &tls.cipher)),
    };
    TlsSessionFacts {
        handshake: Fact::Known(tls.handshake || legacy.is_some()),
        legacy: Fact::Known(legacy.map(|legacy| legacy.agreed.clone())),
        uncommon: Fact::Known(legacy.map(|legacy| legacy.uncommon.clone()).unwrap_or_default()),
        shut_out: Fact::Known(legacy.map(|legacy| legacy.shut_out.to_owned())),
        older_version: tls.older_version.into(),
        failure: Fact::Known(tls.failure.as_ref().filter(|_| legacy.is_none()).map(failure_text)),
        client_certificate: Fact::Known(tls.client_certificate),
        version,
        cipher,
        ..TlsSessionFacts::default()
    }
}

/// What a handshake agreed on: there is none where it failed, and always one where it did not.
fn negotiated<T: Clone>(tls: &TlsFacts, value: &Option<T>) -> Fact<Option<T>> {
    if value.is_none() && tls.handshake { Fact::Unobserved } else { Fact::Known(value.clone()) }
}

/// The lines of the exhibit that speak of the handshake, with their places.
fn summary(builder: &mut Builder<'_>, tls: &TlsFacts, legacy: Option<&Legacy>, path: &Path, exhibit: &str) {
    let line = match (&tls.version, &tls.failure) {
        _ if legacy.is_some() => {
            let agreed = legacy.map(|legacy| legacy.agreed.as_str()).unwrap_or_default();
            format!("TLS: {agreed} (offered all that OpenSSL has)")
        }
        (Some(version), _) if tls.handshake => {
            format!("TLS: {version}, {}", tls.cipher.as_deref().unwrap_or("cipher unknown"))
        }
        (_, Some(failure)) => format!("TLS: {}", failure_text(failure)),
        _ if tls.handshake => "TLS: handshake done".to_owned(),
        _ => "TLS: handshake failed".to_owned(),
    };
    place(builder, exhibit, path, &line);
    if let Some(Some(older)) = &tls.older_version {
        let line = format!("TLS: {older} is accepted too");
        place(builder, exhibit, path.to("older_version"), &line);
    }
    for (index, certificate) in tls.chain.iter().enumerate() {
        certificate_lines(builder, certificate, index, path, exhibit);
    }
    if let Some(trust) = &tls.trust {
        let detail = trust.detail.as_deref().map(|detail| format!(" ({})", escape(detail))).unwrap_or_default();
        let line = format!("trust: {}{detail}", trust.verdict.word().replace('_', " "));
        place(builder, exhibit, path.to("trusted"), &line);
        let same = builder.locations.get(path.to("trusted"));
        for alias in ["trust", "trust_detail"] {
            builder.locations.note_as(path.to(alias), same.clone());
        }
    }
}

/// The facts that are read off the line about a certificate's key, and what its purposes are read off where they are not
/// limited.
const KEY_AND_PURPOSES: [&str; 7] =
    ["key_bits", "curve", "spki_sha256", "key_algorithm", "signature_algorithm", "server_auth", "purposes"];

fn certificate_lines(builder: &mut Builder<'_>, certificate: &Certificate, index: usize, path: &Path, exhibit: &str) {
    let title = if index == 0 { "certificate".to_owned() } else { format!("certificate {}", index.saturating_add(1)) };
    let subject = format!("{title}: {}, issued by {}", escape(&certificate.subject), escape(&certificate.issuer));
    let valid = format!(
        "  valid: {} until {}",
        certificate.not_before.as_deref().unwrap_or("?"),
        certificate.not_after.as_deref().unwrap_or("?")
    );
    let key = format!(
        "  key: {} {}, signed with {}",
        certificate.key_algorithm.as_deref().unwrap_or("?"),
        certificate.key_bits.map_or("?".to_owned(), |bits| bits.to_string()),
        certificate.signature_algorithm.as_deref().unwrap_or("?")
    );
    let mut lines: Vec<(&[&str], String)> = vec![(&["serial", "sha256"], subject)];
    if index == 0 {
        let names = if certificate.dns_ids.is_empty() {
            "none".to_owned()
        } else {
            certificate.dns_ids.iter().map(|id| escape(id)).collect::<Vec<_>>().join(", ")
        };
        lines.push((&["dns_ids", "name_match", "common_names", "near_miss"], format!("  names: {names}")));
    }
    lines.push((&["not_after", "not_before", "expired", "not_yet_valid", "days_left", "lifetime_days"], valid));
    if allows_servers(certificate) {
        lines.push((&KEY_AND_PURPOSES, key));
    } else {
        let purposes = certificate.extended_key_usage.iter().flatten().map(|purpose| escape(purpose));
        lines.push((KEY_AND_PURPOSES.first_chunk::<5>().map_or(&[], |key| key), key));
        let purposes = format!("  purposes: {}", purposes.collect::<Vec<_>>().join(", "));
        lines.push((&["server_auth", "purposes"], purposes));
    }
    // The host's own certificate has two names in the tree.
    let own = (index == 0).then(|| path.to("certificate"));
    let owners: Vec<Path> = [path.to("chain").nth(index)].into_iter().chain(own).collect();
    for (number, (fields, line)) in lines.into_iter().enumerate() {
        let place = write(builder, exhibit, &line);
        for of in &owners {
            if number == 0 {
                builder.locations.note_as(of, Some(place.clone()));
            }
            for field in fields {
                builder.locations.note_as(of.to(field), Some(place.clone()));
            }
        }
    }
}

/// Appends a line to an exhibit and notes that a fact was read there.
pub fn place(builder: &mut Builder<'_>, exhibit: &str, path: impl Into<Path>, line: &str) {
    let place = write(builder, exhibit, line);
    builder.locations.note_as(path, Some(place));
}

/// Appends a line to an exhibit.
pub fn write(builder: &mut Builder<'_>, exhibit: &str, line: &str) -> Place {
    let target = builder.locations.exhibit(exhibit);
    let indent = line.len().saturating_sub(line.trim_start().len());
    let (start, end) = target.push_placed(line);
    target.push("\n");
    let start = start.saturating_add(indent);
    (exhibit.to_owned(), start, end.saturating_sub(start))
}

fn certificate_facts(certificate: &Certificate, wanted: Wanted<'_>, now: Option<Timestamp>) -> CertificateFacts {
    let host = wanted.host;
    let time = |text: &Option<String>| text.as_deref().and_then(instant);
    let (from, until) = (time(&certificate.not_before), time(&certificate.not_after));
    let seconds = |time: Option<Timestamp>| Some(time?.as_second().saturating_sub(now?.as_second()));
    let lifetime =
        from.zip(until).map(|(from, until)| until.as_second().saturating_sub(from.as_second()).div_euclid(DAY));
    let purposes = certificate.extended_key_usage.clone().unwrap_or_default();
    CertificateFacts {
        subject: Fact::Known(escape(&certificate.subject)),
        issuer: Fact::Known(escape(&certificate.issuer)),
        serial: Fact::Known(certificate.serial.as_deref().map(|serial| escape(&serial.to_ascii_lowercase()))),
        sha256: octets_of_certificate::sha256(certificate).into(),
        spki_sha256: octets_of_certificate::spki_sha256(certificate).into(),
        dns_ids: Fact::Known(certificate.dns_ids.clone()),
        common_names: Fact::Known(certificate.common_names.clone()),
        name_match: Fact::Known(name_match(certificate, host)),
        near_miss: Fact::Known(near_miss(certificate, wanted)),
        not_before: certificate.not_before.clone().into(),
        not_after: certificate.not_after.clone().into(),
        expired: seconds(until).map(|left| left < 0).into(),
        not_yet_valid: seconds(from).map(|ahead| ahead > 0).into(),
        days_left: seconds(until).map(|left| left.div_euclid(DAY)).into(),
        lifetime_days: lifetime.into(),
        self_issued: Fact::Known(certificate.subject == certificate.issuer),
        key_algorithm: Fact::Known(certificate.key_algorithm.as_deref().map(KeyAlgorithm::of)),
        curve: curve(certificate),
        key_bits: Fact::Known(certificate.key_bits.map(i64::from)),
        signature_algorithm: Fact::Known(certificate.signature_algorithm.clone()),
        server_auth: Fact::Known(allows_servers(certificate)),
        purposes: Fact::Known(purposes),
    }
}

/// The curve of an EC key: not observed where the snapshot does not tell the key's size.
fn curve(certificate: &Certificate) -> Fact<Option<String>> {
    match certificate.key_algorithm.as_deref().map(KeyAlgorithm::of) {
        Some(KeyAlgorithm::Ec) => octets_of_certificate::curve(certificate).map(|curve| Some(curve.to_owned())).into(),
        Some(_) => Fact::Known(None),
        None => Fact::Unobserved,
    }
}

fn near_miss(certificate: &Certificate, wanted: Wanted<'_>) -> Option<NearMissFacts> {
    if name_match(certificate, wanted.host).names_policy_host() {
        return None;
    }
    near_miss::of_certificate(&certificate.dns_ids, wanted)
}

/// How a certificate names a host: only DNS-IDs count (RFC 9525 §6.3); a common name is told apart for the message.
fn name_match(certificate: &Certificate, host: &str) -> NameMatch {
    let matches: Vec<DnsIdMatch> = certificate.dns_ids.iter().map(|id| dns_id_matches(id, host)).collect();
    let common_name = || certificate.common_names.iter().any(|name| dns_id_matches(name, host) != DnsIdMatch::None);
    if matches.contains(&DnsIdMatch::Exact) {
        NameMatch::Exact
    } else if matches.contains(&DnsIdMatch::Wildcard) {
        NameMatch::Wildcard
    } else if matches.contains(&DnsIdMatch::PartialWildcard) {
        NameMatch::PartialWildcard
    } else if common_name() {
        NameMatch::CommonName
    } else {
        NameMatch::None
    }
}

fn allows_servers(certificate: &Certificate) -> bool {
    let server = |purpose: &String| {
        let purpose = purpose.to_ascii_lowercase().replace(['_', ' ', '-'], "");
        ["serverauth", "tlswebserverauthentication", "any", "anyextendedkeyusage", "1.3.6.1.5.5.7.3.1"]
            .contains(&purpose.as_str())
    };
    certificate.extended_key_usage.as_ref().is_none_or(|purposes| purposes.iter().any(server))
}

/// The subjects of certificates that are not the issuer of the one before them.
fn strays(chain: &[Certificate]) -> Vec<String> {
    chain
        .windows(2)
        .filter_map(|pair| match pair {
            [before, after] if before.issuer != after.subject => Some(escape(&after.subject)),
            _ => None,
        })
        .collect()
}

/// What is weak in a chain: the root's own signature is not looked at by anybody. Not observed where nothing weak was
/// seen and not all was.
fn weaknesses(chain: &[Certificate]) -> Fact<Vec<String>> {
    let mut weaknesses = Vec::new();
    let mut all_seen = true;
    for certificate in chain {
        let subject = escape(&certificate.subject);
        let algorithm = certificate.key_algorithm.as_deref().map(KeyAlgorithm::of);
        let least = match algorithm {
            Some(KeyAlgorithm::Dsa | KeyAlgorithm::Rsa | KeyAlgorithm::RsaPss) => 2048,
            Some(KeyAlgorithm::Ec) => 224,
            Some(KeyAlgorithm::Ed25519 | KeyAlgorithm::Ed448 | KeyAlgorithm::Other) | None => 0,
        };
        match (algorithm, certificate.key_bits) {
            (Some(algorithm), Some(bits)) if bits < least => {
                weaknesses.push(format!("the {algorithm} key of {subject} has {bits} bits, less than {least}"));
            }
            (Some(_), Some(_)) => {}
            (Some(_), None) if least == 0 => {}
            _ => all_seen = false,
        }
        if certificate.subject == certificate.issuer {
            continue;
        }
        let signature = certificate.signature_algorithm.as_deref().map(str::to_ascii_lowercase);
        all_seen = all_seen && signature.is_some();
        let weak = ["md2", "md5", "sha1", "sha-1"];
        let weak = weak.iter().find(|weak| signature.as_ref().is_some_and(|signature| signature.contains(**weak)));
        if let Some(weak) = weak {
            weaknesses.push(format!("{subject} is signed with {}", weak.to_uppercase()));
        }
    }
    if weaknesses.is_empty() && !all_seen { Fact::Unobserved } else { Fact::Known(weaknesses) }
}
