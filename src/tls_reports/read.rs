//! Reads one TLS report (RFC 8460 §4.4) from its JSON. Nothing is lost for one odd field: what can be read is read, and
//! what is odd is noted with its place, for rules to judge.

use std::ops::Range;

use jsonc_parser::ast::{Array, Object, Value};

use super::json::{self, Broken, duplicates, kind, member, span};
use super::model::{About, FailureDetail, PolicyResult, PolicyType, TlsReport};
use super::oddities::Oddities;
use super::when::When;
use crate::source_text::{escape, nearest};

/// Limits on one report: more is left unread and said.
const POLICIES: usize = 1_000;
const DETAILS: usize = 10_000;
const LINES: usize = 1_000;

/// The result type of a failure that names none.
pub const UNKNOWN: &str = "unknown";

/// Reads a report from the octets of its JSON. `source` is where it came from, for people. Fails only where the octets
/// are no JSON object at all.
pub fn read(source: &str, octets: &[u8]) -> Result<TlsReport, Broken> {
    let mut reader = Reader::default();
    let text = reader.text(octets);
    let value = json::parse(&text)?;
    let mut object = reader.root(&value)?;
    if let [property] = object.properties.as_slice()
        && let Value::Object(inner) = &property.value
        && is_report(inner)
    {
        let span = property.range.start..property.range.end;
        reader.oddities.note(
            About::Json,
            "",
            span,
            format!("the report is inside an object, as `{}`", property.name.as_str()),
        );
        object = inner;
    }
    if !is_report(object) {
        let reason = "it has neither `policies` nor the other fields of a TLS report".to_owned();
        return Err(Broken { reason, span: 0..0 });
    }
    let mut report = reader.report(object);
    report.source = source.to_owned();
    report.text = text.clone();
    report.oddities = reader.oddities.in_order();
    Ok(report)
}

/// Whether an object is meant as a report: it has policies, or two of the other fields.
fn is_report(object: &Object<'_>) -> bool {
    let has = |name: &&str| member(object, name).is_some();
    has(&"policies")
        || ["organization-name", "date-range", "contact-info", "report-id"].iter().filter(|name| has(name)).count() >= 2
}

/// A place in the JSON: its pointer, and its octets.
#[derive(Clone, Debug)]
struct Place {
    pointer: String,
    span: Range<usize>,
}

impl Place {
    fn below(&self, name: &str, span: Range<usize>) -> Place {
        Place { pointer: format!("{}/{name}", self.pointer), span }
    }
}

#[derive(Debug, Default)]
struct Reader {
    oddities: Oddities,
}

impl Reader {
    /// The text, without a byte order mark; octets that are not UTF-8 are replaced (RFC 7493 §2.1).
    fn text(&mut self, octets: &[u8]) -> String {
        if let Some(text) = utf_16(octets) {
            self.oddities.note(About::Json, "", 0..0, "the JSON is in UTF-16, not in UTF-8");
            return text;
        }
        let (marked, octets) = match octets.strip_prefix(b"\xEF\xBB\xBF") {
            Some(rest) => (true, rest),
            None => (false, octets),
        };
        if marked {
            self.oddities.note(About::Json, "", 0..0, "a byte order mark is in front of the JSON");
        }
        let text = String::from_utf8_lossy(octets);
        if matches!(text, std::borrow::Cow::Owned(_)) {
            let at = std::str::from_utf8(octets).err().map_or(0, |error| error.valid_up_to());
            self.oddities.note(About::Json, "", at..at, format!("octet {at} is not UTF-8"));
        }
        text.into_owned()
    }

    fn root<'a, 'b>(&mut self, value: &'b Value<'a>) -> Result<&'b Object<'a>, Broken> {
        match value {
            Value::Object(object) => Ok(object),
            Value::Array(list) => match list.elements.as_slice() {
                [Value::Object(object)] => {
                    self.oddities.note(About::Json, "", span(value), "the report is inside a list");
                    Ok(object)
                }
                _ => Err(Broken { reason: "expected one object, found a list".to_owned(), span: span(value) }),
            },
            other => Err(Broken { reason: format!("expected an object, found {}", kind(other)), span: span(value) }),
        }
    }

