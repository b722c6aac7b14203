//! What a file of `rules/senders/` says: who the sender is, how each property is known, and the properties.
//!
//! Read by `senders::load`; its JSON Schema is `schema/senders.schema.json`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::dialect::{MatchDialect, PolicyDialect, RecordDialect, ReportDialect};
use super::verdict::Answer;
use crate::vocabulary::vocabulary;

vocabulary! {
    /// What kind of sender it is.
    pub enum Kind {
        /// A part that a mail server needs for MTA-STS.
        AddOn = "add_on",
        /// A gateway of an organisation.
        Gateway = "gateway",
        /// A library that senders may use.
        Library = "library",
        /// A service that sends mail for many.
        MailService = "mail_service",
        /// A mail server.
        MailServer = "mail_server",
        /// A program that sends reports for a mail server.
        Reporter = "reporter",
        /// What the standards ask of a sender.
        Standard = "standard",
    }
}

vocabulary! {
    /// How a property is known.
    pub enum Known {
        /// Read in its source at the version named.
        Code = "code",
        /// Executed with inputs of ours.
        Run = "run",
        /// Said by its maker, or by the standard.
        Said = "said",
        /// Measured by somebody else.
        Third = "third",
    }
}

/// A day of the calendar: `2026-11-28`.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub struct Day(pub jiff::civil::Date);

impl TryFrom<String> for Day {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse().map(Day).map_err(|_| format!("`{text}` is not a day such as 2026-11-28"))
    }
}

/// Where something is known from.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// How it is known.
    pub known: Known,
    /// What was read, run or measured, for people.
    pub what: String,
    /// The public page or file.
    pub url: String,
    /// The version of the sender that it is about; left out where none is named.
    pub version: Option<String>,
    /// The last day on which it was looked at, or on which it was taken over from notes of that month.
    pub seen: Day,
}

/// A property with its source. What nobody knows is left out.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Claim<T> {
    /// The value.
    pub is: T,
    /// Its source, from `sources`.
    pub source: String,
}

vocabulary! {
    /// Whether a sender refuses delivery where a policy in mode enforce is not met.
    pub enum Enforces {
        /// Without any configuration.
        Always = "always",
        /// Once it is configured or installed.
        Configured = "configured",
        /// Never.
        Never = "never",
    }
}

vocabulary! {
    /// What a sender does with the Content-Type of the policy.
    pub enum MediaType {
        /// It does not look at it.
        Ignored = "ignored",
        /// It must be text/plain in any case of letters.
        TextPlain = "text_plain",
        /// It must be text/plain in lower case.
        TextPlainExactly = "text_plain_exactly",
    }
}

vocabulary! {
    /// What a sender does with an HTTP status.
    pub enum Status {
        /// It does not look at it.
        Ignored = "ignored",
        /// It must be 200.
        Only200 = "only_200",
        /// It must be from 200 to 299.
        Successful = "successful",
    }
}

vocabulary! {
    /// What a sender does with a policy above its size.
    pub enum Larger {
        /// It reads the beginning.
        Cut = "cut",
        /// It refuses the policy.
        Refused = "refused",
    }
}

vocabulary! {
    /// What a sender does with the policy that it holds.
    pub enum HeldPolicy {
        /// It drops it.
        Dropped = "dropped",
        /// It goes on with it.
        Kept = "kept",
    }
}

vocabulary! {
    /// What a sender does in mode testing.
    pub enum Testing {
        /// It delivers, and reports.
        DeliversAndReports = "delivers_and_reports",
        /// It delivers, and reports nothing of the policy.
        Delivers = "delivers",
        /// It is as if there were no policy.
        NoPolicy = "no_policy",
        /// It delivers, and uses TLS without verifying it even where it is set to more.
        Unverified = "unverified",
    }
}

vocabulary! {
    /// The order of DANE and MTA-STS.
    pub enum DaneOrder {
        /// Both must be met.
        Both = "both",
        /// DANE decides alone where a host has TLSA records.
        DaneAlone = "dane_alone",
        /// The sender has no DANE.
        NoDane = "no_dane",
        /// MTA-STS decides alone where there is a policy.
        StsAlone = "sts_alone",
    }
}

vocabulary! {
    /// What a sender does with an MX record that names an alias (RFC 5321 §5.1).
    pub enum MxAlias {
        /// It follows it.
        Followed = "followed",
        /// It does not deliver to it.
        Refused = "refused",
        /// It follows it, and skips DANE there.
        WithoutDane = "without_dane",
    }
}

