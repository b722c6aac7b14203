//! JUnit XML: a test suite a domain and a test case a check, for the test reports of CI services.

use jiff::Timestamp;
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};

use super::wording::{domain, lines, one_line, shortened, what};
use super::{Linted, Results};
use crate::outcome::{Check, Outcome, Summary};
use crate::source_text::{escape, without_commands, without_runner_commands};

/// The longest value of an attribute, in characters.
const LONGEST: usize = 1_000;

/// The reports as one document. Every finding is a failure, whatever its severity, which is in its `type`.
///
/// JUnit's XML has no standard. This keeps to the two schemas that most readers go by, that of Ant's reports and that
/// of Jenkins, which is why the root counts nothing and parts without content are there all the same.
pub fn junit(results: &Results<'_>) -> std::io::Result<String> {
    let mut xml = Xml(Writer::new_with_indent(Vec::new(), b' ', 2));
    xml.0.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    xml.open("testsuites", &[])?;
    for (id, linted) in results.linted.iter().enumerate() {
        suite(&mut xml, linted, id, results.ended_at)?;
    }
    unreadable(&mut xml, results, results.linted.len())?;
    xml.close("testsuites")?;
    let xml = String::from_utf8_lossy(&xml.0.into_inner()).into_owned();
    Ok(without_runner_commands(&xml, "&#35;") + "\n")
}

fn suite(xml: &mut Xml, linted: &Linted, id: usize, ended_at: Timestamp) -> std::io::Result<()> {
    let name = domain(linted);
    let Summary { not_applicable, not_checked, .. } = linted.report.summary;
    let failures = linted.report.findings().len();
    let counts = [linted.report.checks.len(), failures, 0, not_applicable.saturating_add(not_checked)];
    let steps = linted.snapshot.timeline.as_deref().unwrap_or_default();
    let last = steps.iter().map(|step| step.end_ms).max().unwrap_or_default();
    let seconds = format!("{}.{:03}", last / 1_000, last % 1_000);
    let observed = linted.report.collected_at.as_deref().and_then(|time| time.parse().ok());
    let time = without_zone(observed.unwrap_or(ended_at));
    let mut properties = vec![("stslint", env!("CARGO_PKG_VERSION"))];
    properties.extend(linted.report.collected_at.as_deref().map(|time| ("collected_at", time)));
    if let Some(state) = &linted.report.state {
        properties.extend([("policy_in_force", state.policy.word()), ("mail", state.mail.word())]);
    }
    xml.open_suite(&name, id, counts, &seconds, &time, &properties)?;
    for check in &linted.report.checks {
        case(xml, &name, check)?;
    }
    xml.close_suite()
}

