//! What a server answers to a ClientHello, as far as it comes in the clear: read with `tls-parser`, message by message.
//! Used by `second_look`, which has the sockets.
//!
//! Up to TLS 1.2 that is the ServerHello, the certificates and the parameters of the key exchange (RFC 5246 §7.4); in
//! TLS 1.3 the HelloRetryRequest and the ServerHello (RFC 8446 §4.1.3, §4.1.4).

use tls_parser::nom::Err;
use tls_parser::{
    ECParametersContent, NamedGroup, TlsCipherKx, TlsCipherSuite, TlsExtension, TlsMessage, TlsMessageHandshake,
    TlsServerHelloContents, TlsVersion as Wire, parse_dh_params, parse_digitally_signed, parse_ecdh_params,
    parse_tls_message_handshake, parse_tls_server_hello_extensions,
};
use tokio_rustls::rustls::pki_types::CertificateDer;

use super::client_hello::Offer;
use crate::snapshot::{SecondLook, TlsVersion};

/// How many octets of an answer are read: a chain of certificates as long as the TLS library takes, and what is beside it.
const MAX_FLIGHT: usize = 0x1_2000;

/// What a server chose.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Spoken {
    /// The version, as in snapshots: `TLSv1.2`.
    pub version: TlsVersion,
    /// The cipher suite by its IANA name.
    pub cipher: Option<String>,
    /// The group of the key exchange by its IANA name; the size of a finite field that has none.
    pub group: Option<String>,
    /// The scheme by which the server signs, by its IANA name.
    pub signature: Option<String>,
    /// The certificates, the host's own first; none in TLS 1.3, where they are encrypted.
    pub chain: Vec<CertificateDer<'static>>,
}

impl From<Spoken> for SecondLook {
    fn from(spoken: Spoken) -> Self {
        let Spoken { version, cipher, group, signature, chain: _ } = spoken;
        SecondLook { version, cipher, group, signature }
    }
}

/// How far an answer could be read.
#[derive(Debug, Eq, PartialEq)]
pub enum Progress {
    /// The rest has not come yet.
    More,
    /// This is not what a server answers, or more than any would.
    Nonsense,
    /// The server asks for a key share of this group, and for its cookie back.
    Retry {
        /// The number of the group.
        group: u16,
        /// The cookie.
        cookie: Option<Vec<u8>>,
    },
    /// All that comes in the clear.
    Whole(Spoken),
}

/// The answer to one offer, as it comes in.
#[derive(Debug)]
pub struct Flight {
    offer: Offer,
    read: usize,
    pending: Vec<u8>,
    spoken: Option<(Spoken, Option<TlsCipherKx>)>,
    retried: bool,
}

impl Flight {
    /// The answer to `offer`, of which nothing has come.
    pub fn answering(offer: Offer) -> Self {
        Flight { offer, read: 0, pending: Vec::new(), spoken: None, retried: false }
    }

    /// Takes the content of one more record.
    pub fn hear(&mut self, content: &[u8]) -> Progress {
        self.read = self.read.saturating_add(content.len());
        if self.read > MAX_FLIGHT {
            return Progress::Nonsense;
        }
        self.pending.extend_from_slice(content);
        let octets = std::mem::take(&mut self.pending);
        let mut rest = octets.as_slice();
        loop {
            match parse_tls_message_handshake(rest) {
                Ok((after, TlsMessage::Handshake(message))) => match self.understand(message) {
                    Progress::More => rest = after,
                    end => return end,
                },
                Err(Err::Incomplete(_)) => {
                    self.pending = rest.to_vec();
                    return Progress::More;
                }
                _ => return Progress::Nonsense,
            }
        }
    }

