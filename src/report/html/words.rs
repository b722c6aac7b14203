//! How times, lists and citations read.

use jiff::Timestamp;

use super::markup::Markup;
use crate::report::citation_url;

/// A time for people and for programs: `23 November 2026, 15:44:53 UTC`; as it is where it is not a time.
pub fn time(html: &mut Markup, text: &str) {
    match text.parse::<Timestamp>() {
        Ok(time) => html.leaf("time", &[("datetime", text)], &time.strftime("%-d %B %Y, %H:%M:%S UTC").to_string()),
        Err(_) => html.text(text),
    }
}

/// A day for people: `22 January 2027`; as it is where it is not a time.
pub fn day(html: &mut Markup, text: &str) {
    match text.parse::<Timestamp>() {
        Ok(time) => html.leaf("time", &[("datetime", text)], &time.strftime("%-d %B %Y").to_string()),
        Err(_) => html.text(text),
    }
}

/// The time of day so many seconds after a time, with the day where it is another one.
pub fn later(text: &str, seconds: i64) -> Option<String> {
    let from = text.parse::<Timestamp>().ok()?;
    let until = from.checked_add(jiff::SignedDuration::from_secs(seconds)).ok()?;
    let same_day = from.strftime("%F").to_string() == until.strftime("%F").to_string();
    Some(until.strftime(if same_day { "%H:%M:%S UTC" } else { "%-d %B %Y, %H:%M:%S UTC" }).to_string())
}

/// The first of several texts as code, and how many more there are.
pub fn codes(html: &mut Markup, texts: &[&str], most: usize) {
    for (index, text) in texts.iter().take(most).enumerate() {
        html.text(if index > 0 { ", " } else { "" });
        html.leaf("code", &[], text);
    }
    let more = texts.len().saturating_sub(most);
    if more > 0 {
        html.leaf("span", &[("class", "more")], &format!(" and {more} more"));
    }
}

/// The sections of the standards, linked where they are of an RFC.
pub fn cites(html: &mut Markup, cites: &[String]) {
    for (index, cite) in cites.iter().enumerate() {
        html.text(if index > 0 { ", " } else { "" });
        match citation_url(cite) {
            Some(url) => html.leaf("a", &[("href", &url)], cite),
            None => html.text(cite),
        }
    }
}

/// `1 error`, `2 errors`.
pub fn count(number: usize, one: &str) -> String {
    format!("{number} {one}{}", if number == 1 { "" } else { "s" })
}

/// Says how many of something are not shown, where there are any.
pub fn and_more(html: &mut Markup, left_out: usize, one: &str) {
    if left_out > 0 {
        html.leaf("p", &[("class", "more")], &format!("… and {}", count(left_out, &format!("more {one}"))));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_well_and_texts_that_are_none_stay() {
        let shown = |text: &str| {
            let mut html = Markup::default();
            time(&mut html, text);
            html.into_html()
        };
        let expected = "<time datetime=\"2026-11-03T15:44:53Z\">3 November 2026, 15:44:53 UTC</time>";
        assert_eq!(shown("2026-11-03T15:44:53Z"), expected);
        assert_eq!(shown("<yesterday>"), "&lt;yesterday&gt;");
    }

    #[test]
    fn what_is_cached_ends_at_a_time() {
        assert_eq!(later("2026-11-23T15:44:53Z", 3_600).as_deref(), Some("16:44:53 UTC"));
        assert_eq!(later("2026-11-23T15:44:53Z", 86_400).as_deref(), Some("24 November 2026, 15:44:53 UTC"));
        assert_eq!(later("2026-11-23T15:44:53Z", i64::MAX), None);
        assert_eq!(later("now", 1), None);
    }
}
