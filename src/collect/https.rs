//! The policy host over HTTPS: one address, one connection, one GET (RFC 8461 §3.3).
//!
//! HTTP/1.1 is all that is offered: senders that speak no other are common, so every policy host speaks it too, and a
//! hostile one then has no frames to flood with (SETTINGS, PING, CONTINUATION, a window of zero) and no stream to reset.

use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::time::Instant;

use futures_util::future::{Either, select};
use http_body_util::{BodyExt, Empty};
use hyper::body::{Body as _, Bytes, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{ACCEPT, HOST, HeaderMap, TRANSFER_ENCODING, USER_AGENT};
use hyper::{Request, Response, Version};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::allowance::{Allowance, Metered};
use super::certificate::sha256;
use super::connect::{NotConnected, connect};
use super::failure::{failure, for_want_of_certificate};
use super::guard::Admitted;
use super::http_failure::{Announced, Body, of_hyper};
use super::limits::{Clock, MAX_BODY_OCTETS, MAX_FETCH, MAX_HEADER_OCTETS, MAX_HEADERS, MAX_TRANSFER_OCTETS, millis};
use super::log_lines;
use super::second_look::{self, server_name};
use super::server_flight::Spoken;
use super::shares::Talks;
use super::tls::{TlsProber, handshake};
use crate::snapshot::{
    Failure, FailureKind, FailureStep, Header, HttpResponse, HttpsProbe, Octets, TlsFacts, TlsVersion,
};

/// The protocol that is offered.
const ALPN: [&[u8]; 1] = [b"http/1.1"];

/// One address of a policy host, and as whom it is asked.
pub struct Asked<'a> {
    /// The policy host.
    pub host: &'a str,
    /// Its address.
    pub admitted: Admitted,
    /// Its port.
    pub port: u16,
    /// The User-Agent field.
    pub user_agent: &'a str,
    /// The places to talk in.
    pub talks: &'a Talks,
}

/// Asks a host at one address for its policy. A bad certificate ends nothing: it is noted, and the GET is made.
pub async fn probe(asked: &Asked<'_>, prober: &TlsProber, clock: Clock) -> HttpsProbe {
    let Asked { host, admitted, port, user_agent, talks } = *asked;
    let (clock, address) = (clock.at_most(MAX_FETCH), admitted.address());
    let began = Instant::now();
    let mut probe = not_attempted(address);
    let asking = Asking { talks, host, address: SocketAddr::new(address, port), user_agent };
    let look = Box::pin(older_version(&asking, clock));
    let (fetched, older_version) = second_look::beside(Box::pin(fetch(&asking, prober, clock, &mut probe)), look).await;
    if let Some(tls) = &mut probe.tls {
        second_look::note_older_version(tls, older_version);
    }
    if let Err(failure) = fetched {
        probe.failure = Some(failure);
    }
    let elapsed = began.elapsed();
    log_lines::policy_host(host, &probe, elapsed);
    HttpsProbe { elapsed_ms: Some(millis(elapsed)), ..probe }
}

/// A probe of which nothing is known yet.
pub fn not_attempted(address: IpAddr) -> HttpsProbe {
    HttpsProbe { address, connected: None, tls: None, response: None, failure: None, first_try: None, elapsed_ms: None }
}

/// Whom a fetch asks, and as whom.
struct Asking<'a> {
    talks: &'a Talks,
    host: &'a str,
    address: SocketAddr,
    user_agent: &'a str,
}

/// Connects, shakes hands and asks; each step that went well is in `probe`, and the first that did not is the failure.
async fn fetch(asking: &Asking<'_>, prober: &TlsProber, clock: Clock, probe: &mut HttpsProbe) -> Result<(), Failure> {
    let stream = match connect(asking.address, "policy host", None, clock).await {
        Ok(stream) => stream,
        Err(NotConnected { failure, is_peers }) => {
            probe.connected = is_peers.then_some(false);
            return Err(failure);
        }
    };
    probe.connected = Some(true);
    let _place = asking.talks.place(clock).await?;
    let recorder = prober.recorder();
    let stream = match handshake(stream, asking.host, true, &ALPN, &recorder, clock).await {
        Ok(stream) => stream,
        Err(failure) => {
            let worth_it = !recorder.saw_certificate() && second_look::is_worth_it(&failure);
            let spoken = if worth_it { Box::pin(look(asking, clock)).await } else { None };
            probe.tls = Some(recorder.facts_of_failure(asking.host, &failure, spoken));
            return Err(failure);
        }
    };
    probe.tls = Some(TlsFacts { handshake: true, ..recorder.facts(Some(asking.host)) });
    let answered = ask(asking, stream, clock, probe).await;
    // In TLS 1.3 a server refuses what the client showed only after the client's last message (RFC 8446 §4.4.4).
    let answered = answered.map_err(|failure| match probe.response {
        None => for_want_of_certificate(failure, recorder.demands_certificate()),
        Some(_) => failure,
    });
    let of_handshake = [FailureKind::ClientCertificate, FailureKind::TlsAlert];
    if let (Err(failure), Some(tls)) = (&answered, &mut probe.tls)
        && of_handshake.contains(&failure.kind)
        && probe.response.is_none()
    {
        (tls.handshake, tls.failure) = (false, Some(failure.clone()));
    }
    answered
}

