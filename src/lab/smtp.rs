//! The SMTP servers of the lab: a real conversation up to STARTTLS and beyond. Mail is taken only where a host says so,
//! for its own domain, and forgotten at once.
//!
//! Each [`MxHost`] is one server at its own address; two with the same name are the two addresses
//! of one host, which may behave differently.

use std::sync::Arc;
use std::time::Duration;

use ring::digest::{SHA256, digest};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::sleep;

use super::journal::{EventKind, Journal};
use super::listen::never;
use super::record::{Record, RecordData};
use super::tls::{self, TlsOffer, TlsServer};

/// The longest command line that is read, in octets.
const LINE_LIMIT: u64 = 1_024;

/// The longest message that is read, in octets.
const DATA_LIMIT: u64 = 10_485_760;

/// How many commands one session may have.
const COMMANDS: usize = 64;

/// One SMTP server.
#[derive(Clone, Debug, PartialEq)]
pub struct MxHost {
    /// The name of the host, which its address is at.
    pub name: String,
    /// Whether the port is open; a closed one refuses connections.
    pub listens: bool,
    /// What it says first.
    pub greeting: SmtpAnswer,
    /// What it says to EHLO in the clear.
    pub ehlo: SmtpAnswer,
    /// What it says to STARTTLS. The handshake follows a reply that begins with 220.
    pub starttls: SmtpAnswer,
    /// How it meets the handshake.
    pub tls: TlsOffer,
    /// What it says to EHLO once TLS is on.
    pub ehlo_after_tls: SmtpAnswer,
    /// Whether it takes mail for the domain that it belongs to.
    pub takes_mail: bool,
    /// What the TLSA record at `_25._tcp.<name>` says, if there is one.
    pub dane: Option<Dane>,
}

/// What a TLSA record of usage DANE-EE(3), selector SPKI(1) and matching type SHA2-256(1), RFC 7672
/// §3.1.1, holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Dane {
    /// The digest of another key, as after a renewal that forgot it.
    Differs,
    /// The digest of the key that the server has.
    Matches,
}

impl MxHost {
    /// A server without a fault, which offers REQUIRETLS (RFC 8689 §2) once TLS is on.
    pub fn good(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            listens: true,
            greeting: SmtpAnswer::reply(220, &[&format!("{name} ESMTP lab")]),
            ehlo: SmtpAnswer::reply(250, &[name, "SIZE 10485760", "8BITMIME", "STARTTLS"]),
            starttls: SmtpAnswer::reply(220, &["Ready to start TLS"]),
            tls: TlsOffer::good(name),
            ehlo_after_tls: SmtpAnswer::reply(250, &[name, "SIZE 10485760", "8BITMIME", "REQUIRETLS"]),
            takes_mail: false,
            dane: None,
        }
    }

    /// A server that has never heard of STARTTLS.
    pub fn without_starttls(name: &str) -> Self {
        Self {
            ehlo: SmtpAnswer::reply(250, &[name, "SIZE 10485760", "8BITMIME"]),
            starttls: SmtpAnswer::reply(502, &["5.5.1 Command not implemented"]),
            ..Self::good(name)
        }
    }
}

/// What a server does at one point of the conversation.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum SmtpAnswer {
    /// It hangs up.
    Hangup,
    /// It sends these octets after a while; one or more replies, or whatever they are.
    Send {
        /// How long it thinks.
        delay: Duration,
        /// The octets, CRLF included.
        octets: Vec<u8>,
    },
    /// It never answers.
    Silence,
}

impl SmtpAnswer {
    /// These octets at once.
    pub fn raw(octets: impl Into<Vec<u8>>) -> Self {
        Self::Send { delay: Duration::ZERO, octets: octets.into() }
    }

    /// A reply of a code and its lines, at once.
    pub fn reply(code: u16, lines: &[&str]) -> Self {
        let last = lines.len().saturating_sub(1);
        let text: String = lines
            .iter()
            .enumerate()
            .map(|(at, line)| {
                let separator = if at == last { ' ' } else { '-' };
                format!("{code}{separator}{line}\r\n")
            })
            .collect();
        Self::raw(text)
    }

