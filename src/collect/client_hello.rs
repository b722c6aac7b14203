//! A ClientHello that offers what OpenSSL-based senders offer and the TLS library here does not (RFC 5246 §7.4.1.2,
//! RFC 8446 §4.1.2): RSA and finite-field key exchange, CBC and CCM, P-521, Ed448, TLS 1.0 and 1.1. Used by `second_look`.
//!
//! Nothing is ever encrypted with what is offered: the server's answer is read, and the connection is closed.

use std::iter::repeat_n;

use ring::agreement::{self, EphemeralPrivateKey};
use ring::rand::{SecureRandom, SystemRandom};
use tokio_rustls::rustls::pki_types::ServerName;

/// The versions that one ClientHello offers, with the cipher suites, groups and signatures that belong to them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Offer {
    /// TLS 1.3 alone, with all its cipher suites, groups and signatures.
    Tls13,
    /// TLS 1.0 and 1.1, which RFC 9325 §3.1.1 forbids.
    UpToTls11,
    /// TLS 1.0 to 1.2, where the server's certificates come in the clear.
    UpToTls12,
}

impl Offer {
    /// What is offered, for the log.
    pub fn described(self) -> &'static str {
        match self {
            Offer::Tls13 => "TLS 1.3 with every cipher suite, group and signature that OpenSSL has",
            Offer::UpToTls11 => "TLS 1.0 and 1.1 alone",
            Offer::UpToTls12 => {
                "TLS 1.0 to 1.2 with RSA, DHE and ECDHE key exchange, GCM, CCM and CBC, and P-521 and Ed448 keys"
            }
        }
    }
}

/// Cipher suites of TLS 1.3 (RFC 8446 §B.4).
const SUITES_13: [u16; 5] = [0x1302, 0x1303, 0x1301, 0x1304, 0x1305];

/// Cipher suites of TLS 1.2 and before, the best first: AEAD before CBC, forward secrecy before RSA key exchange.
const SUITES_12: [u16; 46] = [
    0xc02c, 0xc030, 0x009f, 0xcca9, 0xcca8, 0xccaa, 0xc02b, 0xc02f, 0x009e, 0xc0ad, 0xc0af, 0xc09f, 0xc0a3, 0xc0ac,
    0xc0ae, 0xc09e, 0xc0a2, 0xc024, 0xc028, 0x006b, 0xc023, 0xc027, 0x0067, 0xc00a, 0xc014, 0x0039, 0xc009, 0xc013,
    0x0033, 0xc05d, 0xc061, 0xc053, 0x00c4, 0x0088, 0x009d, 0x009c, 0xc09d, 0xc0a1, 0xc09c, 0xc0a0, 0x003d, 0x003c,
    0x0035, 0x002f, 0x0084, 0x0041,
];

/// Cipher suites of TLS 1.0 and 1.1: CBC with SHA-1.
const SUITES_11: [u16; 12] =
    [0xc00a, 0xc014, 0x0039, 0xc009, 0xc013, 0x0033, 0x0035, 0x002f, 0x0088, 0x0045, 0x0084, 0x0041];

/// The groups before TLS 1.3: X25519, P-256, P-384, P-521, X448.
const GROUPS_12: [u16; 5] = [29, 23, 24, 25, 30];

/// The groups of TLS 1.3: the same, the finite fields of RFC 7919 §A, and X25519MLKEM768.
const GROUPS_13: [u16; 11] = [29, 23, 24, 25, 30, 256, 257, 258, 259, 260, 0x11ec];

/// ECDSA, EdDSA, RSA-PSS and RSA PKCS #1 with SHA-2, then with SHA-1.
const SIGNATURES: [u16; 18] = [
    0x0403, 0x0503, 0x0603, 0x0807, 0x0808, 0x0809, 0x080a, 0x080b, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601,
    0x0303, 0x0301, 0x0203, 0x0201,
];

/// The longest cookie that is sent back (RFC 8446 §4.2.2).
const MAX_COOKIE: usize = 1_024;

