//! The report for people: findings with their texts underlined, what a sender does, what is published, the checks
//! by group, and what to do first.

mod checklist;
mod many;
mod page;
mod published;
mod sender;
mod senders;
mod tls_reports;

use std::collections::BTreeMap;
use std::fmt;

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NarratableReportHandler, ReportHandler, SourceCode,
};

pub use self::checklist::group_title;
pub use self::many::Many;
pub use self::page::Page;
pub use self::tls_reports::tls_reports as human_tls_reports;
use super::{citation_url, counted};
use crate::facts::tree::FactTree;
use crate::fix::corrected_line;
use crate::outcome::{Against, Check, Confidence, Location, NotJudged, Report, Severity, Summary, WhyNotJudged};
use crate::source_text::{EXCERPT_WIDTH, Excerpt, Excerpts, escape, printable, without_commands};

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
    /// The findings and nothing beside them.
    pub findings_only: bool,
    /// Of several domains also how often each rule has findings.
    pub statistics: bool,
    /// Narrated, for screen readers.
    pub accessible: bool,
}

impl Style {
    /// No colour, no symbols beyond ASCII, no links, 100 columns.
    pub fn plain() -> Self {
        Style {
            colour: false,
            unicode: false,
            hyperlinks: false,
            width: 100,
            show_passed: false,
            findings_only: false,
            statistics: false,
            accessible: false,
        }
    }
}

/// The report as text. `facts` is the tree of facts behind it.
pub fn human(report: &Report, facts: &FactTree, style: &Style) -> String {
    let text = without_commands(&parts(report, facts, style));
    if style.unicode { text } else { ascii(&text) }
}

/// The last line of several reports: what they come to together.
pub fn total(reports: usize, summary: &Summary) -> String {
    let Summary { errors, warnings, notes, not_checked, .. } = *summary;
    let unchecked = if not_checked == 0 { String::new() } else { format!(", {not_checked} not checked") };
    format!(
        "\n{}: {}, {}, {}{unchecked}\n",
        counted(reports, "report"),
        counted(errors, "error"),
        counted(warnings, "warning"),
        counted(notes, "note"),
    )
}

/// The text for terminals that have nothing but ASCII: every other character takes one column, but for those that
/// have a word.
pub fn ascii(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '§' => plain.push_str("section "),
            '…' => plain.push_str("..."),
            '–' | '—' => plain.push('-'),
            '“' | '”' => plain.push('"'),
            '’' => plain.push('\''),
            c if c.is_ascii() => plain.push(c),
            _ => plain.push('?'),
        }
    }
    plain
}

fn parts(report: &Report, facts: &FactTree, style: &Style) -> String {
    let page = Page { style };
    if style.findings_only && report.findings().is_empty() {
        return String::new();
    }
    let mut text = heading(report, &page);
    for check in report.findings() {
        text.push_str(&finding(report, check, style));
        text.push('\n');
    }
    if style.findings_only {
        return text;
    }
    if report.is_over_one_domain() {
        text.push_str(&sender::senders(report, &page));
        if report.shows_senders {
            text.push_str(&senders::known_senders(report, &page));
        }
        text.push_str(&published::published(facts, &page));
    }
    text.push_str(&checklist::remarks(report, &page));
    text.push_str(&checklist::checklist(report, &page));
    text.push_str(&checklist::not_checked(report, &page));
    text.push_str(&checklist::ignored(report, &page));
    text.push_str(&closing(report, &page));
    text
}