    fn report(&mut self, object: &Object<'_>) -> TlsReport {
        let here = Place { pointer: String::new(), span: object.range.start..object.range.end };
        self.names(object, &here, &["organization-name", "date-range", "contact-info", "report-id", "policies"]);
        let organization_name = self.required(object, &here, "organization-name");
        let (start, end) = self.date_range(object, &here);
        let contact_info = self.required(object, &here, "contact-info");
        let report_id = self.required(object, &here, "report-id");
        let policies = self.policies(object, &here);
        TlsReport { organization_name, contact_info, report_id, start, end, policies, ..TlsReport::default() }
    }

    /// Duplicate and unknown names of an object.
    fn names(&mut self, object: &Object<'_>, here: &Place, known: &[&str]) {
        for (name, span) in duplicates(object) {
            let message = format!("`{name}` occurs twice; the first is read");
            self.oddities.note(About::Json, format!("{}/{name}", here.pointer), span, message);
        }
        for property in &object.properties {
            let name = property.name.as_str();
            if known.contains(&name) {
                continue;
            }
            let advice = nearest(name, known.iter().copied())
                .map_or_else(String::new, |near| format!("; did the sender mean `{near}`?"));
            let at = format!("{}/{name}", here.pointer);
            let message = format!("RFC 8460 §4.4 has no field `{name}`{advice}");
            self.oddities.note(About::Extra, at, property.range.start..property.range.end, message);
        }
    }

    /// A string that the section demands.
    fn required(&mut self, object: &Object<'_>, here: &Place, name: &str) -> Option<String> {
        let Some(value) = member(object, name) else {
            let at = format!("{}/{name}", here.pointer);
            self.oddities.note(About::Fields, at, here.span.clone(), format!("`{name}` is missing"));
            return None;
        };
        let place = here.below(name, span(value));
        match value {
            Value::StringLit(text) if !text.value.trim().is_empty() => Some(text.value.trim().to_owned()),
            Value::StringLit(_) => self.odd(About::Fields, &place, format!("`{name}` is empty")),
            other => {
                let message = format!("`{name}` is {}, not a string", kind(other));
                self.odd::<String>(About::Fields, &place, message);
                scalar(other)
            }
        }
    }

    /// A string that may be left out; an empty one is as good as none.
    fn optional(&mut self, object: &Object<'_>, here: &Place, name: &str) -> Option<String> {
        let value = member(object, name)?;
        match value {
            Value::StringLit(text) => Some(text.value.trim().to_owned()).filter(|text| !text.is_empty()),
            Value::NullKeyword(_) => None,
            other => {
                let place = here.below(name, span(value));
                self.odd::<String>(About::Fields, &place, format!("`{name}` is {}, not a string", kind(other)));
                scalar(other)
            }
        }
    }

    fn odd<T>(&mut self, about: About, place: &Place, message: impl AsRef<str>) -> Option<T> {
        self.oddities.note(about, place.pointer.clone(), place.span.clone(), message);
        None
    }

    fn object<'a, 'b>(&mut self, object: &'b Object<'a>, here: &Place, name: &str) -> Option<&'b Object<'a>> {
        let place = here.below(name, here.span.clone());
        match member(object, name) {
            Some(Value::Object(inner)) => Some(inner),
            Some(other) => {
                let place = here.below(name, span(other));
                self.odd(About::Fields, &place, format!("`{name}` is {}, not an object", kind(other)))
            }
            None => self.odd(About::Fields, &place, format!("`{name}` is missing")),
        }
    }

    fn date_range(&mut self, object: &Object<'_>, here: &Place) -> (Option<i64>, Option<i64>) {
        let Some(range) = self.object(object, here, "date-range") else { return (None, None) };
        let place = here.below("date-range", range.range.start..range.range.end);
        self.names(range, &place, &["start-datetime", "end-datetime"]);
        let start = self.date_time(range, &place, "start-datetime");
        let end = self.date_time(range, &place, "end-datetime");
        if let (Some(start), Some(end)) = (start, end) {
            self.length(start, end, &place);
        }
        (start, end)
    }

