//! Which mail provider a host belongs to: the table `rules/providers/mx.yaml`.

use std::sync::OnceLock;

use serde::Deserialize;

use crate::grammar::names::plain;

/// The table.
const TABLE: &str = include_str!("../../rules/providers/mx.yaml");

/// The providers of mail whose MX hosts a public document names.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Providers {
    providers: Vec<Provider>,
}

/// A provider of mail.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Provider {
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

fn providers() -> &'static [Provider] {
    static PROVIDERS: OnceLock<Vec<Provider>> = OnceLock::new();
    // A test reads the table, so that it is never empty.
    PROVIDERS.get_or_init(|| serde_yaml::from_str::<Providers>(TABLE).unwrap_or_default().providers)
}

/// The provider that a host, or the domain of a wildcard, belongs to.
pub fn of(name: &str) -> Option<&'static str> {
    let name = plain(name);
    let inside =
        |zone: &String| name.strip_suffix(zone.as_str()).is_some_and(|front| front.is_empty() || front.ends_with('.'));
    providers().iter().find(|provider| provider.zones.iter().any(inside)).map(|provider| provider.name.as_str())
}

/// The provider that all the names belong to; `None` where there is no name, or no one provider of all.
pub fn common<'a>(names: impl IntoIterator<Item = &'a str>) -> Option<&'static str> {
    let mut names = names.into_iter().map(of);
    let first = names.next()??;
    names.all(|other| other == Some(first)).then_some(first)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_table_names_its_sources() {
        let table: Providers = serde_yaml::from_str(TABLE).unwrap();
        assert!(!table.providers.is_empty());
        for provider in &table.providers {
            assert!(provider.source.starts_with("https://"), "{}", provider.name);
            provider.seen.parse::<jiff::civil::Date>().unwrap();
            assert!(provider.zones.iter().all(|zone| zone.contains('.') && *zone == plain(zone)), "{}", provider.name);
            assert!(!provider.zones.is_empty(), "{}", provider.name);
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
}
