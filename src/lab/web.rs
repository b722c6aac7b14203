//! The HTTPS servers of the lab: HTTP/1.1 by hand, one answer for each host name.
//!
//! All share an address and are told apart by SNI; a further server of a name that is already
//! taken gets an address of its own, so that one host can have several, each with its own answer.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::sleep;

use super::journal::{EventKind, Journal};
use super::listen::never;
use super::tls::{self, TlsOffer, TlsServer};

/// The path of every policy, RFC 8461 §3.3.
pub const POLICY_PATH: &str = "/.well-known/mta-sts.txt";

/// The longest request head that is read, in octets.
const HEAD_LIMIT: u64 = 8_192;

/// One HTTPS server.
#[derive(Clone, Debug, PartialEq)]
pub struct WebHost {
    /// The name that clients ask for by SNI.
    pub name: String,
    /// The name that holds the address: another one where `name` is an alias.
    pub address_name: String,
    /// Whether the port is open; a closed one refuses connections.
    pub listens: bool,
    /// How it meets the handshake.
    pub tls: TlsOffer,
    /// What it says to whoever asks for the policy. All else is 404.
    pub answer: WebAnswer,
}

impl WebHost {
    /// A server that answers with a policy, as it should.
    pub fn policy(name: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            name: name.to_owned(),
            address_name: name.to_owned(),
            listens: true,
            tls: TlsOffer::good(name),
            answer: WebReply::text(body).into(),
        }
    }
}

/// What a server does once it has read a request for the policy.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum WebAnswer {
    /// It hangs up.
    Hangup,
    /// It sends these octets and hangs up, whether or not they are HTTP.
    Raw(Vec<u8>),
    /// It sends a response.
    Reply(WebReply),
    /// It never answers.
    Silence,
}

impl From<WebReply> for WebAnswer {
    fn from(reply: WebReply) -> Self {
        Self::Reply(reply)
    }
}

/// A response.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct WebReply {
    /// How long the server thinks before it sends anything.
    pub delay: Duration,
    /// The status code.
    pub status: u16,
    /// The header fields in order. `Content-Length` and `Connection` are added where missing.
    pub headers: Vec<(String, String)>,
    /// The body as it is.
    pub body: Vec<u8>,
}

impl WebReply {
    /// A response of a status and a type, at once.
    pub fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            delay: Duration::ZERO,
            status,
            headers: vec![("Content-Type".to_owned(), content_type.to_owned())],
            body: body.into(),
        }
    }

    /// A response 200 of `text/plain`, the media type of a policy (RFC 8461 §3.2).
    pub fn text(body: impl Into<Vec<u8>>) -> Self {
        Self::new(200, "text/plain; charset=utf-8", body)
    }

    /// A redirect of a status to a place.
    pub fn redirect(status: u16, location: &str) -> Self {
        let mut reply = Self::new(status, "text/html", "<p>Moved.</p>");
        reply.headers.push(("Location".to_owned(), location.to_owned()));
        reply
    }

    fn to_bytes(&self) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} {}\r\n", self.status, reason(self.status));
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if !self.has("content-length") {
            head.push_str(&format!("Content-Length: {}\r\n", self.body.len()));
        }
        if !self.has("connection") {
            head.push_str("Connection: close\r\n");
        }
        head.push_str("\r\n");
        [head.as_bytes(), &self.body].concat()
    }

    fn has(&self, field: &str) -> bool {
        self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(field))
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        301 => "Moved Permanently",
        302 => "Found",
        403 => "Forbidden",
        404 => "Not Found",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        _ => "Other",
    }
}

/// A [`WebHost`] that is ready to serve.
pub(super) struct WebServer {
    pub(super) tls: Arc<TlsServer>,
    pub(super) answer: WebAnswer,
}

/// All servers of the lab by address and name, and one for names that nobody has.
pub(super) struct WebServers {
    pub(super) by_name: BTreeMap<(Ipv4Addr, String), WebServer>,
    pub(super) unknown_name: WebServer,
}

impl WebServers {
    fn find(&self, address: Ipv4Addr, sni: Option<&str>) -> &WebServer {
        sni.and_then(|name| self.by_name.get(&(address, name.to_ascii_lowercase()))).unwrap_or(&self.unknown_name)
    }
}

/// Serves one connection at one of the addresses.
pub(super) async fn session(stream: TcpStream, servers: Arc<WebServers>, address: Ipv4Addr, journal: Journal) {
    let accepted = tls::accept(
        stream,
        |sni| {
            let server = servers.find(address, sni);
            (&*server.tls, (&server.answer, sni.map(str::to_owned)))
        },
        |sni, end| {
            if let Some(host) = sni.map(str::to_owned) {
                journal.note(EventKind::WebHandshake { host, end });
            }
        },
    )
    .await;
    let Some((stream, (answer, host))) = accepted else {
        return;
    };
    let mut stream = BufReader::new(stream);
    // Whoever breaks off is gone: there is nobody to tell.
    if let Some(Request { path, agent }) = read_request(&mut stream).await {
        if let Some(host) = host {
            journal.note(EventKind::Request { host, path: path.clone(), agent });
        }
        let _ = respond(&mut stream, &path, answer).await;
    }
    let _ = stream.shutdown().await;
}

/// What is read of a request.
struct Request {
    path: String,
    agent: Option<String>,
}

/// Reads a request's head. `None` when it is too long or cut short.
async fn read_request(stream: &mut (impl AsyncBufReadExt + Unpin)) -> Option<Request> {
    let mut head = stream.take(HEAD_LIMIT);
    let mut request_line = Vec::new();
    head.read_until(b'\n', &mut request_line).await.ok()?;
    let mut agent = None;
    loop {
        let mut line = Vec::new();
        head.read_until(b'\n', &mut line).await.ok()?;
        match line.as_slice() {
            b"\r\n" | b"\n" => break,
            line if line.ends_with(b"\n") => agent = agent.or_else(|| user_agent(line)),
            _ => return None,
        }
    }
    let request_line = String::from_utf8(request_line).ok()?;
    let path = request_line.split(' ').nth(1)?.to_owned();
    Some(Request { path, agent })
}

/// The value of a header line that is the field `User-Agent`.
fn user_agent(line: &[u8]) -> Option<String> {
    let line = String::from_utf8_lossy(line);
    let (name, value) = line.split_once(':')?;
    name.eq_ignore_ascii_case("user-agent").then(|| value.trim().to_owned())
}

async fn respond(stream: &mut (impl AsyncWrite + Unpin), path: &str, answer: &WebAnswer) -> std::io::Result<()> {
    if path != POLICY_PATH {
        let missing = WebReply::new(404, "text/plain", "Not found.\n");
        return stream.write_all(&missing.to_bytes()).await;
    }
    match answer {
        WebAnswer::Hangup => Ok(()),
        WebAnswer::Raw(octets) => stream.write_all(octets).await,
        WebAnswer::Reply(reply) => {
            if !reply.delay.is_zero() {
                sleep(reply.delay).await;
            }
            stream.write_all(&reply.to_bytes()).await
        }
        WebAnswer::Silence => never().await,
    }
}
