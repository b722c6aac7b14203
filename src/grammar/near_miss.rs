//! Why a name that was meant to match a host does not: `mx` patterns (RFC 8461 §4.1) and DNS-IDs (RFC 9525 §6.3).
//!
//! Both compare label by label, and in both `*` covers exactly one left-most label; so their authors make the same
//! mistakes. Called by `facts` for policies and for certificates.

use super::names::normalised;

/// The longest name that is compared with others, in octets (RFC 1035 §2.3.4).
const MAX_NAME: usize = 255;
/// A shorter name differs from too many others by a letter or two.
const MIN_TYPO_LENGTH: usize = 6;
/// Longer names are not looked through for typos, which takes the square of their length.
const MAX_TYPO_LENGTH: usize = 100;

crate::vocabulary::vocabulary! {
    /// Why a name misses a host, the most telling reason first.
    pub enum Miss {
        /// The wildcard represents one label, and the host has more in front.
        WildcardDepth = "wildcard_depth",
        /// The wildcard's own domain is the host.
        BareName = "bare_name",
        /// It is the host's name without some of its first labels.
        MissingLabel = "missing_label",
        /// It is the host's name with labels in front of it.
        ExtraLabel = "extra_label",
        /// It goes on after the host's name.
        TrailingLabel = "trailing_label",
        /// It ends before the host's name does.
        CutShort = "cut_short",
        /// It matches the name that the host is an alias of.
        CanonicalName = "canonical_name",
        /// A letter or two differ.
        Typo = "typo",
        /// It is the policy host.
        PolicyHost = "policy_host",
        /// It is the mail domain, or a wildcard below it.
        MailDomain = "mail_domain",
    }
}

/// A host that names are compared with.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Its name.
    pub host: &'a str,
    /// The name that it is an alias of, where it is one.
    pub canonical: Option<&'a str>,
    /// The mail domain, where it is known.
    pub domain: Option<&'a str>,
    /// Whether it is the policy host, and not an MX host.
    pub is_policy_host: bool,
}

/// The name that comes nearest to the host without matching it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NearMiss {
    /// Its place among the names.
    pub index: usize,
    /// Why it misses.
    pub miss: Miss,
    /// The same in words, as the second half of a sentence that begins with the name.
    pub reason: String,
}

/// The nearest of several names, none of which matches.
pub fn nearest_of<'a>(names: impl IntoIterator<Item = &'a str>, wanted: Wanted<'_>) -> Option<NearMiss> {
    let misses = names.into_iter().enumerate();
    let misses = misses.filter_map(|(index, name)| miss(name, wanted).map(|miss| (miss, index, name)));
    let (miss, index, name) = misses.min_by_key(|(miss, index, _)| (*miss, *index))?;
    Some(NearMiss { index, miss, reason: reason(miss, name, wanted) })
}

fn miss(name: &str, wanted: Wanted<'_>) -> Option<Miss> {
    let (name, host) = (normalised(name), normalised(wanted.host));
    if name.is_empty() || host.is_empty() || name.len() > MAX_NAME || host.len() > MAX_NAME {
        return None;
    }
    let (wildcard, base) = name.strip_prefix("*.").map_or((false, name.as_str()), |rest| (true, rest));
    let below = |long: &str, short: &str| long.strip_suffix(short).is_some_and(|front| front.ends_with('.'));
    let goes_on = |long: &str, short: &str| long.strip_prefix(short).is_some_and(|rest| rest.starts_with('.'));
    let is_domain = |name: &str| wanted.domain.is_some_and(|domain| normalised(domain) == name);
    let dotted = base.contains('.');
    if wildcard && base == host {
        return Some(Miss::BareName);
    }
    if wildcard && dotted && below(&host, base) {
        return Some(Miss::WildcardDepth);
    }
    if !wildcard && dotted && below(&host, base) {
        return Some(if is_domain(base) { Miss::MailDomain } else { Miss::MissingLabel });
    }
    if below(base, &host) {
        return Some(Miss::ExtraLabel);
    }
    if !wildcard && goes_on(base, &host) {
        return Some(Miss::TrailingLabel);
    }
    if !wildcard && dotted && goes_on(&host, base) {
        return Some(Miss::CutShort);
    }
    if wanted.canonical.is_some_and(|canonical| matches(wildcard, base, &normalised(canonical))) {
        return Some(Miss::CanonicalName);
    }
    let compared = if wildcard { host.split_once('.').map_or("", |(_, parent)| parent) } else { host.as_str() };
    if is_typo(base, compared) {
        return Some(Miss::Typo);
    }
    if wanted.domain.is_some_and(|domain| base == format!("mta-sts.{}", normalised(domain))) {
        return Some(Miss::PolicyHost);
    }
    is_domain(base).then_some(Miss::MailDomain)
}

fn matches(wildcard: bool, base: &str, host: &str) -> bool {
    if wildcard { host.split_once('.').is_some_and(|(_, parent)| parent == base) } else { base == host }
}