/// How a policy is fetched, held and applied, each property with its source.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Behaviour {
    /// Whether it refuses delivery where the policy is not met.
    pub enforces: Option<Claim<Enforces>>,
    /// What it does with Content-Type.
    pub media_type: Option<Claim<MediaType>>,
    /// Whether it follows redirects.
    pub follows_redirects: Option<Claim<bool>>,
    /// What it does with the HTTP status.
    pub status: Option<Claim<Status>>,
    /// For how many seconds it waits for the policy.
    pub fetch_timeout: Option<Claim<u64>>,
    /// How often it tries before it gives up.
    pub fetch_tries: Option<Claim<u64>>,
    /// How many octets of a policy it reads.
    pub largest_policy: Option<Claim<u64>>,
    /// What it does with a larger one.
    pub larger_policy: Option<Claim<Larger>>,
    /// For how many seconds it holds a policy at most, where that is less than max_age.
    pub holds_at_most: Option<Claim<i64>>,
    /// The least max_age that it takes as it is; a lesser one counts as `otherwise_holds`.
    pub holds_from: Option<Claim<i64>>,
    /// The greatest max_age that it takes as it is; a greater one counts as `otherwise_holds`.
    pub holds_to: Option<Claim<i64>>,
    /// For how many seconds it holds a policy whose max_age is outside these bounds.
    pub otherwise_holds: Option<Claim<i64>>,
    /// Whether it notices a new policy before the held one has run out.
    pub notices: Option<Claim<bool>>,
    /// After how many seconds; 0 with its next mail.
    pub notices_after: Option<Claim<i64>>,
    /// What becomes of the held policy where the record is gone.
    pub record_gone: Option<Claim<HeldPolicy>>,
    /// What becomes of it where the id is new and the policy cannot be fetched.
    pub fetch_fails: Option<Claim<HeldPolicy>>,
    /// What it does in mode testing.
    pub testing: Option<Claim<Testing>>,
    /// The lowest version of TLS that it uses with MX hosts: `1.2`.
    pub least_tls: Option<Claim<String>>,
    /// The order of DANE and MTA-STS.
    pub dane: Option<Claim<DaneOrder>>,
    /// What it does with an MX record that names an alias.
    pub mx_alias: Option<Claim<MxAlias>>,
    /// Whether it sends TLS reports.
    pub sends_reports: Option<Claim<bool>>,
    /// The schemes that it sends reports to.
    pub report_schemes: Option<Claim<Vec<String>>>,
    /// Whether it sends them to the first destination alone.
    pub first_destination_only: Option<Claim<bool>>,
}

/// How much mail comes from the sender, where a public figure says so.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Share {
    /// The figure in words.
    pub about: String,
    /// Its source, from `sources`.
    pub source: String,
}

/// A sender, as its file describes it.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// The stable name, which is that of the file.
    pub sender: String,
    /// The name for people.
    pub name: String,
    /// Other names that commands take.
    #[serde(default)]
    pub also: Vec<String>,
    /// What kind of sender it is.
    pub kind: Kind,
    /// What it is, in a sentence.
    pub about: String,
    /// The version that the properties are about; left out for services.
    pub version: Option<String>,
    /// How much mail comes from it.
    pub share: Option<Share>,
    /// The day on which the file was last held against its sources.
    pub seen: Day,
    /// Where the properties are known from, by a name of this file.
    pub sources: BTreeMap<String, Source>,
    /// Another sender whose reading of records, policies and patterns it has, unless it has its own here.
    pub reads_as: Option<Claim<String>>,
    /// How a policy is fetched, held and applied.
    #[serde(default)]
    pub behaviour: Behaviour,
    /// How it reads the `_mta-sts` record.
    pub record: Option<RecordDialect>,
    /// How it reads the policy.
    pub policy: Option<PolicyDialect>,
    /// How it compares MX hosts with patterns.
    pub matching: Option<MatchDialect>,
    /// How it reads the `_smtp._tls` record.
    pub reports: Option<ReportDialect>,
    /// Inputs with what the sender makes of them, which `senders test` holds against the properties.
    #[serde(default)]
    pub cases: Vec<Case>,
}

impl Profile {
    /// Whether mail servers on the internet are this sender, so that reports speak of it.
    pub fn sends_mail(&self) -> bool {
        matches!(self.kind, Kind::AddOn | Kind::Gateway | Kind::MailServer | Kind::MailService)
    }

    /// Whether that is its name, in any case of letters: the stable one, or the one for people.
    pub fn is_called(&self, name: &str) -> bool {
        self.sender.eq_ignore_ascii_case(name) || self.name.eq_ignore_ascii_case(name)
    }

    /// The name with its version.
    pub fn label(&self) -> String {
        match &self.version {
            Some(version) => format!("{} {version}", self.name),
            None => self.name.clone(),
        }
    }
}

/// An input with what the sender makes of it.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// The TXT records at `_mta-sts`.
    pub record: Option<Vec<String>>,
    /// The body of the policy.
    pub policy: Option<String>,
    /// The Content-Type of the policy; text/plain where it is left out.
    pub content_type: Option<String>,
    /// An MX host, to compare with `patterns`.
    pub host: Option<String>,
    /// The patterns of a policy.
    #[serde(default)]
    pub patterns: Vec<String>,
    /// The TXT records at `_smtp._tls`.
    pub tlsrpt: Option<Vec<String>>,
    /// What the sender makes of it.
    pub accepted: Answer,
}
