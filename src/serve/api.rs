//! The API for programs: `/api/v1`. Errors are problem details (RFC 9457).

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use futures_util::Stream;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::answers::{judged, observation, rendered, said, steps};
use super::check::{Check, Stage, What};
use super::checks::{self, Refusal};
use super::client::Network;
use super::edited::changed;
use super::openapi;
use super::pages::progress::stage;
use super::pages::what_if::Edited;
use super::state::App;
use super::typed::domain;
use crate::what_if::unobserved;

/// How often those who watch a check are told how it goes on.
const EVERY: Duration = Duration::from_millis(400);

/// The addresses of the API.
pub fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/api/v1/checks", post(begin))
        .route("/api/v1/checks/{id}", get(result))
        .route("/api/v1/lint", post(lint))
        .route("/api/v1/openapi.json", get(|| async { Json(openapi::document()) }))
}

/// A problem (RFC 9457 §3).
pub fn problem(status: StatusCode, title: &str, detail: &str) -> Response {
    let body = json!({"type": "about:blank", "title": title, "status": status.as_u16(), "detail": detail});
    (status, [(header::CONTENT_TYPE, "application/problem+json")], body.to_string()).into_response()
}

fn unreadable(rejection: &JsonRejection) -> Response {
    problem(rejection.status(), "The body cannot be read", &crate::source_text::escape(&rejection.body_text()))
}

fn wrong_query(rejection: &QueryRejection) -> Response {
    let detail = crate::source_text::escape(&rejection.body_text());
    problem(StatusCode::BAD_REQUEST, "The query cannot be read", &detail)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    domain: String,
    #[serde(default = "yes")]
    smtp: bool,
    #[serde(default)]
    authoritative: bool,
}

fn yes() -> bool {
    true
}

#[derive(Debug, Default, Deserialize)]
struct Age {
    max_age: Option<u64>,
}

/// The state of a check.
#[derive(Debug, Serialize)]
struct CheckState<'a> {
    id: &'a str,
    domain: &'a str,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    waiting_for: Option<usize>,
    url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    removal: Option<&'a str>,
}

impl<'a> CheckState<'a> {
    fn of(check: &'a Check, new: bool) -> Self {
        let (status, waiting_for) = match check.stage() {
            Stage::Done => ("done", None),
            Stage::Failed(_) | Stage::OptedOut => ("failed", None),
            Stage::Queued => ("queued", Some(check.in_front())),
            Stage::Running => ("running", None),
        };
        CheckState {
            id: &check.id,
            domain: &check.what.domain,
            status,
            waiting_for,
            url: format!("/api/v1/checks/{}", check.id),
            removal: new.then_some(&check.removal),
        }
    }
}

async fn begin(
    State(app): State<Arc<App>>,
    Extension(client): Extension<Network>,
    age: Result<Query<Age>, QueryRejection>,
    wanted: Result<Json<Wanted>, JsonRejection>,
) -> Response {
    let Query(age) = match age {
        Ok(age) => age,
        Err(rejection) => return wrong_query(&rejection),
    };
    let Json(wanted) = match wanted {
        Ok(wanted) => wanted,
        Err(rejection) => return unreadable(&rejection),
    };
    let name = match domain(&wanted.domain) {
        Ok(name) => name,
        Err(error) => return problem(StatusCode::UNPROCESSABLE_ENTITY, "Not a domain", &error.to_string()),
    };
    let what = What { domain: name.as_str().to_owned(), smtp: wanted.smtp, authoritative: wanted.authoritative };
    match checks::check(&app, what, client, age.max_age.map(Duration::from_secs)).await {
        Ok((check, new)) => {
            let state = CheckState::of(&check, new);
            let status = if state.status == "done" { StatusCode::OK } else { StatusCode::ACCEPTED };
            (status, [(header::LOCATION, state.url.clone())], Json(state)).into_response()
        }
        Err(refusal) => {
            let (status, title, text, wait) = said(&refusal, name.as_str());
            let mut response = problem(status, title, &text);
            if let Some(wait) = wait {
                let seconds = wait.as_secs().saturating_add(1);
                response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
            }
            response
        }
    }
}