    fn understand(&mut self, message: TlsMessageHandshake<'_>) -> Progress {
        match (message, self.spoken.take()) {
            (TlsMessageHandshake::ServerHello(hello), None) => self.hello(&hello),
            (TlsMessageHandshake::Certificate(certificates), Some((mut spoken, exchange))) => {
                let chain = certificates.cert_chain.iter();
                spoken.chain = chain.map(|one| CertificateDer::from(one.data.to_vec())).collect();
                self.spoken = Some((spoken, exchange));
                Progress::More
            }
            (TlsMessageHandshake::ServerKeyExchange(parameters), Some((mut spoken, exchange))) => {
                let signed = spoken.version == TlsVersion::Tls12;
                (spoken.group, spoken.signature) = key_exchange(parameters.parameters, exchange, signed);
                Progress::Whole(spoken)
            }
            (TlsMessageHandshake::ServerDone(_) | TlsMessageHandshake::CertificateRequest(_), Some((spoken, _))) => {
                Progress::Whole(spoken)
            }
            (TlsMessageHandshake::CertificateStatus(_), Some(so_far)) => {
                self.spoken = Some(so_far);
                Progress::More
            }
            _ => Progress::Nonsense,
        }
    }

    fn hello(&mut self, hello: &TlsServerHelloContents<'_>) -> Progress {
        let extensions = hello.ext.and_then(|octets| parse_tls_server_hello_extensions(octets).ok());
        let extensions = extensions.map(|(_, extensions)| extensions).unwrap_or_default();
        let selected = extensions.iter().find_map(|extension| match extension {
            TlsExtension::SupportedVersions(versions) => versions.first().copied(),
            _ => None,
        });
        let version = match (self.offer, selected.unwrap_or(hello.version)) {
            (Offer::Tls13, Wire::Tls13) => TlsVersion::Tls13,
            (Offer::UpToTls12, Wire::Tls12) => TlsVersion::Tls12,
            (Offer::UpToTls11 | Offer::UpToTls12, Wire::Tls11) => TlsVersion::Tls11,
            (Offer::UpToTls11 | Offer::UpToTls12, Wire::Tls10) => TlsVersion::Tls10,
            _ => return Progress::Nonsense,
        };
        let group = extensions.iter().find_map(|extension| match extension {
            TlsExtension::KeyShare([high, low, ..]) => Some(u16::from_be_bytes([*high, *low])),
            _ => None,
        });
        if hello.random == ring::digest::digest(&ring::digest::SHA256, b"HelloRetryRequest").as_ref() {
            let cookie = extensions.iter().find_map(|extension| match extension {
                TlsExtension::Cookie([_, _, cookie @ ..]) => Some(cookie.to_vec()),
                _ => None,
            });
            return match group {
                Some(group) if self.offer == Offer::Tls13 && !self.retried => {
                    self.retried = true;
                    Progress::Retry { group, cookie }
                }
                _ => Progress::Nonsense,
            };
        }
        let suite = TlsCipherSuite::from_id(hello.cipher.0);
        let cipher = suite.map(|suite| suite.name.to_owned());
        let spoken = Spoken { version, cipher, group: group.map(group_name), signature: None, chain: Vec::new() };
        match self.offer {
            Offer::Tls13 | Offer::UpToTls11 => Progress::Whole(spoken),
            Offer::UpToTls12 => {
                self.spoken = Some((spoken, suite.map(|suite| suite.kx)));
                Progress::More
            }
        }
    }
}

/// The group and the signature of a ServerKeyExchange (RFC 5246 §7.4.3, RFC 8422 §5.4), as far as they can be read.
fn key_exchange(parameters: &[u8], exchange: Option<TlsCipherKx>, signed: bool) -> (Option<String>, Option<String>) {
    let (rest, group) = match exchange {
        Some(TlsCipherKx::Ecdhe) => match parse_ecdh_params(parameters) {
            Ok((rest, parameters)) => match parameters.curve_params.params_content {
                ECParametersContent::NamedGroup(group) => (rest, Some(group_name(group.0))),
                ECParametersContent::ExplicitPrime(_) => (rest, Some("an explicit curve".to_owned())),
            },
            Err(_) => return (None, None),
        },
        Some(TlsCipherKx::Dhe) => match parse_dh_params(parameters) {
            Ok((rest, parameters)) => (rest, Some(format!("DH of {} bits", bits(parameters.dh_p)))),
            Err(_) => return (None, None),
        },
        _ => return (None, None),
    };
    let scheme = signed.then(|| parse_digitally_signed(rest).ok()).flatten().and_then(|(_, signed)| signed.alg);
    let scheme = scheme.map(|alg| scheme_name(u16::from_be_bytes([alg.hash.0, alg.sign.0])));
    (group, scheme)
}

