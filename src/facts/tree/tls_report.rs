//! One TLS report (RFC 8460 §4) as facts: what rules `over: report` see.

use crate::tls_reports::result_type::ResultType;

facts! {
    /// Everything that rules can ask about one TLS report.
    pub struct ReportTree {
        /// `organization-name`: who reports; `null` where it is missing or empty.
        organization_name: Option<String>,
        /// `contact-info`; `null` where it is missing or empty.
        contact_info: Option<String>,
        /// `report-id`; `null` where it is missing or empty.
        report_id: Option<String>,
        /// The start of the time that the report is about: RFC 3339, UTC; `null` where it cannot be read.
        #[schemars(extend("x-form" = "time"))]
        start: Option<String>,
        /// The end of that time: RFC 3339, UTC; `null` where it cannot be read.
        #[schemars(extend("x-form" = "time"))]
        end: Option<String>,
        /// What was applied to which domain, and how it went (RFC 8460 §4.4).
        policies: Vec<ReportedPolicyFacts>,
        /// How the report arrived.
        arrived: ArrivedFacts,
        /// The domains whose reports were asked for, with `--domain`; `null` where that was not told.
        asked_for: Option<Vec<String>>,
        /// What is odd about how the report is written.
        oddities: OdditiesFacts,
    }
}

facts! {
    /// A policy that a sender applied, and how its connections went.
    pub struct ReportedPolicyFacts {
        /// `policy-type`, such as `sts`, `tlsa` or `no-policy-found`; `unknown` where none is given.
        #[schemars(extend("x-known" = ["no-policy-found", "sts", "tlsa", "unknown"]))]
        policy_type: String,
        /// `policy-domain` in lower case; `null` where it is missing.
        #[schemars(extend("x-form" = "lower"))]
        policy_domain: Option<String>,
        /// `policy-string`: the lines of the policy, or TLSA records.
        policy_string: Vec<String>,
        /// The `mode` in the policy's lines; `null` where there is none.
        #[schemars(extend("x-known" = ["enforce", "none", "testing"]))]
        mode: Option<String>,
        /// `mx-host`: the `mx` patterns of the policy.
        mx_host: Vec<String>,
        /// `total-successful-session-count`.
        successful: i64,
        /// `total-failure-session-count`; the sum of the details where that is missing.
        failed: i64,
        /// `failure-details`.
        failures: Vec<ReportedFailureFacts>,
    }
}

facts! {
    /// An element of `failure-details`.
    pub struct ReportedFailureFacts {
        /// `result-type` in lower case; `unknown` where none is given.
        #[schemars(extend("x-form" = "lower", "x-known" = ResultType::WORDS))]
        result_type: String,
        /// `result-type` as it is written.
        result_type_written: String,
        /// `sending-mta-ip`; `null` where it is missing or empty.
        sending_mta_ip: Option<String>,
        /// `receiving-mx-hostname` in lower case; `null` where it is missing or empty.
        #[schemars(extend("x-form" = "lower"))]
        receiving_mx_hostname: Option<String>,
        /// `receiving-mx-helo`; `null` where it is missing or empty.
        receiving_mx_helo: Option<String>,
        /// `receiving-ip`; `null` where it is missing or empty.
        receiving_ip: Option<String>,
        /// `failed-session-count`; 1 where that is missing.
        failed_session_count: i64,
        /// `additional-information`; `null` where it is missing or empty.
        additional_information: Option<String>,
        /// `failure-reason-code`; `null` where it is missing or empty.
        failure_reason_code: Option<String>,
    }
}

facts! {
    /// How a report arrived. Nothing of a mail is verified.
    pub struct ArrivedFacts {
        /// The name of the attachment, or of the file in an archive; `null` where the report is a file of its own.
        file_name: Option<String>,
        /// The media type of its part of the mail, in lower case; `null` where it came without a mail.
        #[schemars(extend("x-form" = "lower"))]
        media_type: Option<String>,
        /// The address in the mail's `From`; `null` where there is none.
        from: Option<String>,
        /// The mail's `TLS-Report-Domain` (RFC 8460 §5.3); `null` where there is none.
        report_domain: Option<String>,
        /// The mail's `TLS-Report-Submitter` (RFC 8460 §5.3); `null` where there is none.
        submitter: Option<String>,
    }
}

facts! {
    /// What is odd about how a report is written, by what it is about.
    pub struct OdditiesFacts {
        /// Numbers of connections that are not integers from 0, are missing, or do not add up.
        counts: Vec<OddityFacts>,
        /// Times that are not RFC 3339, have no zone, or are not a day apart.
        date_range: Vec<OddityFacts>,
        /// Fields that RFC 8460 §4.4 does not have.
        extra: Vec<OddityFacts>,
        /// Fields that are missing, empty, or of another type.
        fields: Vec<OddityFacts>,
        /// What makes the JSON not I-JSON (RFC 7493).
        json: Vec<OddityFacts>,
        /// Forms of `mx-host` other than a list of patterns.
        mx_host: Vec<OddityFacts>,
        /// Policies without a type, domain or text, or of another type.
        policy: Vec<OddityFacts>,
        /// Forms of `policy-string` other than a list of lines in their order.
        policy_string: Vec<OddityFacts>,
    }
}

facts! {
    /// Something odd.
    pub struct OddityFacts {
        /// The place as a JSON Pointer (RFC 6901), such as `/policies/0/policy`.
        pointer: String,
        /// What is odd, in one sentence.
        message: String,
    }
}
