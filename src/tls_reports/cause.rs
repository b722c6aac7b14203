//! Why connections failed, as far as the report alone tells: its result types, reasons, hosts and the policy that was
//! applied.
//!
//! Called by `digest` for each element of `failure-details`.

use schemars::JsonSchema;
use serde::Serialize;

use super::applied::Applied;
use super::model::FailureDetail;

/// What explains a failure.
#[derive(Clone, Copy, Debug, Default, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CauseKind {
    /// The certificate of the MX host has expired.
    CertificateExpired,
    /// The certificate of the MX host does not name it.
    CertificateName,
    /// The certificate of the MX host is not trusted.
    CertificateTrust,
    /// The sender demands DANE by agreement, and there are no TLSA records.
    DaneRequired,
    /// DNSSEC validation failed.
    Dnssec,
    /// The MX host is named by no `mx` pattern of the policy.
    NotCovered,
    /// No cause that the report tells.
    #[default]
    Other,
    /// The policy could not be fetched.
    PolicyFetch,
    /// The policy was fetched and is not valid.
    PolicyInvalid,
    /// The certificate of the policy host is not valid.
    PolicyHostCertificate,
    /// The MX host does not offer STARTTLS.
    StartTls,
    /// No TLSA record matches the certificate.
    Tlsa,
}

impl CauseKind {
    /// The word for it in JSON and metrics.
    pub fn word(self) -> &'static str {
        match self {
            CauseKind::CertificateExpired => "certificate_expired",
            CauseKind::CertificateName => "certificate_name",
            CauseKind::CertificateTrust => "certificate_trust",
            CauseKind::DaneRequired => "dane_required",
            CauseKind::Dnssec => "dnssec",
            CauseKind::NotCovered => "not_covered",
            CauseKind::Other => "other",
            CauseKind::PolicyFetch => "policy_fetch",
            CauseKind::PolicyInvalid => "policy_invalid",
            CauseKind::PolicyHostCertificate => "policy_host_certificate",
            CauseKind::StartTls => "start_tls",
            CauseKind::Tlsa => "tlsa",
        }
    }
}

/// A failure's cause, in words.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Explained {
    /// The kind.
    pub kind: CauseKind,
    /// What went wrong, in one or two sentences.
    pub explanation: String,
    /// What to do about it.
    pub advice: String,
}

/// Explains one failure under the policy that was applied.
pub fn explain(applied: &Applied<'_>, failure: &FailureDetail) -> Explained {
    worded(kind_of(applied, failure), applied, failure)
}

/// The words for a failure of a known kind.
pub fn worded(kind: CauseKind, applied: &Applied<'_>, failure: &FailureDetail) -> Explained {
    let host = failure.receiving_mx_hostname.as_deref();
    let at = host.map_or_else(|| "an MX host".to_owned(), |host| format!("`{host}`"));
    let (explanation, advice) = match kind {
        CauseKind::CertificateExpired => (
            format!("The certificate of {at} had expired."),
            "Renew the certificate, and make sure that the mail server loads the new one.".to_owned(),
        ),
        CauseKind::CertificateName => (
            format!("The certificate of {at} does not name the host."),
            format!("Give {at} a certificate with its own name among the DNS names (RFC 8461 §4.2)."),
        ),
        CauseKind::CertificateTrust => (
            format!(
                "The certificate of {at} is not trusted: it is self-signed, its authority is unknown, or an intermediate certificate is missing."
            ),
            "Use a certificate from a public authority, and send the whole chain.".to_owned(),
        ),
        CauseKind::DaneRequired => (
            format!("The sender demands DANE, and found no TLSA records that DNSSEC secures for {at}."),
            "The sender and you agreed on this: publish TLSA records in a signed zone, or ask the sender.".to_owned(),
        ),
        CauseKind::Dnssec => (
            "The sender's resolver could not validate the DNSSEC signatures.".to_owned(),
            "Check the zone's signatures and the DS record at the parent.".to_owned(),
        ),
        CauseKind::NotCovered => not_covered(applied, host),
        CauseKind::Other => (
            format!("The sender could not set up TLS with {at} as the policy demands."),
            "Check the domain as it is now, with `stslint check`.".to_owned(),
        ),
        CauseKind::PolicyFetch => fetch(applied, failure),
        CauseKind::PolicyInvalid => invalid(applied),
        CauseKind::PolicyHostCertificate => (
            "The certificate of the policy host is not valid, so the sender did not use the policy.".to_owned(),
            "Give the policy host a certificate from a public authority that names it (RFC 8461 §3.3).".to_owned(),
        ),
        CauseKind::StartTls => (
            format!("{at} did not offer STARTTLS."),
            "Switch TLS on for incoming mail; a firewall that inspects SMTP may hide the offer.".to_owned(),
        ),
        CauseKind::Tlsa => (
            format!("No TLSA record of {at} matches its certificate."),
            "Publish a TLSA record for the current key, and keep the old one until its TTL has passed.".to_owned(),
        ),
    };
    Explained { kind, explanation: sentence(&explanation), advice }
}

