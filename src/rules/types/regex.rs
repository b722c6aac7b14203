//! Regular expressions in rules, which are compiled when the rules are loaded.

use std::sync::OnceLock;

use cel::{Context, Program};

use crate::rules::cost::regex_bounds;
use crate::rules::expr::environment;

/// Whether a text is a regular expression; else why not.
pub fn regex_sound(text: &str) -> Result<(), String> {
    regex_bounds(text)?;
    static PROBE: OnceLock<Option<Program>> = OnceLock::new();
    let probe = PROBE.get_or_init(|| environment().compile("''.matches(pattern)").ok());
    let Some(probe) = probe else { return Ok(()) };
    let mut context = Context::with_env(environment().clone());
    context.add_variable_from_value("pattern", text);
    match probe.execute(&context) {
        Ok(_) => Ok(()),
        Err(error) => {
            let said = error.to_string();
            if said.contains("size limit") {
                return Err("it is too large".to_owned());
            }
            let last = said.rsplit("error: ").next().unwrap_or_default().lines().last().unwrap_or_default();
            Err(last.trim_end_matches(['.', '"', ')']).to_owned())
        }
    }
}
