//! What the parts of the human report are set with: width, colour, symbols.

use textwrap::{Options, WordSeparator, WordSplitter};

use super::Style;
use crate::outcome::Severity;

/// The page that a report is set on.
pub struct Page<'a> {
    /// How it is shown.
    pub style: &'a Style,
}

impl Page<'_> {
    /// A paragraph, wrapped; `indent` is before each line but the first, in blanks.
    pub fn paragraph(&self, first: &str, text: &str) -> String {
        let blanks = " ".repeat(textwrap::core::display_width(first));
        let options = Options::new(self.style.width)
            .initial_indent(first)
            .subsequent_indent(&blanks)
            .word_separator(WordSeparator::AsciiSpace)
            .word_splitter(WordSplitter::NoHyphenation);
        textwrap::fill(text, options) + "\n"
    }

    /// A heading of a part.
    pub fn heading(&self, text: &str) -> String {
        format!("{}\n", self.bold(text))
    }

    /// Bold text.
    pub fn bold(&self, text: &str) -> String {
        self.paint("1", text)
    }

    /// Text of less weight.
    pub fn faint(&self, text: &str) -> String {
        self.paint("2", text)
    }

    /// Text in the colour of a severity.
    pub fn severe(&self, severity: Severity, text: &str) -> String {
        let code = match severity {
            Severity::Error => "31",
            Severity::Note | Severity::Remark => "36",
            Severity::Warning => "33",
        };
        self.paint(code, text)
    }

    /// Text in the colour of what is good.
    pub fn good(&self, text: &str) -> String {
        self.paint("32", text)
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.style.colour && !text.is_empty() { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    /// One of two symbols: beyond ASCII, and within it.
    pub fn symbol(&self, unicode: &'static str, ascii: &'static str) -> &'static str {
        if self.style.unicode { unicode } else { ascii }
    }
}
