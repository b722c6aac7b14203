//! A configuration with everything that it names: profiles, other configurations, rule files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use miette::Diagnostic;
use thiserror::Error;

use super::layer::Layer;
use super::options::CommandOption;
use super::origin::Set;
use super::profiles::PROFILES;
use super::read::read;
use super::reader::{MAX_MISTAKES, mistake};
use super::rule_files::{CONFIG_NAME, rule_files};
use super::tree::Placed;
use crate::files::{self, FileError};
use crate::rules::Source;
use crate::senders::{Profile, built_in, read_profile};
use crate::source_text::{SourceError, escape, nearest, printable};

/// The most octets of one configuration.
const MAX_CONFIG: u64 = 1 << 20;
/// The most octets that the file of a sender may hold.
const MAX_SENDER: u64 = 1 << 20;
/// How many configurations may extend each other in a row.
const MAX_DEPTH: usize = 8;
/// How many configurations may be read in all.
const MAX_FILES: usize = 64;
/// The most octets of all configurations together.
const MAX_TOTAL: usize = 4 << 20;

/// The mistakes in a configuration: all of them, each with its place.
#[derive(Debug, Diagnostic, Error)]
#[error("{}{} mistake{} in the configuration", if .0.len() < MAX_MISTAKES { "" } else { "at least " }, .0.len(), if .0.len() == 1 { "" } else { "s" })]
#[diagnostic(code(stslint::config))]
pub struct ConfigErrors(#[related] pub Vec<SourceError>);

/// A value of an option that the command line would refuse.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OptionProblem {
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

/// Tells whether the command line would take a value.
pub type OptionCheck<'a> = &'a dyn Fn(&CommandOption, &str) -> Result<(), OptionProblem>;

/// Configurations, the weakest first, and the rule files that they include.
#[derive(Clone, Debug, Default)]
pub struct Configuration {
    /// The configurations.
    pub layers: Vec<Layer>,
    /// The rule files, and where each is included.
    pub rule_files: Vec<Set<Source>>,
    /// The senders of the files that `senders` names.
    pub senders: Vec<Arc<Profile>>,
    mistakes: Vec<SourceError>,
    /// Whether a rule file that is included could not be read: what it holds is not known.
    pub(super) lacks_rules: bool,
}

/// The configuration nearest to a folder, in it or in those that it is in: its path from that folder on.
pub fn find(folder: &Path) -> Option<PathBuf> {
    let mut up = PathBuf::new();
    for folder in folder.ancestors() {
        // A link that leads nowhere is found too: it was meant, and is told.
        if folder.join(CONFIG_NAME).symlink_metadata().is_ok() {
            return Some(up.join(CONFIG_NAME));
        }
        up.push("..");
    }
    None
}

impl Configuration {
    /// Reads a configuration and all that it names. Mistakes are kept, and told by [`Configuration::sound`].
    pub fn load(path: &Path, check: OptionCheck<'_>) -> Result<Self, FileError> {
        let text = files::read_text(path, MAX_CONFIG)?;
        let mut loader = Loader::default();
        loader.file(path, text, &mut Vec::new());
        let mut configuration = Configuration {
            layers: loader.layers,
            rule_files: loader.rule_files,
            senders: loader.senders,
            lacks_rules: loader.lacks_rules || loader.mistakes.iter().any(is_about_include),
            mistakes: loader.mistakes,
        };
        configuration.check_options(check);
        Ok(configuration)
    }

    /// The configuration on top of a profile; `None` where there is no profile of that name.
    pub fn on_profile(mut self, name: &str) -> Option<Self> {
        let (profile, text) = PROFILES.iter().find(|(profile, _)| *profile == name)?;
        let mut loader = Loader::default();
        self.layers.insert(0, loader.profile_layer(profile, text));
        self.mistakes.extend(loader.mistakes);
        Some(self)
    }

    /// The mistakes that show without looking at rules.
    pub fn mistakes(&self) -> &[SourceError] {
        &self.mistakes
    }

    /// An error where there is a mistake.
    pub fn sound(&self) -> Result<(), ConfigErrors> {
        if self.mistakes.is_empty() { Ok(()) } else { Err(self.errors(self.mistakes.clone())) }
    }

    /// Mistakes in the order of their places, those of the configuration that was asked for first.
    pub fn errors(&self, mut mistakes: Vec<SourceError>) -> ConfigErrors {
        let layer = |error: &SourceError| {
            self.layers.iter().rev().position(|layer| printable(&layer.source.name) == error.text.name())
        };
        let place = |error: &SourceError| (layer(error).unwrap_or(usize::MAX), error.at.map(|at| at.offset()));
        mistakes.sort_by_key(place);
        mistakes.truncate(MAX_MISTAKES);
        ConfigErrors(mistakes)
    }

    /// The options that are set, by their keys.
    pub fn options(&self) -> BTreeMap<&'static str, Set<String>> {
        let mut options = BTreeMap::new();
        for layer in &self.layers {
            for setting in &layer.file.options {
                if let Some(option) = CommandOption::of(&setting.key.value) {
                    let value = layer.option_value(option, &setting.value.value);
                    options.insert(option.key, Set { value, origin: layer.origin(setting.key.at) });
                }
            }
        }
        options
    }

    fn check_options(&mut self, check: OptionCheck<'_>) {
        for layer in &self.layers {
            for setting in &layer.file.options {
                let Some(option) = CommandOption::of(&setting.key.value) else { continue };
                if self.mistakes.len() >= MAX_MISTAKES {
                    return;
                }
                if let Err(problem) = check(option, &layer.option_value(option, &setting.value.value)) {
                    self.mistakes.push(mistake(&layer.source, setting.value.at, problem.message, problem.help));
                }
            }
        }
    }
}

