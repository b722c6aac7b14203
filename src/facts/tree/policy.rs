//! Part of the tree of facts: the policy body and its `mx` patterns.

use super::record::{FieldFacts, OffenceFacts};
use crate::facts::provider_names;
use crate::grammar::mx_pattern::MxProblemKind;
use crate::grammar::policy::{Markup, Mode};

crate::vocabulary::vocabulary! {
    /// How the lines of a policy end.
    pub enum LineEndings {
        /// All by CR alone, or some of them.
        Cr = "CR",
        /// By CR LF.
        Crlf = "CRLF",
        /// By LF alone.
        Lf = "LF",
        /// Some by CR LF, others by LF.
        Mixed = "mixed",
    }
}

facts! {
    /// The policy body.
    pub struct PolicyFacts {
        /// The body; `null` where no policy is served.
        body: Option<String>,
        /// What it is instead of a policy; `null` where it is none of these.
        markup: Option<Markup>,
        /// The value of the first `version` as it is written; `null` where there is none.
        version: Option<String>,
        /// The mode; `null` where there is no valid one.
        mode: Option<Mode>,
        /// The value of the first `mode` as it is written; `null` where there is none.
        mode_text: Option<String>,
        /// The mode that was probably meant; `null` where none is near.
        mode_meant: Option<Mode>,
        /// The policy's life in seconds; `null` where there is no valid one.
        max_age: Option<i64>,
        /// The value of the first `max_age` as it is written; `null` where there is none.
        max_age_text: Option<String>,
        /// The seconds that were probably meant by a wrong `max_age`; `null` where it is right or cannot be told.
        max_age_meant: Option<i64>,
        /// The misspelt name of a field that was probably meant as `version`; `null` where there is none.
        version_slip: Option<String>,
        /// The misspelt name of a field that was probably meant as `mode`; `null` where there is none.
        mode_slip: Option<String>,
        /// The misspelt name of a field that was probably meant as `max_age`; `null` where there is none.
        max_age_slip: Option<String>,
        /// The misspelt name of a field that was probably meant as `mx`; `null` where there is none.
        mx_slip: Option<String>,
        /// The place after the last `mx` line, for one more; always empty.
        insertion: String,
        /// Whether its `mx` patterns are valid, and all of them name other hosts than those of the MX records.
        other_hosts: bool,
        /// The provider of mail that all `mx` patterns belong to; `null` where there is none, or none that is known.
        #[schemars(extend("enum" = provider_names::of_mail()))]
        provider: Option<String>,
        /// Every `mx` pattern, in order.
        mx: Vec<PatternFacts>,
        /// The fields, in order.
        fields: Vec<FieldFacts>,
        /// Places that break the grammar of RFC 8461 §3.2.
        syntax_offences: Vec<OffenceFacts>,
        /// Octets that are no text: a BOM, invalid UTF-8, control characters.
        encoding_offences: Vec<OffenceFacts>,
        /// Fields whose name is registered in the wrong case.
        case_offences: Vec<OffenceFacts>,
        /// Blank lines.
        blank_lines: Vec<OffenceFacts>,
        /// Lines that end in white space.
        trailing_spaces: Vec<OffenceFacts>,
        /// How lines end.
        line_endings: LineEndings,
        /// Whether the last line is terminated.
        final_newline: bool,
        /// Whether every line can be read, so that a field which is not found is really missing.
        legible: bool,
        /// Whether several fields are on one line.
        run_together: bool,
        /// The number of the line where a second policy begins, counted from 1; `null` where the text holds one only.
        second_policy: Option<i64>,
        /// Whether a sender can use the policy (RFC 8461 §3.2).
        usable: bool,
        /// Whether the body goes on beyond 65,536 octets.
        oversized: bool,
    }
}

facts! {
    /// An `mx` pattern of the policy.
    pub struct PatternFacts {
        /// As it is written.
        text: String,
        /// The line's number, counted from 1.
        line: i64,
        /// What is wrong with it, for people; `null` where it is valid.
        problem: Option<String>,
        /// Whether it fits the grammar (RFC 8461 §3.2): `192.0.2.1` does, and matches no host.
        in_grammar: bool,
        /// Which rule the problem belongs to; `null` where it is valid.
        problem_kind: Option<MxProblemKind>,
        /// What was probably meant; `null` where it cannot be told.
        suggestion: Option<String>,
        /// Whether it is a placeholder of an example or a template, such as `mail.yourdomain.com`.
        placeholder: bool,
        /// The hosts of a list on one line; empty where it is none.
        items: Vec<String>,
        /// Whether it begins with `*.`.
        wildcard: bool,
        /// Whether it has no dot.
        single_label: bool,
        /// Whether it covers all of a public suffix, such as `*.com`.
        over_public_suffix: bool,
        /// Whether it covers every host of the domain's own zone: `*.<domain>` or `*.<registrable domain>`.
        over_own_zone: bool,
        /// Whether an earlier pattern is the same.
        duplicate: bool,
        /// The present MX hosts that it matches.
        matches: Vec<String>,
    }
}
