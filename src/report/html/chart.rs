//! Connections by day, and failures by day and cause: a small drawing of bars, one row for each.

use jiff::civil::Date;

use super::markup::Markup;
use crate::tls_reports::digest::{Cause, DomainDigest};

/// So many days are drawn, the latest.
const MAX_DAYS: usize = 92;
/// So many causes have a row.
const MAX_CAUSES: usize = 6;
/// The drawing in user units: its width, the column of names, a row, the height of a bar, the scale below.
const WIDTH: u64 = 960;
const NAMES: u64 = 150;
const ROW: u64 = 46;
const BAR: u64 = 34;
const SCALE: u64 = 22;

/// A row of bars: its name, its colour, and its number on each day.
struct Row {
    name: String,
    colour: &'static str,
    numbers: Vec<u64>,
}

/// Draws the chart; nothing where no day is known. A table beside it says the same.
pub fn show(html: &mut Markup, domain: &DomainDigest, id: &str) {
    let days = days(domain);
    let (Some(first), Some(last)) = (days.first(), days.last()) else { return };
    let rows = rows(domain, &days);
    let height = (rows.len() as u64).saturating_mul(ROW).saturating_add(SCALE);
    let (title, about) = (format!("{id}-title"), format!("{id}-about"));
    let (labels, view) = (format!("{title} {about}"), format!("0 0 {WIDTH} {height}"));
    let region = [("class", "scroll"), ("role", "region"), ("aria-label", "Chart of the days"), ("tabindex", "0")];
    html.element("div", &region, |html| {
        let svg = [("class", "drawing"), ("role", "img"), ("aria-labelledby", labels.as_str()), ("viewBox", &view)];
        html.element("svg", &svg, |html| {
            html.plain_in("title", &[("id", &title)], "Connections of each day, and failures by cause");
            html.plain_in("desc", &[("id", &about)], &described(domain, &days));
            for (index, row) in rows.iter().enumerate() {
                bars(html, row, (index as u64).saturating_mul(ROW), &days);
            }
            let y = height.saturating_sub(6).to_string();
            let left = [("class", "time"), ("x", &NAMES.to_string()), ("y", &y)];
            html.plain_in("text", &left, first);
            if first != last {
                let x = WIDTH.saturating_sub(10).to_string();
                let right = [("class", "time"), ("x", x.as_str()), ("y", &y), ("text-anchor", "end")];
                html.plain_in("text", &right, last);
            }
        });
    });
}

/// Every day from the first to the last, the latest of them; those without reports too.
fn days(domain: &DomainDigest) -> Vec<String> {
    let known = || domain.days.iter().filter_map(|day| day.day.parse::<Date>().ok());
    let (Some(first), Some(last)) = (known().min(), known().max()) else { return Vec::new() };
    let mut days = Vec::new();
    let mut day = last;
    while day >= first && days.len() < MAX_DAYS {
        days.push(day.to_string());
        let Ok(before) = day.yesterday() else { break };
        day = before;
    }
    days.reverse();
    days
}

fn rows(domain: &DomainDigest, days: &[String]) -> Vec<Row> {
    let succeeded = |day: &String| domain.days.iter().find(|one| one.day == *day).map_or(0, |one| one.succeeded);
    let numbers = days.iter().map(succeeded).collect();
    let mut rows = vec![Row { name: "Not failed".to_owned(), colour: "var(--passed)", numbers }];
    let of_cause = |(index, cause): (usize, &Cause)| Row {
        name: format!("Cause {}", index.saturating_add(1)),
        colour: "var(--error)",
        numbers: days
            .iter()
            .map(|day| cause.days.iter().find(|one| one.day == *day).map_or(0, |one| one.connections))
            .collect(),
    };
    rows.extend(domain.causes.iter().take(MAX_CAUSES).enumerate().map(of_cause));
    rows
}

