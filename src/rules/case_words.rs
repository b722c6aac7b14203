//! What a snapshot calls the things that rules know as facts: cases change snapshots, and their authors think in facts.
//! Used by `cases`.

use crate::facts::{Over, fact_paths};

/// Facts (elements of lists without a number) and what of a snapshot they are read from; the longest that fits counts.
const WORDS: &[(&str, &str)] = &[
    ("baseline", "baseline.… with the words of a snapshot"),
    ("mx.hosts.addresses", "mx_hosts.0.ipv4.records, which is a list like mx_hosts.0.ipv6.records"),
    (
        "mx.hosts.addresses.reverse_names",
        "mx_hosts.0.reverse, which is a list such as [{ address: 192.0.2.1, ptr: { records: [{ name: mx.example.com }] } }]",
    ),
    ("mx.hosts.alias", "mx_hosts.0.ipv4.aliases"),
    ("mx.hosts.name", "mx.records.0.exchange"),
    ("mx.hosts.preference", "mx.records.0.preference"),
    ("mx.hosts.probes", "mx_hosts.0.probes.0"),
    ("mx.hosts.tlsa", "mx_hosts.0.tlsa"),
    ("mx.hosts.ttl", "mx_hosts.0.ipv4.ttl"),
    ("mx.hosts", "mx.records and mx_hosts"),
    ("policy", "policy.body, which is the whole text"),
    ("policy_host.addresses", "policy_host.ipv4.records, which is a list like policy_host.ipv6.records"),
    ("policy_host.probes", "policy_host.probes.0"),
    ("record", "record.text, which is the whole record"),
    ("tlsrpt", "tlsrpt.text, which is the whole record"),
];

/// Inside a conversation with a host.
const OF_PROBES: &[(&str, &str)] = &[
    ("headers", "response.headers"),
    ("location", "response.headers"),
    ("media_type", "response.headers"),
    ("status", "response.status"),
    ("tls.certificate", "tls.chain.0"),
    ("tls.trust", "tls.trust.verdict"),
];

/// What to write in a case instead of the path of a fact; `None` where it is not one.
pub fn snapshot_words(path: &str) -> Option<String> {
    let plain: Vec<&str> = path.split('.').filter(|part| *part != "*" && part.parse::<usize>().is_err()).collect();
    let plain = plain.join(".");
    let facts = fact_paths(Over::Domain);
    let is_fact = |path: &str| facts.iter().any(|fact| fact.path.replace("[]", "") == path);
    // Of a path in the words of a snapshot the last one may be that of a fact alone.
    let last = plain.rsplit('.').next().unwrap_or_default();
    let named = || WORDS.iter().map(|(fact, _)| *fact).find(|fact| last == "reverse_names" && fact.ends_with(last));
    let plain = if is_fact(&plain) { plain } else { named().filter(|_| plain.contains('.'))?.to_owned() };
    let below = |word: &str| plain == word || plain.strip_prefix(word).is_some_and(|rest| rest.starts_with('.'));
    let (fact, words) = WORDS.iter().filter(|(fact, _)| below(fact)).max_by_key(|(fact, _)| fact.len())?;
    let rest = plain.strip_prefix(fact).unwrap_or_default().trim_start_matches('.');
    let inside = OF_PROBES.iter().find(|(inner, _)| rest.starts_with(inner));
    let changed = match inside.filter(|_| fact.ends_with("probes")) {
        Some((inner, of_probe)) => format!("{words}.{of_probe}{}", rest.strip_prefix(inner).unwrap_or_default()),
        None if fact.ends_with("probes") && !rest.is_empty() => format!("{words}.{rest}"),
        None => (*words).to_owned(),
    };
    let (changed, which) = changed.split_once(", which").unwrap_or((&changed, ""));
    let which = if which.is_empty() { String::new() } else { format!(", which{which}") };
    Some(format!("`{path}` is a fact; a case changes the snapshot that it is read from: `{changed}`{which}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_lead_to_what_they_are_read_from() {
        for (path, words) in [
            ("mx.hosts.0.name", "`mx.records.0.exchange`"),
            ("policy.mode", "`policy.body`, which"),
            ("mx.hosts.*.probes.0.tls.certificate.key_bits", "`mx_hosts.0.probes.0.tls.chain.0.key_bits`"),
            ("policy_host.probes.0.status", "`policy_host.probes.0.response.status`"),
            ("record.id", "`record.text`, which"),
        ] {
            let said = snapshot_words(path).unwrap_or_default();
            assert!(said.contains(words), "{path}: {said}");
        }
        assert_eq!(snapshot_words("policy.bdy"), None);
    }

    #[test]
    fn every_fact_that_is_named_exists() {
        for (fact, _) in WORDS {
            assert!(fact_paths(Over::Domain).iter().any(|known| known.path.replace("[]", "") == *fact), "{fact}");
        }
    }
}
