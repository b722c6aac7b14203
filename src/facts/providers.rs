//! Which provider a host belongs to: the tables of `rules/providers`. Used by the facts of MX hosts, of policies and of
//! the policy host.

use std::sync::OnceLock;

use serde::Deserialize;

use super::provider_names::{MX, POLICY_HOST};
use super::tree::HostingKind;
use crate::grammar::names::normalised;

/// A table of providers.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table<P> {
    providers: Vec<P>,
}

/// A provider of mail whose MX hosts a public document names.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct MailProvider {
    /// What people call it.
    name: String,
    /// The MX hosts, or the zones that they are in.
    zones: Vec<String>,
    /// The public document that names them.
    #[allow(dead_code)]
    source: String,
    /// The day on which it did.
    #[allow(dead_code)]
    seen: String,
}

/// Who runs policy hosts for others.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostingProvider {
    /// What people call it.
    pub name: String,
    /// What it does for its customers.
    pub kind: HostingKind,
    /// The zones that a CNAME at `mta-sts` leads to.
    zones: Vec<String>,
    /// The public document that names them.
    #[allow(dead_code)]
    source: String,
    /// The day on which it did.
    #[allow(dead_code)]
    seen: String,
}

fn mail_providers() -> &'static [MailProvider] {
    static PROVIDERS: OnceLock<Vec<MailProvider>> = OnceLock::new();
    // A test reads the table, so that it is never empty.
    PROVIDERS.get_or_init(|| serde_yaml::from_str::<Table<_>>(MX).map(|table| table.providers).unwrap_or_default())
}

fn hosting_providers() -> &'static [HostingProvider] {
    static PROVIDERS: OnceLock<Vec<HostingProvider>> = OnceLock::new();
    PROVIDERS
        .get_or_init(|| serde_yaml::from_str::<Table<_>>(POLICY_HOST).map(|table| table.providers).unwrap_or_default())
}

fn is_in(name: &str, zones: &[String]) -> bool {
    let inside =
        |zone: &String| name.strip_suffix(zone.as_str()).is_some_and(|front| front.is_empty() || front.ends_with('.'));
    zones.iter().any(inside)
}

/// The provider of mail that a host, or the domain of a wildcard, belongs to.
pub fn of(name: &str) -> Option<&'static str> {
    let name = normalised(name);
    mail_providers().iter().find(|provider| is_in(&name, &provider.zones)).map(|provider| provider.name.as_str())
}

/// The provider of mail that all the names belong to; `None` where there is no name, or no one provider of all.
pub fn common<'a>(names: impl IntoIterator<Item = &'a str>) -> Option<&'static str> {
    let mut names = names.into_iter().map(of);
    let first = names.next()??;
    names.all(|other| other == Some(first)).then_some(first)
}

/// Who runs the policy host, by the names that CNAMEs lead through.
pub fn hosting(aliases: &[String]) -> Option<&'static HostingProvider> {
    aliases.iter().find_map(|alias| {
        let alias = normalised(alias);
        hosting_providers().iter().find(|provider| is_in(&alias, &provider.zones))
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn check(name: &str, zones: &[String], source: &str, seen: &str) {
        assert!(source.starts_with("https://"), "{name}");
        seen.parse::<jiff::civil::Date>().unwrap();
        assert!(zones.iter().all(|zone| zone.contains('.') && *zone == normalised(zone)), "{name}");
        assert!(!zones.is_empty(), "{name}");
    }

    #[test]
    fn the_tables_name_their_sources() {
        let mail: Table<MailProvider> = serde_yaml::from_str(MX).unwrap();
        assert!(!mail.providers.is_empty());
        for provider in &mail.providers {
            check(&provider.name, &provider.zones, &provider.source, &provider.seen);
        }
        let hosting: Table<HostingProvider> = serde_yaml::from_str(POLICY_HOST).unwrap();
        assert!(!hosting.providers.is_empty());
        for provider in &hosting.providers {
            check(&provider.name, &provider.zones, &provider.source, &provider.seen);
        }
    }

    #[test]
    fn a_host_belongs_to_the_provider_of_its_zone() {
        assert_eq!(of("ASPMX.L.GOOGLE.COM."), Some("Google"));
        assert_eq!(of("example-com.mail.protection.outlook.com"), Some("Microsoft"));
        assert_eq!(of("x.h-v1.mx.microsoft"), Some("Microsoft"));
        assert_eq!(of("notaspmx.l.google.com.example.net"), None);
        assert_eq!(common(["aspmx.l.google.com", "alt1.aspmx.l.google.com"]), Some("Google"));
        assert_eq!(common(["aspmx.l.google.com", "mx1.example.com"]), None);
        assert_eq!(common([]), None);
    }

    #[test]
    fn a_policy_host_is_run_by_whom_its_alias_leads_to() {
        let run_by = |aliases: &[&str]| {
            let aliases: Vec<String> = aliases.iter().map(|alias| (*alias).to_owned()).collect();
            hosting(&aliases).map(|provider| (provider.name.as_str(), provider.kind))
        };
        assert_eq!(run_by(&["someuser.GitHub.io."]), Some(("GitHub Pages", HostingKind::Sites)));
        assert_eq!(
            run_by(&["example_com_mta_sts.easydmarc.pro", "mta.easydmarc.com"]),
            Some(("EasyDMARC", HostingKind::Policies))
        );
        assert_eq!(run_by(&["web.example.com"]), None);
        assert_eq!(run_by(&[]), None);
    }
}
