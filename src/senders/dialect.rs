//! The dialects that senders read: which of the many readings of a record, a policy, a pattern and a reporting record is
//! a sender's own. Set by the files of `rules/senders/`; read by `senders::record`, `policy`, `matching` and `reports`.
//!
//! Every property may be left out: it is then unknown, and a text for which it matters gets no yes and no no.

use schemars::JsonSchema;
use serde::Deserialize;

use super::blanks::Blanks;
use super::numbers::Numbers;

/// Declares the choices of a property.
macro_rules! choice {
    ($(#[doc = $about:literal])* $name:ident { $($(#[doc = $of:literal])* $variant:ident,)* }) => {
        $(#[doc = $about])*
        #[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[doc = $of])* $variant,)* }
    };
}

choice! {
    /// How a record is taken apart.
    RecordReader {
        /// As a DKIM header field: comments in parentheses and quoted strings are read.
        Header,
        /// Letter by letter: white space anywhere is dropped, other characters spoil the name they are in.
        Letters,
        /// Only its beginning is looked at.
        Prefix,
        /// Split at the separators.
        Split,
    }
}

choice! {
    /// Which of several TXT records counts.
    Records {
        /// Any one that is accepted is enough.
        Any,
        /// The first that is accepted.
        FirstAccepted,
        /// They are joined into one text.
        Joined,
        /// Exactly one may be a candidate; others are left aside.
        OneCandidate,
        /// Exactly one TXT record may be there.
        OneRecord,
    }
}

choice! {
    /// What makes a TXT record a candidate.
    Candidate {
        /// It begins with the version, optional SP and HTAB, and `;`.
        Delimited,
        /// It begins with the version.
        Prefix,
        /// It begins with the version and `;`.
        PrefixAndDelimiter,
        /// Its field `v` is the version.
        VersionField,
        /// It begins with the version in any case, and the word ends there.
        Word,
    }
}

choice! {
    /// What is done with a part that is not as expected.
    Refusal {
        /// It is left out.
        Ignored,
        /// It spoils the whole text.
        Refused,
    }
}

choice! {
    /// How characters beyond ASCII are taken.
    NonAscii {
        /// They are ordinary characters.
        Kept,
        /// The record is treated as absent.
        RecordIgnored,
        /// The text is refused.
        Refused,
    }
}

choice! {
    /// What an empty field or line does.
    BlankPart {
        /// It is allowed as the last one only.
        LastOnly,
        /// It spoils the whole text.
        Refused,
        /// It is skipped.
        Skipped,
        /// It is skipped where it has no character at all, and spoils the text where it has only white space.
        SkippedIfEmpty,
    }
}

choice! {
    /// How a part without its delimiter, or with several, is read.
    Delimiters {
        /// At the first.
        First,
        /// The part is left out.
        Ignored,
        /// It spoils the whole text.
        Refused,
    }
}

choice! {
    /// Whether letters must have their case.
    Case {
        /// Upper and lower case are the same.
        Any,
        /// They must.
        Exact,
    }
}

choice! {
    /// Which of several fields of one name counts.
    Repeated {
        /// The first.
        First,
        /// The last.
        Last,
        /// They spoil the text.
        Refused,
    }
}

choice! {
    /// What the id must be.
    Id {
        /// 1 to 32 letters and digits.
        Grammar,
        /// Not empty.
        NotEmpty,
        /// There.
        Present,
    }
}

choice! {
    /// Which fields beside its own ones a sender takes.
    OtherFields {
        /// Those that follow the grammar of extensions; any other spoils the text.
        Grammar,
        /// All of them.
        Ignored,
        /// Those that follow the grammar of extensions, and those whose names begin with `-` or `.`.
        LooseGrammar,
        /// None.
        Refused,
    }
}

choice! {
    /// White space around `=`, or before `:`.
    AroundDelimiter {
        /// It is a part of the name or the value.
        Kept,
        /// It spoils the text.
        Refused,
        /// It is trimmed.
        Trimmed,
    }
}

/// How a sender reads the `_mta-sts` record.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct RecordDialect {
    /// The source of these properties, from `sources`.
    pub source: String,
    /// How the text is taken apart.
    pub reader: Option<RecordReader>,
    /// Which of several TXT records counts.
    pub records: Option<Records>,
    /// What makes a TXT record a candidate.
    pub candidate: Option<Candidate>,
    /// How characters beyond ASCII are taken.
    pub non_ascii: Option<NonAscii>,
    /// What is trimmed from the whole text first.
    pub trims_text: Option<Blanks>,
    /// Whether `"` is removed first.
    pub removes_quotes: Option<bool>,
    /// The characters at which it is split.
    pub separators: Option<String>,
    /// What is trimmed from each field.
    pub trims_fields: Option<Blanks>,
    /// Whether white space at the very end is a part of the last value.
    pub keeps_end: Option<bool>,
    /// What an empty field does.
    pub blank_field: Option<BlankPart>,
    /// A field without `=`.
    pub no_equals: Option<Delimiters>,
    /// A field with several `=`.
    pub several_equals: Option<Delimiters>,
    /// White space around `=`.
    pub around_equals: Option<AroundDelimiter>,
    /// The case of names.
    pub names: Option<Case>,
    /// The case of the version.
    pub version: Option<Case>,
    /// Whether a repeated `v` must be the version too.
    pub every_version: Option<bool>,
    /// Which of several `id` fields counts.
    pub repeated: Option<Repeated>,
    /// Fields beside `v` and `id`.
    pub other_fields: Option<OtherFields>,
    /// What the id must be.
    pub id: Option<Id>,
}

choice! {
    /// How a policy is taken apart.
    PolicyReader {
        /// Line by line.
        Lines,
        /// From one `:` to the next line end, so that a line without `:` becomes a part of the next name.
        Stream,
    }
}

choice! {
    /// How octets become characters.
    Decoding {
        /// By the charset of Content-Type, ASCII where it names none; what cannot be decoded spoils the policy.
        Charset,
        /// As UTF-8; what is not is replaced.
        Replaced,
        /// As UTF-8; what is not spoils the policy.
        Utf8,
    }
}

choice! {
    /// Where lines end.
    LineEnds {
        /// At CR and at LF.
        CrOrLf,
        /// At LF; a CR before it belongs to the line end.
        Lf,
        /// Where Python splits lines: also at VT, FF, U+001C to U+001E, U+0085, U+2028 and U+2029.
        Python,
    }
}

choice! {
    /// What a mode, a version or a life that cannot be read does.
    Unreadable {
        /// It is as if the field were not there.
        Ignored,
        /// It counts as mode none.
        None,
        /// It spoils the policy.
        Refused,
    }
}

choice! {
    /// What a policy without a field counts as.
    Missing {
        /// As mode enforce.
        Enforce,
        /// As accepted.
        Fine,
        /// As mode none.
        None,
        /// As refused.
        Refused,
    }
}

choice! {
    /// What a pattern must be.
    Pattern {
        /// Anything, also empty.
        Any,
        /// A domain name, optionally after `*.`; a dot at its end is allowed.
        DnsName,
        /// A domain name by the grammar, optionally after `*.`: no address, and its A-labels are valid.
        Grammar,
        /// Letters, digits and inner hyphens in labels of up to 63, optionally after `*.`.
        HostName,
        /// Not empty after `*.`.
        NotEmpty,
        /// Not empty, and `*` only as its first character.
        StarFirst,
    }
}

choice! {
    /// What a life above the limit does.
    Above {
        /// It is cut to the limit.
        Capped,
        /// It spoils the policy.
        Refused,
        /// Nothing is wrong with it.
        Taken,
    }
}

choice! {
    /// Which characters spoil the value of a field that the sender does not know.
    OtherValues {
        /// Those that the grammar forbids.
        AsciiControls,
        /// Those, and U+0080 to U+009F.
        AllControls,
    }
}

/// How a sender reads the policy.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct PolicyDialect {
    /// The source of these properties, from `sources`.
    pub source: String,
    /// How the text is taken apart.
    pub reader: Option<PolicyReader>,
    /// How octets become characters.
    pub decoding: Option<Decoding>,
    /// Where lines end.
    pub line_ends: Option<LineEnds>,
    /// The longest line in octets; a longer one spoils the policy.
    pub longest_line: Option<usize>,
    /// What a blank line does.
    pub blank_line: Option<BlankPart>,
    /// A line without `:`.
    pub no_colon: Option<Delimiters>,
    /// A line with several `:`.
    pub several_colons: Option<Delimiters>,
    /// What is trimmed from the start of a line, and from the end of a name.
    pub trims_names: Option<Blanks>,
    /// What is trimmed from both ends of a value.
    pub trims_values: Option<Blanks>,
    /// The case of names.
    pub names: Option<Case>,
    /// Fields that it does not know.
    pub other_fields: Option<OtherFields>,
    /// What spoils the value of such a field, where it must follow the grammar.
    pub other_values: Option<OtherValues>,
    /// Whether a field without a value is as if it were not there.
    pub drops_empty_values: Option<bool>,
    /// Which of several fields of one name counts; every `mx` does.
    pub repeated: Option<Repeated>,
    /// The same for `mode`, where that differs.
    pub repeated_mode: Option<Repeated>,
    /// Whether a repeated field that does not count must be valid too.
    pub every_value: Option<bool>,
    /// The case of the version; left unread where `reads_version` is false.
    pub version: Option<Case>,
    /// Whether the version is read at all.
    pub reads_version: Option<bool>,
    /// A policy without a version.
    pub no_version: Option<Missing>,
    /// The case of the mode.
    pub mode: Option<Case>,
    /// A mode that it does not know.
    pub other_mode: Option<Unreadable>,
    /// A policy without a mode.
    pub no_mode: Option<Missing>,
    /// Whether a policy in mode none is taken as one.
    pub takes_none: Option<bool>,
    /// The numbers that it reads as `max_age`.
    pub max_age: Option<Numbers>,
    /// A `max_age` that it cannot read.
    pub other_max_age: Option<Unreadable>,
    /// A policy without a `max_age`.
    pub no_max_age: Option<Missing>,
    /// A `max_age` of 0: `ignored` where nothing is wrong with it.
    pub zero_max_age: Option<Refusal>,
    /// A negative `max_age`, in the same way.
    pub negative_max_age: Option<Refusal>,
    /// The greatest `max_age`; that of the standard where it is left out.
    pub greatest_max_age: Option<i64>,
    /// What a `max_age` above that does.
    pub above: Option<Above>,
    /// What a pattern must be.
    pub pattern: Option<Pattern>,
    /// A pattern that is not that.
    pub other_pattern: Option<Refusal>,
    /// A policy without a pattern in mode enforce or testing.
    pub no_mx: Option<Missing>,
    /// A policy without a pattern in mode none.
    pub no_mx_in_none: Option<Missing>,
}