/// How far the domain is from a document that a profile follows.
fn against(against: &Against, page: &Page<'_>) -> String {
    let Against { profile, rules, not_met, not_checked, not_judged } = against;
    let which = if not_met.is_empty() { String::new() } else { format!(" ({})", not_met.join(", ")) };
    let unchecked = match not_checked.len() {
        0 => String::new(),
        some => format!(", {some} not checked"),
    };
    let (inapplicable, not_attempted): (Vec<&NotJudged>, Vec<&NotJudged>) =
        not_judged.iter().partition(|rule| rule.why == WhyNotJudged::NotApplicable);
    let inapplicable = match inapplicable.len() {
        0 => String::new(),
        some => format!(", {some} not applicable"),
    };
    let mut reasons: BTreeMap<WhyNotJudged, usize> = BTreeMap::new();
    for rule in &not_attempted {
        let count = reasons.entry(rule.why).or_default();
        *count = count.saturating_add(1);
    }
    let reasons: Vec<String> = reasons.iter().map(|(why, count)| format!("{count} {}", why.words())).collect();
    let unjudged = match not_attempted.len() {
        0 => String::new(),
        some => format!(", {some} not judged ({})", reasons.join(", ")),
    };
    let not_met = format!("{} of {rules} not met{which}", not_met.len());
    page.paragraph("", &format!("against {profile}: {not_met}{unchecked}{inapplicable}{unjudged}"))
}

fn heading(report: &Report, page: &Page<'_>) -> String {
    let domain = escape(report.domain.as_deref().unwrap_or("the texts given"));
    let observed = match &report.collected_at {
        Some(time) => format!(", as observed on {}", time_in_words(time)),
        None => String::new(),
    };
    let counts = page.paragraph("", &checklist::counts(report, page));
    let counts = format!("{counts}{}", report.against.iter().map(|it| against(it, page)).collect::<String>());
    let state = report.state.as_ref().map(|state| page.paragraph("", &state.label())).unwrap_or_default();
    format!("{}{state}{counts}\n", page.paragraph("", &format!("{}{observed}", page.bold(&domain))))
}

/// `2026-11-23T15:44:53Z` as people write it; another text as it is.
pub fn time_in_words(time: &str) -> String {
    match time.parse::<jiff::Timestamp>() {
        Ok(time) => time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
        Err(_) => escape(time),
    }
}

/// A finding as miette shows it.
struct Shown<'a> {
    check: &'a Check,
    source: Option<Excerpts>,
    /// What the excerpts after the first have to do with the finding.
    notes: Vec<String>,
    /// The line as it should be, where a fix is known.
    corrected: Option<String>,
    /// What the configuration decided of it.
    decided: Vec<Decided>,
}

/// A line of a configuration beside a finding.
struct Decided {
    what: String,
    by: String,
    source: Option<Excerpt>,
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
            Some(subject) if !message.contains(subject.as_str()) => {
                write!(f, "{}: {}", escape(subject), escape(message))
            }
            _ => f.write_str(&escape(message)),
        }
    }
}

impl std::error::Error for Shown<'_> {}

impl Diagnostic for Shown<'_> {
    fn code<'b>(&'b self) -> Option<Box<dyn fmt::Display + 'b>> {
        Some(Box::new(format!("{}[{}]", self.check.severity.word(), self.check.rule)))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.check.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Note | Severity::Remark => miette::Severity::Advice,
            Severity::Warning => miette::Severity::Warning,
        })
    }

    fn help<'b>(&'b self) -> Option<Box<dyn fmt::Display + 'b>> {
        let mut help = self.check.help.clone().unwrap_or_default();
        if let Some(line) = &self.corrected {
            help.push_str(&format!("\ncorrected: {line}"));
        }
        if let Some(kind) = &self.check.reported_as {
            help.push_str(&format!("\nsenders report it as: {kind}"));
        }
        if let Some(senders) = &self.check.senders {
            help.push_str(&format!("\n{senders}"));
        }
        if self.check.confidence == Confidence::Deduced {
            help.push_str("\ndeduced from what was observed: you may know better");
        }
        help.push_str(&format!("\nsee {}", self.check.cites.join(", ")));
        Some(Box::new(printable(&help.trim_start().replace('\r', "?"))))
    }

    fn url<'b>(&'b self) -> Option<Box<dyn fmt::Display + 'b>> {
        self.check.cites.iter().find_map(|cite| citation_url(cite)).map(|url| Box::new(url) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|source| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let mut labels = self.source.as_ref()?.labels().into_iter();
        let place = LabeledSpan::new_primary_with_span(None, labels.next()?);
        let notes = self.notes.iter().zip(labels);
        let notes = notes.map(|(note, label)| LabeledSpan::new_with_span(Some(note.clone()), label));
        Some(Box::new(std::iter::once(place).chain(notes)))
    }

    fn related<'b>(&'b self) -> Option<Box<dyn Iterator<Item = &'b dyn Diagnostic> + 'b>> {
        if self.decided.is_empty() {
            return None;
        }
        Some(Box::new(self.decided.iter().map(|decided| decided as &dyn Diagnostic)))
    }
}