fn described(domain: &DomainDigest, days: &[String]) -> String {
    let (first, last) = (days.first().map_or("", String::as_str), days.last().map_or("", String::as_str));
    let worst = domain.days.iter().max_by_key(|day| day.failed).filter(|day| day.failed > 0);
    let worst = worst.map_or_else(
        || "no connection failed".to_owned(),
        |day| {
            format!(
                "most failures, {}, on {}",
                day.failed,
                if day.day.is_empty() { "an unknown day" } else { &day.day }
            )
        },
    );
    format!(
        "Days from {first} to {last}: {} connections in all, {} failed; {worst}. Each row has a scale of its own. The \
         table below says the same.",
        domain.connections, domain.failed
    )
}

fn bars(html: &mut Markup, row: &Row, top: u64, days: &[String]) {
    let most = row.numbers.iter().copied().max().unwrap_or_default();
    let base = top.saturating_add(ROW).saturating_sub(6);
    html.element("g", &[], |html| {
        let y = top.saturating_add(20).to_string();
        html.plain_in("text", &[("x", "0"), ("y", &y)], &row.name);
        let y = top.saturating_add(35).to_string();
        html.plain_in("text", &[("class", "time"), ("x", "0"), ("y", &y)], &format!("at most {most} a day"));
        let (from, to, line) = (NAMES.to_string(), WIDTH.saturating_sub(10).to_string(), base.to_string());
        html.leaf("line", &[("class", "tick"), ("x1", &from), ("x2", &to), ("y1", &line), ("y2", &line)], "");
        let room = WIDTH.saturating_sub(NAMES).saturating_sub(10);
        let count = (days.len() as u64).max(1);
        let step = (room / count).clamp(4, 60);
        for (index, (number, day)) in row.numbers.iter().zip(days).enumerate().filter(|(_, (number, _))| **number > 0) {
            let height = scaled(*number, most).max(2);
            let x = NAMES.saturating_add((index as u64).saturating_mul(room) / count).to_string();
            let y = base.saturating_sub(height).to_string();
            let (width, height) = (step.saturating_sub(2).to_string(), height.to_string());
            let place = [("x", x.as_str()), ("y", &y), ("width", &width), ("height", &height), ("fill", row.colour)];
            html.element("rect", &place, |html| html.plain_in("title", &[], &format!("{day}: {number}")));
        }
    });
}

/// The height of a bar.
fn scaled(number: u64, most: u64) -> u64 {
    let height = u128::from(number).saturating_mul(u128::from(BAR)).checked_div(u128::from(most)).unwrap_or_default();
    u64::try_from(height).unwrap_or(BAR).min(BAR)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls_reports::digest::{CauseDay, DayDigest};

    fn day(day: &str, succeeded: u64) -> DayDigest {
        DayDigest { day: day.to_owned(), succeeded, failed: 1 }
    }

    #[test]
    fn days_without_reports_are_gaps_and_numbers_of_any_size_fit() {
        let failed = CauseDay { day: "2026-11-23".to_owned(), connections: u64::MAX };
        let domain = DomainDigest {
            days: vec![day("", 9), day("2026-11-20", u64::MAX), day("2026-11-23", 1)],
            causes: vec![Cause { days: vec![failed], ..Cause::default() }],
            ..DomainDigest::default()
        };
        assert_eq!(days(&domain), ["2026-11-20", "2026-11-21", "2026-11-22", "2026-11-23"]);
        let mut html = Markup::default();
        show(&mut html, &domain, "c");
        let html = html.into_html();
        assert_eq!(html.matches("<rect").count(), 3, "{html}");
        assert!(html.contains("height=\"34\"") && html.contains("height=\"2\""), "{html}");
        let far = DomainDigest { days: vec![day("0001-01-01", 1), day("9999-12-31", 1)], ..DomainDigest::default() };
        assert_eq!(days(&far).len(), MAX_DAYS);
        assert_eq!(days(&DomainDigest::default()), Vec::<String>::new());
    }
}
