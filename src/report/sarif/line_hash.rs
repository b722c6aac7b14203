//! The fingerprint of a line as GitHub's code scanning makes it from a file in the repository, so that an alert stays the
//! same alert when lines move, and ours agrees with the one that its upload would add.

use std::collections::BTreeMap;

/// So many characters, white space left out, are hashed: from the beginning of the line on, across its end.
const WINDOW: usize = 100;
/// What the hash is multiplied with for each character.
const FACTOR: u64 = 37;
/// What follows the last character.
const END: u16 = u16::MAX;

/// The hash of each line of a text: `c129715d7a2bc9a3:1`, where the second number counts equal ones.
pub fn line_hashes(text: &str) -> Vec<String> {
    let (units, starts) = significant(text);
    let mut counts: BTreeMap<u64, usize> = BTreeMap::new();
    let mut hashes = Vec::new();
    for start in starts {
        let window = units.iter().skip(start).map(|unit| u64::from(*unit)).chain(std::iter::repeat(0)).take(WINDOW);
        let hash = window.fold(0_u64, |hash, unit| hash.wrapping_mul(FACTOR).wrapping_add(unit));
        let count = counts.entry(hash).or_default();
        *count = count.saturating_add(1);
        hashes.push(format!("{hash:x}:{count}"));
    }
    hashes
}

/// The UTF-16 code units without blanks and tabs, with each line ending as one line feed, and where each line begins.
fn significant(text: &str) -> (Vec<u16>, Vec<usize>) {
    let (mut units, mut starts) = (Vec::new(), Vec::new());
    let (mut line_begins, mut after_return) = (true, false);
    for unit in text.encode_utf16().chain([END]) {
        let character = char::from_u32(u32::from(unit));
        if matches!(character, Some(' ' | '\t')) || (after_return && character == Some('\n')) {
            after_return = false;
            continue;
        }
        after_return = character == Some('\r');
        let unit = if after_return { 10 } else { unit };
        if line_begins {
            starts.push(units.len());
        }
        line_begins = unit == 10;
        units.push(unit);
    }
    (units, starts)
}

#[cfg(test)]
mod tests {
    use super::line_hashes;

    /// The values are those of GitHub's own tests of its upload.
    #[test]
    fn lines_have_the_hashes_that_code_scanning_gives_them() {
        assert_eq!(line_hashes(""), ["c129715d7a2bc9a3:1"]);
        let short = ["271789c17abda88f:1", "54703d4cd895b18:1", "180aee12dab6264:1", "a23a3dc5e078b07b:1"];
        assert_eq!(line_hashes(" a\nb\n  \t\tc\n d"), short);
        let mixed = [
            "e9496ae3ebfced30:1",
            "fb7c023a8b9ccb3f:1",
            "ce8ba1a563dcdaca:1",
            "e20e36e16fcb0cc8:1",
            "b3edc88f2938467e:1",
            "c8e28b0b4002a3a0:1",
            "c129715d7a2bc9a3:1",
        ];
        assert_eq!(line_hashes(" hello; \t\nworld!!!\r\n\n\r  \t\tGreetings\r End\r\n"), mixed);
        let repeated = line_hashes(&"Lorem ipsum dolor sit amet.\n".repeat(10));
        assert_eq!(
            repeated.get(4..8).unwrap(),
            ["a7f2ff13bc495cf2:5", "a7f2ff13bc495cf2:6", "a7f2ff1481e87703:1", "a9cf91f7bbf1862b:1"]
        );
    }
}
