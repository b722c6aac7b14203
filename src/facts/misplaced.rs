//! Records at names where no sender looks, and what a wildcard puts at every name. Used by the facts of both TXT records
//! and of the policy host.

use std::collections::BTreeSet;

use super::builder::{Builder, question_text, ttl_column};
use super::fact::Fact;
use super::path::Path;
use super::tree::{MisplacedFacts, Slip};
use crate::grammar::names::normalised;
use crate::snapshot::{DnsOutcome, Lookup, TxtRecord};
use crate::source_text::escape;

/// How many names below the domain must answer alike before a wildcard is taken for the cause.
const ALIKE: usize = 3;

/// What was found at the names where no sender looks.
pub struct Misplaced {
    /// The records that were meant for the standard.
    pub records: Fact<Vec<MisplacedFacts>>,
    /// The texts that every name below the domain answers with.
    pub wildcard: Fact<Vec<String>>,
}

/// The records that begin with `prefix`, in lower case, noted under `root` (`record` or `tlsrpt`), which is also the
/// name of the exhibit.
pub fn at(builder: &mut Builder<'_>, root: &str, prefix: &str) -> Misplaced {
    let path = Path::from(root).to("misplaced");
    let Some(lookups) = &builder.snapshot.misplaced else {
        for path in [&path, &Path::from(root).to("wildcard")] {
            builder.note_missing_part(path, "misplaced", "the names where records are put by mistake");
        }
        return Misplaced { records: Fact::Unobserved, wildcard: Fact::Unobserved };
    };
    let wildcard = wildcard(builder.domain(), lookups);
    let mut found = Vec::new();
    for lookup in lookups {
        let name = normalised(lookup.name.as_deref().unwrap_or("?"));
        for record in lookup.known().unwrap_or_default() {
            let text = String::from_utf8_lossy(&record.joined()).into_owned();
            let meant = text.trim_start().to_ascii_lowercase().starts_with(prefix);
            if !meant || (wildcard.contains(&text) && builder.domain() != Some(name.as_str())) {
                continue;
            }
            let exhibit = builder.locations.exhibit(root);
            let line = format!("{name}. {}IN TXT \"{}\"", ttl_column(lookup.ttl), escape(&text));
            let (start, end) = exhibit.push_placed(&line);
            exhibit.push("\n");
            builder.locations.note(path.nth(found.len()), root, (start, end.saturating_sub(start)));
            let slip = Fact::Known(slip(builder.domain(), &name));
            found.push(MisplacedFacts { name: Fact::Known(name.clone()), slip, text: Fact::Known(text) });
        }
    }
    // Nothing found among names that were not answered is no knowledge.
    let records = match lookups.iter().find(|lookup| lookup.known().is_none()) {
        Some(unknown) if found.is_empty() => {
            let reason = question_text(unknown, "TXT", "?");
            builder.note_unobserved(path, reason);
            Fact::Unobserved
        }
        // A record at the domain itself is told from a wildcard's by the domain alone.
        None if found.is_empty() && !wildcard.is_empty() && builder.domain().is_none() => {
            builder.note_unobserved(path, "no domain was given, and a wildcard answers at every name");
            Fact::Unobserved
        }
        _ => Fact::Known(found),
    };
    Misplaced { records, wildcard: Fact::Known(wildcard.into_iter().collect()) }
}

