//! What a body is instead of a policy, in the words of facts and messages. Used by `body`.

use crate::source_text::told_apart::FileKind;
use crate::vocabulary::vocabulary;

vocabulary! {
    /// What a body is instead of a policy.
    pub enum Markup {
        /// A configuration of this program.
        Configuration = "a configuration",
        /// Compressed data.
        Gzip = "compressed data (gzip)",
        /// HTML.
        Html = "HTML",
        /// JSON.
        Json = "JSON",
        /// What no table knows.
        OtherFile = "another kind of file",
        /// Another YAML file.
        OtherYaml = "another YAML file",
        /// PDF.
        Pdf = "a PDF document",
        /// A policy after all.
        Policy = "a policy",
        /// RTF.
        RichText = "a rich text document (RTF)",
        /// Rules of this program.
        Rules = "a rule file",
        /// A snapshot of this program.
        Snapshot = "a snapshot",
        /// A TLS report (RFC 8460 §4.4).
        TlsReport = "a TLS report",
        /// Word before 2007.
        Word = "a Word document",
        /// XML.
        Xml = "XML",
        /// ZIP, or Word since 2007.
        Zip = "a ZIP archive or a Word document",
        /// A record as zone files have it.
        ZoneLine = "a line of a DNS zone",
    }
}

impl From<FileKind> for Markup {
    fn from(kind: FileKind) -> Self {
        match kind {
            FileKind::Configuration => Markup::Configuration,
            FileKind::Policy => Markup::Policy,
            FileKind::Rules => Markup::Rules,
            FileKind::Snapshot => Markup::Snapshot,
            FileKind::TlsReport => Markup::TlsReport,
        }
    }
}
