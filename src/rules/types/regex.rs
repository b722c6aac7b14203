//! Regular expressions in rules, which are compiled when the rules are loaded.

use regex::Error;

use crate::rules::cost::regex_bounds;
use crate::rules::meter::regex;

/// Whether a text is a regular expression; else why not.
pub fn regex_sound(text: &str) -> Result<(), String> {
    regex_bounds(text)?;
    match regex(text) {
        Ok(_) => Ok(()),
        Err(Error::CompiledTooBig(_)) => Err("it is too large".to_owned()),
        Err(error) => {
            let said = error.to_string();
            let last = said.rsplit("error: ").next().unwrap_or_default().lines().last().unwrap_or_default();
            Err(last.to_owned())
        }
    }
}
