//! What a domain could publish: a policy and the two records, made from what was seen of its MX hosts.
//!
//! Called by `stslint init`. Pure: the same snapshot gives the same proposal.

use crate::facts::Facts;
use crate::facts::tree::MxHostFacts;
use crate::grammar::mx_pattern::MxPattern;
use crate::outcome::Report;

/// Mode testing begins with a week: the least that the standard's "weeks" allows (RFC 8461 §3.2).
const TESTING_MAX_AGE: u64 = 604_800;
/// From so many hosts under one parent on, a wildcard represents them.
const MANY_HOSTS: usize = 8;
/// The TTL of the proposed records in seconds: short, while things still change.
const TTL: u32 = 3_600;

/// A policy and two records to begin with.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposal {
    /// The Policy Domain.
    pub domain: String,
    /// The policy body, with CRLF (RFC 8461 §3.2).
    pub policy: String,
    /// The two TXT records as lines of a zone file (RFC 8461 §3.1, RFC 8460 §3).
    pub records: [String; 2],
    /// What to know before it is published, and what is in the way of mode enforce; a sentence each.
    pub remarks: Vec<String>,
}

/// Why nothing can be proposed.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NoProposal {
    /// The snapshot has no domain.
    #[error("the snapshot names no domain")]
    NoDomain,
    /// The domain has no MX host.
    #[error("the domain has no MX host: it takes no mail, so there is nothing that MTA-STS could protect")]
    NoHosts,
    /// No MX host has a name that a policy can hold.
    #[error("no MX host has a name that a policy can contain: fix the MX records first")]
    NoNames,
    /// The MX records were not observed.
    #[error("the MX hosts are not known: {0}")]
    Unobserved(String),
}

/// A proposal in mode testing; reports go to `rua`, else to a mailbox of the domain.
pub fn propose(facts: &Facts, report: &Report, rua: &[String]) -> Result<Proposal, NoProposal> {
    let domain = facts.domain.clone().ok_or(NoProposal::NoDomain)?;
    let hosts = facts.of_domain().mx.known().and_then(|mx| mx.hosts.known());
    let hosts = hosts.ok_or_else(|| NoProposal::Unobserved(facts.reason_unobserved("mx.hosts")))?;
    if hosts.is_empty() {
        return Err(NoProposal::NoHosts);
    }
    let patterns = patterns(hosts, &domain);
    if patterns.is_empty() {
        return Err(NoProposal::NoNames);
    }
    let lines: String = patterns.iter().map(|pattern| format!("mx: {pattern}\r\n")).collect();
    let policy = format!("version: STSv1\r\nmode: testing\r\n{lines}max_age: {TESTING_MAX_AGE}\r\n");
    let rua = match (rua, published_rua(facts)) {
        ([], Some(published)) => published,
        ([], None) => format!("mailto:tlsrpt@{domain}"),
        (given, _) => given.join(","),
    };
    let records = [
        format!("_mta-sts.{domain}. {TTL} IN TXT \"v=STSv1; id={};\"", id(facts)),
        format!("_smtp._tls.{domain}. {TTL} IN TXT \"v=TLSRPTv1; rua={rua}\""),
    ];
    Ok(Proposal { policy, records, remarks: remarks(facts, report), domain })
}

/// The destinations of a record that is in order already.
fn published_rua(facts: &Facts) -> Option<String> {
    let tlsrpt = facts.of_domain().tlsrpt.known().filter(|tlsrpt| tlsrpt.usable.known() == Some(&true))?;
    let texts: Vec<&str> = tlsrpt.rua.known()?.iter().filter_map(|rua| rua.text.known().map(String::as_str)).collect();
    Some(texts.join(",")).filter(|rua| !rua.is_empty() && rua.bytes().all(|c| c.is_ascii_graphic() && c != b'"'))
}

/// An id that is new: the time of observation (RFC 8461 §3.1 allows 1 to 32 letters and digits).
fn id(facts: &Facts) -> String {
    let digits: String =
        facts.collected_at.iter().flat_map(|time| time.chars()).filter(char::is_ascii_digit).take(14).collect();
    if digits.is_empty() { "1".to_owned() } else { digits }
}

