//! What a server agrees to that some TLS libraries lack, and whom that shuts out (RFC 9325 §4.1, §4.2). Called by `tls`,
//! where the handshake of the program's own library failed and a second look found something in common.

use crate::snapshot::{Certificate, Failure, FailureKind, SecondLook, TlsFacts, TlsVersion, WithoutSni};
use crate::source_text::escape;

/// What a server and OpenSSL-based senders have in common that others lack.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Legacy {
    /// What was agreed on, for people: `TLSv1.2, TLS_RSA_WITH_AES_128_CBC_SHA`.
    pub agreed: String,
    /// What is uncommon in it, for people.
    pub uncommon: Vec<String>,
    /// The senders that have nothing in common with the server, for people.
    pub shut_out: &'static str,
}

/// Who lacks a part of TLS.
#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
enum Lacks {
    /// Some builds of rustls alone.
    Rustls,
    /// The TLS of Go too.
    Go,
}

/// The groups that every library has.
const COMMON_GROUPS: [&str; 3] = ["secp256r1", "secp384r1", "x25519"];

/// Why what comes after the handshake was not observed.
pub const BEYOND_LIBRARY: &str = "the TLS library of this program cannot speak with the server";

/// What a session would agree on that the program's library cannot finish. `None` where the handshake was done, where
/// nothing came of the second look, and where nothing in it is uncommon: the failure then has another cause.
pub fn of(tls: &TlsFacts, is_policy_host: bool) -> Option<Legacy> {
    let look = tls.second_look.as_ref().filter(|_| !tls.handshake)?;
    agreed(look, tls.failure.as_ref(), tls.chain.first(), is_policy_host)
}

/// The same for a handshake without SNI.
pub fn without_sni(without: &WithoutSni) -> Option<Legacy> {
    let look = without.second_look.as_ref().filter(|_| !without.handshake)?;
    agreed(look, without.failure.as_ref(), None, false)
}

fn agreed(
    look: &SecondLook,
    failure: Option<&Failure>,
    leaf: Option<&Certificate>,
    is_policy_host: bool,
) -> Option<Legacy> {
    let old = look.version < TlsVersion::Tls12;
    // No HTTPS client of a sender goes below TLS 1.2; on SMTP some do, which is a finding of its own.
    if is_policy_host && old {
        return None;
    }
    let mut found = uncommon(look, leaf);
    let alert = failure.is_some_and(|failure| failure.kind == FailureKind::TlsAlert);
    if found.is_empty() && look.version == TlsVersion::Tls13 && alert {
        found.push(("a key or signatures of a kind that TLS 1.3 does not show in the clear".to_owned(), Lacks::Rustls));
    }
    if found.is_empty() && !old {
        return None;
    }
    let lacks = found.iter().map(|(_, lacks)| *lacks).max();
    let shut_out = match lacks {
        Some(Lacks::Go) => "senders whose TLS library is that of Go or rustls",
        _ => "some senders whose TLS library is rustls",
    };
    let cipher = look.cipher.as_deref().map(|cipher| format!(", {}", escape(cipher))).unwrap_or_default();
    Some(Legacy {
        agreed: format!("{}{cipher}", look.version),
        uncommon: found.into_iter().map(|(what, _)| what).collect(),
        shut_out,
    })
}

