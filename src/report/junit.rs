//! JUnit XML: one test suite for each domain and one test case for each check, for the test reports of CI services.

use jiff::Timestamp;
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};

use super::wording::{domain, lines, one_line, shortened, what};
use super::{Linted, Results, Run};
use crate::outcome::{Check, Outcome};
use crate::source_text::{escape, without_commands, without_runner_commands};

/// The longest value of an attribute, in characters.
const LONGEST: usize = 1_000;

/// The reports as one document. A failure is what makes the run fail, and its severity is in its `type`; an error is a
/// check that the run could not do without. All other findings and the remarks are in the suite's `system-out`.
///
/// JUnit's XML has no standard. This follows the two schemas that most readers know, that of Ant's reports and that of
/// Jenkins, which is why the root counts nothing, no test case has a `system-out` of its own, and parts without content
/// are there all the same.
pub fn junit(results: &Results<'_>) -> std::io::Result<String> {
    let mut xml = Xml(Writer::new_with_indent(Vec::new(), b' ', 2));
    xml.0.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    xml.open("testsuites", &[])?;
    for (id, linted) in results.linted.iter().enumerate() {
        suite(&mut xml, linted, id, results)?;
    }
    unreadable(&mut xml, results, results.linted.len())?;
    xml.close("testsuites")?;
    let xml = String::from_utf8_lossy(&xml.0.into_inner()).into_owned();
    Ok(without_runner_commands(&xml, "&#35;") + "\n")
}

fn suite(xml: &mut Xml, linted: &Linted, id: usize, results: &Results<'_>) -> std::io::Result<()> {
    let name = domain(linted);
    let run = results.run;
    let count = |is: &dyn Fn(&Check) -> bool| linted.report.checks.iter().filter(|check| is(check)).count();
    let skipped = |check: &Check| {
        check.outcome == Outcome::NotApplicable || (check.outcome == Outcome::NotChecked && !run.misses(check))
    };
    let failures = count(&|check| run.is_failed_by(check));
    let counts = [linted.report.checks.len(), failures, count(&|check| run.misses(check)), count(&skipped)];
    let steps = linted.snapshot.timeline.as_deref().unwrap_or_default();
    let last = steps.iter().map(|step| step.end_ms).max().unwrap_or_default();
    let seconds = format!("{}.{:03}", last / 1_000, last % 1_000);
    let observed = linted.report.collected_at.as_deref().and_then(|time| time.parse().ok());
    let time = without_zone(observed.unwrap_or(results.ended_at));
    let mut properties = vec![("stslint", env!("CARGO_PKG_VERSION"))];
    properties.extend(linted.report.collected_at.as_deref().map(|time| ("collected_at", time)));
    if let Some(state) = &linted.report.state {
        properties.extend([("policy_in_force", state.policy.word()), ("mail", state.mail.word())]);
    }
    xml.open_suite(&name, id, counts, &seconds, &time, &properties)?;
    for check in &linted.report.checks {
        case(xml, &name, check, run)?;
    }
    xml.close_suite(&said(linted, run))
}

/// A time as the format has it: UTC, to the second, without a zone.
fn without_zone(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

fn case(xml: &mut Xml, domain: &str, check: &Check, run: Run) -> std::io::Result<()> {
    let subject = check.subject.as_deref().map(|subject| format!(" ({subject})")).unwrap_or_default();
    let name = format!("{}{subject}: {}", check.rule, check.title);
    let class = format!("{domain}.{}", check.group);
    // Checks are not timed one by one.
    let attributes = [("name", name.as_str()), ("classname", &class), ("time", "0")];
    let why = |kind: &str| format!("{kind}: {}", check.reason.as_deref().unwrap_or("the reason is not known"));
    match check.outcome {
        Outcome::Fail if !run.is_failed_by(check) => return xml.empty("testcase", &attributes),
        Outcome::Pass | Outcome::Remark => return xml.empty("testcase", &attributes),
        _ => xml.open("testcase", &attributes)?,
    }
    match check.outcome {
        Outcome::Fail => {
            xml.open("failure", &[("message", &what(check)), ("type", check.severity.word())])?;
            xml.text(&details(check))?;
            xml.close("failure")?;
        }
        Outcome::NotApplicable => xml.empty("skipped", &[("message", &why("not applicable"))])?,
        Outcome::NotChecked if run.misses(check) => {
            xml.empty("error", &[("message", &why("not checked")), ("type", "not checked")])?;
        }
        Outcome::NotChecked => xml.empty("skipped", &[("message", &why("not checked"))])?,
        Outcome::Pass | Outcome::Remark => {}
    }
    xml.close("testcase")
}

/// The findings that do not make the run fail and the remarks, each with its severity and its rule.
fn said(linted: &Linted, run: Run) -> String {
    let findings = linted.report.findings().into_iter().filter(|check| !run.is_failed_by(check));
    let told = findings.chain(linted.report.remarks());
    told.map(|check| format!("{}[{}]: {}\n", check.severity.word(), check.rule, details(check))).collect()
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
    xml.close_suite("")
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

    /// Closes a suite, with what its tests have printed.
    fn close_suite(&mut self, printed: &str) -> std::io::Result<()> {
        match printed.is_empty() {
            true => self.empty("system-out", &[])?,
            false => {
                self.open("system-out", &[])?;
                self.text(printed)?;
                self.close("system-out")?;
            }
        }
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
