//! JUnit XML: a test suite a domain and a test case a check, for the test reports of CI services.

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};

use super::wording::{domain, lines, one_line, shortened, what};
use super::{Linted, Results, Unreadable};
use crate::outcome::{Check, Outcome};
use crate::source_text::escape;

/// The longest value of an attribute, in characters.
const LONGEST: usize = 1_000;

/// The reports as one document. Every finding is a failure, whatever its severity, which stands in its `type`.
pub fn junit(results: &Results<'_>) -> std::io::Result<String> {
    let mut xml = Xml(Writer::new_with_indent(Vec::new(), b' ', 2));
    xml.0.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let total = |outcomes: &[Outcome]| -> usize { results.linted.iter().map(|linted| count(linted, outcomes)).sum() };
    let all = total(&[Outcome::Fail, Outcome::NotApplicable, Outcome::NotChecked, Outcome::Pass]);
    xml.open(
        "testsuites",
        &[
            ("name", "stslint"),
            ("tests", &all.saturating_add(results.unreadable.len()).to_string()),
            ("failures", &total(&[Outcome::Fail]).to_string()),
            ("errors", &results.unreadable.len().to_string()),
            ("skipped", &total(&[Outcome::NotApplicable, Outcome::NotChecked]).to_string()),
        ],
    )?;
    for linted in results.linted {
        suite(&mut xml, linted)?;
    }
    unreadable(&mut xml, results.unreadable)?;
    xml.close("testsuites")?;
    Ok(String::from_utf8_lossy(&xml.0.into_inner()).into_owned() + "\n")
}

fn count(linted: &Linted, outcomes: &[Outcome]) -> usize {
    linted.report.checks.iter().filter(|check| outcomes.contains(&check.outcome)).count()
}

fn suite(xml: &mut Xml, linted: &Linted) -> std::io::Result<()> {
    let name = domain(&linted.report);
    let failures = count(linted, &[Outcome::Fail]).to_string();
    let skipped = count(linted, &[Outcome::NotApplicable, Outcome::NotChecked]).to_string();
    let tests = linted.report.checks.len().to_string();
    let mut attributes = vec![
        ("name", name.as_str()),
        ("tests", &tests),
        ("failures", &failures),
        ("errors", "0"),
        ("skipped", &skipped),
    ];
    attributes.extend(linted.report.collected_at.as_deref().map(|time| ("timestamp", time)));
    xml.open("testsuite", &attributes)?;
    for check in &linted.report.checks {
        case(xml, &name, check)?;
    }
    xml.close("testsuite")
}

fn case(xml: &mut Xml, domain: &str, check: &Check) -> std::io::Result<()> {
    let subject = check.subject.as_deref().map(|subject| format!(" ({subject})")).unwrap_or_default();
    let name = format!("{}{subject}: {}", check.rule, check.title);
    let class = format!("{domain}.{}", check.group);
    let attributes = [("name", name.as_str()), ("classname", &class)];
    let skipped = |why: &str| format!("{why}: {}", check.reason.as_deref().unwrap_or("the reason is not known"));
    match check.outcome {
        Outcome::Pass => return xml.empty("testcase", &attributes),
        _ => xml.open("testcase", &attributes)?,
    }
    match check.outcome {
        Outcome::Fail => {
            xml.open("failure", &[("message", &what(check)), ("type", check.severity.label())])?;
            xml.text(&details(check))?;
            xml.close("failure")?;
        }
        Outcome::NotApplicable => xml.empty("skipped", &[("message", &skipped("not applicable"))])?,
        Outcome::NotChecked => xml.empty("skipped", &[("message", &skipped("not checked"))])?,
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
        text.push_str(&format!("\nat {}, line {}, column {}", location.exhibit, location.line, location.column));
    }
    format!("{text}\nsee {}", check.cites.join(", "))
}

/// What could not be read, as a suite of its own.
fn unreadable(xml: &mut Xml, unreadable: &[Unreadable]) -> std::io::Result<()> {
    if unreadable.is_empty() {
        return Ok(());
    }
    let number = unreadable.len().to_string();
    let counts = [("tests", number.as_str()), ("failures", "0"), ("errors", &number), ("skipped", "0")];
    xml.open("testsuite", &[&[("name", "unreadable")], counts.as_slice()].concat())?;
    for input in unreadable {
        xml.open("testcase", &[("name", &input.name), ("classname", "unreadable")])?;
        xml.empty("error", &[("message", &input.message), ("type", "unreadable")])?;
        xml.close("testcase")?;
    }
    xml.close("testsuite")
}

/// A writer of elements whose texts hold nothing that XML 1.0 forbids.
struct Xml(Writer<Vec<u8>>);

impl Xml {
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