    fn date_time(&mut self, object: &Object<'_>, here: &Place, name: &str) -> Option<i64> {
        let text = self.required(object, here, name)?;
        let place = here.below(name, member(object, name).map_or(here.span.clone(), span));
        let Some(when) = When::parse(&text) else {
            return self.odd(About::DateRange, &place, format!("`{text}` is not a date-time (RFC 3339 §5.6)"));
        };
        let oddity = match when {
            When::DateOnly(_) => Some("is a date without a time; it is read as midnight, UTC"),
            When::Exact(_) => None,
            When::NoZone(_) => Some("has no time zone; it is read as UTC"),
            When::Seconds(_) => Some("is a number of seconds, not a date-time (RFC 3339 §5.6)"),
        };
        if let Some(oddity) = oddity {
            self.odd::<()>(About::DateRange, &place, format!("`{text}` {oddity}"));
        }
        Some(when.seconds())
    }

    /// A report covers a day: to the last second of it, or to the next midnight (RFC 8460 §4.1).
    fn length(&mut self, start: i64, end: i64, place: &Place) {
        let seconds = end.saturating_sub(start);
        if seconds < 0 {
            self.odd::<()>(About::DateRange, place, "the range ends before it starts");
        } else if !(86_399..=86_400).contains(&seconds) {
            let hours = seconds.saturating_add(1) / 3_600;
            let message = match hours {
                0 => format!("the range covers {seconds} seconds instead of a day"),
                1..=48 => format!("the range covers {hours} hours instead of a day"),
                _ => format!("the range covers {} days instead of one", hours / 24),
            };
            self.odd::<()>(About::DateRange, place, message);
        }
    }

