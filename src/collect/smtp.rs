//! An MX host spoken to as a sender would: greeting, EHLO, STARTTLS, TLS, EHLO, QUIT (RFC 5321, RFC 3207).

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

use super::io_failure;
use super::tls::{Tls, handshake_failure};
use crate::snapshot::{
    Failure, FailureKind, Octets, Party, SmtpProbe, SmtpReply, TlsFacts, TranscriptLine, WithoutSni,
};
use crate::source_text::escape;

/// The longest line of a reply that is read, in octets (RFC 5321 §4.5.3.1.5 allows 512).
const MAX_LINE: usize = 2048;
/// How many lines one reply may have.
const MAX_LINES: usize = 128;
/// How many lines the transcript keeps.
const MAX_TRANSCRIPT: usize = 256;

/// What a probe needs.
pub struct Dialogue<'a> {
    /// The trust anchors.
    pub tls: &'a Tls,
    /// The MX host.
    pub exchange: &'a str,
    /// The port.
    pub port: u16,
    /// The time limit of each step.
    pub limit: Duration,
    /// The name that EHLO gives.
    pub helo: &'a str,
    /// The time at which certificates are judged, since 1970.
    pub now: Duration,
}

/// Speaks to one address; whatever happens is in the probe. The handshake without SNI runs beside it.
pub async fn probe(dialogue: &Dialogue<'_>, address: IpAddr) -> SmtpProbe {
    let begun = Instant::now();
    let mut probe = empty(address);
    if let Err(failure) = converse(dialogue, &mut probe).await {
        probe.transcript.push(TranscriptLine { from: Party::Note, text: failure.detail.clone() });
        probe.failure = Some(failure);
    }
    if probe.tls.as_ref().is_some_and(|tls| tls.handshake) {
        probe.without_sni = without_sni(dialogue, address).await;
    }
    probe.transcript.truncate(MAX_TRANSCRIPT);
    probe.elapsed_ms = Some(u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX));
    tracing::debug!(target: "stslint::smtp", "{} [{address}]: {:?}", dialogue.exchange, probe.failure);
    probe
}

fn empty(address: IpAddr) -> SmtpProbe {
    SmtpProbe {
        address,
        connected: None,
        greeting: None,
        ehlo: None,
        starttls: None,
        after_starttls: None,
        tls: None,
        ehlo_after_tls: None,
        without_sni: None,
        failure: None,
        transcript: Vec::new(),
        elapsed_ms: None,
    }
}

async fn converse(dialogue: &Dialogue<'_>, probe: &mut SmtpProbe) -> Result<(), Failure> {
    let mut line = connect(dialogue, probe).await?;
    let greeting = line.reply(&mut probe.transcript, "the greeting").await?;
    let greeted = greeting.code == 220;
    probe.greeting = Some(greeting);
    if !greeted {
        line.quit(&mut probe.transcript).await;
        return Ok(());
    }
    let ehlo = line.ask(&format!("EHLO {}", dialogue.helo), &mut probe.transcript).await?;
    let offered = ehlo.code == 250
        && ehlo
            .lines
            .iter()
            .skip(1)
            .any(|line| line.split_whitespace().next().is_some_and(|word| word.eq_ignore_ascii_case("STARTTLS")));
    probe.ehlo = Some(ehlo);
    if !offered {
        line.quit(&mut probe.transcript).await;
        return Ok(());
    }
    let starttls = line.ask("STARTTLS", &mut probe.transcript).await?;
    let accepted = starttls.code == 220;
    probe.starttls = Some(starttls);
    if !accepted {
        line.quit(&mut probe.transcript).await;
        return Ok(());
    }
    probe.after_starttls = Some(Octets(std::mem::take(&mut line.buffer))).filter(|octets| !octets.0.is_empty());
    let Some(mut secured) = secure(dialogue, line, probe).await else { return Ok(()) };
    let after = secured.ask(&format!("EHLO {}", dialogue.helo), &mut probe.transcript).await?;
    probe.ehlo_after_tls = Some(after);
    secured.quit(&mut probe.transcript).await;
    Ok(())
}

