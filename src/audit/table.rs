//! The audit as people and programs read it: the list of domains, the table of what was seen, and the JSON document.

use serde::Serialize;

use super::agreement::Agreement;
use super::case::{Case, Course, Reading};
use super::cases;
use super::observation::Observation;
use super::verdict::{Because, Fate, Known, Seen, Verdict, Verdicts};
use crate::report::{Style, counted};

/// The domains and what is odd about each.
pub fn list() -> String {
    let widest = cases::all().map(|case| case.name.len()).max().unwrap_or_default();
    cases::all().map(|case| format!("{:<widest$}  {}\n", case.name, case.about)).collect()
}

/// The table of what was seen, with what it means.
pub fn table(seen: &[Seen], verdicts: &Verdicts, style: &Style) -> String {
    let widest = verdicts.domains.iter().map(|verdict| verdict.case.name.len()).max().unwrap_or_default();
    let about = verdicts.domains.iter().map(|verdict| verdict.case.about.chars().count()).max().unwrap_or_default();
    let mut text = String::new();
    let mut group = "";
    for verdict in &verdicts.domains {
        if heading(verdict.case) != group {
            group = heading(verdict.case);
            text.push_str(&format!("\n{}\n", painted(style, "1", group)));
        }
        let (mark, colour) = mark(verdict);
        text.push_str(&format!(
            "{} {:<widest$}  {:<about$}  {}\n",
            painted(style, colour, mark),
            verdict.case.name,
            verdict.case.about,
            outcome(verdict)
        ));
    }
    text.push('\n');
    for line in conclusions(seen, verdicts) {
        text.push_str(&line);
        text.push('\n');
    }
    text
}

fn painted(style: &Style, code: &str, text: &str) -> String {
    if style.colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
}

/// The heading that a domain is under.
fn heading(case: &Case) -> &'static str {
    match case.name.split('-').next() {
        Some("host") => "Policy hosts (held: the policy is accepted)",
        Some("policy") => "Policies (held: the policy is accepted)",
        Some("record") => "Records (held: the record is accepted)",
        Some("then") => "Changes after a first mail (of the second mail)",
        _ if case.reading == Reading::Control => "Controls",
        _ => "MX hosts and modes",
    }
}

/// ✓ as the standard asks, ✗ not so, · left open by it, ? not known.
fn mark(verdict: &Verdict) -> (&'static str, &'static str) {
    match verdict.conforms() {
        Some(true) => ("✓", "32"),
        Some(false) => ("✗", "31"),
        None if verdict.because.is_none() => ("·", "36"),
        None => ("?", "33"),
    }
}

/// What became of the mail, and what it should have been.
fn outcome(verdict: &Verdict) -> String {
    let fate = match verdict.fate {
        Fate::DeliveredClear => "delivered without TLS",
        Fate::DeliveredTls => "delivered",
        Fate::Held => "held",
        Fate::Untried => "no mail seen",
    };
    match (verdict.conforms(), verdict.because, verdict.case.standard) {
        (Some(false), _, Some(Course::Delivered)) => format!("{fate}; the standard: deliver"),
        (Some(false), _, Some(Course::Held)) => format!("{fate}; the standard: hold"),
        (None, Some(because @ (Because::NoMail | Because::NoSecondMail)), _) => reason(because).to_owned(),
        (None, Some(because), _) => format!("{fate}; {}", reason(because)),
        _ => fate.to_owned(),
    }
}

/// Why nothing can be said.
fn reason(because: Because) -> &'static str {
    match because {
        Because::HoldsWithoutPolicy => "it is held without a policy as well",
        Because::NoFirstMail => "the first mail was not delivered",
        Because::NoMail => "no mail was tried",
        Because::NoSecondMail => "no second mail was tried",
        Because::NotEnforcing => "the sender does not enforce",
        Because::NotFetched => "but the policy was never fetched",
        Because::NothingDelivered => "but so is mail for `perfect`",
    }
}

/// How the sender compares with known ones: with those that agree, or with the one that was asked for.
pub fn comparison(agreeing: &[Agreement], asked: Option<&Agreement>) -> String {
    let mut text = String::new();
    for agreement in agreeing.iter().filter(|agreement| asked.is_none_or(|asked| asked.sender != agreement.sender)) {
        text.push_str(&format!("It does what is known of {}, in {}.\n", agreement.label, domains(agreement.compared)));
    }
    let Some(asked) = asked else {
        return text;
    };
    if asked.differences.is_empty() {
        text.push_str(&format!("It does what is known of {}, in {}.\n", asked.label, domains(asked.compared)));
        return text;
    }
    let count = asked.differences.len();
    text.push_str(&format!(
        "It differs from what is known of {} in {count} of {}:\n",
        asked.label,
        domains(asked.compared)
    ));
    for (case, foretold) in &asked.differences {
        let (was, is) = match foretold {
            Course::Delivered => ("delivers", "held"),
            Course::Held => ("holds", "delivered"),
        };
        text.push_str(&format!("  {}: {} {was} the mail; it was {is}\n", case.name, asked.sender));
    }
    text
}