/// Whether a mistake is that `include` is spelled otherwise.
fn is_about_include(error: &SourceError) -> bool {
    error.help.as_ref().is_some_and(|help| help == "did you mean `include`?")
}

#[derive(Default)]
struct Loader {
    lacks_rules: bool,
    layers: Vec<Layer>,
    rule_files: Vec<Set<Source>>,
    senders: Vec<Arc<Profile>>,
    mistakes: Vec<SourceError>,
    read: BTreeSet<PathBuf>,
    included: BTreeSet<PathBuf>,
    octets: usize,
}

impl Loader {
    /// Adds a file, after all that it extends. `open` are those that extend it.
    fn file(&mut self, path: &Path, text: String, open: &mut Vec<PathBuf>) {
        let source = Source::file(path, text);
        let folder = path.parent().map(Path::to_owned).unwrap_or_default();
        let (file, mistakes) = read(&source);
        self.mistakes.extend(mistakes);
        let own = canonical(path);
        self.read.insert(own.clone());
        open.push(own);
        let mut layer = Layer { source, file, profile: None, profiles_of_domains: Vec::new(), folder };
        layer.profiles_of_domains =
            layer.file.domains.iter().map(|entry| self.profiles(&layer, &entry.extends)).collect();
        for name in &layer.file.extends {
            if self.mistakes.len() >= MAX_MISTAKES {
                break;
            }
            if let Err(error) = self.extend(&layer, name, open) {
                self.mistakes.push(*error);
            }
        }
        for name in &layer.file.include {
            if self.mistakes.len() >= MAX_MISTAKES {
                break;
            }
            self.include(&layer, name);
        }
        for name in &layer.file.senders {
            if let Err(message) = self.sender(&layer.path(&name.value)) {
                let help = "`stslint schema senders` prints what such a file may have".to_owned();
                self.mistakes.push(mistake(&layer.source, name.at, printable(&message), Some(help)));
            }
        }
        open.pop();
        self.layers.push(layer);
    }