/// The MX hosts by name; many under one parent by a wildcard.
fn patterns(hosts: &[MxHostFacts], domain: &str) -> Vec<String> {
    let valid = |name: &&String| MxPattern::parse(name).is_ok();
    let names: Vec<&String> = hosts.iter().filter_map(|host| host.name.known()).filter(valid).collect();
    // A wildcard over the domain's own zone would let any of its hosts take the mail (RFC 8461 §10.4).
    let own = |parent: &str| parent == domain || psl::domain_str(domain) == Some(parent);
    let wide = |parent: &str| psl::domain_str(parent).is_none() || own(parent);
    let parent = |name: &str| name.split_once('.').map(|(_, parent)| parent.to_owned());
    let siblings = |of: &Option<String>| names.iter().filter(|name| parent(name) == *of).count();
    let mut patterns: Vec<String> = Vec::new();
    for name in &names {
        let above = parent(name);
        let pattern = match &above {
            Some(parent) if siblings(&above) >= MANY_HOSTS && !wide(parent) => format!("*.{parent}"),
            _ => (*name).clone(),
        };
        if !patterns.contains(&pattern) {
            patterns.push(pattern);
        }
    }
    patterns
}

/// Who goes on with the policy that is served now, in a sentence; `None` where every known sender notices another.
fn slow_to_notice(facts: &Facts) -> Option<String> {
    let senders = facts.of_domain().senders.known()?.iter();
    let slow = senders.filter(|it| it.enforces.known() == Some(&true) && it.notices.known() == Some(&Some(false)));
    let names: Vec<&str> = slow.filter_map(|it| it.name.known().map(String::as_str)).collect();
    let who = match names.as_slice() {
        [] => return None,
        [one] => format!("{one} never looks"),
        [first @ .., last] => format!("{} and {last} never look", first.join(", ")),
    };
    Some(format!("{who} for a new id: mail from there follows the old one until its max_age has passed."))
}

fn remarks(facts: &Facts, report: &Report) -> Vec<String> {
    let mut remarks = Vec::new();
    let tree = facts.of_domain();
    if let Some(Some(id)) = tree.record.known().and_then(|record| record.id.known()) {
        remarks.push(format!(
            "The domain publishes an _mta-sts record already, with id {id}: the proposed one replaces it."
        ));
    }
    if let Some(Some(mode)) = tree.policy.known().and_then(|policy| policy.mode.known()) {
        let slow = slow_to_notice(facts).map(|slow| format!(" {slow}")).unwrap_or_default();
        remarks
            .push(format!("The domain serves a policy already, in mode {mode}: the proposed one replaces it.{slow}"));
    }
    if let Some(Some(text)) = tree.tlsrpt.known().and_then(|tlsrpt| tlsrpt.text.known())
        && published_rua(facts).is_none()
    {
        let text = crate::source_text::escape(text);
        remarks.push(format!("The domain publishes a TLSRPT record already, which senders cannot use: {text}"));
    }
    if tree.policy_host.known().and_then(|host| host.resolves.known()) != Some(&true) {
        let name = facts.domain.as_deref().unwrap_or_default();
        remarks.push(format!(
            "mta-sts.{name} needs an address, and a web server there with a certificate for that very name."
        ));
    }
    // What is in the way of mode enforce: every fault of an MX host that a sender would refuse or report.
    let blocks = |group: &str| ["mx", "smtp"].contains(&group);
    for check in report.findings() {
        if blocks(&check.group) && check.severity > crate::outcome::Severity::Note && check.rule != "mx-covered" {
            let message = check.message.as_deref().unwrap_or(&check.title);
            let subject = check.subject.as_deref().filter(|subject| !message.contains(subject));
            let subject = subject.map(|subject| format!("{subject}: ")).unwrap_or_default();
            remarks.push(format!("Before mode enforce: {subject}{message} ({}).", check.rule));
        }
    }
    let unseen = report.checks.iter().find(|check| check.rule == "smtp-cert-name" && check.reason.is_some());
    if let Some(reason) = unseen.and_then(|check| check.reason.as_deref()) {
        remarks.push(format!("The certificates of the MX hosts were not all seen: {reason}."));
    }
    remarks
}
