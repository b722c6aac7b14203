//! The report for people: findings with their texts underlined, a checklist by group, and what to do first.

use std::collections::BTreeMap;
use std::fmt;

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, NarratableReportHandler,
    ReportHandler, SourceCode,
};
use serde_json::Value;

use super::citation_url;
use crate::outcome::{Check, Outcome, Report, Severity, Summary};
use crate::source_text::{escape, printable};

/// How a report is shown.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// Escape sequences for colour.
    pub colour: bool,
    /// Box drawing and symbols beyond ASCII.
    pub unicode: bool,
    /// Links that a terminal can follow.
    pub hyperlinks: bool,
    /// The width in columns.
    pub width: usize,
    /// Passed rules by name.
    pub show_passed: bool,
    /// Narrated, for screen readers.
    pub accessible: bool,
}

/// The report as text. `facts` is the tree of facts behind it.
pub fn human(report: &Report, facts: &Value, style: &Style) -> String {
    let mut text = format!("{}\n\n", heading(report));
    for check in report.findings() {
        text.push_str(&diagnostic(report, check, style));
        text.push('\n');
    }
    text.push_str(&observed(facts));
    text.push_str(&checklist(report, style));
    text.push_str(&not_checked(report));
    text.push_str(&closing(report));
    text
}

fn heading(report: &Report) -> String {
    let domain = report.domain.as_deref().unwrap_or("the texts given");
    match &report.collected_at {
        Some(time) => format!("{domain}, as observed on {}", escape(time)),
        None => domain.to_owned(),
    }
}

/// A finding as miette shows it.
struct Shown<'a> {
    check: &'a Check,
    source: Option<NamedSource<String>>,
}

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.check.rule)
    }
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let message = self.check.message.as_deref().unwrap_or(&self.check.title);
        match &self.check.subject {
            Some(subject) if !message.contains(subject.as_str()) => write!(f, "{subject}: {message}"),
            _ => f.write_str(message),
        }
    }
}

impl std::error::Error for Shown<'_> {}

impl Diagnostic for Shown<'_> {
    fn code<'b>(&'b self) -> Option<Box<dyn fmt::Display + 'b>> {
        Some(Box::new(format!("{}[{}]", self.check.severity.label(), self.check.rule)))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.check.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Note => miette::Severity::Advice,
            Severity::Warning => miette::Severity::Warning,
        })
    }

    fn help<'b>(&'b self) -> Option<Box<dyn fmt::Display + 'b>> {
        let mut help = self.check.help.clone().unwrap_or_default();
        if let Some(kind) = &self.check.reported_as {
            help.push_str(&format!("\nsenders report it as: {kind}"));
        }
        help.push_str(&format!("\nsee {}", self.check.cites.join(", ")));
        Some(Box::new(help.trim_start().to_owned()))
    }

    fn url<'b>(&'b self) -> Option<Box<dyn fmt::Display + 'b>> {
        self.check.cites.iter().find_map(|cite| citation_url(cite)).map(|url| Box::new(url) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|source| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let location = self.check.location.as_ref()?;
        self.source.as_ref()?;
        let span = LabeledSpan::new(None, location.offset, location.length);
        Some(Box::new(std::iter::once(span)))
    }
}

fn diagnostic(report: &Report, check: &Check, style: &Style) -> String {
    let exhibit = check.location.as_ref().and_then(|location| report.exhibits.get_key_value(&location.exhibit));
    let source = exhibit.map(|(name, text)| NamedSource::new(escape(name), printable(&text.replace('\r', " "))));
    let shown = Shown { check, source };
    render(&shown, style)
}

/// A diagnostic in the style of the report; also used for errors.
pub fn render(diagnostic: &dyn Diagnostic, style: &Style) -> String {
    struct With<'a, H>(&'a H, &'a dyn Diagnostic);
    impl<H: ReportHandler> fmt::Display for With<'_, H> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            fmt::Display::fmt(&Debugged(self.0, self.1), f)
        }
    }
    struct Debugged<'a, H>(&'a H, &'a dyn Diagnostic);
    impl<H: ReportHandler> fmt::Display for Debugged<'_, H> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.debug(self.1, f)
        }
    }
    if style.accessible {
        return With(&NarratableReportHandler::new(), diagnostic).to_string();
    }
    let theme = match (style.unicode, style.colour) {
        (true, true) => GraphicalTheme::unicode(),
        (true, false) => GraphicalTheme::unicode_nocolor(),
        (false, true) => GraphicalTheme { characters: miette::ThemeCharacters::ascii(), ..GraphicalTheme::unicode() },
        (false, false) => GraphicalTheme::none(),
    };
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_width(style.width)
        .with_links(style.hyperlinks)
        .with_context_lines(1)
        .with_wrap_lines(true);
    With(&handler, diagnostic).to_string()
}

