//! Texts given on the command line in place of what would be observed: "what if I published this?".

use std::path::{Path, PathBuf};

use clap::Args;

use crate::files;
use crate::snapshot::Snapshot;
use crate::what_if::{Texts, policy, unobserved};

/// The largest policy file that is read: far more than senders read, so that the linter can say so.
const MAX_POLICY_FILE: u64 = 4 << 20;

/// Texts in place of observations.
#[derive(Args, Debug, Default)]
pub struct TextArgs {
    /// Lint this policy file (`-` for standard input); give it again for more, each linted on its own.
    #[arg(long = "policy", value_name = "FILE", help_heading = "Texts instead of what is published")]
    pub policies: Vec<PathBuf>,
    /// Lint this text as the _mta-sts TXT record; give it again for a second record.
    #[arg(long, value_name = "TEXT", help_heading = "Texts instead of what is published", allow_hyphen_values = true)]
    pub record: Vec<String>,
    /// Lint this text as the _smtp._tls TXT record; give it again for a second record.
    #[arg(long, value_name = "TEXT", help_heading = "Texts instead of what is published", allow_hyphen_values = true)]
    pub tlsrpt: Vec<String>,
    /// Use this as an MX host, in order of preference; give it again for more.
    #[arg(long, value_name = "HOST", help_heading = "Texts instead of what is published")]
    pub mx: Vec<String>,
}

impl TextArgs {
    /// Whether any text was given.
    pub fn any(&self) -> bool {
        !self.policies.is_empty() || !self.record.is_empty() || !self.tlsrpt.is_empty() || !self.mx.is_empty()
    }

    /// The policy file, where exactly one was given; several are each linted on their own.
    pub fn policy(&self) -> Option<&Path> {
        match self.policies.as_slice() {
            [path] => Some(path),
            _ => None,
        }
    }

    /// Reads the policy file, if one was given.
    pub fn read(&self) -> Result<Texts, files::FileError> {
        let policy = self.policy().map(policy_body).transpose()?;
        Ok(Texts { policy, record: self.record.clone(), tlsrpt: self.tlsrpt.clone(), mx: self.mx.clone() })
    }
}

/// The name that the file of a policy has on every policy host (RFC 8461 §3.2).
const POLICY_FILE: &str = "mta-sts.txt";

/// Whether a word on the command line names a policy file and no domain. Only files of this one name are taken, so
/// that whoever hands a stranger's domain over to stslint does not hand over the files of the machine.
pub fn is_policy_file(word: &str) -> bool {
    !word.contains("://") && Path::new(word).file_name().is_some_and(|name| name == POLICY_FILE)
}

/// A snapshot of which nothing was observed but the policy in this file.
pub fn policy_alone(path: &Path) -> Result<Snapshot, files::FileError> {
    let policy = policy(policy_body(path)?);
    Ok(Snapshot { policy: Some(Some(policy)), ..unobserved(None, "only the policy file was looked at") })
}

fn policy_body(path: &Path) -> Result<Vec<u8>, files::FileError> {
    files::read_bounded(path, MAX_POLICY_FILE)
}
