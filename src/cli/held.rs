//! `--held`: the text of a policy that senders may still hold. Used by `check`.

use std::path::{Path, PathBuf};

use clap::Args;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use miette::Report as Error;

use super::UsageError;
use crate::facts::HeldPolicy;
use crate::files;
use crate::grammar::policy;
use crate::source_text::escape;
use crate::source_text::told_apart::FileKind;

/// The largest file that is read: far more than senders take.
const MAX_HELD: u64 = 4 << 20;

/// A policy that senders may still hold.
#[derive(Args, Debug, Default)]
pub struct HeldArgs {
    /// A policy that senders may still hold, such as the one from before a move: shows which hosts they refuse, and until when (`-` for standard input).
    #[arg(long, value_name = "FILE", conflicts_with = "baseline")]
    pub held: Option<PathBuf>,
    /// When the policy of --held was last served: a day, or a time in RFC 3339 [default: now].
    #[arg(long, value_name = "TIME", requires = "held")]
    pub last_served: Option<String>,
}

impl HeldArgs {
    /// Reads the policy, if one was given.
    pub fn read(&self) -> Result<Option<HeldPolicy>, Error> {
        let Some(path) = &self.held else { return Ok(None) };
        let body = files::read_bounded(path, MAX_HELD)?;
        let last_served = self.last_served.as_deref().map(time).transpose()?;
        is_policy(path, &body)?;
        Ok(Some(HeldPolicy::new(body, last_served)))
    }
}

/// The last moment that a day or a time names.
fn time(text: &str) -> Result<Timestamp, UsageError> {
    let end_of_day = |day: Date| format!("{day}T23:59:59Z").parse::<Timestamp>();
    let read = text.parse::<Timestamp>().or_else(|_| text.parse::<Date>().and_then(end_of_day));
    let Ok(time) = read else {
        let help = "write a day, such as 2026-11-20, or a time in RFC 3339: 2026-11-20T10:00:00Z";
        return Err(UsageError::new(format!("`{}` is not a valid time", escape(text)), help));
    };
    let tomorrow = Timestamp::now().checked_add(SignedDuration::from_hours(24)).unwrap_or(Timestamp::MAX);
    if time > tomorrow {
        let help = "name the day on which the web server last served it";
        return Err(UsageError::new(format!("{time} is yet to come: no policy was last served then"), help));
    }
    Ok(time)
}

/// Refuses what is not meant as a policy at all; one with mistakes in it is judged as senders judge it.
fn is_policy(path: &Path, body: &[u8]) -> Result<(), Error> {
    let text = String::from_utf8_lossy(body);
    let name = path.display().to_string();
    if let Some(other) = FileKind::Policy.instead(&name, &text) {
        return Err(other.into());
    }
    let parsed = policy::parse(body);
    let has_fields =
        parsed.version.is_some() || parsed.mode.is_some() || parsed.max_age.is_some() || !parsed.mx.is_empty();
    let begins = text.trim_start().get(..8).unwrap_or_default().to_ascii_lowercase();
    let what = if begins.starts_with("v=stsv1") {
        "an MTA-STS record".to_owned()
    } else if let Some(markup) = parsed.markup {
        markup.word().to_owned()
    } else if has_fields {
        return Ok(());
    } else {
        "another kind of file".to_owned()
    };
    let message = format!("{} is not a policy, it is {what}", escape(&name));
    let help = "--held takes the text that https://mta-sts.DOMAIN/.well-known/mta-sts.txt served before";
    Err(UsageError::new(message, help).into())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_day_ends_at_its_end() {
        assert_eq!(time("2026-01-20").unwrap().to_string(), "2026-01-20T23:59:59Z");
        assert_eq!(time("2026-01-20T10:00:00+01:00").unwrap().to_string(), "2026-01-20T09:00:00Z");
        for wrong in ["", "yesterday", "2026-13-01", "20.1.2026", "9999-01-01", "2026-01-20T25:00:00Z"] {
            assert!(time(wrong).is_err(), "{wrong}");
        }
    }
}
