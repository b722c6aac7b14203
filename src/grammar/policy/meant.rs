//! What was probably meant by a wrong value. Used for advice and fixes, never to accept a policy.

use super::Mode;
use crate::grammar::placeholder;

/// The mode that was probably meant by a wrong one.
pub fn mode_meant(text: &str) -> Option<Mode> {
    if placeholder::is_value(text) {
        return None;
    }
    let plain: String = text.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_ascii_lowercase();
    match plain.as_str() {
        "enforce" | "enforced" | "enforcing" | "enforcement" | "strict" | "reject" => Some(Mode::Enforce),
        "testing" | "test" | "report" | "reporting" | "monitor" | "monitoring" | "quarantine" => Some(Mode::Testing),
        "none" | "off" | "disable" | "disabled" | "no" => Some(Mode::None),
        // A short word is soon like another; and what ends MTA-STS is not guessed.
        _ => [(Mode::Enforce, 2), (Mode::Testing, 2), (Mode::None, 1)]
            .into_iter()
            .find(|(mode, most)| strsim::damerau_levenshtein(&plain, mode.word()) <= *most && plain.len() > 2)
            .map(|(mode, _)| mode),
    }
}

/// The seconds that were probably meant by a wrong `max_age`: quotes, separators, a unit.
pub fn max_age_meant(text: &str) -> Option<u64> {
    let bare: String = text.chars().filter(|c| !matches!(c, '"' | '\'' | ',' | '_' | ' ' | '\t' | ';')).collect();
    let bare = bare.strip_prefix('+').unwrap_or(&bare);
    let digits = bare.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = bare.split_at_checked(digits)?;
    let number: u64 = number.parse().ok()?;
    let unit = unit.strip_prefix('.').map_or(unit, |rest| rest.trim_start_matches('0'));
    let seconds = match unit.to_ascii_lowercase().as_str() {
        "" | "s" | "sec" | "secs" | "second" | "seconds" => 1,
        "m" | "min" | "mins" | "minute" | "minutes" => 60,
        "h" | "hour" | "hours" => 3_600,
        "d" | "day" | "days" => 86_400,
        "w" | "week" | "weeks" => 604_800,
        _ => return None,
    };
    number.checked_mul(seconds).filter(|seconds| (1..=31_557_600).contains(seconds))
}