    fn is_go_ahead(&self) -> bool {
        matches!(self, Self::Send { octets, .. } if octets.starts_with(b"220"))
    }
}

/// An [`MxHost`] that is ready to serve.
pub(super) struct MxServer {
    pub(super) host: MxHost,
    /// The domain that it takes mail for.
    pub(super) domain: String,
    pub(super) tls: Arc<TlsServer>,
}

impl MxServer {
    /// The host's TLSA record, if it is to have one.
    pub(super) fn tlsa(&self) -> Option<Record> {
        let key: &[u8] = match self.host.dane? {
            Dane::Differs => b"the key before the renewal",
            Dane::Matches => &self.tls.public_key,
        };
        let association = digest(&SHA256, key).as_ref().to_vec();
        let tlsa = RecordData::Tlsa { usage: 3, selector: 1, matching: 1, association };
        Some(Record::new(&format!("_25._tcp.{}", self.host.name), tlsa))
    }
}

/// Serves one connection.
pub(super) async fn session(stream: TcpStream, server: Arc<MxServer>, journal: Journal) {
    let host = &server.host;
    let name = host.name.to_ascii_lowercase();
    journal.note(EventKind::MailConnection { host: name.clone() });
    let mut stream = BufReader::new(stream);
    if !send(&mut stream, &host.greeting).await {
        return;
    }
    let mail = MailBox { server: &server, name: &name, journal: &journal };
    let ended = converse(&mut stream, &host.ehlo, Some(&host.starttls), &mail).await;
    if ended != End::StartTls {
        let _ = stream.shutdown().await;
        return;
    }
    // What a client sent ahead of the handshake is forgotten here with the buffer, RFC 3207 §4.2.
    let ended = |_: Option<&str>, end| journal.note(EventKind::MailHandshake { host: name.clone(), end });
    let accepted = tls::accept(stream.into_inner(), |_| (&*server.tls, ()), ended).await;
    let Some((stream, ())) = accepted else {
        return;
    };
    let mut stream = BufReader::new(stream);
    converse(&mut stream, &host.ehlo_after_tls, None, &mail).await;
    let _ = stream.shutdown().await;
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum End {
    Closed,
    StartTls,
}

/// Answers commands until the session ends or the handshake is due.
///
/// `starttls` is the answer to STARTTLS, `None` once TLS is on.
async fn converse<S>(
    stream: &mut BufReader<S>,
    ehlo: &SmtpAnswer,
    starttls: Option<&SmtpAnswer>,
    mail: &MailBox<'_>,
) -> End
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let tls = starttls.is_none();
    let mut step = Step::Idle;
    for _ in 0..COMMANDS {
        let Some(line) = read_line(stream).await else {
            return End::Closed;
        };
        let verb = line.split([' ', '\r', '\n']).next().unwrap_or_default();
        let going_on = match verb.to_ascii_uppercase().as_str() {
            "EHLO" => {
                step = Step::Idle;
                send(stream, ehlo).await
            }
            "RSET" => {
                step = Step::Idle;
                say(stream, 250, "OK").await
            }
            "HELO" | "NOOP" => say(stream, 250, "OK").await,
            "STARTTLS" => match starttls {
                Some(answer) if answer.is_go_ahead() => {
                    return if send(stream, answer).await { End::StartTls } else { End::Closed };
                }
                Some(answer) => send(stream, answer).await,
                None => say(stream, 503, "5.5.1 TLS is on already").await,
            },
            "MAIL" => {
                let (code, text) = mail.begin(&mut step);
                say(stream, code, text).await
            }
            "RCPT" => {
                let (code, text) = mail.recipient(&mut step, &line, tls);
                say(stream, code, text).await
            }
            "DATA" if step == Step::Recipient => {
                step = Step::Idle;
                mail.data(stream, tls).await
            }
            "DATA" => say(stream, 503, "5.5.1 Bad sequence of commands").await,
            "QUIT" => {
                say(stream, 221, "Bye").await;
                return End::Closed;
            }
            _ => say(stream, 500, "5.5.1 Command not recognised").await,
        };
        if !going_on {
            return End::Closed;
        }
    }
    say(stream, 421, "4.7.0 Too many commands").await;
    End::Closed
}