/// What the server chooses from all that OpenSSL-based senders offer, each offer on a connection of its own.
async fn look(asking: &Asking<'_>, clock: Clock) -> Option<Spoken> {
    let name = server_name(asking.host)?;
    for offer in second_look::OFFERS {
        let stream = connect(asking.address, "policy host", None, clock).await.ok()?;
        if let Ok(spoken) = second_look::ask(stream, Some(&name), offer, clock).await {
            return Some(spoken);
        }
    }
    None
}

/// The newest version below TLS 1.2 that the server accepts; `None` where that was not seen.
async fn older_version(asking: &Asking<'_>, clock: Clock) -> Option<Option<TlsVersion>> {
    let name = server_name(asking.host)?;
    let stream = connect(asking.address, "policy host", None, clock).await.ok()?;
    second_look::older_version(stream, &name, clock).await
}

async fn ask(
    asking: &Asking<'_>,
    stream: TlsStream<TcpStream>,
    clock: Clock,
    probe: &mut HttpsProbe,
) -> Result<(), Failure> {
    // Whatever comes before the response (RFC 9110 §15.2) counts too: interim responses without end are cut.
    let allowance = Allowance::new(MAX_HEADER_OCTETS);
    let stream = TokioIo::new(Metered::new(stream, allowance.clone()));
    let (sender, connection) = http1::Builder::new()
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEADER_OCTETS)
        .handshake(stream)
        .await
        .map_err(|error| of_hyper(&error, None, &allowance))?;
    let exchange = pin!(exchange(asking, sender, &allowance, clock, probe));
    // The connection moves only while it is polled, and what goes wrong on it is told to the exchange.
    match select(exchange, pin!(connection)).await {
        Either::Left((ended, _)) => ended,
        Either::Right((_, exchange)) => exchange.await,
    }
}

async fn exchange(
    asking: &Asking<'_>,
    mut sender: SendRequest<Empty<Bytes>>,
    allowance: &Allowance,
    clock: Clock,
    probe: &mut HttpsProbe,
) -> Result<(), Failure> {
    // The port is the address's: the Host field is what senders send.
    let request = Request::get("/.well-known/mta-sts.txt")
        .header(HOST, asking.host)
        .header(USER_AGENT, asking.user_agent)
        .header(ACCEPT, "*/*")
        .body(Empty::new())
        .map_err(|_| {
            failure(FailureKind::Other, "the name of the host cannot be used in TLS").at(FailureStep::Response)
        })?;
    // A minute where a step takes ten seconds (RFC 8461 §3.3); the connection has a limit of its own.
    let response = clock.steps(6).within("response", sender.send_request(request)).await;
    let response = response.map_err(|failure| failure.at(FailureStep::Response))?;
    let response = response.map_err(|error| of_hyper(&error, None, allowance))?;
    allowance.add(MAX_TRANSFER_OCTETS);
    let (response, ended) = read(response, allowance, clock).await;
    probe.response = Some(response);
    ended.map_or(Ok(()), Err)
}

/// Reads a response up to the limit; what goes wrong on the way leaves what was read before it.
async fn read(response: Response<Incoming>, allowance: &Allowance, clock: Clock) -> (HttpResponse, Option<Failure>) {
    let (head, mut incoming) = response.into_parts();
    let announced = announced(&head.headers, &incoming);
    let headers = head.headers.iter().take(MAX_HEADERS);
    let headers = headers
        .map(|(name, value)| Header { name: name.as_str().to_owned(), value: Octets(value.as_bytes().to_vec()) })
        .collect();
    let mut body = Vec::new();
    let ended = loop {
        match clock.within("more of the body", incoming.frame()).await {
            Ok(Some(Ok(frame))) => body.extend_from_slice(frame.data_ref().map_or(&[], |data| data)),
            Ok(None) => break None,
            Ok(Some(Err(error))) => {
                let so_far = Body { announced, read: body.len() };
                break Some(of_hyper(&error, Some(so_far), allowance));
            }
            Err(failure) => break Some(failure.at(FailureStep::Body)),
        }
        if body.len() > MAX_BODY_OCTETS {
            break None;
        }
        // A peer whose data is always there must not keep everybody else from their turn.
        tokio::task::consume_budget().await;
    };
    let truncated = body.len() > MAX_BODY_OCTETS;
    body.truncate(MAX_BODY_OCTETS);
    let response = HttpResponse {
        status: head.status.as_u16(),
        version: version_name(head.version),
        headers,
        body_length: u64::try_from(body.len()).ok(),
        body_sha256: Some(sha256(&body)),
        body: Some(Octets(body)),
        truncated,
    };
    (response, ended)
}

/// How much of a body there is to be (RFC 9112 §6.3).
fn announced(headers: &HeaderMap, body: &Incoming) -> Announced {
    match body.size_hint().exact() {
        _ if headers.contains_key(TRANSFER_ENCODING) => Announced::Chunks,
        Some(octets) => Announced::Octets(octets),
        None => Announced::UntilClosed,
    }
}

fn version_name(version: Version) -> Option<String> {
    let name = match version {
        Version::HTTP_10 => "HTTP/1.0",
        Version::HTTP_11 => "HTTP/1.1",
        _ => return None,
    };
    Some(name.to_owned())
}