/// Whether two names differ by a slip of the fingers. Other digits are another host.
fn is_typo(name: &str, host: &str) -> bool {
    let letters = |text: &str| text.chars().filter(|c| !c.is_ascii_digit()).collect::<String>();
    (MIN_TYPO_LENGTH..=MAX_TYPO_LENGTH).contains(&name.len())
        && name.len().abs_diff(host.len()) <= 2
        && letters(name) != letters(host)
        && strsim::damerau_levenshtein(name, host) <= 2
}

fn reason(miss: Miss, name: &str, wanted: Wanted<'_>) -> String {
    let (name, host) = (normalised(name), normalised(wanted.host));
    let base = name.strip_prefix("*.").unwrap_or(&name);
    let what = if wanted.is_policy_host { "policy host" } else { "MX host" };
    let front = |long: &str, short: &str| {
        long.strip_suffix(short).map(|front| front.trim_end_matches('.').to_owned()).unwrap_or_default()
    };
    match miss {
        Miss::BareName => format!("covers names below `{base}`, not `{base}` itself"),
        Miss::CanonicalName if wanted.is_policy_host => {
            format!("matches only the name that {host} is an alias of; senders look for {host} itself")
        }
        Miss::CanonicalName => {
            format!("matches only the name that {host} is an alias of; senders compare the name in the MX record")
        }
        Miss::CutShort => "ends too soon".to_owned(),
        Miss::ExtraLabel => format!("has `{}.` in front of the host's name", front(&name, &host)),
        Miss::MailDomain if name == base => format!("is the mail domain, not the name of the {what}"),
        Miss::MailDomain => format!("covers hosts of the mail domain, and the {what} belongs to another"),
        Miss::MissingLabel => format!("lacks `{}.` in front", front(&host, base)),
        Miss::PolicyHost => "is the web server of the policy, not the MX host".to_owned(),
        Miss::TrailingLabel => {
            format!("has `{}` after the host's name", name.strip_prefix(&host).unwrap_or_default())
        }
        Miss::Typo => "differs by a letter or two: a typo".to_owned(),
        Miss::WildcardDepth => {
            let labels = front(&host, base);
            let count = labels.split('.').count();
            format!("covers only one label, but there are {count} (`{labels}`) in front of `{base}`")
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(name: &str, host: &str) -> Option<Miss> {
        let wanted =
            Wanted { host, canonical: Some("lb.example.net"), domain: Some("example.com"), is_policy_host: false };
        nearest_of([name], wanted).map(|near| near.miss)
    }

    #[test]
    fn each_miss_is_told_from_the_others() {
        let cases = [
            ("*.mx.microsoft", "contoso-com.h-v1.mx.microsoft", Some(Miss::WildcardDepth)),
            ("*.mail.example.com", "mail.example.com", Some(Miss::BareName)),
            ("example.com", "mx1.example.com", Some(Miss::MailDomain)),
            ("example.com", "mx1.example.net", Some(Miss::MailDomain)),
            ("*.example.com", "aspmx.l.google.com", Some(Miss::MailDomain)),
            ("mail.example.com", "mx1.mail.example.com", Some(Miss::MissingLabel)),
            ("smtp.mx1.example.com", "mx1.example.com", Some(Miss::ExtraLabel)),
            ("mx1.example.com.example.com", "mx1.example.com", Some(Miss::ExtraLabel)),
            ("mx1.example.com.br", "mx1.example.com", Some(Miss::TrailingLabel)),
            ("mx1.example", "mx1.example.com", Some(Miss::CutShort)),
            ("*.example.net", "mx1.example.com", Some(Miss::CanonicalName)),
            ("mx1.exmaple.com", "mx1.example.com", Some(Miss::Typo)),
            ("*.exmaple.com", "mx1.example.com", Some(Miss::Typo)),
            ("mta-sts.example.com", "mx1.example.com", Some(Miss::PolicyHost)),
            ("mx2.example.com", "mx1.example.com", None),
            ("aspmx.l.google.com", "example-com.mail.protection.outlook.com", None),
            ("com", "mx1.example.com", None),
        ];
        for (name, host, wanted) in cases {
            let found = of(name, host);
            // A doubled zone both begins and ends with the host's name or the zone.
            if name == "mx1.example.com.example.com" {
                assert!(matches!(found, Some(Miss::TrailingLabel | Miss::ExtraLabel)), "{name}: {found:?}");
            } else {
                assert_eq!(found, wanted, "{name} {host}");
            }
        }
    }

    #[test]
    fn the_most_telling_name_is_taken() {
        let wanted =
            Wanted { host: "a.b.example.com", canonical: None, domain: Some("example.com"), is_policy_host: false };
        let near = nearest_of(["example.com", "*.example.com"], wanted).unwrap();
        assert_eq!((near.index, near.miss), (1, Miss::WildcardDepth));
        assert_eq!(near.reason, "covers only one label, but there are 2 (`a.b`) in front of `example.com`");
    }

    proptest! {
        #[test]
        fn any_two_names_are_compared(name in "[*a.é]{0,12}", host in "[*a.é]{0,12}") {
            let wanted = Wanted { host: &host, canonical: Some(&name), domain: Some(&host), is_policy_host: false };
            nearest_of([name.as_str()], wanted);
        }
    }
}
