//! What runners of CI jobs and terminals take for commands to themselves, kept out of everything that is written: a log holds
//! whatever a program says. Used by every format of `report`, by `snapshot`, and by `cli`.
//!
//! Azure Pipelines obeys `##vso[…` wherever a line has it, TeamCity `##teamcity[…`; GitHub `##[…` anywhere and `::…` at the
//! beginning of a line, whatever space is before it.

use serde::Serialize;

use super::printable_json;

/// The text without what runners of CI jobs take for commands to themselves wherever a line of a log holds it: `##[…`,
/// `##vso[…`, `##teamcity[…`. Their second `#` is written as `hash`.
pub fn without_runner_commands(text: &str, hash: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("##") {
        safe.push_str(before);
        let word = after.trim_start_matches(|c: char| c.is_ascii_alphabetic());
        // Of three or more `#`, the last two are those before the bracket.
        if word.starts_with('[') {
            safe.push('#');
            safe.push_str(hash);
            rest = after;
        } else {
            safe.push('#');
            rest = rest.get(before.len().saturating_add(1)..).unwrap_or_default();
        }
    }
    safe.push_str(rest);
    safe
}

/// The text for people without what a runner takes for a command to itself, and without what moves the cursor of a terminal
/// back: `::` at the beginning of a line, `##[`, `##vso[` and the like, and a carriage return alone.
pub fn without_commands(text: &str) -> String {
    let line = |line: &str| {
        let rest = line.trim_start();
        let indent = line.len().saturating_sub(rest.len());
        if rest.starts_with("::") {
            format!("{}\\{rest}", line.get(..indent).unwrap_or_default())
        } else {
            line.to_owned()
        }
    };
    let text = text.replace("\r\n", "\n").replace('\r', "\\r");
    without_runner_commands(&text.split_inclusive('\n').map(line).collect::<String>(), "\\#")
}

/// A value as JSON with indentation, and a line ending.
pub fn json(value: &impl Serialize) -> serde_json::Result<String> {
    Ok(printable_json(&serde_json::to_string_pretty(value)?) + "\n")
}

/// A value as one line of JSON, with its line ending.
pub fn json_line(value: &impl Serialize) -> serde_json::Result<String> {
    Ok(printable_json(&serde_json::to_string(value)?) + "\n")
}

/// A value as YAML. Where a runner would take a part of it for a command, in the style of YAML that is JSON too: only there
/// can that be written as an escape wherever it is.
pub fn yaml(value: &impl Serialize) -> Result<String, String> {
    let text = serde_yaml::to_string(value).map_err(|error| error.to_string())?;
    if without_commands(&text) == text { Ok(text) } else { json(value).map_err(|error| error.to_string()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_told_from_text() {
        for (text, safe) in [
            ("::error::x", "\\::error::x"),
            ("a\n  ::set-output name=a::b\n", "a\n  \\::set-output name=a::b\n"),
            ("a ::error::x", "a ::error::x"),
            ("a\r\nb\rc", "a\nb\\rc"),
            ("x ##vso[task.complete]", "x #\\#vso[task.complete]"),
            ("###[error]", "##\\#[error]"),
            ("## heading ##", "## heading ##"),
        ] {
            assert_eq!(without_commands(text), safe, "{text:?}");
        }
    }

    #[test]
    fn yaml_is_a_flow_only_where_it_must_be() {
        let value = |text: &str| serde_json::json!({ "text": text, "list": ["x"] });
        assert_eq!(yaml(&value("plain")).unwrap_or_default(), "list:\n- x\ntext: plain\n");
        for text in ["##vso[task.x]", "a\n##[error]x", "a\n::error::x\n", "a\n  ::error::x"] {
            let written = yaml(&value(text)).unwrap_or_default();
            assert!(written.starts_with('{') && without_commands(&written) == written, "{written}");
            assert_eq!(serde_yaml::from_str::<serde_json::Value>(&written).ok(), Some(value(text)), "{written}");
        }
    }
}
