//! What is published, as a person looks for it: MX hosts, records, policy, DNSSEC, and what caches mean.

use super::page::Page;
use super::time_in_words;
use crate::facts::tree::FactTree;
use crate::report::wording::counted;
use crate::snapshot::duration;
use crate::source_text::escape;

/// How many hosts and patterns are shown.
const MOST: usize = 20;

/// The facts that a person looks for; nothing where none was observed.
pub fn published(facts: &FactTree, page: &Page<'_>) -> String {
    let mut lines = hosts(facts);
    let texts =
        [("record", facts.record.at(|record| &record.text)), ("TLSRPT", facts.tlsrpt.at(|record| &record.text))];
    for (title, text) in texts {
        if let Some(record) = text.present() {
            lines.push((title, escape(record).chars().take(300).collect::<String>()));
        }
    }
    lines.extend(policy(facts));
    lines.extend(not_attempted(facts));
    if let Some(proof) = facts.record.at(|record| &record.dnssec).known() {
        lines.push(("DNSSEC", format!("the _mta-sts record is {proof}")));
    }
    lines.extend(caching(facts));
    if lines.is_empty() {
        return String::new();
    }
    let mut shown = page.heading("What is published");
    for (title, line) in &lines {
        shown.push_str(&if page.style.accessible {
            page.paragraph("  ", &if title.is_empty() { line.clone() } else { format!("{title}: {line}") })
        } else {
            page.paragraph(&format!("  {title:>7}  "), line)
        });
    }
    shown + "\n"
}

fn hosts(facts: &FactTree) -> Vec<(&'static str, String)> {
    let mut lines = Vec::new();
    if facts.mx.at(|mx| &mx.null_mx).is_true() {
        lines.push(("MX", "null MX: the domain takes no mail (RFC 7505)".to_owned()));
    }
    let hosts = facts.mx.at(|mx| &mx.hosts).entries();
    for host in hosts.iter().take(MOST) {
        let preference = host.preference.present().map_or("implicit".to_owned(), |preference| preference.to_string());
        let mut parts = vec![format!("{preference} {}", escape(host.name.text()))];
        match host.covered.present() {
            Some(true) => parts.push("named by the policy".to_owned()),
            Some(false) => parts.push("not named by the policy".to_owned()),
            None => {}
        }
        if let Some(tls) = host.probes.entries().first().and_then(|probe| probe.tls.known()) {
            parts.extend(tls.version.present().map(|version| version.word().to_owned()));
            let expires = tls.certificate.present().and_then(|certificate| certificate.not_after.known());
            parts.extend(expires.map(|time| format!("certificate until {}", time_in_words(&escape(time)))));
        }
        lines.push(("MX", parts.join(", ")));
    }
    if let Some(more) = hosts.len().checked_sub(MOST).filter(|more| *more > 0) {
        lines.push(("", format!("and {more} more MX hosts")));
    }
    lines
}

/// How many of the addresses that DNS names were not asked, or could not be: the rules about them are not checked.
fn not_attempted(facts: &FactTree) -> Option<(&'static str, String)> {
    let hosts = facts.mx.at(|mx| &mx.hosts).entries();
    let smtp = hosts.iter().flat_map(|host| host.probes.entries()).map(|probe| (&probe.address, &probe.connected));
    let https = facts.policy_host.at(|host| &host.probes).entries();
    let https = https.iter().map(|probe| (&probe.address, &probe.connected));
    let asked: Vec<bool> = smtp
        .chain(https)
        .filter(|(address, _)| !address.is_unobserved())
        .map(|(_, connected)| !connected.is_unobserved())
        .collect();
    let not_attempted = asked.iter().filter(|asked| !**asked).count();
    let unknown = hosts.iter().filter(|host| host.resolves.is_unobserved()).count();
    let mut parts = Vec::new();
    if not_attempted > 0 {
        let was = if not_attempted == 1 { "was" } else { "were" };
        parts.push(format!("{not_attempted} of {} addresses {was} not asked", asked.len()));
    }
    if unknown > 0 {
        parts.push(format!("the addresses of {} are not known", counted(unknown, "MX host")));
    }
    if parts.is_empty() { None } else { Some(("unseen", parts.join("; "))) }
}

fn policy(facts: &FactTree) -> Option<(&'static str, String)> {
    let policy = facts.policy.known()?;
    let mode = policy.mode.present()?;
    let life = policy.max_age.present();
    let life = life.map(|seconds| format!(", max_age {seconds} s ({})", duration(*seconds)));
    let patterns = policy.mx.entries().iter().filter_map(|pattern| pattern.text.known());
    let named: Vec<String> = patterns.map(|text| escape(text)).take(MOST).collect();
    let named = if named.is_empty() { String::new() } else { format!(", mx {}", named.join(" ")) };
    Some(("policy", format!("mode {mode}{}{named}", life.unwrap_or_default())))
}

/// What the TTLs and `max_age` mean for whoever tests again after a change.
fn caching(facts: &FactTree) -> Option<(&'static str, String)> {
    let (record, tlsrpt, mx) = (&facts.record, &facts.tlsrpt, &facts.mx);
    let ttls: Vec<String> = [
        ("_mta-sts", record.at(|record| &record.ttl), record.at(|record| &record.ttl_seen)),
        ("_smtp._tls", tlsrpt.at(|record| &record.ttl), tlsrpt.at(|record| &record.ttl_seen)),
        ("MX", mx.at(|mx| &mx.ttl), mx.at(|mx| &mx.ttl_seen)),
    ]
    .into_iter()
    .filter_map(|(name, published, seen)| {
        let at_least = if published.present().is_none() { "at least " } else { "" };
        Some(format!("{name} {at_least}{}", duration(*published.present().or(seen.present())?)))
    })
    .collect();
    if ttls.is_empty() {
        return None;
    }
    let life = facts.policy.at(|policy| &policy.max_age).present();
    let life =
        life.map(|seconds| format!("; senders keep the policy for {}, or until they see a new id", duration(*seconds)));
    let text = format!(
        "a change in DNS is seen everywhere after the TTL at the latest ({}){}",
        ttls.join(", "),
        life.unwrap_or_default()
    );
    Some(("caches", text))
}