async fn connect(dialogue: &Dialogue<'_>, probe: &mut SmtpProbe) -> Result<Conversation<TcpStream>, Failure> {
    let address = SocketAddr::new(probe.address, dialogue.port);
    let connected = timed(dialogue.limit, "no connection", TcpStream::connect(address)).await;
    probe.connected = Some(connected.is_ok());
    let stream = connected?;
    // Small writes must not wait for acknowledgements.
    let _ = stream.set_nodelay(true);
    Ok(Conversation { stream, buffer: Vec::new(), limit: dialogue.limit })
}

/// The handshake with SNI. `None` where it failed, which is then in the probe.
async fn secure(
    dialogue: &Dialogue<'_>,
    line: Conversation<TcpStream>,
    probe: &mut SmtpProbe,
) -> Option<Conversation<tokio_rustls::client::TlsStream<TcpStream>>> {
    let failed = |kind, detail: String| TlsFacts {
        server_name: Some(dialogue.exchange.to_owned()),
        failure: Some(Failure { kind, detail }),
        ..TlsFacts::default()
    };
    let Ok(name) = ServerName::try_from(dialogue.exchange.to_owned()) else {
        probe.tls = Some(failed(FailureKind::Other, "the MX host's name cannot be sent as SNI".to_owned()));
        return None;
    };
    let (config, recorder) = match dialogue.tls.client(true) {
        Ok(client) => client,
        Err(error) => {
            probe.tls = Some(failed(FailureKind::Other, error.to_string()));
            return None;
        }
    };
    let handshake = TlsConnector::from(std::sync::Arc::new(config)).connect(name, line.stream);
    let ended = tokio::time::timeout(dialogue.limit, handshake).await;
    let seen = recorder.seen();
    let (stream, failure) = match ended {
        Ok(Ok(stream)) => (Some(stream), None),
        Ok(Err(error)) => (None, Some(handshake_failure(&error))),
        Err(_) => (
            None,
            Some(Failure {
                kind: FailureKind::Timeout,
                detail: "the TLS handshake was not complete within the time limit".to_owned(),
            }),
        ),
    };
    let mut facts = dialogue.tls.facts(&seen, dialogue.exchange, dialogue.now, failure);
    if let Some(stream) = &stream {
        let session = stream.get_ref().1;
        facts.version =
            session.protocol_version().and_then(|version| version.as_str()).map(|version| version.replace('_', "."));
        facts.cipher = session.negotiated_cipher_suite().and_then(|suite| suite.suite().as_str()).map(str::to_owned);
    }
    let note = match &facts.failure {
        None => format!("TLS handshake done: {}", facts.version.as_deref().unwrap_or("?")),
        Some(failure) => format!("TLS handshake failed: {}", failure.detail),
    };
    probe.transcript.push(TranscriptLine { from: Party::Note, text: note });
    probe.tls = Some(facts);
    stream.map(|stream| Conversation { stream, buffer: Vec::new(), limit: dialogue.limit })
}

/// A second connection whose handshake sends no SNI (RFC 8461 §7.1).
async fn without_sni(dialogue: &Dialogue<'_>, address: IpAddr) -> Option<WithoutSni> {
    let mut probe = empty(address);
    let mut line = connect(dialogue, &mut probe).await.ok()?;
    let mut lines = Vec::new();
    line.reply(&mut lines, "the greeting").await.ok().filter(|reply| reply.code == 220)?;
    line.ask(&format!("EHLO {}", dialogue.helo), &mut lines).await.ok().filter(|reply| reply.code == 250)?;
    line.ask("STARTTLS", &mut lines).await.ok().filter(|reply| reply.code == 220)?;
    let (config, _) = dialogue.tls.client(false).ok()?;
    let name = ServerName::try_from(dialogue.exchange.to_owned()).ok()?;
    let handshake = TlsConnector::from(std::sync::Arc::new(config)).connect(name, line.stream);
    match tokio::time::timeout(dialogue.limit, handshake).await {
        Ok(Ok(stream)) => {
            let mut secured = Conversation { stream, buffer: Vec::new(), limit: dialogue.limit };
            secured.quit(&mut lines).await;
            Some(WithoutSni { handshake: true, failure: None })
        }
        Ok(Err(error)) => Some(WithoutSni { handshake: false, failure: Some(handshake_failure(&error)) }),
        // It may only have been slow: nothing is known.
        Err(_) => None,
    }
}

