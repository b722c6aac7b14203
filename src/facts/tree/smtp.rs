//! Part of the tree of facts: one SMTP conversation with an address of an MX host.

use super::tls::TlsSessionFacts;
use crate::snapshot::FailureKind;

facts! {
    /// One address of an MX host, spoken to as a sender would.
    pub struct SmtpFacts {
        /// The address.
        address: String,
        /// Whether TCP connected.
        connected: bool,
        /// What went wrong, for people; `null` where nothing did.
        failure: Option<String>,
        /// The kind of what went wrong; `null` where nothing did.
        failure_kind: Option<FailureKind>,
        /// What a first try came to, where a second one followed and is what the other facts tell of; `null` where one was
        /// enough.
        first_try: Option<String>,
        /// How the host turns this client away, and not everybody: for its address, for the name in EHLO, or because it does
        /// not know it. What the host shows then says nothing of the domain; `null` where it does not.
        turned_away: Option<String>,
        /// Where a fault at this address keeps mail from getting to, after "do not deliver": `to this host` where no other
        /// address offers verified TLS, else over its version of the Internet Protocol, or at it.
        place: String,
        /// The greeting; `null` where none came in time.
        greeting: Option<ReplyFacts>,
        /// The reply to EHLO; `null` where none came.
        ehlo: Option<ReplyFacts>,
        /// Whether STARTTLS is among the EHLO keywords.
        starttls_offered: bool,
        /// The keyword of EHLO that a device on the way wrote over, such as `XXXXXXXA`; `null` where there is none.
        masked_keyword: Option<String>,
        /// The reply to STARTTLS; `null` where none came.
        starttls: Option<ReplyFacts>,
        /// What came after the 220 and before the handshake, escaped; empty as it should be.
        after_starttls: String,
        /// The TLS handshake.
        tls: TlsSessionFacts,
        /// The usages of the host's usable TLSA records that match the chain presented here (RFC 6698 §2.1.1), in
        /// order; empty where none does.
        tlsa_usages: Vec<i64>,
        /// The reply to EHLO after the handshake; `null` where none came.
        ehlo_after_tls: Option<ReplyFacts>,
        /// Whether REQUIRETLS (RFC 8689) is offered after the handshake.
        requiretls: bool,
        /// Whether a handshake without SNI succeeds too (RFC 8461 §7.1).
        without_sni: bool,
        /// What a handshake without SNI ended with, for people; `null` where it succeeded.
        without_sni_failure: Option<String>,
    }
}

facts! {
    /// A reply of an SMTP server.
    pub struct ReplyFacts {
        /// The reply code.
        code: i64,
        /// The code and its text, escaped, in one line.
        text: String,
        /// For EHLO: the keywords in upper case.
        #[schemars(extend("x-form" = "keyword"))]
        keywords: Vec<String>,
    }
}
