//! What a sender makes of one input: the entry to the evaluator. Called by the command, by the cases and by `facts`.

use std::sync::Arc;

use super::model::{Enforces, Larger, MediaType, Profile, Status};
use super::verdict::{Stop, Verdict};
use super::{matching, plain, policy, record, reports};

/// The property of the sender, or that of the one that it reads as.
macro_rules! property {
    ($profile:expr, $other:expr, $name:ident) => {
        $profile
            .behaviour
            .$name
            .as_ref()
            .or_else(|| $other.and_then(|it| it.behaviour.$name.as_ref()))
            .map(|claim| claim.is.clone())
    };
}

/// Something that a domain publishes.
#[derive(Clone, Debug)]
pub enum Input {
    /// An MX host, compared with the patterns of a policy.
    Host {
        /// The host.
        host: String,
        /// The patterns.
        patterns: Vec<String>,
    },
    /// A policy as it is served.
    Policy(Served),
    /// The TXT records at `_mta-sts`, each with its character-strings joined.
    Record(Vec<String>),
    /// The TXT records at `_smtp._tls`, in the same way.
    Tlsrpt(Vec<String>),
}

/// A policy as it is served. What is left out has no say.
#[derive(Clone, Debug, Default)]
pub struct Served {
    /// The body.
    pub body: Vec<u8>,
    /// Whether the body goes on beyond what was read.
    pub truncated: bool,
    /// The Content-Type: `Some(None)` where there is none, `None` where it was not observed.
    pub content_type: Option<Option<String>>,
    /// The HTTP status; `None` where it was not observed.
    pub status: Option<u16>,
    /// After how many milliseconds the answer was there; `None` where it was not observed.
    pub milliseconds: Option<u64>,
}

/// What the sender makes of the input. `all` holds the senders that a profile may read as.
pub fn explain(profile: &Profile, all: &[Arc<Profile>], input: &Input) -> Verdict {
    let other = read_as(profile, all);
    if let Some(verdict) = unread(profile, other, input) {
        return verdict;
    }
    match input {
        Input::Record(texts) => match profile.record.as_ref().or_else(|| other?.record.as_ref()) {
            Some(dialect) => record::read(dialect, texts),
            None if texts.is_empty() => Verdict::no("there is no TXT record"),
            None => plain::record(texts),
        },
        Input::Tlsrpt(texts) => match profile.reports.as_ref().or_else(|| other?.reports.as_ref()) {
            Some(dialect) => reports::read(dialect, texts),
            None => reports::read(&Default::default(), texts),
        },
        Input::Host { host, patterns } => {
            let kept = match profile.policy.as_ref().or_else(|| other?.policy.as_ref()) {
                Some(dialect) => policy::kept_patterns(dialect, patterns),
                None => Ok(patterns.clone()),
            };
            match (kept, profile.matching.as_ref().or_else(|| other?.matching.as_ref())) {
                (Err(Stop::No(why)), _) => Verdict::no(format!("it refuses the policy: {why}")),
                (Err(stop), _) => stop.into(),
                (Ok(kept), Some(dialect)) => matching::read(dialect, host, &kept),
                (Ok(kept), None) => matching::read(&Default::default(), host, &kept),
            }
        }
        Input::Policy(served) => fetched(profile, other, served).unwrap_or_else(|| {
            let charset = served.content_type.as_ref().map(|it| it.as_deref().and_then(charset));
            let body = cut(profile, other, &served.body);
            if served.truncated && body.len() == served.body.len() {
                return Verdict::unknown("only the beginning of so large a policy was read");
            }
            match profile.policy.as_ref().or_else(|| other?.policy.as_ref()) {
                Some(dialect) => policy::read(dialect, body, charset.as_ref().map(Option::as_deref)),
                None => plain::policy(&served.body),
            }
        }),
    }
}

