//! Several domains in the terminal: a table of them, then the findings of those that need a look, the most urgent first.

use textwrap::core::display_width;

use super::{Page, Style, ascii, human, total};
use crate::outcome::Severity;
use crate::report::fleet::{Fleet, Row};
use crate::report::stream::{Stream, WriteError};
use crate::report::{Linted, Results, Unreadable, counted};
use crate::source_text::{escape, without_commands};

/// So many domains are in the table.
const MAX_ROWS: usize = 200;
/// So many domains are shown with their findings.
const MAX_DETAILED: usize = 10;
/// So many rules and causes are counted by name.
const MAX_COUNTED: usize = 20;
/// The widest column of domains, in columns of the terminal.
const WIDEST_NAME: usize = 36;

/// The reports on several domains, or on one.
#[derive(Debug)]
pub struct Many {
    style: Style,
    fleet: Fleet,
    /// The whole report on the first domain, for where it stays the only one.
    only: Option<String>,
    /// The findings of the most urgent domains.
    detailed: Vec<(Row, String)>,
    /// The findings of all domains together.
    together: String,
    reports: usize,
}

impl Many {
    /// Nothing yet.
    pub fn new(style: &Style) -> Self {
        Many {
            style: *style,
            fleet: Fleet::default(),
            only: None,
            detailed: Vec::new(),
            together: String::new(),
            reports: 0,
        }
    }

    fn keep(&mut self, row: Row, text: String) {
        let place = self.detailed.partition_point(|(other, _)| other.urgency() <= row.urgency());
        if place < MAX_DETAILED {
            self.detailed.insert(place, (row, text));
            self.detailed.truncate(MAX_DETAILED);
        }
    }

    fn table(&self, page: &Page<'_>) -> String {
        let rows = self.fleet.sorted();
        let shown = || rows.iter().take(MAX_ROWS);
        let width = |text: &str| display_width(text);
        let names = shown().map(|row| width(&row.name)).max().unwrap_or_default().clamp(6, WIDEST_NAME);
        let policies = shown().map(|row| width(row.policy)).max().unwrap_or_default().max(4);
        let mut text = if self.style.accessible {
            String::new()
        } else {
            page.faint(&format!("  {}  state     {}  first", padded("domain", names), padded("mode", policies))) + "\n"
        };
        for row in shown() {
            text.push_str(&self.row(row, names, policies, page));
        }
        match rows.len().saturating_sub(MAX_ROWS) {
            0 => text,
            more => text + &page.paragraph("  ", &format!("and {more} more: `--format csv` and `jsonl` have all")),
        }
    }

    fn row(&self, row: &Row, names: usize, policies: usize, page: &Page<'_>) -> String {
        let policy = if row.policy.is_empty() { "unknown" } else { row.policy };
        let mut first = row.first.as_ref().map(|(rule, help)| format!("{rule}: {help}")).unwrap_or_default();
        if self.style.accessible {
            let first = if first.is_empty() { first } else { format!("; first {first}") };
            return page.paragraph("", &escape(&format!("{}: {}; mode {policy}{first}", row.name, row.state())));
        }
        let loses = matches!(row.mail, Some(crate::sender::MailFate::Refused | crate::sender::MailFate::Waiting));
        if loses && let Some(mail) = row.mail {
            first = format!("mail {}; {first}", mail.word());
        }
        let state = padded(row.state(), 8);
        let (sign, state) = match row.worst {
            Some(Severity::Error) => {
                (page.severe(Severity::Error, page.symbol("✗", "x")), page.severe(Severity::Error, &state))
            }
            Some(Severity::Warning) => {
                (page.severe(Severity::Warning, page.symbol("⚠", "!")), page.severe(Severity::Warning, &state))
            }
            _ if row.state() == "unknown" => (page.faint("?"), page.faint(&state)),
            _ => (page.good(page.symbol("✓", "+")), page.good(&state)),
        };
        let room = self.style.width.saturating_sub(names.saturating_add(policies).saturating_add(16));
        let name = escape(&row.name);
        format!(
            "{sign} {}  {state}  {}  {}\n",
            padded(&cut(&name, names), names),
            padded(policy, policies),
            cut(&escape(&first), room)
        )
        .replace("  \n", "\n")
    }

