//! HTML under construction: tags and attribute names are ours, every other text is escaped on its way in.
//!
//! Used by all parts of the HTML report. What a peer sent can only enter by [`Markup::text`] or as the value of
//! an attribute, so that no element of its own can come of it.

use crate::source_text::{escape, is_unseen};

/// How many characters of one text are shown.
const MAX_TEXT: usize = 4_096;

/// The elements that end a line, so that pages can be compared and searched by line.
const LINES: [&str; 19] = [
    "article", "details", "div", "dl", "figure", "footer", "g", "head", "header", "li", "main", "nav", "ol", "p",
    "section", "style", "table", "tr", "ul",
];

/// Attributes: names of ours, values of anybody.
pub type Attributes<'a> = &'a [(&'static str, &'a str)];

/// A piece of a page.
#[derive(Clone, Debug, Default)]
pub struct Markup(String);

impl Markup {
    /// An element with what `inside` writes.
    pub fn element(&mut self, tag: &'static str, attributes: Attributes<'_>, inside: impl FnOnce(&mut Markup)) {
        self.open(tag, attributes);
        inside(self);
        self.0.push_str("</");
        self.0.push_str(tag);
        self.0.push('>');
        if LINES.contains(&tag) {
            self.0.push('\n');
        }
    }

    /// An element that holds a text.
    pub fn leaf(&mut self, tag: &'static str, attributes: Attributes<'_>, text: &str) {
        self.element(tag, attributes, |html| html.text(text));
    }

    /// An element that holds a sentence with code between backticks.
    pub fn prose_in(&mut self, tag: &'static str, attributes: Attributes<'_>, text: &str) {
        self.element(tag, attributes, |html| html.prose(text));
    }

    /// An element that never holds anything: `meta`, `link`.
    pub fn open(&mut self, tag: &'static str, attributes: Attributes<'_>) {
        self.0.push('<');
        self.0.push_str(tag);
        for (name, value) in attributes {
            self.0.push(' ');
            self.0.push_str(name);
            self.0.push_str("=\"");
            self.push_text(value);
            self.0.push('"');
        }
        self.0.push('>');
    }

    /// A text: what cannot be seen in it is shown by an escape, and a very long one is cut.
    pub fn text(&mut self, text: &str) {
        for c in text.chars().take(MAX_TEXT) {
            if is_unprintable(c) {
                self.0.push_str("<span class=\"escape\">");
                self.written(&shown_as(c));
                self.0.push_str("</span>");
            } else {
                self.character(c);
            }
        }
        let more = text.chars().count().saturating_sub(MAX_TEXT);
        if more > 0 {
            self.leaf("span", &[("class", "more")], &format!(" … and {more} more characters"));
        }
    }

    /// An element that holds a text and may hold no elements: the page's title, an inscription of a drawing.
    pub fn plain_in(&mut self, tag: &'static str, attributes: Attributes<'_>, text: &str) {
        self.element(tag, attributes, |html| html.push_text(text));
    }

    /// A sentence with code between backticks.
    pub fn prose(&mut self, text: &str) {
        let mut rest = text;
        while let Some((before, (code, after))) =
            rest.split_once('`').and_then(|(before, after)| Some((before, after.split_once('`')?)))
        {
            self.text(before);
            self.leaf("code", &[], code);
            rest = after;
        }
        self.text(rest);
    }

    /// Markup or a style of our own, as it is.
    pub fn embed(&mut self, source: &'static str) {
        self.0.push_str(source);
    }

    /// What was built elsewhere.
    pub fn append(&mut self, other: Markup) {
        self.0.push_str(&other.0);
    }

    /// Whether nothing was built.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text of the markup.
    pub fn into_html(self) -> String {
        self.0
    }

    fn push_text(&mut self, text: &str) {
        for c in text.chars() {
            if is_unprintable(c) { self.written(&shown_as(c)) } else { self.character(c) }
        }
    }

    fn written(&mut self, text: &str) {
        text.chars().for_each(|c| self.character(c));
    }

    fn character(&mut self, c: char) {
        match c {
            '&' => self.0.push_str("&amp;"),
            '<' => self.0.push_str("&lt;"),
            '>' => self.0.push_str("&gt;"),
            '"' => self.0.push_str("&quot;"),
            '\'' => self.0.push_str("&#39;"),
            // Runners of CI jobs obey `##[…` and `##vso[…` in what they log.
            '#' if self.0.ends_with('#') => self.0.push_str("&#35;"),
            // And `::…` at the beginning of a line.
            ':' if self.0.trim_end_matches([' ', '\t']).ends_with('\n') => self.0.push_str("&#58;"),
            c => self.0.push(c),
        }
    }
}

/// The escape that represents a character.
fn shown_as(c: char) -> String {
    let escaped = escape(c.encode_utf8(&mut [0; 4]));
    if escaped.chars().eq([c]) { c.escape_unicode().to_string() } else { escaped }
}

/// Whether a reader could not see the character, or would be misled by it.
fn is_unprintable(c: char) -> bool {
    let control = c.is_control() && c != '\n' && c != '\t';
    let invisible = matches!(c,
        '\u{AD}' | '\u{34F}' | '\u{180E}' | '\u{200B}'..='\u{200D}' | '\u{2028}' | '\u{2029}'
        | '\u{2060}'..='\u{206F}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}'
        | '\u{FDD0}'..='\u{FDEF}' | '\u{E0000}'..='\u{E0FFF}');
    let noncharacter = u32::from(c) & 0xFFFE == 0xFFFE;
    control || invisible || noncharacter || is_unseen(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> String {
        let mut html = Markup::default();
        html.text(text);
        html.into_html()
    }

    #[test]
    fn no_text_becomes_markup() {
        let mut html = Markup::default();
        html.leaf("p", &[("title", "\"><script>\u{202e}")], "<b>&'");
        assert_eq!(html.into_html(), "<p title=\"&quot;&gt;&lt;script&gt;\\u{202e}\">&lt;b&gt;&amp;&#39;</p>\n");
    }

    #[test]
    fn no_text_becomes_a_command_of_a_runner() {
        assert_eq!(text("##vso[x] ###[y]"), "#&#35;vso[x] #&#35;#[y]");
        assert_eq!(text("a\n ::error::b ::c"), "a\n &#58;:error::b ::c");
    }

    #[test]
    fn what_cannot_be_seen_is_shown() {
        assert_eq!(text("a\u{1b}[31m"), "a<span class=\"escape\">\\u{1b}</span>[31m");
        for hidden in ["\0", "\r", "\u{202e}", "\u{200b}", "\u{feff}", "\u{fffe}", "\u{e0041}"] {
            assert!(!text(hidden).contains(hidden) && text(hidden).contains('\\'), "{hidden:?}");
        }
        assert_eq!(text("é 漢 \u{fffd}"), "é 漢 \u{fffd}");
    }

    #[test]
    fn long_texts_are_cut() {
        let long = text(&"é".repeat(5_000));
        assert!(long.ends_with(" … and 904 more characters</span>"), "{long}");
    }

    #[test]
    fn code_stands_between_backticks() {
        let mut html = Markup::default();
        html.prose("add `mx: a` and `");
        assert_eq!(html.into_html(), "add <code>mx: a</code> and `");
    }
}
