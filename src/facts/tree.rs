//! The tree that rules see: every path, its type and its meaning; one file for each part.
//!
//! The doc comments here are what `stslint facts` prints. A `Fact<Option<T>>` can be known to be absent
//! (`null`); every fact can be left out because it was not observed.

/// Declares a part of the tree: a serialisable struct whose facts are left out when they were not observed.
macro_rules! facts {
    ($(#[$meta:meta])* pub struct $name:ident { $($(#[$field_meta:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Default, schemars::JsonSchema, PartialEq, serde::Serialize)]
        pub struct $name {
            $(
                $(#[$field_meta])*
                #[serde(skip_serializing_if = "crate::facts::Fact::is_unobserved")]
                pub $field: crate::facts::Fact<$type>,
            )*
        }
    };
}

use std::sync::LazyLock;

use serde::Serialize;
use serde_json::Value;

use super::over::Over;

mod dns;
mod domain;
mod mx;
mod near_miss;
mod policy;
mod policy_host;
mod record;
mod senders;
mod smtp;
mod tls;
mod tls_report;
mod tls_reports;
mod tlsrpt;

pub use self::dns::{
    AddressFacts, AddressKind, MisplacedFacts, NameServerFacts, NameServersFacts, QuestionFacts, RecordType, Slip,
};
pub use self::domain::{BaselineFacts, ParentFacts};
pub use self::mx::{MxFacts, MxHostFacts, TlsaFacts};
pub use self::near_miss::NearMissFacts;
pub use self::policy::{LineEndings, PatternFacts, PolicyFacts};
pub use self::policy_host::{HeaderFacts, HostingKind, HttpsFacts, PolicyHostFacts};
pub use self::record::{FieldFacts, OffenceFacts, RecordFacts, TextFacts};
pub use self::senders::SenderFacts;
pub use self::smtp::{ReplyFacts, SmtpFacts};
pub use self::tls::{CertificateFacts, KeyAlgorithm, NameMatch, TlsSessionFacts};
pub use self::tls_report::{
    ArrivedFacts, OdditiesFacts, OddityFacts, ReportTree, ReportedFailureFacts, ReportedPolicyFacts,
};
pub use self::tls_reports::{
    ReportedCauseFacts, ReportedDayFacts, ReportedDomainFacts, ReportedSenderFacts, ReportsTree,
};
pub use self::tlsrpt::{DestinationFacts, TlsrptFacts};

/// The facts, by what they are about; serialised as the tree alone, without the name of the variant.
///
/// What was not observed is left out, what is known to be absent is `null`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Tree {
    /// One domain.
    Domain(Box<FactTree>),
    /// All domains of a run: of each what rules over all of them name, so that it is only a part of a tree.
    Domains(Value),
    /// One report of a sender.
    Report(Box<ReportTree>),
    /// All reports of a run.
    Reports(Box<ReportsTree>),
}

impl Tree {
    /// What the facts are about.
    pub fn over(&self) -> Over {
        match self {
            Tree::Domain(_) => Over::Domain,
            Tree::Domains(_) => Over::Domains,
            Tree::Report(_) => Over::Report,
            Tree::Reports(_) => Over::Reports,
        }
    }

    /// The facts of a domain; none is known where they are about something else.
    pub fn of_domain(&self) -> &FactTree {
        static NONE: LazyLock<FactTree> = LazyLock::new(FactTree::default);
        match self {
            Tree::Domain(tree) => tree,
            Tree::Domains(_) | Tree::Report(_) | Tree::Reports(_) => &NONE,
        }
    }

    /// The same as JSON, for what shows or compares whole trees.
    pub fn to_json(&self) -> Value {
        json(self)
    }
}

impl FactTree {
    /// The same as JSON, for what compares whole trees.
    pub fn to_json(&self) -> Value {
        json(self)
    }
}

/// No part of a tree has keys other than texts, which is all that could fail.
fn json(tree: &impl Serialize) -> Value {
    serde_json::to_value(tree).unwrap_or_default()
}

impl Default for Tree {
    fn default() -> Self {
        Tree::Domain(Box::default())
    }
}

facts! {
    /// Everything that rules can ask about a domain.
    pub struct FactTree {
        /// The Policy Domain (RFC 8461 §1.1), in A-labels and lower case; `null` where none was given.
        #[schemars(extend("x-form" = "name"))]
        domain: Option<String>,
        /// The parent domain, where the domain is not a registrable domain itself; `null` where it is.
        parent: Option<ParentFacts>,
        /// When the facts were observed: RFC 3339, UTC.
        #[schemars(extend("x-form" = "time"))]
        collected_at: String,
        /// The tags that the entries of `domains` in the configuration give the domain, sorted.
        tags: Vec<String>,
        /// The names of the entries of `domains` in the configuration that the domain falls under, sorted.
        groups: Vec<String>,
        /// How the domain receives mail (RFC 5321 §5.1).
        mx: MxFacts,
        /// The `_mta-sts` TXT record (RFC 8461 §3.1).
        record: RecordFacts,
        /// The policy host `mta-sts.<domain>` over HTTPS (RFC 8461 §3.3).
        policy_host: PolicyHostFacts,
        /// The policy body (RFC 8461 §3.2).
        policy: PolicyFacts,
        /// The `_smtp._tls` TXT record (RFC 8460 §3).
        tlsrpt: TlsrptFacts,
        /// What the senders that are known make of it.
        senders: Vec<SenderFacts>,
        /// What was published before, an older observation or a policy alone; `null` where nothing was given.
        baseline: Option<BaselineFacts>,
        /// What the zone's own name servers say, past every cache; `null` where they were not asked.
        name_servers: Option<NameServersFacts>,
        /// Every DNS query that was asked about the domain.
        questions: Vec<QuestionFacts>,
        /// Whether no MX host of the run answered on its SMTP port, so that the network here is the likely cause.
        smtp_blocked: bool,
        /// Whether the hosts were asked on ports 443 and 25, as senders do; false in labs.
        standard_ports: bool,
    }
}
