//! How a sender reads `max_age`: what is a number differs between languages. Called by `senders::policy`.

use crate::senders::blanks::Blanks;
use crate::vocabulary::vocabulary;

vocabulary! {
    /// The numbers that a sender reads.
    pub enum Numbers {
        /// One to ten digits, as the grammar has it.
        Digits = "digits",
        /// A number of ECMAScript: also empty, with a fraction, an exponent or a prefix such as `0x`.
        Ecmascript = "ecmascript",
        /// An integer of Python: also with a sign, single `_` between digits, and digits of any script.
        Python = "python",
        /// A signed integer of 32 bits with digits of any script.
        SignedAnyScript32 = "signed_any_script_32",
        /// A signed integer of 64 bits.
        Signed64 = "signed_64",
        /// An unsigned integer of 64 bits; `+` before it is read.
        Unsigned64 = "unsigned_64",
    }
}

impl Numbers {
    /// The number, or `None` where the sender reads none. As a float: nothing here needs more than its precision.
    pub fn read(self, text: &str) -> Option<f64> {
        match self {
            Numbers::Digits => (text.len() <= 10).then(|| digits(text, false)).flatten(),
            Numbers::Ecmascript => ecmascript(Blanks::Ecmascript.trim(text)),
            Numbers::Python => python(Blanks::Python.trim(text)),
            Numbers::SignedAnyScript32 => {
                signed(text, true).filter(|value| (-2_147_483_648.0..=2_147_483_647.0).contains(value))
            }
            Numbers::Signed64 => signed(text, false).filter(|value| value.abs() < 9_223_372_036_854_775_808.0),
            Numbers::Unsigned64 => digits(text.strip_prefix('+').unwrap_or(text), false)
                .filter(|value| *value < 18_446_744_073_709_551_616.0),
        }
    }
}

/// The first digit of each script that has ten of them in a row; those of the supplementary planes are left out.
const ZEROS: [u32; 22] = [
    0x30, 0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xde6, 0xe50, 0xed0,
    0xf20, 0x1040, 0x1090, 0x17e0, 0x1810, 0xff10,
];

fn digit(c: char, any_script: bool) -> Option<f64> {
    if !any_script {
        return c.to_digit(10).map(f64::from);
    }
    let code = u32::from(c);
    ZEROS.iter().find_map(|zero| code.checked_sub(*zero).filter(|value| *value < 10).map(f64::from))
}

fn digits(text: &str, any_script: bool) -> Option<f64> {
    (!text.is_empty()).then_some(())?;
    text.chars().try_fold(0.0, |sum, c| Some(sum * 10.0 + digit(c, any_script)?))
}

fn signed(text: &str, any_script: bool) -> Option<f64> {
    match text.strip_prefix('-') {
        Some(rest) => digits(rest, any_script).map(|value| -value),
        None => digits(text.strip_prefix('+').unwrap_or(text), any_script),
    }
}

fn python(text: &str) -> Option<f64> {
    let bare = text.strip_prefix(['+', '-']).unwrap_or(text);
    let misplaced = bare.starts_with('_') || bare.ends_with('_') || bare.contains("__");
    (!misplaced).then(|| signed(&text.replace('_', ""), true)).flatten()
}

fn ecmascript(text: &str) -> Option<f64> {
    if text.is_empty() {
        return Some(0.0);
    }
    for (prefix, radix) in [("0x", 16), ("0X", 16), ("0o", 8), ("0O", 8), ("0b", 2), ("0B", 2)] {
        if let Some(rest) = text.strip_prefix(prefix) {
            let value = |c: char| c.to_digit(radix).map(f64::from);
            (!rest.is_empty()).then_some(())?;
            return rest.chars().try_fold(0.0, |sum, c| Some(sum * f64::from(radix) + value(c)?));
        }
    }
    match text.strip_prefix(['+', '-']).unwrap_or(text) {
        "Infinity" => Some(if text.starts_with('-') { f64::NEG_INFINITY } else { f64::INFINITY }),
        bare if bare.starts_with(|c: char| c.is_ascii_digit() || c == '.') => text.parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_language_reads_its_own_numbers() {
        assert_eq!(Numbers::Digits.read("0000604800"), Some(604_800.0));
        assert_eq!(Numbers::Digits.read("00000604800"), None);
        assert_eq!(Numbers::Digits.read("+1"), None);
        assert_eq!(Numbers::Signed64.read("-5"), Some(-5.0));
        assert_eq!(Numbers::Signed64.read("9223372036854775808"), None);
        assert_eq!(Numbers::Signed64.read("6_0"), None);
        assert_eq!(Numbers::Unsigned64.read("+604800"), Some(604_800.0));
        assert_eq!(Numbers::Unsigned64.read("-1"), None);
        assert_eq!(Numbers::Python.read(" 604_800 "), Some(604_800.0));
        assert_eq!(Numbers::Python.read("6__0"), None);
        assert_eq!(Numbers::Python.read("\u{667}\u{668}"), Some(78.0));
        assert_eq!(Numbers::Python.read("1e3"), None);
        assert_eq!(Numbers::SignedAnyScript32.read("\u{667}"), Some(7.0));
        assert_eq!(Numbers::SignedAnyScript32.read("2147483648"), None);
        assert_eq!(Numbers::Ecmascript.read(""), Some(0.0));
        assert_eq!(Numbers::Ecmascript.read("6.048e5"), Some(604_800.0));
        assert_eq!(Numbers::Ecmascript.read("0x10"), Some(16.0));
        assert_eq!(Numbers::Ecmascript.read("604_800"), None);
        assert_eq!(Numbers::Ecmascript.read("nan"), None);
        assert_eq!(Numbers::Ecmascript.read("Infinity"), Some(f64::INFINITY));
    }
}
