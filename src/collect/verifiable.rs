//! Which signatures can be verified here: fewer than senders verify. Used by `trust`, for chains, and by `tls`, for
//! handshakes.
//!
//! An RSA key of 1,024 bits is weak, which is a finding of its own: the signatures that it made are verified all the
//! same. What no algorithm here verifies (P-521, Ed448, RSA beyond 8,192 bits) is not the chain's fault either.

use ring::signature::{
    RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY, RsaParameters,
    UnparsedPublicKey,
};
use tokio_rustls::rustls::pki_types::{
    AlgorithmIdentifier, CertificateDer, InvalidSignature, SignatureVerificationAlgorithm, alg_id,
};
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::public_key::PublicKey;
use x509_parser::x509::SubjectPublicKeyInfo;

/// RSA PKCS #1 with keys from 1,024 bits up. They come before the algorithms of the library: the first that fits decides.
pub const ALGORITHMS: [&dyn SignatureVerificationAlgorithm; 2] = [
    &SmallRsa { signature: alg_id::RSA_PKCS1_SHA256, verify: &RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY },
    &SmallRsa { signature: alg_id::RSA_PKCS1_SHA512, verify: &RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY },
];

#[derive(Debug)]
struct SmallRsa {
    signature: AlgorithmIdentifier,
    verify: &'static RsaParameters,
}

impl SignatureVerificationAlgorithm for SmallRsa {
    fn verify_signature(&self, public_key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        UnparsedPublicKey::new(self.verify, public_key).verify(message, signature).map_err(|_| InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::RSA_ENCRYPTION
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.signature
    }
}

/// ECDSA, RSA and RSA-PSS with SHA-2, Ed25519 and Ed448 (RFC 5758 §3.2, RFC 4055 §5, RFC 8410 §3) in DER.
const MODERN: [&[u8]; 9] = [
    &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02],
    &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03],
    &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x04],
    &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a],
    &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b],
    &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0c],
    &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0d],
    &[0x06, 0x03, 0x2b, 0x65, 0x70],
    &[0x06, 0x03, 0x2b, 0x65, 0x71],
];

/// Whether a chain was refused because the cryptography here cannot verify a signature of a kind that senders can.
/// MD5 and SHA-1 are not of that kind.
pub fn is_beyond_us(error: &webpki::Error, issuers: &[CertificateDer<'_>]) -> bool {
    let modern = |algorithm: &[u8]| MODERN.iter().any(|known| algorithm.starts_with(known));
    match error {
        webpki::Error::UnsupportedSignatureAlgorithmContext(context) => modern(&context.signature_algorithm_id),
        webpki::Error::UnsupportedSignatureAlgorithmForPublicKeyContext(context) => {
            modern(&context.signature_algorithm_id)
        }
        webpki::Error::InvalidSignatureForPublicKey => issuers.iter().any(|issuer| !has_usual_key(issuer)),
        _ => false,
    }
}

/// Whether the library verifies what is signed with the key of a certificate; true where that cannot be read.
pub fn has_usual_key(certificate: &[u8]) -> bool {
    X509Certificate::from_der(certificate).map_or(true, |(_, certificate)| is_usual(certificate.public_key()))
}

/// The same for a public key.
pub fn is_usual(key: &SubjectPublicKeyInfo<'_>) -> bool {
    match key.parsed() {
        Ok(PublicKey::RSA(rsa)) => (2_048..=8_192).contains(&rsa.key_size()),
        Ok(PublicKey::EC(_)) => {
            let curve = key.algorithm.parameters.as_ref().and_then(|curve| curve.as_oid().ok());
            curve.is_some_and(|curve| ["1.2.840.10045.3.1.7", "1.3.132.0.34"].contains(&curve.to_id_string().as_str()))
        }
        _ => key.algorithm.algorithm.to_id_string() == "1.3.101.112",
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub mod tests {
    use std::path::{Path, PathBuf};

    use tokio_rustls::rustls::crypto::ring;
    use tokio_rustls::rustls::pki_types::ServerName;
    use tokio_rustls::rustls::pki_types::pem::PemObject;

    use super::super::options::Roots;
    use super::super::trust::ChainVerifier;
    use super::*;
    use crate::snapshot::TrustVerdict;

    /// A recorded chain: what makes its keys is not in the library that makes those of the other tests.
    pub fn file(name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/peers/chains/{name}.pem"))
    }

    /// Its certificates.
    pub fn chain(name: &str) -> Vec<CertificateDer<'static>> {
        CertificateDer::pem_file_iter(file(name)).unwrap().map(Result::unwrap).collect()
    }

    #[test]
    fn what_cannot_be_verified_is_no_verdict_and_a_small_key_is_none_either() {
        let chain_verifier = ChainVerifier::new(&Roots::File(file("root")), &ring::default_provider()).unwrap();
        let at = "2027-01-01T00:00:00Z".parse().unwrap();
        for (name, verdict, word) in [
            ("rsa-1024", Some(TrustVerdict::Trusted), "ok"),
            ("below-rsa-1024", Some(TrustVerdict::Trusted), "ok"),
            ("below-p-521", None, "a signature in the chain is of a kind that cannot be verified here"),
            ("self-signed-p-521", Some(TrustVerdict::SelfSigned), "an authority's certificate is used as a host's"),
        ] {
            let chain = chain(name);
            assert_eq!(chain_verifier.trust(&chain, at).map(|trust| trust.verdict), verdict, "{name}");
            let host = ServerName::try_from("mx.example.test").unwrap();
            assert_eq!(chain_verifier.verify(&chain, Some(&host), at), word, "{name}");
        }
    }

    #[test]
    fn a_forged_signature_by_a_small_key_is_not_trusted() {
        let chain_verifier = ChainVerifier::new(&Roots::File(file("root")), &ring::default_provider()).unwrap();
        let mut chain = chain("below-rsa-1024");
        let mut leaf = chain.remove(0).to_vec();
        *leaf.last_mut().unwrap() ^= 1;
        chain.insert(0, leaf.into());
        let trust = chain_verifier.trust(&chain, "2027-01-01T00:00:00Z".parse().unwrap());
        assert_ne!(trust.map(|trust| trust.verdict), Some(TrustVerdict::Trusted));
    }
}