#[derive(Debug, Default, Deserialize)]
struct Format {
    format: Option<String>,
}

async fn result(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    query: Result<Query<Format>, QueryRejection>,
) -> Response {
    let Query(query) = match query {
        Ok(query) => query,
        Err(rejection) => return wrong_query(&rejection),
    };
    if let Some(check) = app.known.get(&id).await {
        match check.stage() {
            Stage::Done => {}
            Stage::Failed(_) => {
                let detail = "Something is wrong here, not with the domain.";
                return problem(StatusCode::INTERNAL_SERVER_ERROR, "The check failed", detail);
            }
            Stage::OptedOut => {
                let (status, title, text, _) = said(&Refusal::OptedOut, &check.what.domain);
                return problem(status, title, &text);
            }
            Stage::Queued | Stage::Running => {
                let state = CheckState::of(&check, false);
                return (StatusCode::ACCEPTED, [(header::RETRY_AFTER, "1")], Json(state)).into_response();
            }
        }
    }
    let not_there = || problem(StatusCode::NOT_FOUND, "Not found", "There is no such result.");
    let found = match observation(&app, &id).await {
        Ok(Some(found)) => found,
        Ok(None) => return not_there(),
        Err(_) => return problem(StatusCode::INTERNAL_SERVER_ERROR, "Not possible now", "The store cannot be used."),
    };
    let format = query.format.as_deref().unwrap_or("json");
    if format == "snapshot" {
        return ([(header::CONTENT_TYPE, "application/json")], found.snapshot).into_response();
    }
    match rendered(&app, &found, format).await {
        Ok((text, media_type, _)) => ([(header::CONTENT_TYPE, media_type)], text).into_response(),
        Err(response) if response.status() == StatusCode::NOT_FOUND => {
            let detail = "There are the formats snapshot, json, sarif, markdown and html.";
            problem(StatusCode::BAD_REQUEST, "No such format", detail)
        }
        Err(_) => problem(StatusCode::INTERNAL_SERVER_ERROR, "Not possible now", "The result cannot be shown."),
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct LintTexts {
    record: Vec<String>,
    policy: String,
    tlsrpt: Vec<String>,
    mx: Vec<String>,
}

async fn lint(State(app): State<Arc<App>>, texts: Result<Json<LintTexts>, JsonRejection>) -> Response {
    let Json(texts) = match texts {
        Ok(texts) => texts,
        Err(rejection) => return unreadable(&rejection),
    };
    let edited = Edited {
        record: texts.record.join("\n"),
        policy: texts.policy,
        tlsrpt: texts.tlsrpt.join("\n"),
        mx: texts.mx.join("\n"),
    };
    let snapshot = unobserved(None, "only the texts of the request were looked at");
    match judged(&app, snapshot, changed(&edited, &Edited::default()), None).await {
        Ok(linted) => Json(linted.report).into_response(),
        Err(_) => problem(StatusCode::INTERNAL_SERVER_ERROR, "Not possible now", "The texts cannot be judged."),
    }
}

/// Tells a page how its check goes on (server-sent events), and when it ended.
pub async fn events(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let check = app.known.get(&id).await;
    let told = futures_util::stream::unfold((app, check, false), |(app, check, ended)| async move {
        if ended {
            return None;
        }
        let under_way = check.filter(|check| matches!(check.stage(), Stage::Queued | Stage::Running));
        let Some(check) = under_way else {
            return Some((Ok(Event::default().event("end").data("{}")), (app, None, true)));
        };
        let told: Value = json!({"text": stage(&check), "steps": steps(&app, &check)});
        let mut watched = check.stage.clone();
        let ended = watched.wait_for(|stage| !matches!(stage, Stage::Queued | Stage::Running));
        let _ = tokio::time::timeout(EVERY, ended).await;
        Some((Ok(Event::default().event("stage").data(told.to_string())), (app, Some(check), false)))
    });
    Sse::new(told).keep_alive(KeepAlive::default())
}