    fn policies(&mut self, object: &Object<'_>, here: &Place) -> Vec<PolicyResult> {
        let place = here.below("policies", member(object, "policies").map_or(here.span.clone(), span));
        let elements: Vec<&Value<'_>> = match member(object, "policies") {
            Some(Value::Array(list)) => list.elements.iter().collect(),
            Some(value @ Value::Object(_)) => {
                self.odd::<()>(About::Policy, &place, "`policies` is an object, not a list (RFC 8460 §4)");
                vec![value]
            }
            Some(other) => {
                self.odd::<()>(About::Policy, &place, format!("`policies` is {}, not a list", kind(other)));
                Vec::new()
            }
            None => {
                self.odd::<()>(About::Fields, &place, "`policies` is missing");
                Vec::new()
            }
        };
        if elements.len() > POLICIES {
            self.odd::<()>(About::Policy, &place, format!("only the first {POLICIES} policies are read"));
        }
        let mut policies = Vec::new();
        for (index, element) in elements.into_iter().take(POLICIES).enumerate() {
            let place = place.below(&index.to_string(), span(element));
            match element {
                Value::Object(element) => policies.push(self.policy_result(element, &place)),
                other => {
                    self.odd::<()>(About::Policy, &place, format!("the policy is {}, not an object", kind(other)));
                }
            }
        }
        policies
    }

    fn policy_result(&mut self, element: &Object<'_>, here: &Place) -> PolicyResult {
        self.names(element, here, &["policy", "summary", "failure-details"]);
        let mut result =
            PolicyResult { span: here.span.clone(), domain_span: here.span.clone(), ..PolicyResult::default() };
        if let Some(policy) = self.object(element, here, "policy") {
            let place = here.below("policy", policy.range.start..policy.range.end);
            self.policy(policy, &place, &mut result);
        }
        result.failures = self.failures(element, here);
        let details = result.failures.iter().fold(0u64, |sum, one| sum.saturating_add(one.failed_session_count));
        let counted = self.object(element, here, "summary").map(|summary| {
            let place = here.below("summary", summary.range.start..summary.range.end);
            self.names(summary, &place, &["total-successful-session-count", "total-failure-session-count"]);
            result.successful = self.count(summary, &place, "total-successful-session-count").unwrap_or_default();
            (self.count(summary, &place, "total-failure-session-count"), place)
        });
        result.failed = match counted {
            Some((Some(failed), place)) => {
                if failed != details {
                    let failures = if failed == 1 { "failure" } else { "failures" };
                    let message = format!("the summary counts {failed} {failures}, the details {details}");
                    self.odd::<()>(About::Counts, &place, message);
                }
                failed
            }
            _ => details,
        };
        result
    }

    fn policy(&mut self, policy: &Object<'_>, here: &Place, result: &mut PolicyResult) {
        let mx_host = if member(policy, "mx-host").is_some() { "mx-host" } else { "mx-host-pattern" };
        let known = ["policy-type", "policy-string", "policy-domain", "mx-host", mx_host];
        self.names(policy, here, &known);
        result.policy_type = self.policy_type(policy, here);
        let needed = result.policy_type != PolicyType::NoPolicyFound;
        result.policy_domain = match member(policy, "policy-domain") {
            None if needed => {
                self.odd(About::Policy, &here.below("policy-domain", here.span.clone()), "`policy-domain` is missing")
            }
            None => None,
            Some(value) => {
                result.domain_span = span(value);
                self.required(policy, here, "policy-domain").map(|name| host_name(&name))
            }
        };
        result.policy_string = self.policy_string(policy, here, &result.policy_type);
        result.mx_host = self.mx_host(policy, here);
    }

    fn policy_type(&mut self, policy: &Object<'_>, here: &Place) -> PolicyType {
        let Some(word) = self.required(policy, here, "policy-type") else { return PolicyType::Unknown };
        let kind = PolicyType::parse(&word);
        if let PolicyType::Other(word) = &kind {
            let place = here.below("policy-type", member(policy, "policy-type").map_or(here.span.clone(), span));
            let message = format!("`{word}` is not a policy type: RFC 8460 §4.4 has sts, tlsa and no-policy-found");
            self.odd::<()>(About::Policy, &place, message);
            return match word.to_ascii_lowercase().as_str() {
                // Words of senders' own settings for the same (RFC 7672).
                "dane" | "dane-only" => PolicyType::Tlsa,
                lower => match PolicyType::parse(lower) {
                    PolicyType::Other(_) => kind,
                    known => known,
                },
            };
        }
        kind
    }

    fn policy_string(&mut self, policy: &Object<'_>, here: &Place, kind_of_policy: &PolicyType) -> Vec<String> {
        let wanted = matches!(kind_of_policy, PolicyType::Sts | PolicyType::Tlsa);
        let Some(value) = member(policy, "policy-string") else {
            if wanted {
                let place = here.below("policy-string", here.span.clone());
                self.odd::<()>(About::Policy, &place, "`policy-string` is missing");
            }
            return Vec::new();
        };
        let place = here.below("policy-string", span(value));
        let mut lines = match value {
            Value::Array(list) => self.strings(list, &place, About::PolicyString),
            Value::StringLit(text) => {
                self.odd::<()>(About::PolicyString, &place, "`policy-string` is one string, not a list of lines");
                text.value.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect()
            }
            Value::NullKeyword(_) => {
                self.odd::<()>(About::PolicyString, &place, "`policy-string` is null");
                Vec::new()
            }
            other => {
                let message = format!("`policy-string` is {}, not a list of strings", kind(other));
                self.odd::<()>(About::PolicyString, &place, message);
                Vec::new()
            }
        };
        if let [one] = lines.as_slice() {
            if let Some(inner) = list_in_string(one) {
                self.odd::<()>(About::PolicyString, &place, "`policy-string` holds a JSON list inside a string");
                lines = inner;
            } else if one.lines().count() > 1 {
                self.odd::<()>(About::PolicyString, &place, "`policy-string` holds all lines in one string");
                lines = one.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect();
            }
        }
        if *kind_of_policy == PolicyType::Sts
            && lines.first().is_some_and(|first| !first.starts_with("version"))
            && lines.iter().any(|line| line.starts_with("version"))
        {
            self.odd::<()>(
                About::PolicyString,
                &place,
                "the lines of the policy are in another order than in a policy file",
            );
        }
        lines
    }

    fn strings(&mut self, list: &Array<'_>, here: &Place, about: About) -> Vec<String> {
        if list.elements.len() > LINES {
            self.odd::<()>(about, here, format!("only the first {LINES} elements are read"));
        }
        let mut strings = Vec::new();
        for (index, element) in list.elements.iter().take(LINES).enumerate() {
            match element {
                Value::StringLit(text) if text.value.trim().is_empty() => {}
                Value::StringLit(text) => strings.push(text.value.trim().to_owned()),
                other => {
                    let place = here.below(&index.to_string(), span(other));
                    self.odd::<()>(about, &place, format!("the element is {}, not a string", kind(other)));
                    strings.extend(scalar(other));
                }
            }
        }
        strings
    }

    /// `mx-host` is a list (RFC 8460 eid 6241), a string in the RFC's own example, and has another name here and there.
    fn mx_host(&mut self, policy: &Object<'_>, here: &Place) -> Vec<String> {
        let name = if member(policy, "mx-host").is_some() { "mx-host" } else { "mx-host-pattern" };
        let Some(value) = member(policy, name) else { return Vec::new() };
        let place = here.below(name, span(value));
        if name == "mx-host-pattern" {
            self.odd::<()>(About::MxHost, &place, "the field is `mx-host`, not `mx-host-pattern`");
        }
        let patterns = match value {
            Value::Array(list) => self.strings(list, &place, About::MxHost),
            Value::StringLit(text) => {
                self.odd::<()>(About::MxHost, &place, format!("`{name}` is a string, not a list"));
                text.value
                    .split([',', ' ', '\n'])
                    .map(str::trim)
                    .filter(|one| !one.is_empty())
                    .map(str::to_owned)
                    .collect()
            }
            Value::NullKeyword(_) => Vec::new(),
            other => {
                self.odd::<()>(About::MxHost, &place, format!("`{name}` is {}, not a list", kind(other)));
                Vec::new()
            }
        };
        if patterns.iter().any(|pattern| pattern.starts_with("mx:")) {
            self.odd::<()>(About::MxHost, &place, format!("`{name}` holds lines of the policy, not patterns"));
        }
        patterns.iter().map(|pattern| host_name(pattern.trim_start_matches("mx:").trim())).collect()
    }

    fn failures(&mut self, element: &Object<'_>, here: &Place) -> Vec<FailureDetail> {
        let Some(value) = member(element, "failure-details") else { return Vec::new() };
        let place = here.below("failure-details", span(value));
        let details: Vec<&Value<'_>> = match value {
            Value::Array(list) => list.elements.iter().collect(),
            Value::NullKeyword(_) => {
                self.odd::<()>(About::Fields, &place, "`failure-details` is null, not a list");
                Vec::new()
            }
            Value::Object(_) => {
                self.odd::<()>(About::Fields, &place, "`failure-details` is an object, not a list");
                vec![value]
            }
            other => {
                self.odd::<()>(About::Fields, &place, format!("`failure-details` is {}, not a list", kind(other)));
                Vec::new()
            }
        };
        if details.len() > DETAILS {
            self.odd::<()>(About::Counts, &place, format!("only the first {DETAILS} failures are read"));
        }
        let mut failures = Vec::new();
        for (index, detail) in details.into_iter().take(DETAILS).enumerate() {
            let place = place.below(&index.to_string(), span(detail));
            match detail {
                Value::Object(detail) => failures.push(self.failure(detail, &place)),
                other => {
                    self.odd::<()>(About::Fields, &place, format!("the failure is {}, not an object", kind(other)));
                }
            }
        }
        failures
    }

    fn failure(&mut self, detail: &Object<'_>, here: &Place) -> FailureDetail {
        let known = [
            "result-type",
            "sending-mta-ip",
            "receiving-mx-hostname",
            "receiving-mx-helo",
            "receiving-ip",
            "failed-session-count",
            "additional-information",
            "failure-reason-code",
        ];
        self.names(detail, here, &known);
        let (result_type, written, result_type_span) = self.result_type(detail, here);
        let mut text = |name: &str| self.optional(detail, here, name);
        FailureDetail {
            result_type,
            written,
            result_type_span,
            span: here.span.clone(),
            sending_mta_ip: text("sending-mta-ip"),
            receiving_mx_hostname: text("receiving-mx-hostname").map(|name| host_name(&name)),
            receiving_mx_helo: text("receiving-mx-helo"),
            receiving_ip: text("receiving-ip"),
            additional_information: text("additional-information"),
            failure_reason_code: text("failure-reason-code"),
            failed_session_count: self.count(detail, here, "failed-session-count").unwrap_or(1),
        }
    }

    /// The result type in lower case, as it is written, and its place.
    fn result_type(&mut self, detail: &Object<'_>, here: &Place) -> (String, String, Range<usize>) {
        let place = member(detail, "result-type").map_or(here.span.clone(), span);
        match self.required(detail, here, "result-type") {
            Some(word) => (word.to_ascii_lowercase(), word, place),
            None => (UNKNOWN.to_owned(), UNKNOWN.to_owned(), place),
        }
    }

    /// A count: an integer from 0; what is odd about it is told, and what can be read is read.
    fn count(&mut self, object: &Object<'_>, here: &Place, name: &str) -> Option<u64> {
        let Some(value) = member(object, name) else {
            let place = here.below(name, here.span.clone());
            return self.odd(About::Counts, &place, format!("`{name}` is missing"));
        };
        let place = here.below(name, span(value));
        let (written, message) = match value {
            Value::NumberLit(number) => {
                (number.value.to_owned(), format!("`{}` is not an integer from 0", number.value))
            }
            Value::StringLit(text) => {
                self.odd::<()>(About::Counts, &place, format!("`{name}` is a string, not a number"));
                (text.value.trim().to_owned(), format!("`{}` is not a number", text.value))
            }
            other => return self.odd(About::Counts, &place, format!("`{name}` is {}, not a number", kind(other))),
        };
        match written.parse::<u64>() {
            Ok(count) => Some(count),
            Err(_) => {
                self.odd::<()>(About::Counts, &place, message);
                // As `12.0` and `1e3`; what is negative counts as nothing.
                written.parse::<f64>().ok().filter(|count| count.is_finite()).map(|count| count.max(0.0) as u64)
            }
        }
    }
}

