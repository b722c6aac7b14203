//! What a sender trims: languages disagree on what white space is. Called by the readers of `senders`.

use crate::vocabulary::vocabulary;

vocabulary! {
    /// The characters that a sender trims from both ends of a text.
    pub enum Blanks {
        /// Every octet up to U+0020.
        Controls = "controls",
        /// White space of ECMAScript, which counts the byte order mark and not U+0085.
        Ecmascript = "ecmascript",
        /// Nothing.
        None = "none",
        /// White space of Python, which counts U+001C to U+001F.
        Python = "python",
        /// SP and HTAB, as the grammar has it.
        SpaceAndTab = "space_and_tab",
        /// White space of Unicode.
        Unicode = "unicode",
    }
}

impl Blanks {
    fn has(self, c: char) -> bool {
        match self {
            Blanks::Controls => c <= ' ',
            Blanks::Ecmascript => c == '\u{feff}' || (c != '\u{85}' && c.is_whitespace()),
            Blanks::None => false,
            Blanks::Python => c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c),
            Blanks::SpaceAndTab => matches!(c, ' ' | '\t'),
            Blanks::Unicode => c.is_whitespace(),
        }
    }

    /// The text without them at both ends.
    pub fn trim(self, text: &str) -> &str {
        text.trim_matches(|c| self.has(c))
    }

    /// The text without them at its start.
    pub fn trim_start(self, text: &str) -> &str {
        text.trim_start_matches(|c| self.has(c))
    }

    /// The text without them at its end.
    pub fn trim_end(self, text: &str) -> &str {
        text.trim_end_matches(|c| self.has(c))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_language_trims_its_own() {
        assert_eq!(Blanks::Controls.trim("\0a\u{85}\u{1d}"), "a\u{85}");
        assert_eq!(Blanks::Ecmascript.trim("\u{feff}\u{a0} a \u{85}"), "a \u{85}");
        assert_eq!(Blanks::None.trim(" a "), " a ");
        assert_eq!(Blanks::Python.trim("\u{a0} a \u{85}\u{1d}"), "a");
        assert_eq!(Blanks::SpaceAndTab.trim("\t a \n"), "a \n");
        assert_eq!(Blanks::Unicode.trim("\u{a0}a\u{b}\u{85}"), "a");
        assert_eq!((Blanks::Unicode.trim_start(" a "), Blanks::Unicode.trim_end(" a ")), ("a ", " a"));
    }
}
