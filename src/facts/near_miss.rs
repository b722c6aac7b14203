//! The nearest misses: which line or name was meant to match a host, why it does not, and what to write.
//!
//! Called when policy and MX hosts are both known, and for each certificate.

use std::collections::BTreeMap;

use super::builder::Builder;
use super::fact::Fact;
use super::path::Path;
use super::providers;
use super::tree::{MxFacts, MxHostFacts, NearMissFacts, PatternFacts, PolicyFacts};
use crate::grammar::mx_pattern::MxPattern;
use crate::grammar::near_miss::{Miss, NearMiss, Wanted, nearest_of};

/// How many lines of a policy are compared with a host.
const MAX_LINES: usize = 1_024;
/// How many pairs of a host and a line are compared.
const MAX_PAIRS: usize = 32_768;
/// How many hosts are named together in one text: each of them has that text.
const MAX_TOGETHER: usize = 64;

/// Adds to each MX host that the policy does not name the line that comes nearest, and the text that names it.
pub fn of_policy(builder: &mut Builder<'_>, mx: &mut MxFacts, policy: &mut PolicyFacts) {
    let Fact::Known(hosts) = &mut mx.hosts else { return };
    let names: Vec<String> = hosts.iter().filter_map(|host| host.name.known()).cloned().collect();
    let provider = providers::common(names.iter().map(String::as_str));
    let patterns = policy.mx.known().map_or(&[][..], Vec::as_slice);
    let texts: Vec<&str> = patterns.iter().filter_map(|pattern| pattern.text.known()).map(String::as_str).collect();
    let wanted_patterns = texts.iter().map(|text| text.strip_prefix("*.").unwrap_or(text));
    policy.provider = Fact::Known(providers::common(wanted_patterns).map(str::to_owned));
    mx.provider = Fact::Known(provider.map(str::to_owned));
    let uncovered = |host: &MxHostFacts| host.covered == Fact::Known(Some(false));
    // Of very many hosts or lines only the first are compared: each host is compared with each line.
    let compared = patterns.get(..MAX_LINES).unwrap_or(patterns);
    let mut left = MAX_PAIRS;
    let misses: Vec<Option<NearMiss>> = hosts
        .iter()
        .map(|host| {
            if !uncovered(host) || left < compared.len() {
                return None;
            }
            left = left.saturating_sub(compared.len());
            nearest(builder, host, compared)
        })
        .collect();
    let valid = patterns.iter().all(|pattern| pattern.problem == Fact::Known(None));
    let none_near = misses.iter().all(Option::is_none);
    let others = valid && !patterns.is_empty() && none_near && !hosts.is_empty() && hosts.iter().all(uncovered);
    policy.other_hosts = Fact::Known(others);
    let block = if others && hosts.len() <= MAX_TOGETHER { block(builder, policy) } else { None };
    // One line that was meant for several hosts is one mistake, with one text that names them all.
    let mut meant_for: BTreeMap<usize, Vec<(String, Miss)>> = BTreeMap::new();
    for (name, miss) in names.iter().zip(&misses) {
        if let Some(miss) = miss {
            meant_for.entry(miss.index).or_default().push((name.clone(), miss.miss));
        }
    }
    // A line that comes nearest to very many was meant for each by itself.
    meant_for.retain(|_, hosts| hosts.len() <= MAX_TOGETHER);
    for (index, (host, miss)) in hosts.iter_mut().zip(misses).enumerate() {
        let path = Path::from("mx").to("hosts").nth(index);
        if host.covered.is_unobserved() {
            let reason = builder.unobserved.get(path.to("covered").as_str()).cloned().unwrap_or_default();
            builder.note_unobserved(path.to("near_miss"), reason.clone());
            builder.note_unobserved(path.to("near_miss_of"), reason.clone());
            builder.note_unobserved(path.to("correction"), reason);
            continue;
        }
        let pattern = miss.as_ref().and_then(|miss| Some((miss, patterns.get(miss.index)?)));
        host.near_miss = Fact::Known(pattern.map(|(miss, pattern)| facts(miss, pattern)));
        let meant_for = pattern.and_then(|(miss, _)| meant_for.get(&miss.index)).map_or(&[][..], Vec::as_slice);
        let alone = pattern.and(host.name.known()).filter(|_| meant_for.is_empty());
        host.near_miss_of = Fact::Known(meant_for.iter().map(|(name, _)| name).chain(alone).cloned().collect());
        if let Some((miss, _)) = pattern {
            let place = builder.locations.get(Path::from("policy").to("mx").nth(miss.index));
            builder.locations.note_as(path.to("near_miss"), place);
        }
        host.correction = Fact::Known(None);
        let Some(name) = host.name.known().filter(|name| uncovered(host) && MxPattern::parse(name).is_ok()) else {
            continue;
        };
        let (text, place) = match (&block, pattern) {
            (Some(place), _) => (names.join("\nmx: "), Some(place.clone())),
            // A line that names another host stays as it is.
            (None, Some((miss, pattern))) if pattern.matches == Fact::Known(Vec::new()) && !meant_for.is_empty() => {
                let place = builder.locations.get(Path::from("policy").to("mx").nth(miss.index));
                (replacements(meant_for, pattern), place)
            }
            (None, _) => (format!("\nmx: {name}"), builder.locations.get("policy.insertion")),
        };
        builder.locations.note_as(path.to("correction"), place);
        host.correction = Fact::Known(Some(text));
    }
}