/// A time as the format has it: UTC, to the second, without a zone.
fn without_zone(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

fn case(xml: &mut Xml, domain: &str, check: &Check) -> std::io::Result<()> {
    let subject = check.subject.as_deref().map(|subject| format!(" ({subject})")).unwrap_or_default();
    let name = format!("{}{subject}: {}", check.rule, check.title);
    let class = format!("{domain}.{}", check.group);
    // Checks are not timed one by one.
    let attributes = [("name", name.as_str()), ("classname", &class), ("time", "0")];
    let skipped = |why: &str| format!("{why}: {}", check.reason.as_deref().unwrap_or("the reason is not known"));
    match check.outcome {
        Outcome::Pass => return xml.empty("testcase", &attributes),
        _ => xml.open("testcase", &attributes)?,
    }
    match check.outcome {
        Outcome::Fail => {
            xml.open("failure", &[("message", &what(check)), ("type", check.severity.word())])?;
            xml.text(&details(check))?;
            xml.close("failure")?;
        }
        Outcome::NotApplicable => xml.empty("skipped", &[("message", &skipped("not applicable"))])?,
        Outcome::NotChecked => xml.empty("skipped", &[("message", &skipped("not checked"))])?,
        Outcome::Remark => {
            xml.open("system-out", &[])?;
            xml.text(&format!("remark: {}", details(check)))?;
            xml.close("system-out")?;
        }
        Outcome::Pass => {}
    }
    xml.close("testcase")
}

fn details(check: &Check) -> String {
    let mut text = what(check);
    if let Some(help) = &check.help {
        text.push_str(&format!("\n{help}"));
    }
    if let Some(location) = &check.location {
        let exhibit = one_line(&location.exhibit);
        text.push_str(&format!("\nat {exhibit}, line {}, column {}", location.line, location.column));
    }
    for related in &check.related {
        let location = &related.location;
        let exhibit = one_line(&location.exhibit);
        let place = format!("{exhibit}, line {}, column {}", location.line, location.column);
        text.push_str(&format!("\nat {place}: {}", related.label));
    }
    without_commands(&format!("{text}\nsee {}", check.cites.join(", ")))
}

/// What could not be read, as a suite of its own.
fn unreadable(xml: &mut Xml, results: &Results<'_>, id: usize) -> std::io::Result<()> {
    let unreadable = results.unreadable;
    if unreadable.is_empty() {
        return Ok(());
    }
    let counts = [unreadable.len(), 0, unreadable.len(), 0];
    xml.open_suite("unreadable", id, counts, "0", &without_zone(results.ended_at), &[])?;
    for input in unreadable {
        xml.open("testcase", &[("name", &input.name), ("classname", "unreadable"), ("time", "0")])?;
        xml.empty("error", &[("message", &input.message), ("type", "unreadable")])?;
        xml.close("testcase")?;
    }
    xml.close_suite()
}

/// A writer of elements whose texts hold nothing that XML 1.0 forbids.
struct Xml(Writer<Vec<u8>>);

impl Xml {
    /// Opens a suite; the counts are those of tests, failures, errors and skipped tests.
    fn open_suite(
        &mut self,
        name: &str,
        id: usize,
        counts: [usize; 4],
        seconds: &str,
        time: &str,
        properties: &[(&str, &str)],
    ) -> std::io::Result<()> {
        let id = id.to_string();
        let [tests, failures, errors, skipped] = counts.map(|count| count.to_string());
        let attributes = [
            ("id", id.as_str()),
            ("package", "stslint"),
            ("name", name),
            ("hostname", "localhost"),
            ("tests", &tests),
            ("failures", &failures),
            ("errors", &errors),
            ("skipped", &skipped),
            ("time", seconds),
            ("timestamp", time),
        ];
        self.open("testsuite", &attributes)?;
        self.open("properties", &[])?;
        for (name, value) in properties {
            self.empty("property", &[("name", name), ("value", value)])?;
        }
        self.close("properties")
    }

    fn close_suite(&mut self) -> std::io::Result<()> {
        self.empty("system-out", &[])?;
        self.empty("system-err", &[])?;
        self.close("testsuite")
    }

    fn open(&mut self, name: &str, attributes: &[(&str, &str)]) -> std::io::Result<()> {
        self.0.write_event(Event::Start(element(name, attributes)))
    }

    fn empty(&mut self, name: &str, attributes: &[(&str, &str)]) -> std::io::Result<()> {
        self.0.write_event(Event::Empty(element(name, attributes)))
    }

    fn text(&mut self, text: &str) -> std::io::Result<()> {
        self.0.write_event(Event::Text(BytesText::new(&allowed(&lines(text)))))
    }

    fn close(&mut self, name: &str) -> std::io::Result<()> {
        self.0.write_event(Event::End(BytesEnd::new(name)))
    }
}

fn element<'a>(name: &'a str, attributes: &[(&str, &str)]) -> BytesStart<'a> {
    let mut element = BytesStart::new(name);
    for (name, value) in attributes {
        let value = allowed(&shortened(&one_line(value), LONGEST));
        element.push_attribute((*name, value.as_str()));
    }
    element
}

/// The text without what is no character of XML 1.0 (§2.2); control characters have become escapes before.
fn allowed(text: &str) -> String {
    text.chars()
        .map(
            |c| {
                if matches!(c, '\u{FFFE}' | '\u{FFFF}') {
                    escape(&c.escape_unicode().to_string())
                } else {
                    c.to_string()
                }
            },
        )
        .collect()
}
