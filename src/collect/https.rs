//! The policy host over HTTPS: one address, one connection, one GET (RFC 8461 §3.3).

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::redirect::Policy;
use reqwest::{Client, Response, Version};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tracing::debug;

use super::certificate::sha256;
use super::failure::{cause, failure, of_causes};
use super::guard::Admitted;
use super::limits::{Clock, MAX_BODY_OCTETS, MAX_FETCH, MAX_HEADER_OCTETS, MAX_HEADERS, millis};
use super::tls::{Observatory, Recorder};
use crate::snapshot::{Failure, FailureKind, Header, HttpResponse, HttpsProbe, Octets, TlsFacts};

/// The protocols that are offered, as most senders' HTTP libraries do.
const ALPN: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// How long a bare TCP connection may take that is made only to see where a fetch got stuck.
const MAX_SECOND_CONNECT: Duration = Duration::from_secs(2);

/// Asks `host` at one address for its policy. A bad certificate ends nothing: it is noted, and the GET is made.
pub async fn probe(
    host: &str,
    admitted: Admitted,
    port: u16,
    user_agent: &str,
    observatory: &Observatory,
    clock: Clock,
) -> HttpsProbe {
    let (clock, address) = (clock.at_most(MAX_FETCH), admitted.address());
    let recorder = observatory.recorder();
    let began = Instant::now();
    let asking = Asking { host, address: SocketAddr::new(address, port), user_agent };
    let fetched = fetch(&asking, &recorder, clock).await;
    let elapsed = began.elapsed();
    let known = unasked(address);
    let mut probe = HttpsProbe { connected: Some(true), elapsed_ms: Some(millis(elapsed)), ..known };
    match fetched {
        Ok((response, failure)) => {
            if !recorder.saw_cipher() {
                learn_cipher(host, SocketAddr::new(address, port), observatory, &recorder, clock).await;
            }
            probe.tls = Some(TlsFacts { handshake: true, ..recorder.facts(Some(host)) });
            (probe.response, probe.failure) = (Some(response), failure);
        }
        Err(failed) => {
            let in_tls = recorder.saw_certificate() || is_of_tls(&failed.failure);
            let handshake = !failed.connecting && failed.failure.kind != FailureKind::TlsAlert;
            probe.connected = match in_tls || handshake {
                true => Some(true),
                false => reached(SocketAddr::new(address, port), &failed.failure, clock).await,
            };
            probe.tls = (probe.connected == Some(true)).then(|| {
                let why_not = (!handshake).then(|| failed.failure.clone());
                TlsFacts { handshake, failure: why_not, ..recorder.facts(Some(host)) }
            });
            probe.failure = Some(failed.failure);
        }
    }
    let status = probe.response.as_ref().map(|response| response.status);
    debug!(host, %address, status, failure = ?probe.failure, ?elapsed, "policy host");
    probe
}

/// A probe of which nothing is known yet.
pub fn unasked(address: IpAddr) -> HttpsProbe {
    HttpsProbe { address, connected: None, tls: None, response: None, failure: None, elapsed_ms: None }
}

/// A fetch that came to nothing.
struct Failed {
    /// Whether it ended before the connection, TLS included, was there.
    connecting: bool,
    failure: Failure,
}

/// Whether TCP connects at all. reqwest limits TCP and TLS together, so after a time-out that has to be tried.
async fn reached(address: SocketAddr, failure: &Failure, clock: Clock) -> Option<bool> {
    match failure.kind {
        FailureKind::Refused | FailureKind::Network => Some(false),
        FailureKind::Timeout if clock.is_over() => None,
        FailureKind::Timeout => {
            let quickly = clock.step().min(MAX_SECOND_CONNECT);
            Some(tokio::time::timeout(quickly, TcpStream::connect(address)).await.is_ok_and(|stream| stream.is_ok()))
        }
        _ => Some(true),
    }
}

/// Whom a fetch asks, and as whom.
struct Asking<'a> {
    host: &'a str,
    address: SocketAddr,
    user_agent: &'a str,
}

async fn fetch(
    asking: &Asking<'_>,
    recorder: &Arc<Recorder>,
    clock: Clock,
) -> Result<(HttpResponse, Option<Failure>), Failed> {
    let before = |failure| Failed { connecting: true, failure };
    let client = client(asking, recorder, clock).map_err(before)?;
    let request = client.get(format!("https://{}/.well-known/mta-sts.txt", asking.host)).send();
    // A minute where a step takes ten seconds (RFC 8461 §3.3); the connection has a limit of its own within.
    let response = match clock.steps(6).within("response", request).await {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => return Err(Failed { connecting: error.is_connect(), failure: of_reqwest(&error) }),
        Err(failure) => return Err(Failed { connecting: !recorder.saw_certificate(), failure }),
    };
    Ok(read(response, clock).await)
}

