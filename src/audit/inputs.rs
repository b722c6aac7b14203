//! What a domain of the audit publishes, as the evaluator of `senders` takes it.

use super::case::Case;
use crate::lab::{RecordData, Scenario, WebAnswer};
use crate::senders::{Input, Served};

/// The zone that inputs are written with: what is below it does not depend on the run.
const UNDER: &str = "example";

/// The text whose reading decides what becomes of the mail, where that is the question of the domain.
pub(super) fn input(case: &Case) -> Option<Input> {
    let scenario = case.scenario(UNDER);
    match case.name.split('-').next()? {
        "record" if case.name != "record-alias" => Some(Input::Record(texts(&scenario))),
        "policy" => served(&scenario).map(Input::Policy),
        "host" if is_answer(case.name) => served(&scenario).map(Input::Policy),
        "mx" if is_pattern(case.name) => {
            let host = scenario.mx_hosts.first()?.name.clone();
            let body = String::from_utf8(served(&scenario)?.body).ok()?;
            let patterns = body.lines().filter_map(|line| line.strip_prefix("mx: ")).map(str::to_owned).collect();
            Some(Input::Host { host, patterns })
        }
        _ => None,
    }
}

/// Whether what is odd is the answer of the policy host, and neither its certificate nor where it leads.
fn is_answer(name: &str) -> bool {
    matches!(name, "host-203" | "host-404" | "host-large" | "host-media-type" | "host-media-type-case")
        || name.starts_with("host-slow-")
}

/// Whether what is odd is the comparison of the MX host with the patterns.
fn is_pattern(name: &str) -> bool {
    matches!(name, "mx-case" | "mx-not-covered" | "mx-wildcard" | "mx-wildcard-deep")
}

/// The TXT records at `_mta-sts`, each with its character-strings joined.
fn texts(scenario: &Scenario) -> Vec<String> {
    let name = scenario.name("_mta-sts");
    let here = scenario.records.iter().filter(|record| record.name == name);
    let strings = here.filter_map(|record| match &record.data {
        RecordData::Txt(strings) => Some(strings.concat()),
        _ => None,
    });
    strings.map(|text| String::from_utf8_lossy(&text).into_owned()).collect()
}

/// The policy as the policy host serves it.
fn served(scenario: &Scenario) -> Option<Served> {
    let WebAnswer::Reply(reply) = &scenario.web_hosts.first()?.answer else {
        return None;
    };
    let content_type = reply.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    Some(Served {
        body: reply.body.clone(),
        content_type: Some(content_type.map(|(_, value)| value.clone())),
        status: Some(reply.status),
        milliseconds: u64::try_from(reply.delay.as_millis()).ok(),
        ..Served::default()
    })
}
