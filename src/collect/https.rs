//! The policy over HTTPS, from each address of the policy host (RFC 8461 §3.3).

use std::error::Error as _;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use reqwest::redirect;
use tokio_rustls::rustls;

use super::tls::Tls;
use super::{certificate, io_failure};
use crate::grammar::policy::MAX_POLICY_OCTETS;
use crate::snapshot::{Failure, FailureKind, Header, HttpResponse, HttpsProbe, Octets};
use crate::source_text::escape;

/// How many header fields are kept, and read at all.
const MAX_HEADERS: usize = 64;
/// The longest value of a header field that is kept, in octets.
const MAX_HEADER_VALUE: usize = 1024;

/// What a fetch needs.
pub struct Fetch<'a> {
    /// The trust anchors.
    pub tls: &'a Tls,
    /// The policy host.
    pub host: &'a str,
    /// The port.
    pub port: u16,
    /// The time limit of the whole fetch.
    pub limit: Duration,
    /// The time at which certificates are judged, since 1970.
    pub now: Duration,
}

/// Fetches the policy from one address, whatever the certificate is worth. The body stays in the response.
pub async fn probe(fetch: &Fetch<'_>, address: IpAddr) -> HttpsProbe {
    let begun = Instant::now();
    let mut probe = HttpsProbe { address, connected: None, tls: None, response: None, failure: None, elapsed_ms: None };
    let (mut config, recorder) = match fetch.tls.client(true) {
        Ok(client) => client,
        Err(error) => {
            probe.failure = Some(Failure { kind: FailureKind::Other, detail: error.to_string() });
            return probe;
        }
    };
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let got = tokio::time::timeout(fetch.limit, get(fetch, address, config)).await;
    let seen = recorder.seen();
    let failure = match got {
        Ok(Ok(response)) => {
            probe.response = Some(response);
            None
        }
        Ok(Err((response, failure))) => {
            probe.response = response;
            Some(failure)
        }
        Err(_) => Some(Failure {
            kind: FailureKind::Timeout,
            detail: format!("not complete within {} s", fetch.limit.as_secs_f32()),
        }),
    };
    let tls_failure =
        failure.clone().filter(|failure| matches!(failure.kind, FailureKind::TlsAlert | FailureKind::TlsHandshake));
    if !seen.chain.is_empty() || tls_failure.is_some() {
        probe.tls = Some(fetch.tls.facts(&seen, fetch.host, fetch.now, tls_failure));
    }
    probe.connected = match &failure {
        _ if probe.tls.is_some() || probe.response.is_some() => Some(true),
        Some(failure) => Some(matches!(failure.kind, FailureKind::Closed | FailureKind::Reset | FailureKind::Protocol)),
        None => Some(true),
    };
    probe.failure = failure;
    probe.elapsed_ms = Some(u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX));
    tracing::debug!(target: "stslint::https", "{} [{address}]: {:?}", fetch.host, probe.response.as_ref().map(|response| response.status));
    probe
}

type Partial = (Option<HttpResponse>, Failure);

async fn get(fetch: &Fetch<'_>, address: IpAddr, config: rustls::ClientConfig) -> Result<HttpResponse, Partial> {
    let client = reqwest::Client::builder()
        .tls_backend_preconfigured(config)
        .redirect(redirect::Policy::none())
        .no_proxy()
        .resolve(fetch.host, SocketAddr::new(address, fetch.port))
        .http1_max_headers(MAX_HEADERS)
        .http2_max_header_list_size(16 << 10)
        .user_agent(concat!("stslint/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| (None, failure_of(&error)))?;
    let port = if fetch.port == 443 { String::new() } else { format!(":{}", fetch.port) };
    let url = format!("https://{}{port}/.well-known/mta-sts.txt", fetch.host);
    let mut response = client.get(url).send().await.map_err(|error| (None, failure_of(&error)))?;
    let mut facts = HttpResponse {
        status: response.status().as_u16(),
        version: Some(format!("{:?}", response.version())),
        headers: headers(&response),
        ..HttpResponse::default()
    };
    let mut body = Vec::new();
    let ended = loop {
        match response.chunk().await {
            Ok(Some(chunk)) => {
                let room = MAX_POLICY_OCTETS.saturating_add(1).saturating_sub(body.len());
                body.extend(chunk.iter().take(room));
                if body.len() > MAX_POLICY_OCTETS {
                    facts.truncated = true;
                    break Ok(());
                }
            }
            Ok(None) => break Ok(()),
            Err(error) => break Err(failure_of(&error)),
        }
    };
    body.truncate(MAX_POLICY_OCTETS);
    facts.body_length = u64::try_from(body.len()).ok().map(|length| length.saturating_add(u64::from(facts.truncated)));
    facts.body_sha256 = Some(certificate::hex(ring::digest::digest(&ring::digest::SHA256, &body).as_ref()));
    facts.body = Some(Octets(body));
    match ended {
        Ok(()) => Ok(facts),
        Err(failure) => Err((Some(facts), failure)),
    }
}

fn headers(response: &reqwest::Response) -> Vec<Header> {
    let header = |(name, value): (&reqwest::header::HeaderName, &reqwest::header::HeaderValue)| Header {
        name: name.as_str().to_owned(),
        value: Octets(value.as_bytes().iter().copied().take(MAX_HEADER_VALUE).collect()),
    };
    response.headers().iter().take(MAX_HEADERS).map(header).collect()
}

/// What an error of the client was: the cause that is nearest to the wire tells.
fn failure_of(error: &reqwest::Error) -> Failure {
    let mut cause = error.source();
    let mut last = error.to_string();
    while let Some(inner) = cause {
        if let Some(tls) = inner.downcast_ref::<rustls::Error>() {
            return tls_failure(tls);
        }
        if let Some(io) = inner.downcast_ref::<io::Error>() {
            match io.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
                Some(tls) => return tls_failure(tls),
                None if io.kind() != io::ErrorKind::Other => return io_failure(io),
                None => {}
            }
        }
        last = inner.to_string();
        cause = inner.source();
    }
    let kind = if error.is_timeout() { FailureKind::Timeout } else { FailureKind::Protocol };
    Failure { kind, detail: escape(&last) }
}

fn tls_failure(error: &rustls::Error) -> Failure {
    match error {
        rustls::Error::AlertReceived(alert) => Failure {
            kind: FailureKind::TlsAlert,
            detail: format!("the server ended the handshake with the alert {alert:?}"),
        },
        error => Failure { kind: FailureKind::TlsHandshake, detail: escape(&error.to_string()) },
    }
}