fn client(asking: &Asking<'_>, recorder: &Arc<Recorder>, clock: Clock) -> Result<Client, Failure> {
    let other = |error: &dyn std::fmt::Display| failure(FailureKind::Other, format!("no HTTPS client: {error}"));
    let tls = recorder.client_config(true, &ALPN).map_err(|error| other(&error))?;
    Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(Policy::none())
        .no_proxy()
        .retry(reqwest::retry::never())
        // The port is the address's: the URL and the Host field stay what senders send.
        .resolve(asking.host, asking.address)
        .user_agent(asking.user_agent)
        .connect_timeout(clock.step())
        .tcp_nodelay(true)
        .http1_max_headers(MAX_HEADERS)
        .http2_max_header_list_size(MAX_HEADER_OCTETS)
        .build()
        .map_err(|error| other(&error))
}

/// Reads a response up to the limit; what goes wrong on the way leaves what was read before it.
async fn read(mut response: Response, clock: Clock) -> (HttpResponse, Option<Failure>) {
    let status = response.status().as_u16();
    let version = version_name(response.version());
    let headers = response.headers().iter().take(MAX_HEADERS);
    let headers = headers
        .map(|(name, value)| Header { name: name.as_str().to_owned(), value: Octets(value.as_bytes().to_vec()) })
        .collect();
    let mut body = Vec::new();
    let ended = loop {
        match clock.within("more of the body", response.chunk()).await {
            Ok(Ok(Some(chunk))) => body.extend_from_slice(&chunk),
            Ok(Ok(None)) => break None,
            Ok(Err(error)) => break Some(of_reqwest(&error)),
            Err(failure) => break Some(failure),
        }
        if body.len() > MAX_BODY_OCTETS {
            break None;
        }
    };
    let truncated = body.len() > MAX_BODY_OCTETS;
    body.truncate(MAX_BODY_OCTETS);
    let response = HttpResponse {
        status,
        version,
        headers,
        body_length: u64::try_from(body.len()).ok(),
        body_sha256: Some(sha256(&body)),
        body: Some(Octets(body)),
        truncated,
    };
    (response, ended)
}

/// reqwest does not tell the cipher suite, and a server without session tickets does not either: such a one is
/// asked again for a bare handshake.
async fn learn_cipher(host: &str, address: SocketAddr, observatory: &Observatory, recorder: &Recorder, clock: Clock) {
    let Ok(name) = ServerName::try_from(host.to_owned()) else { return };
    let Ok(config) = observatory.recorder().client_config(true, &ALPN) else { return };
    let handshake = async {
        let stream = TcpStream::connect(address).await.ok()?;
        TlsConnector::from(Arc::new(config)).connect(name, stream).await.ok()
    };
    if let Ok(Some(stream)) = clock.within("second handshake", handshake).await {
        let (_, connection) = stream.get_ref();
        recorder.note(None, connection.negotiated_cipher_suite().map(|suite| suite.suite()));
    }
}

/// Whether a failure is one of the handshake itself.
fn is_of_tls(failure: &Failure) -> bool {
    matches!(failure.kind, FailureKind::TlsAlert | FailureKind::TlsHandshake)
}

fn of_reqwest(error: &reqwest::Error) -> Failure {
    if error.is_timeout() {
        let step = if error.is_connect() { "no connection" } else { "no more data" };
        return failure(FailureKind::Timeout, format!("{step} within the time limit"));
    }
    let step = if error.is_connect() { "connecting to the policy host" } else { "fetching the policy" };
    if let Some(known) = of_causes(step, error) {
        return known;
    }
    if let Some(http) = cause::<hyper::Error>(error) {
        let kind = match http {
            http if http.is_incomplete_message() || http.is_closed() => FailureKind::Closed,
            http if http.to_string().contains("too large") => FailureKind::Limit,
            _ => FailureKind::Protocol,
        };
        return failure(kind, format!("{step}: {http}"));
    }
    failure(FailureKind::Protocol, format!("{step}: {error}"))
}

fn version_name(version: Version) -> Option<String> {
    let name = match version {
        Version::HTTP_10 => "HTTP/1.0",
        Version::HTTP_11 => "HTTP/1.1",
        Version::HTTP_2 => "HTTP/2",
        _ => return None,
    };
    Some(name.to_owned())
}
