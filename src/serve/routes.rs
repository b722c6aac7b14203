//! Addresses and what answers them.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Form, Path, Query, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use jiff::Timestamp;
use serde::Deserialize;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::TimeoutLayer;

use super::answers::{not_found, refused};
use super::check::What;
use super::checks;
use super::client::Network;
use super::connections::Peer;
use super::pages::{self, about, form, message, rules};
use super::state::App;
use super::typed::domain;
use super::{api, edited, receiver, views};

/// A request's body has at most so many octets; a TLS report alone may have more.
const BODY_OCTETS: usize = 256 * 1024;
/// A request is answered within this time.
const ANSWER_TIME: Duration = Duration::from_secs(20);
/// What a browser may do with a page: our style, our script, and nothing of anybody else's (CSP level 3).
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; \
     connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

type Shared = State<Arc<App>>;

/// All addresses.
pub fn routes(app: Arc<App>) -> Router {
    let pages = Router::new()
        .route("/", get(first))
        .route("/check", post(check))
        .route("/r/{id}", get(views::show))
        .route("/r/{id}/events", get(api::events))
        .route("/r/{id}/what-if", get(edited::what_if_form).post(edited::what_if_judged))
        .route("/r/{id}/proposal", get(views::propose))
        .route("/r/{id}/compare", get(views::compare_with))
        .route("/r/{id}/download", get(views::download))
        .route("/r/{id}/remove", get(views::ask_to_remove).post(views::remove))
        .route("/lint", get(edited::lint_form).post(edited::lint_judged))
        .route("/rules", get(|State(app): Shared| async move { Html(rules::list(&app.rules)) }))
        .route("/rules/{id}", get(one_rule))
        .route("/facts", get(|| async { Html(rules::facts()) }))
        .route("/about", get(|State(app): Shared| async move { Html(about::about(&app.settings)) }))
        .route("/history/{domain}", get(views::history))
        .route("/reports/{domain}", get(views::received_reports))
        .route("/badge/{file}", get(views::badge))
        .route("/style.css", get(|| async { asset("text/css; charset=utf-8", pages::style()) }))
        .route("/app.js", get(|| async { asset("text/javascript; charset=utf-8", pages::SCRIPT) }))
        .route("/icon.svg", get(|| async { asset("image/svg+xml", pages::ICON) }))
        .route("/favicon.ico", get(|| async { Redirect::permanent("/icon.svg") }))
        .route("/robots.txt", get(|| async { ROBOTS }))
        .route("/.well-known/security.txt", get(security))
        .route("/healthz", get(health))
        .route("/metrics", get(metrics))
        .merge(api::routes())
        .layer(RequestBodyLimitLayer::new(BODY_OCTETS));
    let reports = Router::new()
        .route("/tlsrpt", post(receiver::receive))
        .layer(RequestBodyLimitLayer::new(receiver::REPORT_OCTETS));
    pages
        .merge(reports)
        .fallback(|| async { not_found("There is no such page.") })
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, ANSWER_TIME))
        .layer(middleware::from_fn_with_state(app.clone(), guard))
        .with_state(app)
}

const ROBOTS: &str = "User-agent: *\nDisallow: /r/\nDisallow: /history/\nDisallow: /check\nDisallow: /lint\nDisallow: /api/\nDisallow: /badge/\n";