/// One side of an SMTP connection.
struct Conversation<S> {
    stream: S,
    buffer: Vec<u8>,
    limit: Duration,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Conversation<S> {
    async fn ask(&mut self, command: &str, transcript: &mut Vec<TranscriptLine>) -> Result<SmtpReply, Failure> {
        transcript.push(TranscriptLine { from: Party::Client, text: command.to_owned() });
        let write = async {
            self.stream.write_all(format!("{command}\r\n").as_bytes()).await?;
            self.stream.flush().await
        };
        timed(self.limit, "the command could not be sent", write).await?;
        let verb = command.split(' ').next().unwrap_or(command).to_owned();
        self.reply(transcript, &format!("a reply to {verb}")).await
    }

    /// Reads a reply of one or more lines within the time limit.
    async fn reply(&mut self, transcript: &mut Vec<TranscriptLine>, what: &str) -> Result<SmtpReply, Failure> {
        let limit = self.limit;
        match tokio::time::timeout(limit, self.read_reply(transcript)).await {
            Ok(reply) => reply,
            Err(_) => Err(Failure {
                kind: FailureKind::Timeout,
                detail: format!("{what} did not come within {} s", limit.as_secs_f32()),
            }),
        }
    }

    async fn read_reply(&mut self, transcript: &mut Vec<TranscriptLine>) -> Result<SmtpReply, Failure> {
        let mut reply = SmtpReply::default();
        for _ in 0..MAX_LINES {
            let line = self.line().await?;
            let text = escape(&String::from_utf8_lossy(&line));
            if transcript.len() < MAX_TRANSCRIPT {
                transcript.push(TranscriptLine { from: Party::Server, text: text.clone() });
            }
            let code = text
                .get(..3)
                .filter(|code| code.bytes().all(|c| c.is_ascii_digit()))
                .and_then(|code| code.parse().ok());
            let Some(code) = code else {
                return Err(Failure {
                    kind: FailureKind::Protocol,
                    detail: format!("this is no SMTP reply: {}", text.chars().take(120).collect::<String>()),
                });
            };
            reply.code = code;
            reply.lines.push(text.get(4..).unwrap_or_default().to_owned());
            if text.as_bytes().get(3) != Some(&b'-') {
                return Ok(reply);
            }
        }
        Err(Failure { kind: FailureKind::Limit, detail: format!("a reply has more than {MAX_LINES} lines") })
    }

    async fn line(&mut self) -> Result<Vec<u8>, Failure> {
        loop {
            if let Some(end) = self.buffer.iter().position(|octet| *octet == b'\n') {
                let rest = self.buffer.split_off(end.saturating_add(1));
                let mut line = std::mem::replace(&mut self.buffer, rest);
                while line.last().is_some_and(|octet| matches!(octet, b'\r' | b'\n')) {
                    line.pop();
                }
                return Ok(line);
            }
            if self.buffer.len() > MAX_LINE {
                return Err(Failure {
                    kind: FailureKind::Limit,
                    detail: format!("a line has more than {MAX_LINE} octets"),
                });
            }
            let mut chunk = [0_u8; 1024];
            let read = self.stream.read(&mut chunk).await.map_err(|error| io_failure(&error))?;
            if read == 0 {
                return Err(Failure {
                    kind: FailureKind::Closed,
                    detail: "the server closed the connection".to_owned(),
                });
            }
            self.buffer.extend(chunk.iter().take(read));
        }
    }

    /// Says goodbye; nothing waits for the answer for long.
    async fn quit(&mut self, transcript: &mut Vec<TranscriptLine>) {
        transcript.push(TranscriptLine { from: Party::Client, text: "QUIT".to_owned() });
        let short = self.limit.min(Duration::from_secs(1));
        let goodbye = async {
            self.stream.write_all(b"QUIT\r\n").await?;
            self.stream.flush().await
        };
        let _ = tokio::time::timeout(short, goodbye).await;
        let _ = tokio::time::timeout(short, self.read_reply(transcript)).await;
    }
}

async fn timed<T>(limit: Duration, what: &str, step: impl Future<Output = io::Result<T>>) -> Result<T, Failure> {
    match tokio::time::timeout(limit, step).await {
        Ok(ended) => ended.map_err(|error| io_failure(&error)),
        Err(_) => {
            Err(Failure { kind: FailureKind::Timeout, detail: format!("{what} within {} s", limit.as_secs_f32()) })
        }
    }
}
