//! What is published, as a person looks for it: MX hosts, records, policy, DNSSEC, and what caches mean.

use serde_json::Value;

use super::page::Page;
use super::time_in_words;
use crate::report::wording::counted;
use crate::snapshot::duration;
use crate::source_text::escape;

/// How many hosts and patterns are shown.
const MOST: usize = 20;

/// The facts that a person looks for; nothing where none was observed.
pub fn published(facts: &Value, page: &Page<'_>) -> String {
    let mut lines = hosts(facts);
    for (title, root) in [("record", "/record"), ("TLSRPT", "/tlsrpt")] {
        if let Some(record) = text(facts, &format!("{root}/text")) {
            lines.push((title, record.chars().take(300).collect::<String>()));
        }
    }
    lines.extend(policy(facts));
    lines.extend(unasked(facts));
    if let Some(proof) = text(facts, "/record/dnssec") {
        lines.push(("DNSSEC", format!("the _mta-sts record is {proof}")));
    }
    lines.extend(caching(facts));
    if lines.is_empty() {
        return String::new();
    }
    let mut shown = page.heading("What is published");
    for (title, line) in &lines {
        shown.push_str(&match page.style.accessible {
            true => page.paragraph("  ", &if title.is_empty() { line.clone() } else { format!("{title}: {line}") }),
            false => page.paragraph(&format!("  {title:>7}  "), line),
        });
    }
    shown + "\n"
}

fn text(facts: &Value, path: &str) -> Option<String> {
    facts.pointer(path).and_then(Value::as_str).map(escape)
}

fn number(facts: &Value, path: &str) -> Option<i64> {
    facts.pointer(path).and_then(Value::as_i64)
}

fn hosts(facts: &Value) -> Vec<(&'static str, String)> {
    let mut lines = Vec::new();
    if facts.pointer("/mx/null_mx") == Some(&Value::Bool(true)) {
        lines.push(("MX", "null MX: the domain takes no mail (RFC 7505)".to_owned()));
    }
    let hosts = facts.pointer("/mx/hosts").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    for host in hosts.iter().take(MOST) {
        let preference = number(host, "/preference").map_or("implicit".to_owned(), |preference| preference.to_string());
        let mut parts = vec![format!("{preference} {}", text(host, "/name").unwrap_or_default())];
        match host.pointer("/covered") {
            Some(Value::Bool(true)) => parts.push("named by the policy".to_owned()),
            Some(Value::Bool(false)) => parts.push("not named by the policy".to_owned()),
            _ => {}
        }
        parts.extend(text(host, "/probes/0/tls/version"));
        let expires = text(host, "/probes/0/tls/certificate/not_after");
        parts.extend(expires.map(|time| format!("certificate until {}", time_in_words(&time))));
        lines.push(("MX", parts.join(", ")));
    }
    if let Some(more) = hosts.len().checked_sub(MOST).filter(|more| *more > 0) {
        lines.push(("", format!("and {more} more MX hosts")));
    }
    lines
}

/// How many of the addresses that DNS names were not asked, or could not be: the rules about them are not checked.
fn unasked(facts: &Value) -> Option<(&'static str, String)> {
    let list = |of: &Value, path: &str| of.pointer(path).and_then(Value::as_array).cloned().unwrap_or_default();
    let hosts = list(facts, "/mx/hosts");
    let probes = hosts.iter().chain(facts.pointer("/policy_host")).flat_map(|host| list(host, "/probes"));
    let addresses: Vec<Value> = probes.filter(|probe| probe.get("address").is_some()).collect();
    let unasked = addresses.iter().filter(|probe| probe.get("connected").is_none()).count();
    let unknown = hosts.iter().filter(|host| host.get("resolves").is_none()).count();
    let mut parts = Vec::new();
    if unasked > 0 {
        let was = if unasked == 1 { "was" } else { "were" };
        parts.push(format!("{unasked} of {} addresses {was} not asked", addresses.len()));
    }
    if unknown > 0 {
        parts.push(format!("the addresses of {} are not known", counted(unknown, "MX host")));
    }
    if parts.is_empty() { None } else { Some(("unseen", parts.join("; "))) }
}

fn policy(facts: &Value) -> Option<(&'static str, String)> {
    let mode = text(facts, "/policy/mode")?;
    let life = number(facts, "/policy/max_age").map(|seconds| format!(", max_age {seconds} s ({})", duration(seconds)));
    let patterns = facts.pointer("/policy/mx").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let named: Vec<String> = patterns.iter().filter_map(|pattern| text(pattern, "/text")).take(MOST).collect();
    let named = if named.is_empty() { String::new() } else { format!(", mx {}", named.join(" ")) };
    Some(("policy", format!("mode {mode}{}{named}", life.unwrap_or_default())))
}

/// What the TTLs and `max_age` mean for whoever tests again after a change.
fn caching(facts: &Value) -> Option<(&'static str, String)> {
    let ttls: Vec<String> = [("_mta-sts", "/record/ttl"), ("_smtp._tls", "/tlsrpt/ttl"), ("MX", "/mx/ttl")]
        .into_iter()
        .filter_map(|(name, path)| {
            let (published, seen) = (number(facts, path), number(facts, &format!("{path}_seen")));
            let at_least = if published.is_none() { "at least " } else { "" };
            Some(format!("{name} {at_least}{}", duration(published.or(seen)?)))
        })
        .collect();
    if ttls.is_empty() {
        return None;
    }
    let life = number(facts, "/policy/max_age")
        .map(|seconds| format!("; senders keep the policy for {}, or until they see a new id", duration(seconds)));
    let text = format!(
        "a change in DNS is seen everywhere after the TTL at the latest ({}){}",
        ttls.join(", "),
        life.unwrap_or_default()
    );
    Some(("caches", text))
}
