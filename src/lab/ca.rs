//! The certificate authorities of the lab: one that its clients trust and one that nobody does.
//!
//! [`Lab::start`](super::Lab::start) makes them again; [`tls`](super::tls) has its certificates
//! issued here. Keys are random; names and validity follow from the specification and the lab's
//! now alone.

use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, PublicKeyData, date_time_ymd,
};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};

use super::LabError;
use super::certificate::{CertificateChain, CertificateIssuer, CertificatePurpose, CertificateSpec};

const DAY: i64 = 86_400;

/// The years in which certificates can be dated without surprise, as seconds since 1970: 1990 to
/// 2200. A now outside of them would run into the limits of the encodings.
const DATED: std::ops::Range<i64> = 631_152_000..7_258_118_400;

/// The trusted and the untrusted authority.
pub(super) struct CertificateAuthority {
    now: i64,
    trusted: Hierarchy,
    unknown: Hierarchy,
}

/// A root to keep, so that whoever trusts it once trusts every lab that is started with its key.
pub struct LabRoot {
    /// The certificate in PEM.
    pub certificate: String,
    /// The private key, PKCS#8 in PEM: [`LabOptions::root_key`](super::LabOptions::root_key).
    pub key: String,
}

impl LabRoot {
    /// Makes a root, dated around a point in time.
    ///
    /// # Errors
    /// [`LabError::Clock`] and [`LabError::Certificate`], as when a lab is started.
    pub fn new(now: SystemTime) -> Result<Self, LabError> {
        let key = KeyPair::generate()?.serialize_pem();
        let certificate = CertificateAuthority::new(now, Some(&key))?.roots_pem();
        Ok(Self { certificate, key })
    }
}

/// A certificate with its key.
pub(super) struct Issued {
    /// The chain as it is to be sent, leaf first.
    pub(super) chain: Vec<CertificateDer<'static>>,
    /// The private key.
    pub(super) key: PrivatePkcs8KeyDer<'static>,
    /// The SubjectPublicKeyInfo in DER.
    pub(super) public_key: Vec<u8>,
}

/// A root and the intermediate that signs for it.
struct Hierarchy {
    root: CertifiedIssuer<'static, KeyPair>,
    intermediate: CertifiedIssuer<'static, KeyPair>,
}

impl CertificateAuthority {
    /// Makes both authorities, as of a point in time; the trusted root with this key (PKCS#8 in PEM), or a new one.
    ///
    /// # Errors
    /// [`LabError::Clock`] when `now` is before 1990 or after 2200, [`LabError::Certificate`] when
    /// a key cannot be made or read.
    pub(super) fn new(now: SystemTime, root_key: Option<&str>) -> Result<Self, LabError> {
        let now = now
            .duration_since(SystemTime::UNIX_EPOCH)
            .ok()
            .and_then(|since| i64::try_from(since.as_secs()).ok())
            .filter(|now| DATED.contains(now))
            .ok_or(LabError::Clock)?;
        let root_key = match root_key {
            Some(pem) => KeyPair::from_pem(pem)?,
            None => KeyPair::generate()?,
        };
        let unknown = Hierarchy::new("Nobody's", now, KeyPair::generate()?)?;
        Ok(Self { now, trusted: Hierarchy::new("Lab", now, root_key)?, unknown })
    }

    /// The trusted root in PEM.
    pub(super) fn roots_pem(&self) -> String {
        self.trusted.root.pem()
    }

    /// Issues a certificate.
    ///
    /// # Errors
    /// [`LabError::Certificate`] when the specification holds what cannot be encoded,
    /// [`LabError::Clock`] when it is dated beyond 1990 to 2200.
    pub(super) fn issue(&self, spec: &CertificateSpec) -> Result<Issued, LabError> {
        let key = KeyPair::generate()?;
        let params = leaf_params(spec, self.now)?;
        let hierarchy = match spec.issuer {
            CertificateIssuer::Intermediate => Some(&self.trusted),
            CertificateIssuer::Itself => None,
            CertificateIssuer::UnknownCa => Some(&self.unknown),
        };
        let chain = match hierarchy {
            None => vec![params.self_signed(&key)?.into()],
            Some(hierarchy) => {
                let leaf = params.signed_by(&key, &hierarchy.intermediate)?;
                hierarchy.chain(leaf.into(), spec.chain)
            }
        };
        Ok(Issued { chain, key: key.serialize_der().into(), public_key: key.subject_public_key_info() })
    }
}

impl Hierarchy {
    fn new(owner: &str, now: i64, root_key: KeyPair) -> Result<Self, LabError> {
        let root = CertifiedIssuer::self_signed(
            ca_params(owner, "Root", IsCa::Ca(BasicConstraints::Unconstrained), now),
            root_key,
        )?;
        let intermediate = CertifiedIssuer::signed_by(
            ca_params(owner, "Intermediate", IsCa::Ca(BasicConstraints::Constrained(0)), now),
            KeyPair::generate()?,
            &root,
        )?;
        Ok(Self { root, intermediate })
    }

    fn chain(&self, leaf: CertificateDer<'static>, chain: CertificateChain) -> Vec<CertificateDer<'static>> {
        let intermediate = self.intermediate.der().clone();
        match chain {
            CertificateChain::Complete => vec![leaf, intermediate],
            CertificateChain::LeafOnly => vec![leaf],
            CertificateChain::WithRoot => vec![leaf, intermediate, self.root.der().clone()],
        }
    }
}

/// Like public authorities, root and intermediate name the organisation that runs both.
fn ca_params(owner: &str, role: &str, is_ca: IsCa, now: i64) -> CertificateParams {
    let mut params = dated_params(&format!("{owner} {role}"), now - 3_650 * DAY, now + 3_650 * DAY);
    params.distinguished_name.push(DnType::OrganizationName, owner);
    params.is_ca = is_ca;
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn leaf_params(spec: &CertificateSpec, now: i64) -> Result<CertificateParams, LabError> {
    let not_before = now + i64::from(spec.not_before) * DAY;
    let not_after = now + i64::from(spec.not_after) * DAY;
    if !DATED.contains(&not_before) || !DATED.contains(&not_after) {
        return Err(LabError::Clock);
    }
    let named = CertificateParams::new(spec.dns_ids.clone())?;
    let mut params = dated_params(&spec.common_name, not_before, not_after);
    params.subject_alt_names = named.subject_alt_names;
    params.is_ca = IsCa::ExplicitNoCa;
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = match spec.purpose {
        CertificatePurpose::ClientAuth => vec![ExtendedKeyUsagePurpose::ClientAuth],
        CertificatePurpose::ServerAuth => vec![ExtendedKeyUsagePurpose::ServerAuth],
        CertificatePurpose::Unstated => Vec::new(),
    };
    Ok(params)
}

/// Parameters with a subject and a validity, both ends in seconds since 1970.
fn dated_params(common_name: &str, not_before: i64, not_after: i64) -> CertificateParams {
    let epoch = date_time_ymd(1970, 1, 1);
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.not_before = epoch + since_epoch(not_before);
    params.not_after = epoch + since_epoch(not_after);
    params
}

fn since_epoch(seconds: i64) -> Duration {
    Duration::from_secs(seconds.max(0).unsigned_abs())
}
