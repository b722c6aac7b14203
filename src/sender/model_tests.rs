//! A second sender, written from the texts of RFC 8461 §3, §4 and §5 and RFC 7672 §2 and §3 alone, beside the program's
//! own view, over thousands of domains that are put together at random, the same in each run.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::print_stderr)]

mod case;
mod model;

use crate::facts::Facts;
use crate::sender::{SenderCache, SenderView, views};
use crate::tls_reports::result_type::ResultType;

use case::{Case, Numbers};
use model::{Expected, expected};

/// How many cases are made; more where `STSLINT_SENDER_CASES` says so.
const CASES: usize = 2_000;

/// What a view comes to, in the model's words.
fn seen(view: &SenderView) -> Expected {
    let word = |action: crate::sender::SenderAction| serde_json::to_value(action).unwrap().as_str().unwrap().to_owned();
    let sorted = |reports: &[ResultType]| {
        let mut reports: Vec<String> = reports.iter().map(|kind| kind.word().to_owned()).collect();
        reports.sort();
        reports
    };
    Expected {
        policy: view.policy.word().to_owned(),
        reports: sorted(&view.reports),
        hosts: view.hosts.iter().map(|host| (word(host.action), sorted(&host.reports))).collect(),
        dane: view
            .hosts
            .iter()
            .map(|host| host.dane.as_ref().map(|dane| (word(dane.action), sorted(&dane.reports))))
            .collect(),
    }
}

#[test]
fn a_sender_written_from_the_texts_does_the_same() {
    let count = std::env::var("STSLINT_SENDER_CASES").ok().and_then(|count| count.parse().ok()).unwrap_or(CASES);
    let mut numbers = Numbers(8461);
    for number in 0..count {
        let case = Case::random(&mut numbers);
        let baseline = case.baseline();
        let facts = Facts::of(&case.snapshot(), baseline.as_ref());
        let views = views(&facts);
        let empty = views.iter().find(|view| view.cache == SenderCache::Empty);
        let shown = || serde_json::to_string_pretty(&views).unwrap();
        assert_eq!(empty.map(seen), expected(&case, false), "case {number}, nothing cached: {case:#?}\n{}", shown());
        if baseline.is_some() {
            let holding = views.iter().find(|view| view.cache == SenderCache::Baseline);
            assert_eq!(holding.map(seen), expected(&case, true), "case {number}, cached: {case:#?}\n{}", shown());
        }
    }
}