fn kind_of(applied: &Applied<'_>, failure: &FailureDetail) -> CauseKind {
    let uncovered = failure.receiving_mx_hostname.as_deref().is_some_and(|host| !applied.covers(host));
    let mismatch = reason(failure).contains("mx_hosts_mismatch") || reason(failure).contains("mx-mismatch");
    match failure.result_type.as_str() {
        // Senders have no result type of their own for a host that the policy does not name.
        "validation-failure" | "certificate-host-mismatch" if uncovered || mismatch => CauseKind::NotCovered,
        "mx-mismatch" => CauseKind::NotCovered,
        "certificate-expired" => CauseKind::CertificateExpired,
        "certificate-host-mismatch" | "certificate-name-mismatch" => CauseKind::CertificateName,
        "certificate-not-trusted" => CauseKind::CertificateTrust,
        "dane-required" => CauseKind::DaneRequired,
        "dnssec-invalid" => CauseKind::Dnssec,
        "starttls-not-supported" => CauseKind::StartTls,
        "sts-policy-fetch-error" => CauseKind::PolicyFetch,
        "sts-policy-invalid" => CauseKind::PolicyInvalid,
        "sts-webpki-invalid" => CauseKind::PolicyHostCertificate,
        "tlsa-invalid" => CauseKind::Tlsa,
        _ => CauseKind::Other,
    }
}

fn reason(failure: &FailureDetail) -> String {
    failure.failure_reason_code.as_deref().unwrap_or_default().to_ascii_lowercase()
}

fn not_covered(applied: &Applied<'_>, host: Option<&str>) -> (String, String) {
    let patterns = applied.patterns();
    let shown: Vec<String> = patterns.iter().take(4).map(|pattern| format!("`{pattern}`")).collect();
    let more = if patterns.len() > shown.len() {
        format!(" and {} more", patterns.len() - shown.len())
    } else {
        String::new()
    };
    let of = if shown.is_empty() { String::new() } else { format!(": {}{more}", shown.join(", ")) };
    let Some(host) = host else {
        return (
            format!("An MX host matches no `mx` line of the policy that the sender held{of}."),
            "Compare the MX records with the policy's `mx` lines: `stslint check` names the host.".to_owned(),
        );
    };
    let deeper = applied
        .wildcard_above(host)
        .map(|zone| format!(" `*` covers only one label, but `{host}` has more below `{zone}`."));
    let parent = host.split_once('.').map_or(host, |(_, parent)| parent);
    let advice = match &deeper {
        Some(_) => format!("Publish `mx: *.{parent}` or `mx: {host}`, with a new `id` in the record."),
        None => format!("Publish `mx: {host}`, with a new `id` in the record."),
    };
    let why = deeper.unwrap_or_default();
    (format!("`{host}` matches no `mx` line of the policy that the sender held{of}.{why}"), advice)
}

fn fetch(applied: &Applied<'_>, failure: &FailureDetail) -> (String, String) {
    let reason = reason(failure);
    let status: Option<&str> = reason
        .split(|c: char| !c.is_ascii_digit())
        .find(|number| number.len() == 3 && number.starts_with(['3', '4', '5']));
    let how = if let Some(status) = status {
        format!("the policy host answered with HTTP status {status}")
    } else if reason.contains("deadline") || reason.contains("timeout") || reason.contains("timed out") {
        "the policy host did not answer in the time that the sender allows".to_owned()
    } else if reason.contains("certificate") || reason.contains("x509") {
        "TLS with the policy host failed over its certificate".to_owned()
    } else {
        "the policy host could not be reached, or did not serve the policy; the report does not say which".to_owned()
    };
    // With a policy in the report the fetch was a refresh, and the cached policy was applied (RFC 8461 §5.1).
    let cached =
        if applied.is_shown() { " The sender uses the policy in its cache until its max_age has passed." } else { "" };
    let advice = "Fetch the policy from outside, over IPv4 and IPv6: `stslint check` tries each address. One such failure on the day of a change is normal.";
    (format!("The policy could not be fetched: {how}.{cached}"), advice.to_owned())
}

/// What is wrong with the policy is often in the report itself.
fn invalid(applied: &Applied<'_>) -> (String, String) {
    let what = applied.invalid_field().map_or_else(String::new, |name| format!(": it has no valid `{name}`"));
    (
        format!("The sender fetched a policy that is not valid{what}."),
        "Lint the file that you serve now: `stslint check --policy FILE`.".to_owned(),
    )
}

/// A sentence begins with a capital letter, where it does not begin with a name in backticks.
fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}
