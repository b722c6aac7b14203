//! What a TLS report says (RFC 8460 §4.4), as far as it can be read, and what is odd about how it says it.
//!
//! Made by `read`. A field that is missing or unreadable is `None` and is told as an [`Oddity`]; nothing else of the
//! report is lost for it.

use std::ops::Range;

use schemars::JsonSchema;
use serde::Serialize;

/// One TLS report.
#[derive(Clone, Debug, Default, JsonSchema, PartialEq, Serialize)]
pub struct TlsReport {
    /// Where it came from: the file, and the part of it where there are several, such as `inbox.mbox: message 3`.
    pub source: String,
    /// How it arrived, where that is known from a mail.
    pub mail: Option<MailOrigin>,
    /// `organization-name`: who reports.
    pub organization_name: Option<String>,
    /// `contact-info`: whom to ask about the report.
    pub contact_info: Option<String>,
    /// `report-id`.
    pub report_id: Option<String>,
    /// The start of the time that the report is about, in seconds since 1970 (UTC).
    pub start: Option<i64>,
    /// The end of that time, in seconds since 1970 (UTC).
    pub end: Option<i64>,
    /// What was applied to which domain, and how it went.
    pub policies: Vec<PolicyResult>,
    /// What rules find in the report, by place.
    pub offences: Vec<Offence>,
    /// The name of the file or attachment.
    #[serde(skip)]
    pub file_name: Option<String>,
    /// The media type that its mail gives it.
    #[serde(skip)]
    pub media_type: Option<String>,
    /// Its JSON, in which the places are.
    #[serde(skip)]
    pub text: String,
    /// What is odd about how it is written.
    #[serde(skip)]
    pub oddities: Vec<Oddity>,
}

impl TlsReport {
    /// Who reports: the organisation's name, else what the mail says.
    pub fn sender(&self) -> String {
        let mail = self.mail.as_ref();
        let submitter = || mail.and_then(|mail| mail.submitter.clone());
        let from = || mail.and_then(|mail| mail.from.as_deref()?.rsplit_once('@').map(|(_, domain)| domain.to_owned()));
        self.organization_name
            .clone()
            .or_else(submitter)
            .or_else(from)
            .unwrap_or_else(|| "an unnamed sender".to_owned())
    }
}

/// The mail that a report arrived in. Nothing of it is verified: DKIM is not checked.
#[derive(Clone, Debug, Default, JsonSchema, PartialEq, Serialize)]
pub struct MailOrigin {
    /// The address in `From`.
    pub from: Option<String>,
    /// `TLS-Report-Domain` (RFC 8460 §5.3).
    pub report_domain: Option<String>,
    /// `TLS-Report-Submitter` (RFC 8460 §5.3).
    pub submitter: Option<String>,
}

/// One element of `policies`: a policy that a sender applied, and how its connections went.
#[derive(Clone, Debug, Default, JsonSchema, PartialEq, Serialize)]
pub struct PolicyResult {
    /// `policy-type`.
    pub policy_type: PolicyType,
    /// `policy-domain`, in lower case without a trailing dot.
    pub policy_domain: Option<String>,
    /// `policy-string`: the lines of an MTA-STS policy, or TLSA records in presentation format.
    pub policy_string: Vec<String>,
    /// `mx-host`: the `mx` patterns of the policy that was applied.
    pub mx_host: Vec<String>,
    /// `total-successful-session-count`.
    pub successful: u64,
    /// `total-failure-session-count`; the sum of the details where that is missing.
    pub failed: u64,
    /// `failure-details`.
    pub failures: Vec<FailureDetail>,
    /// The octets of the element.
    #[serde(skip)]
    pub span: Range<usize>,
    /// The octets of its `policy-domain`.
    #[serde(skip)]
    pub domain_span: Range<usize>,
}

impl PolicyResult {
    /// The value of the first `policy-string` line of this name, such as `mode`.
    pub fn line(&self, name: &str) -> Option<&str> {
        self.policy_string.iter().find_map(|line| {
            let (field, value) = line.split_once(':')?;
            (field.trim() == name).then(|| value.trim())
        })
    }