choice! {
    /// What `*` spans.
    Wildcard {
        /// One or more labels.
        AnyDepth,
        /// Exactly one label.
        OneLabel,
        /// The pattern is a regular expression in which `*` is any text and `.` any character.
        RegularExpression,
    }
}

choice! {
    /// How internationalised names are compared.
    Idn {
        /// Both as A-labels.
        Both,
        /// As they are.
        AsWritten,
        /// The host as A-labels, where it has a character of Latin-1.
        LatinHost,
        /// The pattern as A-labels.
        Pattern,
    }
}

choice! {
    /// What the patterns are compared with.
    Compares {
        /// The names in the certificate of the MX host.
        Certificate,
        /// The name of the MX host.
        Host,
    }
}

/// How a sender compares MX hosts with patterns.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct MatchDialect {
    /// The source of these properties, from `sources`.
    pub source: String,
    /// What the patterns are compared with.
    pub compares: Option<Compares>,
    /// What `*` spans.
    pub wildcard: Option<Wildcard>,
    /// The case of the host.
    pub host_case: Option<Case>,
    /// The case of the pattern.
    pub pattern_case: Option<Case>,
    /// Whether a dot at the end of the host is dropped.
    pub drops_host_dot: Option<bool>,
    /// Whether a dot at the end of the pattern is dropped.
    pub drops_pattern_dot: Option<bool>,
    /// How internationalised names are compared.
    pub idn: Option<Idn>,
}

choice! {
    /// How a reporting record is taken apart.
    ReportReader {
        /// By the grammar, from left to right.
        Grammar,
        /// Letter by letter: white space anywhere is dropped.
        Letters,
        /// Only the second field is read, which must be `rua`.
        SecondField,
        /// Split at `;` and at white space.
        Tokens,
    }
}

choice! {
    /// Which destinations count.
    Destinations {
        /// Those with any scheme; one without spoils the record.
        AnyScheme,
        /// All texts.
        AnyText,
        /// Those with `mailto:` or `https:`; others are left aside.
        MailtoAndHttps,
        /// Those with `mailto:` and a valid address, or a valid `https:` URL; others are left aside.
        Valid,
    }
}

/// How a sender reads the `_smtp._tls` record.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct ReportDialect {
    /// The source of these properties, from `sources`.
    pub source: String,
    /// How the text is taken apart.
    pub reader: Option<ReportReader>,
    /// Which of several TXT records counts.
    pub records: Option<Records>,
    /// Which destinations count.
    pub destinations: Option<Destinations>,
}
