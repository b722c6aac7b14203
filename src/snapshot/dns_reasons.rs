//! Why an answer is what it is: what DNSSEC lacks, and what the resolver says in the codes of RFC 8914.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Why an answer is bogus or indeterminate.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ProofReason {
    /// The kind, for programs.
    pub kind: ProofReasonKind,
    /// One sentence for people.
    #[serde(default)]
    pub detail: String,
}

crate::vocabulary::vocabulary! {
    /// The kinds of reasons for which an answer is not proven.
    pub enum ProofReasonKind {
        /// The DS records at the parent match no key of the zone (RFC 4035 §5.2).
        DsMismatch = "ds_mismatch",
        /// A signature has expired (RFC 4034 §3.1.5).
        Expired = "expired",
        /// What proves an absence is missing or does not prove it (RFC 4035 §5.4, RFC 5155 §8).
        MissingDenial = "missing_denial",
        /// The zone does not publish the key that signed (RFC 4035 §5.3.1).
        MissingKey = "missing_key",
        /// A signature is missing (RFC 4035 §5.3).
        MissingSignature = "missing_signature",
        /// The time of a signature has not come (RFC 4034 §3.1.5).
        NotYetValid = "not_yet_valid",
        /// An algorithm, or a number of iterations, that is not supported here.
        Unsupported = "unsupported",
        /// A signature does not match what it signs (RFC 4035 §5.3.3).
        WrongSignature = "wrong_signature",
    }
}

/// What a resolver says about its answer (RFC 8914 §2).
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ExtendedError {
    /// The code, from IANA's registry.
    pub code: u16,
    /// The text that comes with it, escaped; most resolvers send none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
}

impl ExtendedError {
    /// The code in words, and the text (RFC 8914 §4).
    pub fn words(&self) -> String {
        let known = usize::from(self.code);
        let name =
            NAMES.get(known).map_or_else(|| format!("code {}", self.code), |name| format!("{name} ({})", self.code));
        let text = crate::source_text::escape(&self.text);
        if text.is_empty() { name } else { format!("{name}: {text}") }
    }
}

/// The names of the codes, from 0 on (RFC 8914 §4.1 to §4.25).
const NAMES: [&str; 25] = [
    "Other Error",
    "Unsupported DNSKEY Algorithm",
    "Unsupported DS Digest Type",
    "Stale Answer",
    "Forged Answer",
    "DNSSEC Indeterminate",
    "DNSSEC Bogus",
    "Signature Expired",
    "Signature Not Yet Valid",
    "DNSKEY Missing",
    "RRSIGs Missing",
    "No Zone Key Bit Set",
    "NSEC Missing",
    "Cached Error",
    "Not Ready",
    "Blocked",
    "Censored",
    "Filtered",
    "Prohibited",
    "Stale NXDOMAIN Answer",
    "Not Authoritative",
    "Not Supported",
    "No Reachable Authority",
    "Network Error",
    "Invalid Data",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_the_names_of_the_registry() {
        let words = |code, text: &str| ExtendedError { code, text: text.to_owned() }.words();
        assert_eq!(words(0, ""), "Other Error (0)");
        assert_eq!(words(7, "for _mta-sts.example"), "Signature Expired (7): for _mta-sts.example");
        assert_eq!(words(24, ""), "Invalid Data (24)");
        assert_eq!(words(25, "x"), "code 25: x");
    }
}