    /// The `mx` patterns: those of the policy text, else those of `mx-host`.
    pub fn patterns(&self) -> Vec<&str> {
        let lines = self.policy_string.iter().filter_map(|line| line.split_once(':'));
        let written: Vec<&str> =
            lines.filter(|(field, _)| field.trim() == "mx").map(|(_, value)| value.trim()).collect();
        if written.is_empty() { self.mx_host.iter().map(String::as_str).collect() } else { written }
    }
}

/// The type of a policy (RFC 8460 §4.4).
#[derive(Clone, Debug, Default, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(into = "String")]
pub enum PolicyType {
    /// The sender found neither a policy nor TLSA records.
    NoPolicyFound,
    /// Another word, kept as it is.
    Other(String),
    /// An MTA-STS policy.
    Sts,
    /// TLSA records (DANE).
    Tlsa,
    /// No type is given.
    #[default]
    Unknown,
}

impl PolicyType {
    /// Reads the word of a report.
    pub fn parse(word: &str) -> Self {
        match word {
            "no-policy-found" => PolicyType::NoPolicyFound,
            "sts" => PolicyType::Sts,
            "tlsa" => PolicyType::Tlsa,
            other => PolicyType::Other(other.to_owned()),
        }
    }

    /// The word of a report.
    pub fn word(&self) -> &str {
        match self {
            PolicyType::NoPolicyFound => "no-policy-found",
            PolicyType::Other(word) => word,
            PolicyType::Sts => "sts",
            PolicyType::Tlsa => "tlsa",
            PolicyType::Unknown => "unknown",
        }
    }
}

impl From<PolicyType> for String {
    fn from(kind: PolicyType) -> Self {
        kind.word().to_owned()
    }
}

/// One element of `failure-details`.
#[derive(Clone, Debug, Default, JsonSchema, PartialEq, Serialize)]
pub struct FailureDetail {
    /// `result-type`, in lower case; unregistered ones are kept.
    pub result_type: String,
    /// `sending-mta-ip`.
    pub sending_mta_ip: Option<String>,
    /// `receiving-mx-hostname`, in lower case without a trailing dot.
    pub receiving_mx_hostname: Option<String>,
    /// `receiving-mx-helo`.
    pub receiving_mx_helo: Option<String>,
    /// `receiving-ip`.
    pub receiving_ip: Option<String>,
    /// `failed-session-count`; 1 where that is missing.
    pub failed_session_count: u64,
    /// `additional-information`.
    pub additional_information: Option<String>,
    /// `failure-reason-code`.
    pub failure_reason_code: Option<String>,
    /// `result-type` as it is written.
    #[serde(skip)]
    pub written: String,
    /// The octets of the element.
    #[serde(skip)]
    pub span: Range<usize>,
    /// The octets of its `result-type`.
    #[serde(skip)]
    pub result_type_span: Range<usize>,
}

/// What an oddity is about: each has a rule of its own.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum About {
    /// A number of connections.
    Counts,
    /// The time that the report is about.
    DateRange,
    /// A field that RFC 8460 §4.4 does not have.
    Extra,
    /// A field that is missing, empty or of another type.
    Fields,
    /// JSON that is not I-JSON (RFC 7493).
    Json,
    /// `mx-host`.
    MxHost,
    /// A policy's type, domain or text.
    Policy,
    /// The form of a policy's text.
    PolicyString,
}

/// Something odd about how a report is written, with its place: what rules judge.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Oddity {
    /// What it is about.
    pub about: About,
    /// The place as a JSON Pointer (RFC 6901), such as `/policies/0/policy`.
    pub at: String,
    /// What is odd, in one sentence.
    pub message: String,
    /// The octets of the report's JSON.
    pub span: Range<usize>,
}

/// A finding of a rule about one report.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Offence {
    /// The rule that it breaks, such as `report-fields`.
    pub rule: String,
    /// How bad it is: `error`, `warning`, `note` or `remark`.
    pub severity: String,
    /// The place as a JSON Pointer (RFC 6901), such as `/policies/0/policy`.
    pub at: String,
    /// The line of the report's JSON, counted from 1; `null` where the finding is about none.
    pub line: Option<usize>,
    /// The column in characters, counted from 1.
    pub column: Option<usize>,
    /// What is odd, in one sentence.
    pub message: String,
}