/// The name of a certificate that comes nearest to a host that none of them matches.
pub fn of_certificate(names: &[String], wanted: Wanted<'_>) -> Option<NearMissFacts> {
    let miss = nearest_of(names.iter().map(String::as_str), wanted)?;
    let text = names.get(miss.index)?;
    Some(NearMissFacts {
        text: Fact::Known(crate::source_text::escape(text)),
        kind: Fact::Known(miss.miss),
        reason: Fact::Known(crate::source_text::escape(&miss.reason)),
        line: Fact::Known(None),
    })
}

fn nearest(builder: &Builder<'_>, host: &MxHostFacts, patterns: &[PatternFacts]) -> Option<NearMiss> {
    let wanted = Wanted {
        host: host.name.known()?,
        canonical: host.canonical.known().and_then(Option::as_deref),
        domain: builder.domain(),
        is_policy_host: false,
    };
    nearest_of(patterns.iter().map(|pattern| pattern.text.known().map_or("", String::as_str)), wanted)
}

fn facts(miss: &NearMiss, pattern: &PatternFacts) -> NearMissFacts {
    NearMissFacts {
        text: pattern.text.clone(),
        kind: Fact::Known(miss.miss),
        reason: Fact::Known(miss.reason.clone()),
        line: pattern.line.clone().map(Some),
    }
}

/// What to write instead of a pattern that was meant for these hosts, each line once.
fn replacements(meant_for: &[(String, Miss)], pattern: &PatternFacts) -> String {
    let mut lines: Vec<String> = Vec::new();
    for (host, miss) in meant_for {
        let line = replacement(*miss, host, pattern);
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    lines.join("\nmx: ")
}

/// What to write instead of a pattern that matches nothing: a wildcard stays one where it was one level off.
fn replacement(miss: Miss, host: &str, pattern: &PatternFacts) -> String {
    let above = host.split_once('.').map(|(_, parent)| parent).filter(|parent| parent.contains('.'));
    match (miss, above) {
        (Miss::WildcardDepth, Some(parent)) => format!("*.{parent}"),
        (Miss::Typo, Some(parent)) if pattern.wildcard == Fact::Known(true) => format!("*.{parent}"),
        _ => host.to_owned(),
    }
}

/// The values of all `mx` lines as one place, where nothing else is between them.
fn block(builder: &mut Builder<'_>, policy: &PolicyFacts) -> Option<(String, usize, usize)> {
    let patterns = policy.mx.known()?;
    let lines: Vec<i64> = patterns.iter().filter_map(|pattern| pattern.line.known().copied()).collect();
    if lines.len() != patterns.len() || lines.windows(2).any(|pair| matches!(pair, [a, b] if a.saturating_add(1) != *b))
    {
        return None;
    }
    let (exhibit, from, _) = builder.locations.get("policy.mx[0]")?;
    let (_, start, length) = builder.locations.get(Path::from("policy").to("mx").nth(lines.len().saturating_sub(1)))?;
    let place = (from, start.saturating_add(length).saturating_sub(from));
    builder.locations.note("policy.mx", &exhibit, place);
    Some((exhibit, place.0, place.1))
}