/// The generator of P-521 (SEC 2 §2.6.1), uncompressed: a public key like any other.
const POINT_OF_P521: [u8; 133] = [
    0x04, 0x00, 0xc6, 0x85, 0x8e, 0x06, 0xb7, 0x04, 0x04, 0xe9, 0xcd, 0x9e, 0x3e, 0xcb, 0x66, 0x23, 0x95, 0xb4, 0x42,
    0x9c, 0x64, 0x81, 0x39, 0x05, 0x3f, 0xb5, 0x21, 0xf8, 0x28, 0xaf, 0x60, 0x6b, 0x4d, 0x3d, 0xba, 0xa1, 0x4b, 0x5e,
    0x77, 0xef, 0xe7, 0x59, 0x28, 0xfe, 0x1d, 0xc1, 0x27, 0xa2, 0xff, 0xa8, 0xde, 0x33, 0x48, 0xb3, 0xc1, 0x85, 0x6a,
    0x42, 0x9b, 0xf9, 0x7e, 0x7e, 0x31, 0xc2, 0xe5, 0xbd, 0x66, 0x01, 0x18, 0x39, 0x29, 0x6a, 0x78, 0x9a, 0x3b, 0xc0,
    0x04, 0x5c, 0x8a, 0x5f, 0xb4, 0x2c, 0x7d, 0x1b, 0xd9, 0x98, 0xf5, 0x44, 0x49, 0x57, 0x9b, 0x44, 0x68, 0x17, 0xaf,
    0xbd, 0x17, 0x27, 0x3e, 0x66, 0x2c, 0x97, 0xee, 0x72, 0x99, 0x5e, 0xf4, 0x26, 0x40, 0xc5, 0x50, 0xb9, 0x01, 0x3f,
    0xad, 0x07, 0x61, 0x35, 0x3c, 0x70, 0x86, 0xa2, 0x72, 0xc2, 0x40, 0x88, 0xbe, 0x94, 0x76, 0x9f, 0xd1, 0x66, 0x50,
];

/// One ClientHello, which a HelloRetryRequest has sent again with a key share.
#[derive(Debug)]
pub struct ClientHello {
    random: [u8; 32],
    name: Option<String>,
    offer: Offer,
}

impl ClientHello {
    /// A ClientHello that asks for `name` by SNI, where that is a DNS name; `None` where the system has no random octets.
    pub fn new(name: Option<&ServerName<'_>>, offer: Offer) -> Option<Self> {
        let mut random = [0; 32];
        SystemRandom::new().fill(&mut random).ok()?;
        let name = match name {
            Some(ServerName::DnsName(name)) => Some(name.as_ref().to_owned()),
            _ => None,
        };
        Some(ClientHello { random, name, offer })
    }

    /// The record that opens the conversation. It has no key share: a server of TLS 1.3 asks for the one it needs.
    pub fn record(&self) -> Vec<u8> {
        self.with(&[], None)
    }

    /// The record that answers a HelloRetryRequest (RFC 8446 §4.1.2); `None` where the group was not offered, or the
    /// cookie is longer than any that is meant well.
    pub fn again(&self, group: u16, cookie: Option<&[u8]>) -> Option<Vec<u8>> {
        let share = key_share(group)?;
        let cookie = match cookie {
            Some(cookie) if cookie.len() > MAX_COOKIE => return None,
            cookie => cookie,
        };
        Some(self.with(&[group.to_be_bytes().to_vec(), counted16(&share)].concat(), cookie))
    }

    fn with(&self, shares: &[u8], cookie: Option<&[u8]>) -> Vec<u8> {
        let (version, suites) = match self.offer {
            Offer::Tls13 => ([0x03, 0x03], numbers(&SUITES_13)),
            Offer::UpToTls11 => ([0x03, 0x02], numbers(&SUITES_11)),
            Offer::UpToTls12 => ([0x03, 0x03], numbers(&SUITES_12)),
        };
        let mut hello = version.to_vec();
        hello.extend_from_slice(&self.random);
        // The session id is empty, and there is no compression.
        hello.push(0);
        hello.extend(counted16(&suites));
        hello.extend_from_slice(&[1, 0]);
        hello.extend(counted16(&self.extensions(shares, cookie)));
        let length = u32::try_from(hello.len()).unwrap_or_default().to_be_bytes();
        let mut message = vec![1];
        message.extend_from_slice(length.get(1..).unwrap_or_default());
        message.extend(hello);
        let mut record = vec![22, 0x03, 0x01];
        record.extend(counted16(&message));
        record
    }

    fn extensions(&self, shares: &[u8], cookie: Option<&[u8]>) -> Vec<u8> {
        let mut all = Vec::new();
        if let Some(name) = &self.name {
            let mut entry = vec![0];
            entry.extend(counted16(name.as_bytes()));
            all.extend(extension(0, &counted16(&entry)));
        }
        let groups: &[u16] = if self.offer == Offer::Tls13 { &GROUPS_13 } else { &GROUPS_12 };
        all.extend(extension(10, &counted16(&numbers(groups))));
        if self.offer != Offer::UpToTls11 {
            all.extend(extension(13, &counted16(&numbers(&SIGNATURES))));
        }
        if self.offer == Offer::Tls13 {
            all.extend(extension(43, &[2, 0x03, 0x04]));
            all.extend(extension(45, &[1, 1]));
            all.extend(cookie.map(|cookie| extension(44, &counted16(cookie))).unwrap_or_default());
            all.extend(extension(51, &counted16(shares)));
        } else {
            // Points as they are, encrypt-then-MAC, extended master secret, secure renegotiation.
            all.extend(
                [extension(11, &[1, 0]), extension(22, &[]), extension(23, &[]), extension(0xff01, &[0])].concat(),
            );
        }
        all
    }
}

