//! The formats of reports, by their names. Used by the configuration, by the command line, and by `report`, where the
//! table `Format::written` says how each is written.

use crate::vocabulary::vocabulary;

vocabulary! {
    /// A format of the reports on domains.
    pub enum Format {
        /// One line per finding.
        Concise = "concise",
        /// The findings as CSV, one per row.
        Csv = "csv",
        /// Workflow commands of GitHub Actions: annotations in the policy file, and a report in the summary of the step.
        Github = "github",
        /// Code Quality of GitLab.
        Gitlab = "gitlab",
        /// One page for people, complete in itself.
        Html = "html",
        /// For people: findings with their texts underlined.
        Human = "human",
        /// One JSON document with everything.
        Json = "json",
        /// One line of JSON per domain, as soon as it is done.
        Jsonl = "jsonl",
        /// JUnit XML: one test case per check; what makes the run fail is a failure.
        Junit = "junit",
        /// Markdown for the comment of a pull request.
        Markdown = "markdown",
        /// One line for Nagios and Icinga; the exit code is the plugin's: 0 OK, 1 warnings, 2 errors, 3 unknown.
        Nagios = "nagios",
        /// Metrics for Prometheus.
        Prometheus = "prometheus",
        /// SARIF 2.1.0 for code scanning and editors.
        Sarif = "sarif",
    }
}
