//! The rules that are in force, and linting by them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use miette::Diagnostic;

use super::Error;
use super::report::{self, LintReport};
use crate::config::{Configuration, InForce, PROFILES, decisions, rule_files, same_file, utc_day};
use crate::facts::{Before, Facts};
use crate::format::Format;
use crate::report::Linted;
use crate::rules::{Source, evaluate};
use crate::snapshot::Snapshot;
use crate::source_text::escape;

/// Rules, set as a profile or a configuration says.
///
/// Loading them takes some milliseconds and linting about one, so keep one linter for the life of a program. It can be
/// shared between threads, and cloning is cheap. Linting opens no socket and waits for nothing.
#[derive(Clone, Debug)]
pub struct Linter {
    in_force: Arc<InForce>,
}

/// Which rules a [`Linter`] has. Begun with [`Linter::builder`].
#[derive(Clone, Debug, Default)]
pub struct LinterBuilder {
    profile: Option<String>,
    configuration: Option<PathBuf>,
    rules: Vec<PathBuf>,
}

/// A profile that is not shipped.
#[derive(Debug, Diagnostic, thiserror::Error)]
#[error("there is no profile `{0}`")]
#[diagnostic(code(stslint::profile), help("available: {}", PROFILES.map(|(name, _)| name).join(", ")))]
struct UnknownProfile(String);

impl Linter {
    /// The built-in rules, as they are shipped.
    pub fn new() -> Result<Self, Error> {
        Linter::builder().build()
    }

    /// Begins to choose rules.
    pub fn builder() -> LinterBuilder {
        LinterBuilder::default()
    }

    /// Judges what was observed, as of the time of observation.
    pub fn lint(&self, snapshot: &Snapshot) -> LintReport {
        self.judged(snapshot, None)
    }

    /// Judges what was observed, and how it changed since an older snapshot of the same domain: some rules are about
    /// changes that senders do not notice, such as a policy without a new `id`.
    pub fn lint_since(&self, snapshot: &Snapshot, older: &Snapshot) -> LintReport {
        self.judged(snapshot, Some(older))
    }

    /// Renders reports: as one document, or one after another in formats that have no document.
    ///
    /// Human output has neither colour nor characters beyond ASCII, except those of the domain itself.
    pub fn render(&self, reports: &[LintReport], format: Format) -> Result<String, Error> {
        report::render(reports, &self.in_force.rules, format)
    }

    fn judged(&self, snapshot: &Snapshot, older: Option<&Snapshot>) -> LintReport {
        let in_force = &self.in_force;
        let (settled, membership) = in_force.for_domain(snapshot.domain.as_deref());
        let (rules, changes) = match &settled {
            Some(settled) => (&settled.rules, &settled.changes),
            None => (&in_force.rules, &in_force.changes),
        };
        let before = older.map(Before::Baseline);
        let facts = Facts::beside(snapshot, before)
            .with_senders(snapshot, &in_force.senders)
            .with_membership(&membership.tags, &membership.groups);
        let evaluated = evaluate(rules, &facts);
        let mut report = evaluated.report;
        in_force.ignores.apply(&mut report, utc_day(Timestamp::now()), &mut Vec::new());
        decisions(&mut report, changes);
        report.against = in_force.against(&membership, changes, &report);
        report.shorten();
        let linted = Linted { report, facts: facts.into_domain(), snapshot: snapshot.clone(), policy_file: None };
        LintReport { linted, broken_rules: evaluated.mistakes }
    }
}

impl LinterBuilder {
    /// Sets the rules as a profile does: `strict`, `minimal`, or another that `stslint profiles` names.
    pub fn profile(mut self, name: impl Into<String>) -> Self {
        self.profile = Some(name.into());
        self
    }

    /// Sets the rules as a `stslint.yaml` does, on top of the profile. Its `options`, which are those of the command
    /// line, are not looked at. No file is looked for where this is not called.
    pub fn configuration(mut self, path: impl AsRef<Path>) -> Self {
        self.configuration = Some(path.as_ref().to_owned());
        self
    }

    /// Adds a file of rules of your own, or a folder of them. Call it again for more.
    pub fn rules(mut self, path: impl AsRef<Path>) -> Self {
        self.rules.push(path.as_ref().to_owned());
        self
    }

    /// Loads and checks the rules. An error holds every mistake, each with its place.
    pub fn build(self) -> Result<Linter, Error> {
        let mut configuration = match &self.configuration {
            Some(path) => Configuration::load(path, &|_, _| Ok(())).map_err(Error::of)?,
            None => Configuration::default(),
        };
        if let Some(name) = &self.profile {
            configuration = configuration.on_profile(name).ok_or_else(|| Error::of(UnknownProfile(escape(name))))?;
        }
        let mut own: Vec<Source> = Vec::new();
        for path in &self.rules {
            for source in rule_files(path).map_err(Error::of)? {
                if !own.iter().any(|other| same_file(other, &source)) {
                    own.push(source);
                }
            }
        }
        Ok(Linter { in_force: Arc::new(configuration.rules(&own).map_err(Error::of)?) })
    }
}
