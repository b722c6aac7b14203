//! What several answers share: results by their ids, and the words for what is not possible.

use std::sync::Arc;
use std::time::Duration;

use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use jiff::Timestamp;

use super::check::Check;
use super::checks::Refusal;
use super::pages::message;
use super::state::App;
use super::{id, results};
use crate::report::{self, Linted, Results, Run};
use crate::snapshot::Snapshot;
use crate::store::Observation;
use crate::what_if::Texts;

/// A page that says that something is not there.
pub fn not_found(text: &str) -> Response {
    (StatusCode::NOT_FOUND, Html(message::message("Not found", &[text]))).into_response()
}

/// Says that something is wrong here, and tells the operator what.
pub fn broken(text: &str) -> Response {
    tracing::warn!("a request could not be answered: {text}");
    let text = "Something is wrong here, not with your domain. Please try again later.";
    (StatusCode::INTERNAL_SERVER_ERROR, Html(message::message("Not possible now", &[text]))).into_response()
}

/// Why there is no check, and when there may be one.
pub fn refused(refusal: &Refusal, domain: &str) -> Response {
    let (status, title, text, wait) = said(refusal, domain);
    let page = Html(message::message(title, &[&text]));
    match wait {
        Some(wait) => {
            (status, [(header::RETRY_AFTER, wait.as_secs().saturating_add(1).to_string())], page).into_response()
        }
        None => (status, page).into_response(),
    }
}

/// A refusal in words: status, title, text, and how long to wait.
pub fn said(refusal: &Refusal, domain: &str) -> (StatusCode, &'static str, String, Option<Duration>) {
    let seconds =
        |wait: &Duration| report::counted(usize::try_from(wait.as_secs().saturating_add(1)).unwrap_or(1), "second");
    match refusal {
        Refusal::All(wait) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "Many are asking just now",
            format!(
                "The limit of this service is reached. The next new check is possible in {}. Results that are there already are shown all the same.",
                seconds(wait)
            ),
            Some(*wait),
        ),
        Refusal::Busy(wait) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "Many are asking just now",
            format!("Too many checks wait already. Please try again in {}.", seconds(wait)),
            Some(*wait),
        ),
        Refusal::Client(wait) => (
            StatusCode::TOO_MANY_REQUESTS,
            "A moment, please",
            format!(
                "Your network has asked for many new checks. The next one is possible in {}. This says nothing about the domain.",
                seconds(wait)
            ),
            Some(*wait),
        ),
        Refusal::OptedOut => (
            StatusCode::FORBIDDEN,
            "Not looked at here",
            format!(
                "Whoever runs {domain} has asked not to have it looked at by this service. `stslint check {domain}` looks at it from your own machine."
            ),
            None,
        ),
        Refusal::Broken(reason) => {
            tracing::warn!("no check is possible: {reason}");
            (
                StatusCode::INTERNAL_SERVER_ERROR,
                "Not possible now",
                "Something is wrong here, not with your domain. Please try again later.".to_owned(),
                None,
            )
        }
    }
}

/// An observation by its id.
pub async fn observation(app: &App, id: &str) -> Result<Option<Observation>, Response> {
    if !id::is_id(id) {
        return Ok(None);
    }
    let id = id.to_owned();
    app.ask(move |store| store.get(&id)).await.map_err(|error| broken(&error.to_string()))
}

/// An observation by its id, or the page that says that there is none.
pub async fn known(app: &App, id: &str) -> Result<Observation, Response> {
    observation(app, id).await?.ok_or_else(no_result)
}

/// The page that says that there is no such result.
pub fn no_result() -> Response {
    not_found("There is no such result. Results are removed after some time, or by whoever made them.")
}

/// Judges on a thread that may take its time.
pub async fn judged(
    app: &Arc<App>,
    snapshot: Snapshot,
    texts: Texts,
    baseline: Option<Snapshot>,
) -> Result<Linted, Response> {
    let shared = app.clone();
    let judge = move || results::judge(&shared.rules, snapshot, &texts, baseline.as_ref());
    app.work(judge).await.ok_or_else(|| broken("the judgement did not finish"))
}

/// The snapshot of an observation that this program wrote.
pub fn snapshot_of(observation: &Observation) -> Result<Snapshot, Response> {
    results::snapshot(observation).map_err(|error| broken(&error.to_string()))
}

/// The steps of a check that are under way, for people.
pub fn steps(app: &App, check: &Check) -> Vec<String> {
    let Ok(collector) = app.collector(&check.what) else { return Vec::new() };
    let (steps, _) = collector.under_way(200);
    let of = steps.into_iter().filter(|step| step.domain == check.what.domain);
    of.take(12).map(|step| format!("{} ({} s)", step.name, step.since.as_secs())).collect()
}

/// A result in a format: its text, its media type, and how a file of it is called.
pub async fn rendered(
    app: &Arc<App>,
    observation: &Observation,
    format: &str,
) -> Result<(String, &'static str, &'static str), Response> {
    let linted = judged(app, snapshot_of(observation)?, Texts::default(), None).await?;
    let results = Results {
        linted: std::slice::from_ref(&linted),
        unreadable: &[],
        rules: &app.rules,
        ended_at: Timestamp::from_second(observation.collected_at).unwrap_or_default(),
        run: Run::default(),
    };
    let made = match format {
        "html" => Ok((report::html(&results), "text/html; charset=utf-8", "report.html")),
        "json" => report::json(&results).map(|text| (text, "application/json", "report.json")),
        "markdown" => Ok((report::markdown(&results), "text/markdown; charset=utf-8", "report.md")),
        "sarif" => report::sarif(&results).map(|text| (text, "application/sarif+json", "report.sarif")),
        _ => return Err(not_found("There are the formats snapshot, json, sarif, markdown and html.")),
    };
    made.map_err(|error| broken(&error.to_string()))
}