/// What holds for every request and every answer: no request that another site made a browser send, the headers that keep
/// a page to itself, and the client's network for the limits.
async fn guard(State(app): Shared, mut request: Request, next: Next) -> Response {
    app.metrics.requests.inc();
    let peer = request.extensions().get::<Peer>().and_then(|peer| peer.0);
    let client = Network::of_request(peer, request.headers(), app.settings.trusted_proxies);
    let foreign = request.headers().get("sec-fetch-site").is_some_and(|site| site == "cross-site");
    if foreign && request.method() == axum::http::Method::POST {
        let text = "This form was sent by another site. Open the page here and send it from there.";
        return (StatusCode::FORBIDDEN, Html(message::message("Not from another site", &[text]))).into_response();
    }
    request.extensions_mut().insert(client);
    let private = ["/r/", "/history/", "/api/"].iter().any(|start| request.uri().path().starts_with(start));
    let path = request.uri().path().to_owned();
    let mut response = in_words(&path, next.run(request).await);
    let headers = response.headers_mut();
    let mut set = |name: HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    set(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY);
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::REFERRER_POLICY, "no-referrer");
    set(header::CACHE_CONTROL, "no-store");
    set(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    set(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    if private {
        set(HeaderName::from_static("x-robots-tag"), "noindex, nofollow");
    }
    response
}

/// A failure in the form of its reader: a problem for programs, a page for people, whatever part it comes from.
fn in_words(path: &str, response: Response) -> Response {
    let status = response.status();
    let form = response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (for_programs, is_page) = (path.starts_with("/api/"), form.starts_with("text/html"));
    let is_told =
        form == "application/problem+json" || (is_page && !for_programs) || ["/healthz", "/tlsrpt"].contains(&path);
    if !(status.is_client_error() || status.is_server_error()) || is_told {
        return response;
    }
    let (title, text) = match status {
        StatusCode::NOT_FOUND => ("Not found", "There is nothing at this address."),
        StatusCode::METHOD_NOT_ALLOWED => ("Not possible", "This address does not take requests of this kind."),
        StatusCode::PAYLOAD_TOO_LARGE => {
            ("Too large", "This is more than is read here: 256 KiB of texts are the most.")
        }
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            ("Not readable", "The request's `Content-Type` is not one that is read here.")
        }
        StatusCode::SERVICE_UNAVAILABLE => {
            ("Not possible now", "This took too long here. Please try again in a few seconds.")
        }
        _ => ("Not readable", "The request cannot be read."),
    };
    let mut told = if for_programs {
        api::problem(status, title, text)
    } else {
        (status, Html(message::message(title, &[text]))).into_response()
    };
    for name in [header::ALLOW, header::RETRY_AFTER] {
        if let Some(value) = response.headers().get(&name) {
            told.headers_mut().insert(name, value.clone());
        }
    }
    if status == StatusCode::SERVICE_UNAVAILABLE {
        told.headers_mut().entry(header::RETRY_AFTER).or_insert(HeaderValue::from_static("5"));
    }
    told
}

fn asset(media_type: &'static str, body: impl Into<Bytes>) -> Response {
    let headers = [(header::CONTENT_TYPE, media_type), (header::CACHE_CONTROL, "public, max-age=3600")];
    (headers, body.into()).into_response()
}

#[derive(Debug, Default, Deserialize)]
struct First {
    #[serde(default)]
    domain: String,
}

async fn first(State(app): Shared, Query(query): Query<First>) -> Html<String> {
    let domain: String = query.domain.chars().take(300).collect();
    Html(form::form(&form::Form { domain: &domain, problem: None, examples: &app.settings.examples }))
}

#[derive(Debug, Deserialize)]
struct Asked {
    #[serde(default)]
    domain: String,
    smtp: Option<String>,
    authoritative: Option<String>,
}

async fn check(State(app): Shared, Extension(client): Extension<Network>, Form(asked): Form<Asked>) -> Response {
    let name = match domain(&asked.domain) {
        Ok(name) => name,
        Err(error) => {
            let problem = error.to_string();
            let typed: String = asked.domain.chars().take(300).collect();
            let page = form::Form { domain: &typed, problem: Some(&problem), examples: &app.settings.examples };
            return (StatusCode::UNPROCESSABLE_ENTITY, Html(form::form(&page))).into_response();
        }
    };
    let what = What {
        domain: name.as_str().to_owned(),
        smtp: asked.smtp.is_some(),
        authoritative: asked.authoritative.is_some(),
    };
    match checks::check(&app, what, client, None).await {
        Ok((check, true)) => Redirect::to(&format!("/r/{}?removal={}", check.id, check.removal)).into_response(),
        Ok((check, false)) => Redirect::to(&format!("/r/{}", check.id)).into_response(),
        Err(refusal) => refused(&refusal, name.as_str()),
    }
}

async fn one_rule(State(app): Shared, Path(id): Path<String>) -> Response {
    match app.rules.rules.iter().find(|rule| rule.id == id) {
        Some(rule) => Html(rules::rule(rule)).into_response(),
        None => not_found("There is no such rule."),
    }
}

async fn security(State(app): Shared) -> Response {
    let Some(contact) = &app.settings.contact else { return not_found("No contact is given.") };
    let until = Timestamp::now().checked_add(jiff::SignedDuration::from_hours(24 * 180)).unwrap_or_default();
    let text =
        format!("Contact: {contact}\nExpires: {}\nPreferred-Languages: en\n", until.strftime("%Y-%m-%dT%H:%M:%SZ"));
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
}

async fn health(State(app): Shared) -> Response {
    match app.ask(|store| store.count()).await {
        Ok(_) => "ok\n".into_response(),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the store cannot be used\n").into_response(),
    }
}

async fn metrics(State(app): Shared) -> Response {
    let kept = app.ask(|store| store.count()).await.unwrap_or_default();
    let media_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, media_type)], app.metrics.text(kept, app.under_way.len())).into_response()
}