/// The bits of a number without the zeros before it.
fn bits(number: &[u8]) -> usize {
    let significant = number.iter().skip_while(|octet| **octet == 0).count();
    let first = number.iter().find(|octet| **octet != 0).map_or(0, |first| first.leading_zeros());
    significant.saturating_mul(8).saturating_sub(usize::try_from(first).unwrap_or_default())
}

fn group_name(group: u16) -> String {
    let name = match NamedGroup(group) {
        NamedGroup::Secp256r1 => "secp256r1",
        NamedGroup::Secp384r1 => "secp384r1",
        NamedGroup::Secp521r1 => "secp521r1",
        NamedGroup::EcdhX25519 => "x25519",
        NamedGroup::EcdhX448 => "x448",
        NamedGroup(256) => "ffdhe2048",
        NamedGroup(257) => "ffdhe3072",
        NamedGroup(258) => "ffdhe4096",
        NamedGroup(259) => "ffdhe6144",
        NamedGroup(260) => "ffdhe8192",
        NamedGroup(0x11ec) => "X25519MLKEM768",
        _ => return format!("group {group}"),
    };
    name.to_owned()
}

/// The name of a signature scheme (RFC 8446 §4.2.3), of TLS 1.2 as of TLS 1.3.
fn scheme_name(scheme: u16) -> String {
    let name = match scheme {
        0x0201 => "rsa_pkcs1_sha1",
        0x0203 => "ecdsa_sha1",
        0x0301 => "rsa_pkcs1_sha224",
        0x0303 => "ecdsa_sha224",
        0x0401 => "rsa_pkcs1_sha256",
        0x0403 => "ecdsa_secp256r1_sha256",
        0x0501 => "rsa_pkcs1_sha384",
        0x0503 => "ecdsa_secp384r1_sha384",
        0x0601 => "rsa_pkcs1_sha512",
        0x0603 => "ecdsa_secp521r1_sha512",
        0x0804 => "rsa_pss_rsae_sha256",
        0x0805 => "rsa_pss_rsae_sha384",
        0x0806 => "rsa_pss_rsae_sha512",
        0x0807 => "ed25519",
        0x0808 => "ed448",
        0x0809 => "rsa_pss_pss_sha256",
        0x080a => "rsa_pss_pss_sha384",
        0x080b => "rsa_pss_pss_sha512",
        _ => return format!("scheme {scheme:#06x}"),
    };
    name.to_owned()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    fn message(kind: u8, content: &[u8]) -> Vec<u8> {
        [&[kind, 0][..], &u16::try_from(content.len()).unwrap().to_be_bytes(), content].concat()
    }

    fn server_hello(version: [u8; 2], random: &[u8], suite: u16, extensions: &[u8]) -> Vec<u8> {
        let mut content = [&version[..], random, &[0], &suite.to_be_bytes(), &[0]].concat();
        if !extensions.is_empty() {
            content.extend(u16::try_from(extensions.len()).unwrap().to_be_bytes());
            content.extend(extensions);
        }
        message(2, &content)
    }

    /// A ServerHello of TLS 1.2 with ECDHE over P-521, a certificate of three octets, and a signature by a key of P-521.
    fn answer() -> Vec<u8> {
        let exchange = [&[3, 0, 25, 4, 1, 2, 3, 4][..], &[6, 3, 0, 2, 9, 9]].concat();
        [
            server_hello([3, 3], &[7; 32], 0xc02c, &[]),
            message(11, &[0, 0, 6, 0, 0, 3, 1, 2, 3]),
            message(22, &[1, 0, 0, 1, 0]),
            message(12, &exchange),
        ]
        .concat()
    }

    #[test]
    fn all_that_the_server_chose_is_read() {
        let spoken = Spoken {
            version: TlsVersion::Tls12,
            cipher: Some("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384".to_owned()),
            group: Some("secp521r1".to_owned()),
            signature: Some("ecdsa_secp521r1_sha512".to_owned()),
            chain: vec![CertificateDer::from(vec![1, 2, 3])],
        };
        assert_eq!(Flight::answering(Offer::UpToTls12).hear(&answer()), Progress::Whole(spoken.clone()));
        let mut slowly = Flight::answering(Offer::UpToTls12);
        let answer = answer();
        let (last, before) = answer.split_last().unwrap();
        assert!(before.iter().all(|octet| slowly.hear(&[*octet]) == Progress::More));
        assert_eq!(slowly.hear(&[*last]), Progress::Whole(spoken));
    }

    #[test]
    fn finite_fields_and_rsa_key_exchange_are_told_apart() {
        let head = |suite| [server_hello([3, 1], &[7; 32], suite, &[]), message(11, &[0, 0, 0])].concat();
        let done = [head(0x002f), message(14, &[])].concat();
        let Progress::Whole(rsa) = Flight::answering(Offer::UpToTls12).hear(&done) else { panic!() };
        assert_eq!((rsa.version, rsa.group), (TlsVersion::Tls10, None));
        // A prime of 15 bits, a generator and a public key; TLS 1.0 names no scheme.
        let exchange = [head(0x0033), message(12, &[0, 2, 0x7f, 1, 0, 1, 2, 0, 1, 2, 0, 0])].concat();
        let Progress::Whole(dhe) = Flight::answering(Offer::UpToTls12).hear(&exchange) else { panic!() };
        assert_eq!((dhe.group.as_deref(), dhe.signature), (Some("DH of 15 bits"), None));
    }

    #[test]
    fn a_server_of_tls_1_3_asks_again_once() {
        let retry = ring::digest::digest(&ring::digest::SHA256, b"HelloRetryRequest");
        let version = [0, 43, 0, 2, 3, 4];
        let asked = [&version[..], &[0, 51, 0, 2, 0, 25], &[0, 44, 0, 4, 0, 2, 8, 9]].concat();
        let asked = server_hello([3, 3], retry.as_ref(), 0x1301, &asked);
        let mut flight = Flight::answering(Offer::Tls13);
        assert_eq!(flight.hear(&asked), Progress::Retry { group: 25, cookie: Some(vec![8, 9]) });
        let hello = [&version[..], &[0, 51, 0, 6, 0, 25, 0, 2, 1, 2]].concat();
        let Progress::Whole(spoken) = flight.hear(&server_hello([3, 3], &[7; 32], 0x1301, &hello)) else { panic!() };
        assert_eq!((spoken.version, spoken.group.as_deref()), (TlsVersion::Tls13, Some("secp521r1")));
        assert_eq!(spoken.cipher.as_deref(), Some("TLS_AES_128_GCM_SHA256"));
        let mut flight = Flight::answering(Offer::Tls13);
        let _ = flight.hear(&asked);
        assert_eq!(flight.hear(&asked), Progress::Nonsense);
        // Nobody may answer with what was not offered.
        assert_eq!(Flight::answering(Offer::UpToTls12).hear(&asked), Progress::Nonsense);
        let newer = server_hello([3, 3], &[7; 32], 0x002f, &[]);
        assert_eq!(Flight::answering(Offer::UpToTls11).hear(&newer), Progress::Nonsense);
    }

    #[test]
    fn nothing_that_a_server_sends_stops_the_program_or_goes_on_without_end() {
        let whole = answer();
        for at in 0..whole.len() {
            for octet in [0, 1, 0x7f, 0xff] {
                let mut changed = whole.clone();
                changed[at] = octet;
                let _ = Flight::answering(Offer::UpToTls12).hear(&changed);
            }
        }
        let mut flight = Flight::answering(Offer::UpToTls12);
        assert_eq!(flight.hear(&server_hello([3, 3], &[7; 32], 0xc02c, &[])), Progress::More);
        let status = message(22, &[1, 0, 0, 1, 0]);
        let heard = (0..100_000).find(|_| flight.hear(&status) == Progress::Nonsense);
        assert!(heard.is_some_and(|times| times < 10_000), "{heard:?}");
    }
}
