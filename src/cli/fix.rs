//! `check --fix`: rewrites the policy file by the fixes that rules propose, and shows what changed.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use miette::Report as Error;
use similar::TextDiff;

use super::{OutputArgs, UsageError, terminal};
use crate::files;
use crate::rules::{RuleSet, fix_policy};
use crate::snapshot::Snapshot;
use crate::source_text::{escape, printable, without_commands};

/// Fixing the policy file.
#[derive(Args, Debug)]
pub struct FixArgs {
    /// Fix the file of --policy: `safe` fixes only obvious mistakes, `all` the rest too.
    #[arg(long, value_enum, value_name = "WHICH", num_args = 0..=1, require_equals = true, default_missing_value = "safe", help_heading = "Fixing")]
    pub fix: Option<Which>,
    /// Show what --fix would change, and write nothing.
    #[arg(long, help_heading = "Fixing")]
    pub diff: bool,
}

/// Which fixes are applied.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Which {
    /// All of them.
    All,
    /// Only obvious mistakes.
    Safe,
}

/// A policy file that is to be fixed.
#[derive(Debug)]
pub struct PolicyFix {
    path: PathBuf,
    which: Which,
    write: bool,
}

impl FixArgs {
    /// What is to be fixed; a usage error where that is not a single file.
    pub fn plan(&self, policies: &[PathBuf], inputs: usize) -> Result<Option<PolicyFix>, UsageError> {
        let Some(which) = self.fix.or(self.diff.then_some(Which::Safe)) else { return Ok(None) };
        let wrong = |message: &str| UsageError::new(message, "for example `stslint check --policy mta-sts.txt --fix`");
        match policies {
            [] => Err(wrong("--fix needs a policy file: give one with --policy")),
            [_, _, ..] => Err(wrong("--fix takes one policy at a time")),
            [path] if path == Path::new("-") && !self.diff => {
                Err(wrong("--fix rewrites a file, so it cannot take standard input"))
            }
            [_] if inputs > 1 => Err(wrong("--fix takes one policy, and at most one domain or snapshot")),
            [path] => Ok(Some(PolicyFix { path: path.to_owned(), which, write: !self.diff })),
        }
    }
}

impl PolicyFix {
    /// Fixes the policy of the snapshot and its file, and prints what changed: on standard output where people
    /// read, else on standard error.
    pub fn run(
        &self,
        snapshot: &mut Snapshot,
        baseline: Option<&Snapshot>,
        rules: &RuleSet,
        for_people: bool,
        output: &OutputArgs,
    ) -> Result<(), Error> {
        let Some(Some(policy)) = &snapshot.policy else { return Ok(()) };
        let Ok(before) = String::from_utf8(policy.body.0.clone()) else {
            let text = format!("{} is not UTF-8, so nothing in it can be fixed", shown(&self.path));
            terminal::remark(&text, output);
            return Ok(());
        };
        let fixed = fix_policy(rules, snapshot, baseline, &before, self.which == Which::All);
        self.finish(&before, &fixed.text, fixed.applied, for_people, output)?;
        if !fixed.left.is_empty() {
            let rules = fixed.left.into_iter().collect::<Vec<_>>().join(", ");
            terminal::remark(&format!("--fix=all would also apply fixes that may change the meaning: {rules}"), output);
        }
        Ok(())
    }

    fn finish(
        &self,
        before: &str,
        text: &str,
        applied: usize,
        for_people: bool,
        output: &OutputArgs,
    ) -> Result<(), Error> {
        if before == text {
            terminal::remark("nothing to fix", output);
            return Ok(());
        }
        let changes = diff(&self.path, before, text);
        if for_people {
            terminal::print(&terminal::coloured_diff(&changes, output))
        } else {
            terminal::remark(changes.trim_end(), output)
        }
        if !self.write {
            return Ok(());
        }
        files::write_whole(&self.path, text.as_bytes())?;
        let plural = if applied == 1 { "" } else { "s" };
        terminal::remark(&format!("fixed {} ({applied} change{plural})", shown(&self.path)), output);
        Ok(())
    }
}

fn shown(path: &Path) -> String {
    escape(&path.display().to_string())
}

/// A unified diff, safe to print: neither a terminal nor a runner of CI jobs obeys anything in it.
fn diff(path: &Path, before: &str, after: &str) -> String {
    let name = shown(path);
    let diff = TextDiff::from_lines(before, after);
    let text = diff.unified_diff().context_radius(2).header(&name, &format!("{name} (fixed)")).to_string();
    // A change of line endings alone must be seen too.
    let ends_differ =
        before.contains('\r') != after.contains('\r') || before.replace('\r', "") == after.replace('\r', "");
    without_commands(&printable(&if ends_differ { text.replace('\r', "\\r") } else { text.replace('\r', "") }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_of_a_preview_is_a_command_of_a_runner() {
        let before = "a\n::error::context\n##vso[task.complete]context\nold\n";
        let after = "a\n::error::context\n##vso[task.complete]context\n##[error]new\n";
        let text = diff(Path::new("##[group]mta-sts.txt"), before, after);
        for hostile in ["##[", "##vso[", "\n ::"] {
            assert!(!text.contains(hostile), "{hostile}: {text}");
        }
        assert!(
            text.contains("\n \\::error::context\n #\\#vso[task.complete]context\n-old\n+#\\#[error]new\n"),
            "{text}"
        );
    }
}