/// The text of octets that begin with a byte order mark of UTF-16.
fn utf_16(octets: &[u8]) -> Option<String> {
    let (unit, octets): (fn([u8; 2]) -> u16, _) = match octets {
        [0xFF, 0xFE, rest @ ..] => (u16::from_le_bytes, rest),
        [0xFE, 0xFF, rest @ ..] => (u16::from_be_bytes, rest),
        _ => return None,
    };
    let units: Vec<u16> = octets.as_chunks().0.iter().copied().map(unit).collect();
    Some(String::from_utf16_lossy(&units))
}

/// A scalar as text.
fn scalar(value: &Value<'_>) -> Option<String> {
    match value {
        Value::BooleanLit(boolean) => Some(boolean.value.to_string()),
        Value::NumberLit(number) => Some(number.value.to_owned()),
        Value::StringLit(text) => Some(text.value.clone().into_owned()),
        Value::Array(_) | Value::NullKeyword(_) | Value::Object(_) => None,
    }
}

/// The strings of a JSON list that was written into a string.
fn list_in_string(text: &str) -> Option<Vec<String>> {
    let Ok(Value::Array(list)) = json::parse(text.trim()) else { return None };
    Some(list.elements.iter().take(LINES).filter_map(scalar).collect())
}

/// A host name or pattern as names are compared: in lower case, without the dot of the root.
fn host_name(name: &str) -> String {
    let name = name.trim().to_ascii_lowercase();
    escape(name.strip_suffix('.').unwrap_or(&name))
}
