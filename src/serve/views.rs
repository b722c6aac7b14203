//! The pages about one result, and about one domain's results.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Form, Path, Query, State};
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use jiff::Timestamp;
use serde::Deserialize;

use super::answers::{broken, judged, known, no_result, not_found, observation, refused, rendered, snapshot_of, steps};
use super::badge::{self, Badge};
use super::check::{Stage, What};
use super::checks::Refusal;
use super::pages::{self, about, compare, message, progress, proposal, received, result};
use super::state::App;
use super::typed::domain;
use super::{id, results};
use crate::diff::differences;
use crate::facts::Facts;
use crate::report;
use crate::snapshot::Snapshot;
use crate::store::Observation;
use crate::tls_reports::duplicates::Distinct;
use crate::tls_reports::read::read;
use crate::tls_reports::sums::digest;
use crate::what_if::Texts;

type Shared = State<Arc<App>>;

/// The secret that removes a result.
#[derive(Debug, Default, Deserialize)]
pub struct Removal {
    #[serde(default)]
    removal: String,
}

/// `/r/ID`: the result, or how far its check is.
pub async fn show(
    State(app): Shared,
    Path(id): Path<String>,
    Query(query): Query<Removal>,
) -> Result<Response, Response> {
    if let Some(check) = app.known.get(&id).await {
        match check.stage() {
            Stage::Done => {}
            Stage::Failed(reason) => return Err(broken(&reason)),
            Stage::OptedOut => return Err(refused(&Refusal::OptedOut, &check.what.domain)),
            Stage::Queued | Stage::Running => {
                let page = progress::progress(&check, &steps(&app, &check));
                return Ok((StatusCode::ACCEPTED, Html(page)).into_response());
            }
        }
    }
    // How old the observation is, is told in the page: it is made again every ten seconds at most, once for all who ask.
    let now = Timestamp::from_second(Timestamp::now().as_second()).unwrap_or_default();
    // A guessed secret must not make a page of its own each time.
    let mine = id::is_id(&query.removal)
        && observation(&app, &id).await?.is_some_and(|observation| observation.removal == query.removal);
    let key = format!("{id} {} {mine}", now.as_second().div_euclid(10));
    let made = app.made.try_get_with(key, made(app.clone(), id, mine, now)).await;
    match made {
        Ok(page) => Ok((StatusCode::OK, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response()),
        Err(error) => match error.as_ref() {
            NoPage::Broken(reason) => Err(broken(reason)),
            NoPage::NoResult => Err(no_result()),
        },
    }
}

/// Why there is no page of a result.
enum NoPage {
    /// Something here is broken.
    Broken(String),
    /// There is no such result.
    NoResult,
}

/// Makes the page of a result, on a thread that may take its time.
async fn made(app: Arc<App>, id: String, mine: bool, now: Timestamp) -> Result<Bytes, NoPage> {
    if !id::is_id(&id) {
        return Err(NoPage::NoResult);
    }
    let found = app.ask(move |store| store.get(&id)).await.map_err(|error| NoPage::Broken(error.to_string()))?;
    let observation = found.ok_or(NoPage::NoResult)?;
    let snapshot = results::snapshot(&observation).map_err(|error| NoPage::Broken(error.to_string()))?;
    let shared = app.clone();
    let make = move || {
        let (smtp, authoritative) = looked_at(&snapshot);
        let linted = results::judge(&app.rules, snapshot, &Texts::default(), None);
        result::result(&result::Result {
            id: &observation.id,
            linted: &linted,
            removal: mine.then_some(observation.removal.as_str()),
            smtp,
            authoritative,
            fresh: app.settings.fresh,
            keep: app.settings.keep,
            reports: app.settings.report_domains.contains(&observation.domain),
            history: app.settings.history,
            now,
        })
    };
    let page = shared.work(make).await.ok_or_else(|| NoPage::Broken("the page did not finish".to_owned()))?;
    Ok(Bytes::from(page))
}

/// What a snapshot's collection looked at: the MX hosts, and the zone's own name servers.
pub fn looked_at(snapshot: &Snapshot) -> (bool, bool) {
    let hosts = snapshot.mx_hosts.as_deref().unwrap_or_default();
    let smtp = hosts.is_empty() || hosts.iter().any(|host| host.probes.is_some());
    (smtp, snapshot.name_servers.is_some())
}

/// So many received reports are summed up.
const MOST_REPORTS: u32 = 2_000;

/// `/reports/DOMAIN`: the sums of the TLS reports that were received, for the operator's domains alone.
pub async fn received_reports(State(app): Shared, Path(domain): Path<String>) -> Result<Html<String>, Response> {
    let domain = domain.to_ascii_lowercase();
    if !app.settings.report_domains.contains(&domain) {
        return Err(no_result());
    }
    let asked = domain.clone();
    let kept = app.ask(move |store| store.reports(&asked, MOST_REPORTS)).await;
    let kept = kept.map_err(|error| broken(&error.to_string()))?;
    let make = move || {
        let reports = kept.iter().filter_map(|kept| read("received", &kept.body).ok());
        received::received(&domain, &digest(&Distinct::of(reports)))
    };
    app.work(make).await.map(Html).ok_or_else(|| broken("the reports did not finish"))
}

/// `/r/ID/proposal`.
pub async fn propose(State(app): Shared, Path(id): Path<String>) -> Result<Html<String>, Response> {
    let observation = known(&app, &id).await?;
    let snapshot = snapshot_of(&observation)?;
    let shared = app.clone();
    let make = move || {
        let facts = Facts::of(&snapshot, None);
        let report = crate::rules::evaluate(&shared.rules, &facts).report;
        proposal::proposal(&observation.domain, &crate::proposal::propose(&facts, &report, &[]))
    };
    app.work(make).await.map(Html).ok_or_else(|| broken("the proposal did not finish"))
}

/// What to compare with.
#[derive(Debug, Default, Deserialize)]
pub struct With {
    #[serde(default)]
    with: String,
}

/// `/r/ID/compare`.
pub async fn compare_with(
    State(app): Shared,
    Path(id): Path<String>,
    Query(query): Query<With>,
) -> Result<Response, Response> {
    let observation = known(&app, &id).await?;
    let earlier = if app.settings.history { earlier(&app, &observation).await? } else { Vec::new() };
    let asks = |status: StatusCode, problem: Option<&str>| {
        (status, Html(compare::ask(&id, &observation.domain, &earlier, problem))).into_response()
    };
    if query.with.is_empty() {
        return Ok(asks(StatusCode::OK, None));
    }
    let with = query.with.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    let with = with.rsplit('/').find(|part| id::is_id(part)).unwrap_or_default();
    let Some(other) = self::observation(&app, with).await? else {
        return Ok(asks(StatusCode::NOT_FOUND, Some("There is no such result.")));
    };
    if other.domain != observation.domain {
        return Ok(asks(StatusCode::UNPROCESSABLE_ENTITY, Some("That result is of another domain.")));
    }
    let (older, newer) =
        if other.collected_at <= observation.collected_at { (&other, &observation) } else { (&observation, &other) };
    let older = judged(&app, snapshot_of(older)?, Texts::default(), None).await?;
    let newer = judged(&app, snapshot_of(newer)?, Texts::default(), None).await?;
    let found = differences(&older.facts.to_json(), &newer.facts.to_json(), false);
    Ok(Html(compare::compare(&older, &newer, &found)).into_response())
}

pub async fn earlier(app: &App, observation: &Observation) -> Result<Vec<crate::store::HistoryEntry>, Response> {
    let domain = observation.domain.clone();
    let found = app.ask(move |store| store.history(&domain, 50)).await.map_err(|error| broken(&error.to_string()))?;
    Ok(found.into_iter().filter(|entry| entry.id != observation.id).collect())
}

/// The format of a download.
#[derive(Debug, Default, Deserialize)]
pub struct Wanted {
    #[serde(default)]
    format: String,
}

/// `/r/ID/download`.
pub async fn download(
    State(app): Shared,
    Path(id): Path<String>,
    Query(query): Query<Wanted>,
) -> Result<Response, Response> {
    let observation = known(&app, &id).await?;
    let (text, media_type, ending) = match query.format.as_str() {
        "snapshot" => (observation.snapshot.clone(), "application/json", "snapshot.json"),
        other => rendered(&app, &observation, other).await?,
    };
    let name = format!("attachment; filename=\"{}-{ending}\"", observation.domain);
    let headers = [(header::CONTENT_TYPE, media_type.to_owned()), (header::CONTENT_DISPOSITION, name)];
    Ok((headers, text).into_response())
}

/// `GET /r/ID/remove`: asks once more.
pub async fn ask_to_remove(
    State(app): Shared,
    Path(id): Path<String>,
    Query(query): Query<Removal>,
) -> Result<Html<String>, Response> {
    let observation = known(&app, &id).await?;
    let title = format!("Remove this result of {}?", observation.domain);
    let frame = pages::Frame { title: &title, ..pages::Frame::default() };
    Ok(Html(pages::page(frame, |html| {
        pages::main(html, |html| {
            html.leaf("h1", &[], &title);
            html.leaf("p", &[("class", "lead")], "Its address then leads nowhere, for everybody.");
            let action = format!("/r/{id}/remove");
            html.element("form", &[("method", "post"), ("action", &action)], |html| {
                html.open("input", &[("type", "hidden"), ("name", "removal"), ("value", &query.removal)]);
                html.leaf("button", &[("type", "submit")], "Remove it");
            });
        });
    })))
}

/// `POST /r/ID/remove`.
pub async fn remove(
    State(app): Shared,
    Path(id): Path<String>,
    Form(form): Form<Removal>,
) -> Result<Response, Response> {
    let key = id.clone();
    let removed = app.ask(move |store| store.remove(&key, &form.removal)).await;
    if !removed.map_err(|error| broken(&error.to_string()))? {
        let text = "Only the link that was shown to whoever made the result removes it.";
        return Ok((StatusCode::FORBIDDEN, Html(message::message("Not removed", &[text]))).into_response());
    }
    if let Some(check) = app.known.get(&id).await {
        app.fresh.invalidate(&check.what).await;
        app.known.invalidate(&id).await;
    }
    app.made.invalidate_all();
    Ok(Html(message::message("Removed", &["The result is gone."])).into_response())
}

/// `/history/DOMAIN`.
pub async fn history(State(app): Shared, Path(name): Path<String>) -> Result<Response, Response> {
    if !app.settings.history {
        return Ok(not_found("This service keeps no histories."));
    }
    let Ok(name) = domain(&name) else { return Ok(not_found("This is not a domain.")) };
    let asked = name.as_str().to_owned();
    let entries = app.ask(move |store| store.history(&asked, 200)).await.map_err(|error| broken(&error.to_string()))?;
    Ok(Html(about::history(name.as_str(), &entries)).into_response())
}

/// `/badge/DOMAIN.svg`.
pub async fn badge(State(app): Shared, Path(file): Path<String>) -> Response {
    let Some(Ok(name)) = file.strip_suffix(".svg").map(domain) else { return not_found("There is no such badge.") };
    let what = |smtp, authoritative| What { domain: name.as_str().to_owned(), smtp, authoritative };
    let mut said = (Badge::Unknown, "not checked lately".to_owned());
    for what in [what(true, false), what(true, true)] {
        let Some(check) = app.fresh.get(&what).await.filter(|check| check.stage() == Stage::Done) else { continue };
        let Ok(Some(observation)) = observation(&app, &check.id).await else { continue };
        let Ok(snapshot) = snapshot_of(&observation) else { continue };
        let Ok(linted) = judged(&app, snapshot, Texts::default(), None).await else { continue };
        let summary = linted.report.summary;
        said = match (summary.errors, summary.warnings) {
            (0, 0) => (Badge::Right, "no errors".to_owned()),
            (0, warnings) => (Badge::Faulty, report::counted(warnings, "warning")),
            (errors, _) => (Badge::Faulty, report::counted(errors, "error")),
        };
        break;
    }
    let headers = [
        (header::CONTENT_TYPE, "image/svg+xml"),
        (header::CACHE_CONTROL, "public, max-age=60"),
        (HeaderName::from_static("cross-origin-resource-policy"), "cross-origin"),
    ];
    (headers, badge::svg(said.0, &said.1)).into_response()
}