fn uncommon(look: &SecondLook, leaf: Option<&Certificate>) -> Vec<(String, Lacks)> {
    let mut found = Vec::new();
    let cipher = look.cipher.as_deref().unwrap_or_default();
    let exchange = if cipher.starts_with("TLS_RSA_") {
        Some("RSA key exchange")
    } else if cipher.starts_with("TLS_DHE_") {
        Some("finite-field Diffie-Hellman")
    } else {
        None
    };
    found.extend(exchange.map(|what| (what.to_owned(), Lacks::Go)));
    let mode = if cipher.contains("_CCM") {
        Some(("CCM", Lacks::Go))
    } else if cipher.contains("_CBC_SHA256") || cipher.contains("_CBC_SHA384") {
        Some(("CBC with SHA-2", Lacks::Go))
    } else if cipher.contains("_CBC_") {
        Some(("CBC", Lacks::Rustls))
    } else {
        None
    };
    found.extend(mode.map(|(what, lacks)| (what.to_owned(), lacks)));
    let family = ["ARIA", "CAMELLIA"].into_iter().find(|family| cipher.contains(family));
    found.extend(family.map(|family| (family.to_owned(), Lacks::Go)));
    if let Some(group) = look.group.as_deref().filter(|group| !COMMON_GROUPS.contains(group) && exchange.is_none()) {
        let lacks = if ["secp521r1", "X25519MLKEM768"].contains(&group) { Lacks::Rustls } else { Lacks::Go };
        found.push((format!("the group {} alone", escape(group)), lacks));
    }
    let key = leaf.and_then(|leaf| match (leaf.key_algorithm.as_deref(), leaf.key_bits) {
        (Some("EC"), Some(521)) => Some(("a key of P-521", Lacks::Rustls)),
        (Some("EC"), None) => Some(("a key of an uncommon curve", Lacks::Go)),
        (Some("Ed448"), _) => Some(("a key of Ed448", Lacks::Go)),
        _ => None,
    });
    found.extend(key.map(|(what, lacks)| (what.to_owned(), lacks)));
    let signature = look.signature.as_deref().filter(|_| key.is_none()).unwrap_or_default();
    if signature.contains("secp521r1") {
        found.push(("a key of P-521".to_owned(), Lacks::Rustls));
    } else if ["ed448", "sha1", "sha224"].iter().any(|end| signature.ends_with(end)) {
        found.push((format!("handshakes signed with {}", escape(signature)), Lacks::Go));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(version: TlsVersion, cipher: &str, group: Option<&str>) -> TlsFacts {
        let failure = Failure { kind: FailureKind::TlsAlert, step: None, detail: String::new() };
        let second_look =
            SecondLook { version, cipher: Some(cipher.to_owned()), group: group.map(str::to_owned), signature: None };
        TlsFacts { failure: Some(failure), second_look: Some(second_look), ..TlsFacts::default() }
    }

    #[test]
    fn what_is_uncommon_is_named_and_what_is_common_is_not_legacy() {
        let gcm = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256";
        for (version, cipher, group, expected) in [
            (TlsVersion::Tls12, "TLS_RSA_WITH_AES_128_CBC_SHA", None, Some(&["RSA key exchange", "CBC"][..])),
            (
                TlsVersion::Tls12,
                "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256",
                Some("DH of 2048 bits"),
                Some(&["finite-field Diffie-Hellman"]),
            ),
            (TlsVersion::Tls12, gcm, Some("secp521r1"), Some(&["the group secp521r1 alone"])),
            (TlsVersion::Tls12, gcm, Some("x25519"), None),
            (TlsVersion::Tls10, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", None, Some(&["CBC"])),
        ] {
            let legacy = of(&look(version, cipher, group), false);
            let uncommon = legacy.as_ref().map(|legacy| legacy.uncommon.iter().map(String::as_str).collect::<Vec<_>>());
            assert_eq!(uncommon.as_deref(), expected, "{version} {cipher} {group:?}");
        }
        assert_eq!(of(&look(TlsVersion::Tls11, "TLS_RSA_WITH_AES_128_CBC_SHA", None), true), None);
    }

    #[test]
    fn where_tls_1_3_hides_what_is_uncommon_an_alert_tells_that_something_is() {
        let mut tls = look(TlsVersion::Tls13, "TLS_AES_128_GCM_SHA256", Some("x25519"));
        assert!(of(&tls, false).is_some_and(|legacy| legacy.uncommon.len() == 1));
        tls.failure = Some(Failure { kind: FailureKind::Reset, step: None, detail: String::new() });
        assert_eq!(of(&tls, false), None);
        tls.handshake = true;
        assert_eq!(of(&tls, false), None);
    }
}
