//! The names where publishers put their TXT records by mistake. Used by a pass, which asks for each.

/// Labels that drafts of RFC 8461 and RFC 8460 had before their last versions, that lack an underscore or have one too
/// many, and that people guess.
const LABELS: [&str; 12] = [
    "mta-sts",
    "_mta_sts",
    "_tls",
    "_smtp-tls",
    "_smtp_tls",
    "_smtp-tlsrpt",
    "_tlsrpt",
    "_smtp._tcp",
    "smtp._tls",
    "_smtp.tls",
    "smtp.tls",
    "_mta-sts.www",
];

/// What a DNS panel that appends the zone makes of a name that is written out: the label before `<domain>.<zone>`.
const WRITTEN_OUT: [&str; 3] = ["_mta-sts", "_smtp._tls", "mta-sts"];

/// The names for a domain: the domain itself first.
pub fn names(domain: &str) -> Vec<String> {
    let mut names = vec![domain.to_owned()];
    names.extend(LABELS.iter().map(|label| format!("{label}.{domain}")));
    let zone = psl::domain_str(domain).unwrap_or(domain);
    names.extend(WRITTEN_OUT.iter().map(|label| format!("{label}.{domain}.{zone}")));
    names.retain(|name| name.len() <= MAX_NAME);
    names
}

/// The longest name that DNS carries, without its last dot (RFC 1035 §2.3.4).
const MAX_NAME: usize = 253;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_zone_is_doubled_as_panels_do() {
        let names = names("mail.example.com");
        assert_eq!(names.first().map(String::as_str), Some("mail.example.com"));
        for name in ["_mta-sts.mail.example.com.example.com", "mta-sts.mail.example.com", "_smtp.tls.mail.example.com"]
        {
            assert!(names.iter().any(|other| other == name), "{name}");
        }
        assert!(super::names(&format!("{}.example", "a".repeat(60).repeat(4))).iter().all(|name| name.len() <= 253));
    }
}