/// The facts that a person looks for.
fn observed(facts: &Value) -> String {
    let text = |path: &str| facts.pointer(path).and_then(Value::as_str).map(escape);
    let number = |path: &str| facts.pointer(path).and_then(Value::as_i64);
    let mut lines = Vec::new();
    for host in facts.pointer("/mx/hosts").and_then(Value::as_array).into_iter().flatten() {
        let of = |path: &str| host.pointer(path);
        let preference =
            of("/preference").and_then(Value::as_i64).map_or("-".to_owned(), |preference| preference.to_string());
        let covered = match of("/covered") {
            Some(Value::Bool(true)) => ", named by the policy",
            Some(Value::Bool(false)) => ", not named by the policy",
            _ => "",
        };
        let tls = of("/probes/0/tls/version")
            .and_then(Value::as_str)
            .map(|version| format!(", {version}"))
            .unwrap_or_default();
        let expires = of("/probes/0/tls/certificate/not_after")
            .and_then(Value::as_str)
            .map(|time| format!(", certificate until {}", escape(time)))
            .unwrap_or_default();
        let name = of("/name").and_then(Value::as_str).map(escape).unwrap_or_default();
        lines.push(("MX".to_owned(), format!("{preference} {name}{covered}{tls}{expires}")));
    }
    for (title, root) in [("record", "/record"), ("TLSRPT", "/tlsrpt")] {
        if let Some(record) = text(&format!("{root}/text")) {
            let ttl = number(&format!("{root}/ttl"));
            let ttl = ttl
                .map(|ttl| format!("  (TTL {ttl} s: a change is seen after that time at the latest)"))
                .unwrap_or_default();
            lines.push((title.to_owned(), format!("{}{ttl}", record.chars().take(300).collect::<String>())));
        }
    }
    if let Some(mode) = text("/policy/mode") {
        let life = number("/policy/max_age")
            .map(|seconds| format!(", max_age {seconds} s ({})", crate::rules::duration(seconds)))
            .unwrap_or_default();
        let patterns: Vec<String> = facts
            .pointer("/policy/mx")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(|pattern| pattern.get("text")?.as_str().map(escape))
            .take(20)
            .collect();
        let patterns = if patterns.is_empty() { String::new() } else { format!(", mx {}", patterns.join(" ")) };
        lines.push(("policy".to_owned(), format!("mode {mode}{life}{patterns}")));
    }
    if let Some(proof) = text("/record/dnssec") {
        lines.push(("DNSSEC".to_owned(), proof));
    }
    let mut shown = String::new();
    for (title, line) in &lines {
        shown.push_str(&format!("{title:>8}  {line}\n"));
    }
    if lines.is_empty() { shown } else { shown + "\n" }
}

/// The counts of each group.
fn checklist(report: &Report, style: &Style) -> String {
    let mut groups: Vec<(&str, Vec<Check>)> = Vec::new();
    for check in &report.checks {
        match groups.iter_mut().find(|(name, _)| *name == check.group) {
            Some((_, checks)) => checks.push(check.clone()),
            None => groups.push((&check.group, vec![check.clone()])),
        }
    }
    let mut text = format!(
        "{:>8}  {:>6} {:>8} {:>5} {:>6} {:>4} {:>11}\n",
        "group", "errors", "warnings", "notes", "passed", "n/a", "not checked"
    );
    let total = ("total", report.checks.clone());
    for (name, checks) in groups.iter().chain([&total]) {
        let count = Summary::of(checks);
        text.push_str(&format!(
            "{:>8}  {:>6} {:>8} {:>5} {:>6} {:>4} {:>11}\n",
            name, count.errors, count.warnings, count.notes, count.passed, count.not_applicable, count.not_checked
        ));
    }
    if style.show_passed {
        text.push('\n');
        for check in report.checks.iter().filter(|check| check.outcome == Outcome::Pass) {
            text.push_str(&format!("  passed  {} ({})\n", check.title, check.rule));
        }
    }
    text + "\n"
}

/// Why checks were not made, and which.
fn not_checked(report: &Report) -> String {
    let mut reasons: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for check in report.checks.iter().filter(|check| check.outcome == Outcome::NotChecked) {
        let rules = reasons.entry(check.reason.as_deref().unwrap_or("unknown")).or_default();
        if !rules.contains(&check.rule.as_str()) {
            rules.push(&check.rule);
        }
    }
    let mut text = String::new();
    for (reason, rules) in &reasons {
        let named = rules.iter().take(4).copied().collect::<Vec<_>>().join(", ");
        let more = rules.len().saturating_sub(4);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        text.push_str(&format!("not checked: {named}{more}\n    because {reason}\n"));
    }
    if text.is_empty() { text } else { text + "\n" }
}

/// What to do first.
fn closing(report: &Report) -> String {
    match report.findings().first() {
        Some(first) if first.severity > Severity::Note => {
            let help = first.help.as_deref().or(first.message.as_deref()).unwrap_or(&first.title);
            format!("First: {help}\n")
        }
        _ if report.summary.passed == 0 => "Nothing could be checked.\n".to_owned(),
        _ if report.summary.not_checked > 0 => "No error and no warning in what was checked.\n".to_owned(),
        _ => "No error and no warning.\n".to_owned(),
    }
}