impl fmt::Debug for Decided {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.by)
    }
}

impl fmt::Display for Decided {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "decided by {}", escape(&self.by))?;
        if self.source.is_none() { write!(f, ": {}", escape(&self.what.replace(" here", ""))) } else { Ok(()) }
    }
}

impl std::error::Error for Decided {}

impl Diagnostic for Decided {
    fn severity(&self) -> Option<miette::Severity> {
        Some(miette::Severity::Advice)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|source| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let label = self.source.as_ref()?.label();
        Some(Box::new(std::iter::once(LabeledSpan::new_with_span(Some(escape(&self.what)), label))))
    }
}

/// One finding with its text underlined.
pub fn finding(report: &Report, check: &Check, style: &Style) -> String {
    // What is beside the text: the number of its line, and a frame.
    let width = if style.accessible { EXCERPT_WIDTH } else { style.width.saturating_sub(8) };
    let excerpt = |location: &Location| {
        let (name, text) = report.exhibits.get_key_value(&location.exhibit)?;
        Some(Excerpt::of(&escape(name), &text.replace('\r', " "), location.offset, location.length, width))
    };
    let (mut excerpts, mut notes) = (Vec::new(), Vec::new());
    if let Some(first) = check.location.as_ref().and_then(excerpt) {
        excerpts.push(first);
        for related in &check.related {
            if let Some(other) = excerpt(&related.location) {
                excerpts.push(other);
                notes.push(escape(&related.label));
            }
        }
    }
    let source = (!excerpts.is_empty()).then(|| Excerpts::of(excerpts));
    let decided = report.configured.get(&check.rule).into_iter().flatten().map(|decision| Decided {
        what: decision.what.clone(),
        by: decision.by.clone(),
        source: decision.location.as_ref().and_then(excerpt),
    });
    let fixed = check.fix.as_ref().and_then(|fix| corrected_line(report.exhibits.get(&fix.location.exhibit)?, fix));
    // The help has often said it already.
    let with = check.fix.as_ref().map(|fix| fix.with.trim()).filter(|with| with.len() > 8);
    let said = |line: &String| {
        let says = |text: &str| check.help.as_ref().is_some_and(|help| help.contains(text));
        says(line.trim()) || with.is_some_and(says)
    };
    let shown = Shown {
        check,
        source,
        notes,
        corrected: fixed.map(|lines| shown_lines(&lines)).filter(|lines| !said(lines)),
        decided: decided.collect(),
    };
    render(&shown, style)
}

/// Corrected lines for people, the second and later ones below the first.
fn shown_lines(lines: &str) -> String {
    lines.lines().map(escape).collect::<Vec<_>>().join("\n           ")
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
        return without_commands(&With(&NarratableReportHandler::new(), diagnostic).to_string());
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
        .with_wrap_lines(true)
        .with_word_splitter(textwrap::WordSplitter::NoHyphenation)
        .with_word_separator(textwrap::WordSeparator::AsciiSpace);
    without_commands(&With(&handler, diagnostic).to_string())
}

/// What to do first.
fn closing(report: &Report, page: &Page<'_>) -> String {
    let said = match report.findings().first() {
        Some(first) if first.severity > Severity::Note => {
            let help = first.help.as_deref().or(first.message.as_deref()).unwrap_or(&first.title);
            let help = help.lines().next().unwrap_or_default();
            format!("First: {} ({})", escape(help), first.rule)
        }
        _ if report.nothing_checked().is_some() => {
            format!("Nothing could be checked: {}.", escape(report.nothing_checked().unwrap_or_default()))
        }
        _ if report.summary.not_checked > 0 => "No error and no warning in what was checked.".to_owned(),
        _ => "No error and no warning.".to_owned(),
    };
    page.paragraph("", &said)
}
