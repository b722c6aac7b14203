//! All TLS reports of a run as facts: what rules `over: reports` see.

use crate::tls_reports::cause::CauseKind;
use crate::tls_reports::result_type::ResultType;

facts! {
    /// Everything that rules can ask about all TLS reports of a run together.
    pub struct ReportsTree {
        /// When the reports are looked at: RFC 3339, UTC; now, or what `--at` says.
        #[schemars(extend("x-form" = "time"))]
        at: String,
        /// How many different reports there are.
        reports: i64,
        /// How many were there twice, and count once.
        duplicates: i64,
        /// How many files or parts could not be read as reports.
        unreadable: i64,
        /// Each domain that reports are about, the one with most failures first.
        domains: Vec<ReportedDomainFacts>,
    }
}

facts! {
    /// What the reports say about mail to one domain.
    pub struct ReportedDomainFacts {
        /// The domain; empty where no report names it.
        #[schemars(extend("x-form" = "lower"))]
        domain: String,
        /// The first day, in UTC: `2026-11-20`; `null` where no report tells it.
        #[schemars(extend("x-form" = "time"))]
        first_day: Option<String>,
        /// The last day, in UTC; `null` where no report tells it.
        #[schemars(extend("x-form" = "time"))]
        last_day: Option<String>,
        /// How many days ago the last day was, 0 for today; `null` where no report tells it.
        days_ago: Option<i64>,
        /// Connections in all.
        connections: i64,
        /// Connections that were verified, by MTA-STS or DANE.
        verified: i64,
        /// Connections of senders that found no policy.
        opportunistic: i64,
        /// Connections that failed.
        failed: i64,
        /// Of those, how many were refused: mode enforce, or DANE.
        refused: i64,
        /// Of those, over how many the mail was delivered all the same.
        delivered: i64,
        /// The senders, the one with most connections first.
        senders: Vec<ReportedSenderFacts>,
        /// Each day with reports.
        days: Vec<ReportedDayFacts>,
        /// The causes of failures, the one with most connections first.
        causes: Vec<ReportedCauseFacts>,
    }
}

facts! {
    /// One sender.
    pub struct ReportedSenderFacts {
        /// Its name: `organization-name`, or the domain that the mail came from.
        name: String,
        /// Its reports.
        reports: i64,
        /// Its connections.
        connections: i64,
        /// Those that failed.
        failed: i64,
        /// The first day on which it reported, in UTC; `null` where no report tells it.
        #[schemars(extend("x-form" = "time"))]
        first_day: Option<String>,
        /// The last day on which it reported, in UTC; `null` where no report tells it.
        #[schemars(extend("x-form" = "time"))]
        last_day: Option<String>,
        /// How many days ago that was, 0 for today; `null` where no report tells it.
        days_ago: Option<i64>,
        /// The lines of the MTA-STS policy that it applied last; empty where it showed none.
        policy: Vec<String>,
    }
}

facts! {
    /// One day.
    pub struct ReportedDayFacts {
        /// The day, in UTC; `null` where no report tells it.
        #[schemars(extend("x-form" = "time"))]
        day: Option<String>,
        /// How many days ago it was, 0 for today; `null` where no report tells it.
        days_ago: Option<i64>,
        /// Connections that did not fail.
        succeeded: i64,
        /// Connections that failed.
        failed: i64,
    }
}

facts! {
    /// A cause of failures.
    pub struct ReportedCauseFacts {
        /// Its kind.
        kind: CauseKind,
        /// The result types that senders reported for it (RFC 8460 §4.3).
        #[schemars(extend("x-known" = ResultType::WORDS))]
        result_types: Vec<String>,
        /// The MX host; `null` where the reports name none.
        host: Option<String>,
        /// The failed connections.
        connections: i64,
        /// Who saw it.
        senders: Vec<String>,
        /// The first day, in UTC; `null` where no report tells it.
        #[schemars(extend("x-form" = "time"))]
        first_day: Option<String>,
        /// The last day, in UTC; `null` where no report tells it.
        #[schemars(extend("x-form" = "time"))]
        last_day: Option<String>,
        /// How many days ago the last day was, 0 for today; `null` where no report tells it.
        days_ago: Option<i64>,
        /// What went wrong, in words.
        explanation: String,
    }
}
