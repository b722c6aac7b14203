//! `POST /tlsrpt`: TLS reports by HTTPS (RFC 8460 §5.4), for the operator's own domains alone.

use std::sync::Arc;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;

use super::client::Network;
use super::state::App;
use crate::store::ReceivedReport;
use crate::tls_reports::container::unpack;
use crate::tls_reports::read::read;

/// A report has at most so many octets as it is sent.
pub const REPORT_OCTETS: usize = 4 << 20;

/// Takes a report. The answer says nothing of what is in it.
pub async fn receive(
    State(app): State<Arc<App>>,
    Extension(client): Extension<Network>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if app.settings.report_domains.is_empty() {
        return (StatusCode::NOT_FOUND, "reports are not received here\n").into_response();
    }
    // RFC 8460 §6.4 and §6.5 register these two.
    let media_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if !matches!(essence.as_str(), "application/tlsrpt+json" | "application/tlsrpt+gzip") {
        return (StatusCode::UNSUPPORTED_MEDIA_TYPE, "send application/tlsrpt+json or application/tlsrpt+gzip\n")
            .into_response();
    }
    if app.limits.take_report(client).is_err() {
        return (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "60")], "too many reports\n").into_response();
    }
    let shared = app.clone();
    let kept = tokio::task::spawn_blocking(move || keep(&shared, &body)).await;
    match kept {
        Ok(Ok(true)) => {
            app.metrics.tls_reports.inc();
            (StatusCode::CREATED, "").into_response()
        }
        Ok(Ok(false)) => {
            (StatusCode::UNPROCESSABLE_ENTITY, "no report about a domain of this service\n").into_response()
        }
        _ => (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "300")], "please try again later\n")
            .into_response(),
    }
}

/// Keeps the report for each domain of the operator's that it is about; whether it was about any.
fn keep(app: &App, body: &[u8]) -> Result<bool, crate::store::StoreError> {
    let mut any = false;
    for found in unpack("report", body).found {
        let Ok(report) = read(&found.source, &found.octets) else { continue };
        let mut domains: Vec<&str> =
            report.policies.iter().filter_map(|policy| policy.policy_domain.as_deref()).collect();
        domains.sort_unstable();
        domains.dedup();
        for domain in domains.into_iter().filter(|domain| app.settings.report_domains.iter().any(|own| own == domain)) {
            let received = ReceivedReport { received_at: Timestamp::now().as_second(), body: found.octets.clone() };
            app.store.put_report(domain, &received)?;
            any = true;
        }
    }
    Ok(any)
}