/// A public key that a server can go on with; whoever knows its private key learns nothing, since nothing is said.
fn key_share(group: u16) -> Option<Vec<u8>> {
    let of_ring = |algorithm| {
        let key = EphemeralPrivateKey::generate(algorithm, &SystemRandom::new()).ok()?;
        key.compute_public_key().ok().map(|public| public.as_ref().to_vec())
    };
    // The least number with a subgroup of its own, in as many octets as the field takes.
    let finite_field = |octets: usize| repeat_n(0, octets.saturating_sub(1)).chain([2]).collect();
    match group {
        23 => of_ring(&agreement::ECDH_P256),
        24 => of_ring(&agreement::ECDH_P384),
        25 => Some(POINT_OF_P521.to_vec()),
        29 => of_ring(&agreement::X25519),
        // The base point of X448 (RFC 7748 §4.2).
        30 => Some([5].into_iter().chain(repeat_n(0, 55)).collect()),
        256 => Some(finite_field(256)),
        257 => Some(finite_field(384)),
        258 => Some(finite_field(512)),
        259 => Some(finite_field(768)),
        260 => Some(finite_field(1_024)),
        // Polynomials of which each coefficient is zero are an encapsulation key (FIPS 203 §7.2).
        0x11ec => of_ring(&agreement::X25519).map(|x25519| repeat_n(0, 1_184).chain(x25519).collect()),
        _ => None,
    }
}

fn extension(number: u16, content: &[u8]) -> Vec<u8> {
    let mut extension = number.to_be_bytes().to_vec();
    extension.extend(counted16(content));
    extension
}

fn numbers(numbers: &[u16]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
}

/// Octets after their count in two octets.
fn counted16(octets: &[u8]) -> Vec<u8> {
    let mut counted = u16::try_from(octets.len()).unwrap_or_default().to_be_bytes().to_vec();
    counted.extend_from_slice(octets);
    counted
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use tls_parser::{
        TlsExtension, TlsMessage, TlsMessageHandshake, parse_tls_client_hello_extensions, parse_tls_plaintext,
    };

    use super::*;

    /// The suites and the extensions of a record.
    fn read(record: &[u8], check: impl FnOnce(Vec<u16>, &[TlsExtension<'_>])) {
        let (rest, plaintext) = parse_tls_plaintext(record).unwrap();
        assert!(rest.is_empty());
        let [TlsMessage::Handshake(TlsMessageHandshake::ClientHello(hello))] = plaintext.msg.as_slice() else {
            panic!("{:?}", plaintext.msg)
        };
        let (rest, extensions) = parse_tls_client_hello_extensions(hello.ext.unwrap()).unwrap();
        assert!(rest.is_empty());
        check(hello.ciphers.iter().map(|suite| suite.0).collect(), &extensions);
    }

    #[test]
    fn a_parser_reads_what_is_offered() {
        let name = ServerName::try_from("mx.example.com").unwrap();
        for (offer, suites) in
            [(Offer::Tls13, &SUITES_13[..]), (Offer::UpToTls11, &SUITES_11), (Offer::UpToTls12, &SUITES_12)]
        {
            let named = ClientHello::new(Some(&name), offer).unwrap();
            read(&named.record(), |offered, extensions| {
                assert_eq!(offered, suites, "{offer:?}");
                let named = TlsExtension::SNI(vec![(tls_parser::SNIType(0), &b"mx.example.com"[..])]);
                assert!(extensions.contains(&named), "{extensions:?}");
            });
            let nameless = ClientHello::new(None, offer).unwrap();
            read(&nameless.record(), |_, extensions| {
                assert!(!extensions.iter().any(|extension| matches!(extension, TlsExtension::SNI(_))));
            });
        }
    }

    #[test]
    fn every_group_that_is_offered_has_a_share_and_no_other() {
        let hello = ClientHello::new(None, Offer::Tls13).unwrap();
        for group in GROUPS_13 {
            read(&hello.again(group, Some(b"cookie")).unwrap(), |_, extensions| {
                assert!(extensions.contains(&TlsExtension::Cookie(b"\0\x06cookie")), "{extensions:?}");
                let share = extensions.iter().find_map(|extension| match extension {
                    TlsExtension::KeyShare(share) => Some(*share),
                    _ => None,
                });
                assert_eq!(share.unwrap().get(2..4), Some(&group.to_be_bytes()[..]));
            });
        }
        assert_eq!(hello.again(1, None), None);
        assert_eq!(hello.again(23, Some(&[0; MAX_COOKIE + 1])), None);
    }
}
