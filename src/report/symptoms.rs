//! A symptom explained for people: who says so, what it means, what becomes of the mail, and what may be behind it, with
//! the command that tells which. Called by `stslint explain`.

use super::human::{Page, Style, group_title};
use crate::source_text::escape;
use crate::symptoms::{Answer, Cause, Explained, FoundBy, Group, ReplyAnswer, ResultTypeAnswer, RuleLine};

/// So many answers are shown whole.
const WHOLE: usize = 3;

/// What is known, as text.
pub fn symptoms(explained: &Explained, style: &Style) -> String {
    let page = Page { style };
    let found_by = |by: FoundBy| {
        let is_one = move |answer: &&Answer| matches!(answer, Answer::Reply(reply) if reply.found_by == by);
        explained.answers.iter().filter(is_one).count()
    };
    let of_type = matches!(explained.answers.first(), Some(Answer::ResultType(_)));
    let briefly = if of_type {
        Some("Who says so in bounces")
    } else if found_by(FoundBy::Code) > 1 {
        Some("Several senders give this code; paste the whole line to learn which it is")
    } else if found_by(FoundBy::SomeWords) > 1 {
        Some("Several senders say something like this; paste the whole line to learn which it is")
    } else {
        None
    };
    let mut parts: Vec<String> = Vec::new();
    let mut brief: Vec<String> = Vec::new();
    let mut rules: Vec<&RuleLine> = Vec::new();
    for answer in &explained.answers {
        match answer {
            Answer::Group(group) => parts.push(of_group(group, &page)),
            Answer::Reply(reply) if briefly.is_some() || parts.len() >= WHOLE => brief.push(in_short(reply, &page)),
            Answer::Reply(reply) => parts.push(of_reply(reply, &page)),
            Answer::ResultType(kind) => parts.push(of_result_type(kind, &page)),
            Answer::Rule(rule) => rules.push(rule),
        }
    }
    if !rules.is_empty() {
        parts.push(of_rules(&rules, &page));
    }
    if !brief.is_empty() {
        parts.push(format!("{}{}", page.heading(briefly.unwrap_or("Said there too")), brief.concat()));
    }
    parts.join("\n")
}

fn of_group(group: &Group, page: &Page<'_>) -> String {
    let title = format!("{}: {}", escape(&group.group), group_title(&group.group));
    let lines = lines(group.rules.iter(), page);
    let command = format!("  {}\n", escape(&group.command));
    format!("{}{lines}\n{}{command}", page.heading(&title), page.heading("Check them alone"))
}

fn of_rules(rules: &[&RuleLine], page: &Page<'_>) -> String {
    let first = rules.first().map(|rule| rule.rule.as_str()).unwrap_or_default();
    let lines = lines(rules.iter().copied(), page);
    let more = page.paragraph("  ", &format!("`stslint explain {}` says more.", escape(first)));
    format!("{}{lines}{more}", page.heading("Rules of stslint"))
}

fn lines<'a>(rules: impl Iterator<Item = &'a RuleLine> + Clone, page: &Page<'_>) -> String {
    let widest = rules.clone().map(|rule| rule.rule.len()).max().unwrap_or_default();
    let line = |rule: &RuleLine| {
        let first = format!("  {:<widest$}  {:<7}  ", escape(&rule.rule), rule.severity);
        page.paragraph(&first, &escape(&rule.title))
    };
    rules.map(line).collect()
}

fn of_reply(reply: &ReplyAnswer, page: &Page<'_>) -> String {
    let codes = if reply.codes.is_empty() { String::new() } else { format!(" ({})", reply.codes.join(", ")) };
    let mut text = page.paragraph("", &page.bold(&format!("{}: “{}”{codes}", reply.who, shown(&reply.says))));
    match reply.found_by {
        FoundBy::SomeWords => text.push_str(&page.paragraph("  ", "Found by some of its words.")),
        FoundBy::Code => text.push_str(&page.paragraph("  ", "Found by its code alone.")),
        FoundBy::Words => {}
    }
    text.push_str(&page.paragraph("  ", &reply.means));
    text.push_str(&format!("\n{}", page.heading("What happens to the mail")));
    text.push_str(&page.paragraph("  ", &reply.mail));
    text.push_str(&of_causes(&reply.causes, reply.command.as_deref(), page));
    if let Some(beside) = &reply.beside {
        text.push_str(&format!("\n{}", page.heading("On the sender's side")));
        text.push_str(&page.paragraph("  ", beside));
    }
    text.push_str(&format!("\n{}", page.heading(&format!("Where these words are from, as of {}", reply.seen))));
    text.push_str(&format!("  {}\n", reply.source));
    text
}

fn of_result_type(kind: &ResultTypeAnswer, page: &Page<'_>) -> String {
    let mut text = page.heading(&format!("{} (a result type of TLS reports, RFC 8460 §4.3)", kind.result_type));
    text.push_str(&page.paragraph("  ", &kind.means));
    text.push_str(&of_causes(&kind.causes, kind.command.as_deref(), page));
    if kind.causes.len() > 1 {
        text.push_str(&format!("\n{}", page.heading("Why in this order")));
        text.push_str(&page.paragraph("  ", &kind.order));
        text.extend(kind.order_source.iter().map(|source| format!("  {source}\n")));
    }
    text
}

fn of_causes(causes: &[Cause], all: Option<&str>, page: &Page<'_>) -> String {
    if causes.is_empty() {
        return String::new();
    }
    let title = if causes.len() > 1 { "Possible causes, the most frequent first" } else { "The cause" };
    let mut text = format!("\n{}", page.heading(title));
    for (number, cause) in causes.iter().enumerate() {
        let first = format!("  {:>2}. ", number.saturating_add(1));
        text.push_str(&page.paragraph(&first, &format!("{} ({})", capital(&cause.what), escape(&cause.rule))));
        text.push_str(&format!("      {}\n", page.faint(&escape(&cause.command))));
    }
    if let Some(all) = all {
        text.push_str(&format!("\n{}", page.heading("All of them in one go")));
        text.push_str(&broken(all, page));
    }
    text
}

/// A command, broken where it is wider than the page, as shells take it.
fn broken(command: &str, page: &Page<'_>) -> String {
    let mut lines = vec![String::new()];
    for (index, part) in command.split(" --").enumerate() {
        let part = if index == 0 { part.to_owned() } else { format!(" --{part}") };
        let room = page.style.width.saturating_sub(6);
        match lines.last_mut() {
            Some(line) if line.is_empty() || line.len().saturating_add(part.len()) <= room => line.push_str(&part),
            _ => lines.push(part),
        }
    }
    format!("  {}\n", lines.join(" \\\n    ")).replace("     --", "    --")
}

fn in_short(reply: &ReplyAnswer, page: &Page<'_>) -> String {
    let said = page.paragraph("  ", &format!("{}: “{}”", reply.who, shown(&reply.says)));
    said + &page.paragraph("      ", &reply.means)
}

/// A wording as people read it.
fn shown(says: &str) -> String {
    says.replace('*', "…")
}

fn capital(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_command_is_broken_between_its_options() {
        let style = Style { width: 60, ..Style::plain() };
        let page = Page { style: &style };
        let command = "stslint check example.com --select smtp-cert-name --select smtp-cert-trusted";
        let text = broken(command, &page);
        assert_eq!(text, "  stslint check example.com --select smtp-cert-name \\\n    --select smtp-cert-trusted\n");
        assert_eq!(text.replace(" \\\n   ", "").trim(), command);
        assert_eq!(broken("stslint check example.com", &page), "  stslint check example.com\n");
    }
}