    fn extend(
        &mut self,
        layer: &Layer,
        name: &Placed<String>,
        open: &mut Vec<PathBuf>,
    ) -> Result<(), Box<SourceError>> {
        let wrong =
            |message: String, help: &str| Box::new(mistake(&layer.source, name.at, message, Some(help.to_owned())));
        if let Some((profile, text)) = PROFILES.iter().find(|(profile, _)| *profile == name.value) {
            self.profile(profile, text);
            return Ok(());
        }
        let shown = escape(&name.value);
        if !name.value.contains(['/', '\\', '.']) {
            let help = nearest(&name.value, PROFILES.map(|(name, _)| name)).map_or_else(
                || {
                    format!(
                        "available: {}; a file is named by its path: ./base.yaml",
                        PROFILES.map(|(name, _)| name).join(", ")
                    )
                },
                |near| format!("did you mean `{near}`?"),
            );
            return Err(wrong(format!("there is no profile `{shown}`"), &help));
        }
        let path = layer.path(&name.value);
        let own = canonical(&path);
        if open.contains(&own) {
            return Err(wrong(format!("`{shown}` extends this file in turn"), "one of the two must come first"));
        }
        if open.len() >= MAX_DEPTH {
            let message = format!("more than {MAX_DEPTH} configurations extend each other here");
            return Err(wrong(message, "let this one extend the last of them directly"));
        }
        if self.read.contains(&own) {
            return Ok(());
        }
        if self.read.len() >= MAX_FILES {
            return Err(wrong(format!("these are more than {MAX_FILES} configurations"), "put some of them together"));
        }
        if is_device(&path) {
            return Err(wrong(format!("`{shown}` is not a regular file"), "name a configuration"));
        }
        let text = files::read_text(&path, MAX_CONFIG)
            .map_err(|error| wrong(printable(&error.to_string()), "the path is relative to this file"))?;
        self.octets = self.octets.saturating_add(text.len());
        if self.octets > MAX_TOTAL {
            let message = format!("these configurations have more than {} MiB together", MAX_TOTAL >> 20);
            return Err(wrong(message, "is this the right file?"));
        }
        self.file(&path, text, open);
        Ok(())
    }

    fn profile(&mut self, profile: &'static str, text: &str) {
        let layer = self.profile_layer(profile, text);
        self.layers.push(layer);
    }

    fn profile_layer(&mut self, profile: &'static str, text: &str) -> Layer {
        let source = Source::named(format!("{profile} profile"), text);
        let (file, mistakes) = read(&source);
        self.mistakes.extend(mistakes);
        Layer { source, file, profile: Some(profile), profiles_of_domains: Vec::new(), folder: PathBuf::new() }
    }

    /// The profiles that an entry of `domains` begins with: other files are extended for all domains only.
    fn profiles(&mut self, layer: &Layer, names: &[Placed<String>]) -> Vec<Layer> {
        let mut profiles = Vec::new();
        for name in names {
            match PROFILES.iter().find(|(profile, _)| *profile == name.value) {
                Some((profile, text)) => profiles.push(self.profile_layer(profile, text)),
                None => {
                    let known = PROFILES.map(|(name, _)| name);
                    let help = nearest(&name.value, known).map_or_else(
                        || format!("available: {}", known.join(", ")),
                        |near| format!("did you mean `{near}`?"),
                    );
                    let message = format!("there is no profile `{}`", escape(&name.value));
                    self.mistakes.push(mistake(&layer.source, name.at, message, Some(help)));
                }
            }
        }
        profiles
    }

    /// Adds the sender of a file; an error says why not.
    fn sender(&mut self, path: &Path) -> Result<(), String> {
        let name = path.display().to_string();
        if is_device(path) {
            return Err(format!("`{name}` is not a regular file"));
        }
        let text = files::read_text(path, MAX_SENDER).map_err(|error| error.to_string())?;
        let profile = read_profile(&name, &text).map_err(|error| error.to_string())?;
        if built_in().iter().chain(&self.senders).any(|other| other.is_called(&profile.sender)) {
            return Err(format!("{name}: there is another sender `{}`", profile.sender));
        }
        self.senders.push(Arc::new(profile));
        Ok(())
    }

    fn include(&mut self, layer: &Layer, name: &Placed<String>) {
        if is_device(&layer.path(&name.value)) {
            let message = format!("`{}` is not a regular file", escape(&name.value));
            return self.mistakes.push(mistake(&layer.source, name.at, message, None));
        }
        match rule_files(&layer.path(&name.value)) {
            Ok(sources) => {
                for source in sources {
                    if self.included.insert(canonical(Path::new(&source.name))) {
                        self.rule_files.push(Set { value: source, origin: layer.origin(name.at) });
                    }
                }
            }
            Err(error) => {
                self.lacks_rules = true;
                let help = "name a rule file, or a folder of them, relative to this file".to_owned();
                self.mistakes.push(mistake(&layer.source, name.at, printable(&error.to_string()), Some(help)));
            }
        }
    }
}

/// Whether reading could wait for ever, or never end: a pipe, a terminal, a device.
fn is_device(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir())
}

/// One name for a file, however it was reached.
pub fn canonical(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}