fn domains(count: usize) -> String {
    counted(count, "domain")
}

/// What it comes to, one line each.
fn conclusions(seen: &[Seen], verdicts: &Verdicts) -> Vec<String> {
    let mut lines = Vec::new();
    let perfect = verdicts.domains.iter().find(|verdict| verdict.case.name == cases::PERFECT);
    let fetched = seen.iter().any(|one| one.first.policy_requests > 0);
    let asked = seen.iter().any(|one| one.first.record_asked);
    lines.push(match (verdicts.enforces, perfect.map(|verdict| verdict.fate)) {
        (Some(true), _) => "This sender enforces MTA-STS.".to_owned(),
        (Some(false), _) if !asked => "This sender does not enforce MTA-STS: it never asks for the records.".to_owned(),
        (Some(false), _) if !fetched => "This sender does not enforce MTA-STS: it never fetches a policy.".to_owned(),
        (Some(false), _) => "This sender does not enforce MTA-STS: it delivers to an MX host that the policy does not cover.".to_owned(),
        (None, Some(Fate::Untried) | None) => {
            "Whether this sender enforces MTA-STS is unknown: no mail for `perfect` was seen. Does it use our DNS?".to_owned()
        }
        (None, Some(Fate::Held)) => {
            "Whether this sender enforces MTA-STS is unknown: it delivers nothing to `perfect`. Does it trust our authority?"
                .to_owned()
        }
        (None, _) => {
            "Whether this sender enforces MTA-STS is unknown: it holds mail for domains without a policy, or no mail came."
                .to_owned()
        }
    });
    let count = |wanted: Option<bool>| verdicts.domains.iter().filter(|verdict| verdict.conforms() == wanted).count();
    let known = |verdict: &&Verdict| verdict.because.is_none() && verdict.conforms().is_none();
    let open = verdicts.domains.iter().filter(known).count();
    lines.push(format!(
        "{} domains: {} as the standard asks, {} not, {open} left open by it, {} not known.",
        verdicts.domains.len(),
        count(Some(true)),
        count(Some(false)),
        count(None).saturating_sub(open)
    ));
    lines
}

/// The audit for programs.
#[derive(Serialize)]
pub struct Document<'a> {
    /// The zone that the domains are below.
    under: &'a str,
    /// Whether the sender enforces policies; `null` where that is not known.
    enforces: Option<bool>,
    /// Whether the sender names MX hosts in the TLS handshake (SNI); `null` where that is not known.
    names_host: Option<bool>,
    /// What the client that fetches policies calls itself.
    agent: Option<&'a str>,
    /// The known senders that do the same in all that was measured.
    agrees_with: Vec<&'a str>,
    /// How the sender that was asked for compares.
    #[serde(skip_serializing_if = "Option::is_none")]
    compared: Option<Compared<'a>>,
    /// Each domain.
    domains: Vec<Row<'a>>,
}

/// A known sender beside the measured one, for programs.
#[derive(Serialize)]
struct Compared<'a> {
    sender: &'a str,
    domains: usize,
    differences: Vec<&'static str>,
}

/// One domain for programs.
#[derive(Serialize)]
struct Row<'a> {
    domain: &'static str,
    about: &'static str,
    standard: Option<&'static str>,
    fate: Fate,
    policy: Known,
    #[serde(skip_serializing_if = "Option::is_none")]
    because: Option<Because>,
    conforms: Option<bool>,
    first: &'a Observation,
    #[serde(skip_serializing_if = "Option::is_none")]
    second: Option<&'a Observation>,
}

impl<'a> Document<'a> {
    /// The audit of these domains.
    pub fn of(
        under: &'a str,
        seen: &'a [Seen],
        verdicts: &Verdicts,
        agreeing: &'a [Agreement],
        asked: Option<&'a Agreement>,
    ) -> Self {
        let rows = seen.iter().zip(&verdicts.domains).map(|(seen, verdict)| Row {
            domain: seen.case.name,
            about: seen.case.about,
            standard: seen.case.standard.map(|course| match course {
                Course::Delivered => "delivered",
                Course::Held => "held",
            }),
            fate: verdict.fate,
            policy: verdict.known,
            because: verdict.because,
            conforms: verdict.conforms(),
            first: &seen.first,
            second: seen.second.as_ref(),
        });
        Document {
            under,
            enforces: verdicts.enforces,
            names_host: verdicts.names_host,
            agent: seen.iter().find_map(|one| one.first.agent.as_deref()),
            agrees_with: agreeing.iter().map(|agreement| agreement.sender.as_str()).collect(),
            compared: asked.map(|asked| Compared {
                sender: &asked.sender,
                domains: asked.compared,
                differences: asked.differences.iter().map(|(case, _)| case.name).collect(),
            }),
            domains: rows.collect(),
        }
    }
}