    fn statistics(&self, page: &Page<'_>) -> String {
        let (rules, causes) = (self.fleet.by_rule(), self.fleet.by_cause());
        let widest = rules.iter().take(MAX_COUNTED).map(|(rule, _)| rule.len()).max().unwrap_or_default();
        let mut text = format!("\n{}", page.heading("Findings by rule"));
        for (rule, count) in rules.iter().take(MAX_COUNTED) {
            let severity = count.worst.unwrap_or(Severity::Note);
            let first = format!("  {:>6}  {}  {rule:<widest$}  ", count.domains, padded(severity.word(), 7));
            text.push_str(&page.paragraph(&first, &escape(&count.title)));
        }
        text.push_str(&more(rules.len(), page));
        if rules.is_empty() {
            text.push_str("  none\n");
        }
        if !causes.is_empty() {
            text.push_str(&format!("\n{}", page.heading("Findings of several domains with one cause")));
        }
        for (rule, subject, domains) in causes.iter().take(MAX_COUNTED) {
            text.push_str(&page.paragraph(&format!("  {domains:>6}  "), &format!("{rule}: {}", escape(subject))));
        }
        text.push_str(&more(causes.len(), page));
        let in_force: Vec<String> =
            self.fleet.by_policy().iter().map(|(word, count)| format!("{count} {word}")).collect();
        let mail: Vec<String> = self.fleet.by_mail().iter().map(|(word, count)| format!("{count} {word}")).collect();
        text.push_str(&format!("\n{}", page.heading("What is in force")));
        text.push_str(&page.paragraph("  policy: ", &in_force.join(", ")));
        text.push_str(&page.paragraph("  mail: ", &mail.join(", ")));
        text
    }

    fn details(&self, page: &Page<'_>) -> String {
        let needing = self.fleet.rows.iter().filter(|row| row.needs_a_look()).count();
        let mut text = String::new();
        for (_, details) in &self.detailed {
            text.push_str(&format!("\n{details}"));
        }
        if !self.together.is_empty() {
            text.push_str(&format!("\n{}", self.together));
        }
        let left_out = needing.saturating_sub(self.detailed.len());
        if left_out > 0 {
            let which = counted(left_out, "more domain");
            let told = format!(
                "{which} with errors or warnings: `--output html=FILE` shows each, and so does `check DOMAIN`."
            );
            text.push_str(&format!("\n{}", page.paragraph("", &told)));
        }
        text
    }
}

impl Stream for Many {
    fn linted(&mut self, linted: &Linted) -> Result<String, WriteError> {
        let named = linted.named();
        self.reports = self.reports.saturating_add(1);
        self.fleet.add(linted);
        if self.reports == 1 {
            self.only = Some(human(&named, &linted.facts, &self.style));
        } else {
            self.only = None;
        }
        let brief = Style { findings_only: true, ..self.style };
        if !named.is_over_one_domain() {
            self.together.push_str(&human(&named, &linted.facts, &self.style));
            return Ok(String::new());
        }
        let row = Row::of(linted);
        let shown = if self.style.findings_only { row.worst.is_some() } else { row.needs_a_look() };
        if shown {
            let text = human(&named, &linted.facts, &brief);
            self.keep(row, text);
        }
        Ok(String::new())
    }

    fn unreadable(&mut self, _: &Unreadable) -> Result<String, WriteError> {
        // The diagnostic on standard error is all.
        Ok(String::new())
    }

    fn finish(&mut self, _: &Results<'_>) -> Result<String, WriteError> {
        let page = Page { style: &self.style };
        let mut text = match self.only.take() {
            Some(only) => only,
            None if self.reports == 0 => return Ok(String::new()),
            None if self.style.findings_only => self.details(&page).trim_start_matches('\n').to_owned(),
            None => {
                let text = self.table(&page) + &self.details(&page);
                text + &total(self.reports, &self.fleet.total)
            }
        };
        if self.style.statistics {
            text.push_str(&self.statistics(&page));
        }
        let text = without_commands(&text);
        Ok(if self.style.unicode { text } else { ascii(&text) })
    }
}

fn more(all: usize, page: &Page<'_>) -> String {
    match all.saturating_sub(MAX_COUNTED) {
        0 => String::new(),
        more => page.paragraph("          ", &format!("and {more} more")),
    }
}

/// The text with blanks up to a width in columns.
fn padded(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(display_width(text))))
}

/// The text, cut where it is wider than so many columns.
fn cut(text: &str, width: usize) -> String {
    if display_width(text) <= width {
        return text.to_owned();
    }
    let mut kept = String::new();
    for c in text.chars() {
        if display_width(&kept).saturating_add(display_width(c.encode_utf8(&mut [0; 4]))) >= width {
            break;
        }
        kept.push(c);
    }
    kept + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_and_padded_by_columns() {
        assert_eq!(cut("example.com", 11), "example.com");
        assert_eq!(cut("example.com", 8), "example…");
        assert_eq!(padded("漢字", 6), "漢字  ");
        assert_eq!(cut("漢字漢字", 5), "漢字…");
    }
}