/// How far a mail transaction is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Step {
    Idle,
    Sender,
    Recipient,
}

/// What takes mail, if the host does.
struct MailBox<'a> {
    server: &'a MxServer,
    name: &'a str,
    journal: &'a Journal,
}

impl MailBox<'_> {
    fn begin(&self, step: &mut Step) -> (u16, &'static str) {
        if !self.server.host.takes_mail {
            return (550, "5.7.1 This is a lab: no mail is taken here");
        }
        *step = Step::Sender;
        (250, "2.1.0 OK")
    }

    fn recipient(&self, step: &mut Step, line: &str, tls: bool) -> (u16, &'static str) {
        if *step == Step::Idle {
            return (503, "5.5.1 Bad sequence of commands");
        }
        let Some(domain) = recipient_domain(line) else {
            return (501, "5.1.3 Bad recipient address");
        };
        let host = self.name.to_owned();
        let ours = domain == self.server.domain;
        self.journal.note(EventKind::Recipient { host, domain, tls });
        if !ours {
            return (550, "5.7.1 Mail for this domain is not taken here");
        }
        *step = Step::Recipient;
        (250, "2.1.5 OK")
    }

    /// Reads a message to its end and forgets it.
    async fn data<S>(&self, stream: &mut BufReader<S>, tls: bool) -> bool
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        if !say(stream, 354, "Go ahead").await {
            return false;
        }
        let mut size = 0;
        loop {
            let mut line = Vec::new();
            let read = (&mut *stream).take(DATA_LIMIT).read_until(b'\n', &mut line).await;
            size += line.len();
            match read {
                Ok(_) if size as u64 > DATA_LIMIT || !line.ends_with(b"\n") => return false,
                Ok(_) if line == b".\r\n" || line == b".\n" => break,
                Ok(_) => {}
                Err(_) => return false,
            }
        }
        let domain = self.server.domain.clone();
        self.journal.note(EventKind::Delivered { host: self.name.to_owned(), domain, tls });
        say(stream, 250, "2.0.0 Taken").await
    }
}

/// The domain of `RCPT TO:<local@domain>`, in lower case.
fn recipient_domain(line: &str) -> Option<String> {
    let (_, rest) = line.split_once('<')?;
    let (address, _) = rest.split_once('>')?;
    let (_, domain) = address.rsplit_once('@')?;
    Some(domain.trim_end_matches('.').to_ascii_lowercase())
}

/// Reads a line. `None` at the end of the stream and for a line beyond the limit.
async fn read_line(stream: &mut (impl AsyncBufReadExt + Unpin)) -> Option<String> {
    let mut line = Vec::new();
    stream.take(LINE_LIMIT).read_until(b'\n', &mut line).await.ok()?;
    line.ends_with(b"\n").then(|| String::from_utf8_lossy(&line).into_owned())
}

async fn say(stream: &mut (impl AsyncWrite + Unpin), code: u16, text: &str) -> bool {
    send(stream, &SmtpAnswer::reply(code, &[text])).await
}

/// Gives an answer and says whether the conversation goes on.
async fn send(stream: &mut (impl AsyncWrite + Unpin), answer: &SmtpAnswer) -> bool {
    match answer {
        SmtpAnswer::Hangup => false,
        SmtpAnswer::Send { delay, octets } => {
            if !delay.is_zero() {
                sleep(*delay).await;
            }
            stream.write_all(octets).await.is_ok() && stream.flush().await.is_ok()
        }
        SmtpAnswer::Silence => never().await,
    }
}