/// The policy host's name with the zone once more after it, where that is in the DNS; not observed where it was not
/// asked for.
pub fn doubled_policy_host(builder: &mut Builder<'_>) -> Fact<Option<String>> {
    let path = "policy_host.doubled";
    let (Some(domain), Some(lookups)) = (builder.domain(), builder.snapshot.misplaced.as_deref()) else {
        builder.note_missing_part(path, "misplaced", "the names where records are put by mistake");
        return Fact::Unobserved;
    };
    let host = format!("mta-sts.{domain}.");
    let is_doubled =
        |lookup: &&Lookup<TxtRecord>| name_of(lookup).starts_with(&host) && name_is_doubled(domain, &name_of(lookup));
    let Some(doubled) = lookups.iter().find(is_doubled).filter(|lookup| lookup.known().is_some()) else {
        builder
            .note_unobserved(path, "the policy host's name with the zone after it was not asked for, or not answered");
        return Fact::Unobserved;
    };
    let exists =
        |lookup: &Lookup<TxtRecord>| lookup.outcome() != Some(DnsOutcome::Nxdomain) || !lookup.aliases.is_empty();
    // Where a name is there that nobody publishes, a wildcard makes them all.
    let nobodys = format!("_tlsrpt.{domain}");
    let wildcard = lookups.iter().any(|lookup| name_of(lookup) == nobodys && exists(lookup));
    Fact::Known(Some(name_of(doubled)).filter(|_| exists(doubled) && !wildcard))
}

/// The texts that at least three names below the domain answer with.
fn wildcard(domain: Option<&str>, lookups: &[Lookup<TxtRecord>]) -> BTreeSet<String> {
    let below = lookups.iter().filter(|lookup| Some(name_of(lookup).as_str()) != domain);
    let answers: Vec<BTreeSet<String>> = below.filter_map(texts).collect();
    let all: BTreeSet<&String> = answers.iter().flatten().collect();
    // A name that is there for another reason is not among those that a wildcard makes.
    let alike = |text: &&String| answers.iter().filter(|texts| texts.contains(*text)).count() >= ALIKE;
    all.into_iter().filter(alike).cloned().collect()
}

/// The texts of an answer; `None` where there is none.
fn texts(lookup: &Lookup<TxtRecord>) -> Option<BTreeSet<String>> {
    let records = lookup.known().filter(|_| lookup.aliases.is_empty())?;
    Some(records.iter().map(|record| String::from_utf8_lossy(&record.joined()).into_owned()).collect())
}

fn name_of(lookup: &Lookup<TxtRecord>) -> String {
    normalised(lookup.name.as_deref().unwrap_or("?"))
}

/// Whether a name below the domain ends in its zone once more.
fn name_is_doubled(domain: &str, name: &str) -> bool {
    let before = name.split_once(&format!(".{domain}.")).map(|(_, behind)| behind);
    before.is_some_and(|behind| domain == behind || domain.ends_with(&format!(".{behind}")))
}

fn slip(domain: Option<&str>, name: &str) -> Slip {
    let Some(domain) = domain else { return Slip::Renamed };
    if name == domain {
        return Slip::Bare;
    }
    if name_is_doubled(domain, name) {
        return Slip::Doubled;
    }
    let labels = name.strip_suffix(domain).unwrap_or(name).trim_end_matches('.');
    if labels.ends_with(".www") {
        return Slip::Www;
    }
    let plain_label = |labels: &str| labels.replace(['_', '-', '.'], "");
    if ["mtasts", "smtptls"].contains(&plain_label(labels).as_str()) { Slip::Underscore } else { Slip::Renamed }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_told_by_the_name() {
        let domain = Some("mail.example.com");
        for (name, expected) in [
            ("mail.example.com", Slip::Bare),
            ("mta-sts.mail.example.com", Slip::Underscore),
            ("_mta_sts.mail.example.com", Slip::Underscore),
            ("_smtp.tls.mail.example.com", Slip::Underscore),
            ("_smtp-tls.mail.example.com", Slip::Underscore),
            ("_tls.mail.example.com", Slip::Renamed),
            ("_mta-sts.www.mail.example.com", Slip::Www),
            ("_mta-sts.mail.example.com.example.com", Slip::Doubled),
            ("_smtp._tls.mail.example.com.mail.example.com", Slip::Doubled),
        ] {
            assert_eq!(slip(domain, name), expected, "{name}");
        }
    }
}
