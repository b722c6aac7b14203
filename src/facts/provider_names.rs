//! The names of the providers that `rules/providers` lists: facts about providers are one of them. Used by `tree`, and with
//! the tables themselves by `providers`.

use std::collections::BTreeSet;

use serde::Deserialize;

/// Where providers of mail receive it.
pub const MX: &str = include_str!("../../rules/providers/mx.yaml");
/// Who runs policy hosts.
pub const POLICY_HOST: &str = include_str!("../../rules/providers/policy_host.yaml");

#[derive(Deserialize)]
struct Table {
    providers: Vec<Provider>,
}

#[derive(Deserialize)]
struct Provider {
    name: String,
}

/// The providers of mail.
pub fn of_mail() -> BTreeSet<String> {
    names(MX)
}

/// The providers of policy hosts.
pub fn of_policy_hosts() -> BTreeSet<String> {
    names(POLICY_HOST)
}

fn names(table: &str) -> BTreeSet<String> {
    let table: Option<Table> = serde_yaml::from_str(table).ok();
    table.into_iter().flat_map(|table| table.providers).map(|provider| provider.name).collect()
}