/// For a sender that is known to make nothing of such an input; whether it reads one all the same is not known.
fn unread(profile: &Profile, other: Option<&Profile>, input: &Input) -> Option<Verdict> {
    let has = |of: &dyn Fn(&Profile) -> bool| of(profile) || other.is_some_and(of);
    let (read, why) = match input {
        Input::Tlsrpt(_) => {
            let sends = property!(profile, other, sends_reports) != Some(false);
            (sends || has(&|it| it.reports.is_some()), "it sends no reports")
        }
        Input::Host { .. } | Input::Policy(_) | Input::Record(_) => {
            let enforces = property!(profile, other, enforces) != Some(Enforces::Never);
            (enforces || has(&|it| it.policy.is_some()), "it does not enforce policies")
        }
    };
    (!read).then(|| Verdict::unknown(why))
}

/// The sender whose reading the profile has.
pub fn read_as<'a>(profile: &Profile, all: &'a [Arc<Profile>]) -> Option<&'a Profile> {
    let claim = profile.reads_as.as_ref()?;
    all.iter().find(|it| it.sender == claim.is).map(Arc::as_ref)
}

fn cut<'a>(profile: &Profile, other: Option<&Profile>, body: &'a [u8]) -> &'a [u8] {
    let limit = property!(profile, other, largest_policy).and_then(|limit| usize::try_from(limit).ok());
    match (property!(profile, other, larger_policy), limit) {
        (Some(Larger::Cut), Some(limit)) => body.get(..limit).unwrap_or(body),
        _ => body,
    }
}

/// What decides before the body is read; `None` where nothing does.
fn fetched(profile: &Profile, other: Option<&Profile>, served: &Served) -> Option<Verdict> {
    let unknown = |what: &str| Some(Verdict::unknown(format!("not known: {what}")));
    if let Some(status) = served.status.filter(|status| *status != 200) {
        let refused = match property!(profile, other, status) {
            Some(Status::Ignored) => false,
            Some(Status::Only200) => true,
            Some(Status::Successful) => !(200..300).contains(&status),
            None => return unknown("which HTTP status it takes"),
        };
        if refused {
            return Some(Verdict::no(format!("the HTTP status is {status}")));
        }
    }
    let media = served.content_type.as_ref().map(|it| it.as_deref().map(media_type));
    if let Some(media) = media.filter(|media| *media != Some("text/plain")) {
        let named = media.unwrap_or_default();
        let refused = match property!(profile, other, media_type) {
            Some(MediaType::Ignored) => false,
            Some(MediaType::TextPlain) => !named.eq_ignore_ascii_case("text/plain"),
            Some(MediaType::TextPlainExactly) => true,
            None => return unknown("whether it looks at Content-Type"),
        };
        match media {
            _ if !refused => {}
            None => return Some(Verdict::no("there is no Content-Type")),
            Some(media) => return Some(Verdict::no(format!("Content-Type is `{media}`"))),
        }
    }
    if let Some(milliseconds) = served.milliseconds
        && let Some(limit) = property!(profile, other, fetch_timeout)
        && milliseconds > limit.saturating_mul(1000)
    {
        return Some(Verdict::no(format!("the policy takes longer than the {limit} seconds that it waits")));
    }
    let size = u64::try_from(served.body.len()).unwrap_or(u64::MAX).saturating_add(u64::from(served.truncated));
    match (property!(profile, other, largest_policy), property!(profile, other, larger_policy)) {
        (Some(limit), Some(Larger::Refused)) if size > limit => {
            Some(Verdict::no(format!("the policy is larger than the {limit} octets that it reads")))
        }
        _ => None,
    }
}

/// The media type of a Content-Type, as it is written.
fn media_type(content_type: &str) -> &str {
    content_type.split(';').next().unwrap_or_default().trim()
}

/// The charset of a Content-Type, in lower case.
fn charset(content_type: &str) -> Option<String> {
    let parameters = content_type.split(';').skip(1).filter_map(|parameter| parameter.split_once('='));
    let mut charsets = parameters.filter(|(name, _)| name.trim().eq_ignore_ascii_case("charset"));
    charsets.next().map(|(_, value)| value.trim().trim_matches('"').to_ascii_lowercase())
}
