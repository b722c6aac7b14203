//! From observations to what the sender does: what became of each mail, and what can be inferred from that.
//!
//! Nothing is inferred from a mail that was not tried, and nothing from a held mail while the controls are held as well.

use serde::Serialize;

use super::case::{Case, Course, Reading};
use super::cases::{CLEAR, PERFECT, PLAIN, UNCOVERED};
use super::observation::{Delivery, Observation};

/// A domain with what was seen there.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The domain.
    pub case: &'static Case,
    /// What was seen of the first mail.
    pub first: Observation,
    /// What was seen of the second mail, once the domain had changed.
    pub second: Option<Observation>,
}

/// What became of the mail that counts.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// It was delivered without TLS.
    DeliveredClear,
    /// It was delivered inside TLS.
    DeliveredTls,
    /// The sender tried, and did not deliver it.
    Held,
    /// The sender did nothing about it.
    Untried,
}

impl Fate {
    /// What became of a mail.
    pub fn of(seen: &Observation) -> Self {
        match seen.delivered {
            Some(Delivery::Clear) => Self::DeliveredClear,
            Some(Delivery::Tls) => Self::DeliveredTls,
            None if seen.tried() => Self::Held,
            None => Self::Untried,
        }
    }

    /// The course that the mail took, unless it was not tried.
    pub fn course(self) -> Option<Course> {
        match self {
            Self::DeliveredClear | Self::DeliveredTls => Some(Course::Delivered),
            Self::Held => Some(Course::Held),
            Self::Untried => None,
        }
    }
}

/// What can be said about the sender at one domain.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Known {
    /// It takes the policy into account: it holds the mail because of it.
    Applies,
    /// It does not: it delivers in spite of it.
    DoesNotApply,
    /// Nothing.
    Unknown,
}

/// Why nothing can be said about a domain.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Because {
    /// No mail was tried.
    NoMail,
    /// The first mail, before the change, was not delivered.
    NoFirstMail,
    /// No mail was tried after the change.
    NoSecondMail,
    /// The control domain that is right got no mail.
    NothingDelivered,
    /// The sender holds mail for domains without a policy as well.
    HoldsWithoutPolicy,
    /// The sender does not enforce policies, so that a delivered mail says nothing.
    NotEnforcing,
    /// The mail was held, but the policy was never requested.
    NotFetched,
}

/// What can be said about one domain.
#[derive(Clone, Copy, Debug)]
pub struct Verdict {
    /// The domain.
    pub case: &'static Case,
    /// What became of the mail that counts.
    pub fate: Fate,
    /// What it says about the sender.
    pub known: Known,
    /// Why it says nothing, where it does not.
    pub because: Option<Because>,
}

impl Verdict {
    /// Whether the mail took the course that the standard asks for; `None` where the standard leaves it open or the course
    /// is not known to be the policy's doing.
    pub fn conforms(&self) -> Option<bool> {
        let as_asked = self.fate.course()? == self.case.standard?;
        match self.because {
            None => Some(as_asked),
            // It would have been delivered anyhow.
            Some(Because::NotEnforcing) if !as_asked => Some(false),
            Some(_) => None,
        }
    }
}

/// All that is inferred.
#[derive(Clone, Debug)]
pub struct Verdicts {
    /// Each domain, in the order of the observations.
    pub domains: Vec<Verdict>,
    /// Whether the sender enforces policies; `None` where that cannot be said.
    pub enforces: Option<bool>,
    /// Whether the sender names MX hosts in the TLS handshake (SNI); `None` where no handshake was seen.
    pub names_host: Option<bool>,
}

impl Verdicts {
    /// Infers what can be inferred.
    pub fn of(seen: &[Seen]) -> Self {
        let controls = Controls::of(seen);
        let domains = seen.iter().map(|one| controls.judge(one)).collect();
        let names = seen.iter().filter(|one| one.case.name == PERFECT);
        let names_host = names.filter_map(|one| one.first.mx_named).next_back();
        Verdicts { domains, enforces: controls.enforces(), names_host }
    }
}

/// What became of the mails for the domains that everything else leans on; `None` where the domain is not part of the audit.
struct Controls {
    perfect: Option<Course>,
    plain: Option<Course>,
    clear: Option<Course>,
    uncovered: Option<Course>,
}

impl Controls {
    fn of(seen: &[Seen]) -> Self {
        let course = |name| seen.iter().find(|one| one.case.name == name).and_then(|one| Fate::of(&one.first).course());
        Controls { perfect: course(PERFECT), plain: course(PLAIN), clear: course(CLEAR), uncovered: course(UNCOVERED) }
    }

    fn enforces(&self) -> Option<bool> {
        match (self.uncovered?, self.perfect, self.plain) {
            (Course::Delivered, ..) => Some(false),
            (Course::Held, Some(Course::Delivered), Some(Course::Delivered)) => Some(true),
            (Course::Held, ..) => None,
        }
    }

    fn judge(&self, seen: &Seen) -> Verdict {
        let counts = seen.second.as_ref().filter(|_| seen.case.changes()).unwrap_or(&seen.first);
        let untold = seen.case.changes() && seen.second.is_none();
        let fate = if untold { Fate::Untried } else { Fate::of(counts) };
        let (known, because) = match self.infer(seen, fate) {
            Ok(known) => (known, None),
            Err(because) => (Known::Unknown, Some(because)),
        };
        Verdict { case: seen.case, fate, known, because }
    }

    fn infer(&self, seen: &Seen, fate: Fate) -> Result<Known, Because> {
        let case = seen.case;
        let fetched = seen.first.policy_requests > 0 || seen.second.as_ref().is_some_and(|it| it.policy_requests > 0);
        let no_mail = if seen.first.delivered.is_some() { Because::NoSecondMail } else { Because::NoMail };
        let course = fate.course().ok_or(no_mail)?;
        if case.changes() && seen.first.delivered.is_none() {
            return Err(Because::NoFirstMail);
        }
        if case.changes() && seen.first.policy_requests == 0 {
            return Err(Because::NotFetched);
        }
        match course {
            Course::Delivered if case.reading == Reading::Control => Ok(Known::DoesNotApply),
            Course::Delivered => match self.enforces() {
                Some(true) => Ok(Known::DoesNotApply),
                _ => Err(Because::NotEnforcing),
            },
            Course::Held if self.perfect != Some(Course::Delivered) => Err(Because::NothingDelivered),
            Course::Held if self.plain != Some(Course::Delivered) => Err(Because::HoldsWithoutPolicy),
            Course::Held if needs_clear(case) && self.clear != Some(Course::Delivered) => {
                Err(Because::HoldsWithoutPolicy)
            }
            Course::Held if !fetched => Err(Because::NotFetched),
            Course::Held => Ok(Known::Applies),
        }
    }
}

/// Whether a sender that requires TLS everywhere holds the mail for this domain, with or without a policy.
fn needs_clear(case: &Case) -> bool {
    matches!(case.name, "mx-no-starttls" | "mx-tls-refused" | "mx-tls-fails")
}
