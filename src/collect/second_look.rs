//! A second look at a server, with a ClientHello of our own: what does it speak that the TLS library here does not? Used
//! by `smtp` and `https`, where a handshake failed, and to see whether TLS 1.0 and 1.1 are accepted beside newer versions.
//!
//! The session is never finished, so that nothing shows whether the server holds the key of its certificate.

use std::pin::pin;

use futures_util::future::{Either, select};
use tls_parser::{TlsRecordType, parse_tls_record_header};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_rustls::rustls::pki_types::ServerName;
use tracing::trace;

use super::alert;
use super::client_hello::{ClientHello, Offer};
use super::limits::{Clock, LOOK_GRACE};
use super::server_flight::{Flight, Progress, Spoken};
use crate::snapshot::{Failure, FailureKind, TlsFacts, TlsVersion};
use crate::source_text::escape;

/// What is offered to a server with which the TLS library here came to nothing, in this order: up to TLS 1.2 more of
/// the answer comes in the clear.
pub const OFFERS: [Offer; 2] = [Offer::UpToTls12, Offer::Tls13];

/// The warning `user_canceled`, and `close_notify`: how a client ends a handshake that it does not mean to finish
/// (RFC 5246 §7.2), in records of the version that was agreed on.
fn good_bye(version: TlsVersion) -> [u8; 14] {
    let minor = match version {
        TlsVersion::Ssl3 | TlsVersion::Tls10 => 1,
        TlsVersion::Tls11 => 2,
        TlsVersion::Tls12 | TlsVersion::Tls13 => 3,
    };
    [21, 3, minor, 0, 2, 1, 90, 21, 3, minor, 0, 2, 1, 0]
}

/// How many records are read.
const MAX_RECORDS: usize = 4_096;

/// Why nothing was agreed on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Declined {
    /// The server sent this alert.
    Alert(u8),
    /// The server closed or reset the connection.
    Closed,
    /// The server sent something that is not an answer.
    Nonsense,
    /// No answer came in time, or nothing could be sent.
    Unanswered,
}

impl Declined {
    /// Whether this is the server's word on what was offered, rather than the network's on anything.
    pub fn is_answer(self) -> bool {
        matches!(self, Declined::Alert(_) | Declined::Closed)
    }

    fn described(self) -> String {
        match self {
            Declined::Alert(number) => format!("alert {}", alert::name(number)),
            Declined::Closed => "connection closed".to_owned(),
            Declined::Nonsense => "not a TLS answer".to_owned(),
            Declined::Unanswered => "no answer".to_owned(),
        }
    }
}

/// Whether a handshake failed in a way in which it fails where the two sides have nothing in common.
pub fn is_worth_it(failure: &Failure) -> bool {
    matches!(failure.kind, FailureKind::Closed | FailureKind::Reset | FailureKind::TlsAlert | FailureKind::TlsHandshake)
}

/// The name of a host, as TLS can ask for it.
pub fn server_name(host: &str) -> Option<ServerName<'static>> {
    ServerName::try_from(host.trim_end_matches('.').to_owned()).ok()
}

/// Sends an offer, asking for `name` where there is one, and reads what the server chooses.
pub async fn ask<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    name: Option<&ServerName<'_>>,
    offer: Offer,
    clock: Clock,
) -> Result<Spoken, Declined> {
    let hello = ClientHello::new(name, offer).ok_or(Declined::Unanswered)?;
    let asking = async {
        let answered = converse(&mut stream, &hello, offer).await;
        if let Ok(spoken) = &answered {
            let _ = stream.write_all(&good_bye(spoken.version)).await;
            let _ = stream.shutdown().await;
        }
        answered
    };
    let answered = clock.within("answer to the second ClientHello", asking).await.unwrap_or(Err(Declined::Unanswered));
    let asked = name.map(|name| format!("SNI {}", escape(&name.to_str()))).unwrap_or_else(|| "no SNI".to_owned());
    let outcome = match &answered {
        Ok(spoken) => format!("{} with {}", spoken.version, spoken.cipher.as_deref().unwrap_or("an unknown suite")),
        Err(declined) => declined.described(),
    };
    trace!("TLS: offered {}, {asked}: {outcome}", offer.described());
    answered
}

/// The newest version below TLS 1.2 that a server accepts; `None` where it did not say.
pub async fn older_version<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    name: &ServerName<'_>,
    clock: Clock,
) -> Option<Option<TlsVersion>> {
    match ask(stream, Some(name), Offer::UpToTls11, clock).await {
        Ok(spoken) => Some(Some(spoken.version)),
        Err(declined) => declined.is_answer().then_some(None),
    }
}

/// Notes the newest version below TLS 1.2 that a server accepts. Where it agreed to nothing, whatever the offer, its refusal of
/// old versions says nothing about them.
pub fn note_older_version(tls: &mut TlsFacts, older: Option<Option<TlsVersion>>) {
    let agreed = tls.handshake || tls.second_look.is_some() || !tls.chain.is_empty();
    tls.older_version = older.filter(|version| agreed || version.is_some());
}

/// Runs a look beside what nobody should have to wait longer for: once that has ended, the look has [`LOOK_GRACE`] left.
pub async fn beside<T, U>(first: impl Future<Output = T>, look: impl Future<Output = Option<U>>) -> (T, Option<U>) {
    match select(pin!(first), pin!(look)).await {
        Either::Left((ended, look)) => (ended, tokio::time::timeout(LOOK_GRACE, look).await.ok().flatten()),
        Either::Right((looked, first)) => (first.await, looked),
    }
}

async fn converse<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    hello: &ClientHello,
    offer: Offer,
) -> Result<Spoken, Declined> {
    send(stream, &hello.record()).await?;
    let mut flight = Flight::answering(offer);
    for _ in 0..MAX_RECORDS {
        let (kind, content) = record(stream).await?;
        match (kind, content.as_slice()) {
            // RFC 6066 §3 lets a server warn that it does not know the name, and go on.
            (TlsRecordType::Alert, [1, number]) if *number != 0 => {}
            (TlsRecordType::Alert, [_, number]) => return Err(Declined::Alert(*number)),
            // For the sake of devices on the way (RFC 8446 §D.4).
            (TlsRecordType::ChangeCipherSpec, [1]) if offer == Offer::Tls13 => {}
            (TlsRecordType::Handshake, [_, ..]) => match flight.hear(&content) {
                Progress::More => {}
                Progress::Nonsense => return Err(Declined::Nonsense),
                Progress::Whole(spoken) => return Ok(spoken),
                Progress::Retry { group, cookie } => {
                    let again = hello.again(group, cookie.as_deref()).ok_or(Declined::Nonsense)?;
                    send(stream, &again).await?;
                }
            },
            _ => return Err(Declined::Nonsense),
        }
    }
    Err(Declined::Nonsense)
}

async fn send<S: AsyncWrite + Unpin>(stream: &mut S, octets: &[u8]) -> Result<(), Declined> {
    stream.write_all(octets).await.map_err(|_| Declined::Closed)?;
    stream.flush().await.map_err(|_| Declined::Closed)
}

async fn record<S: AsyncRead + Unpin>(stream: &mut S) -> Result<(TlsRecordType, Vec<u8>), Declined> {
    let mut header = [0; 5];
    stream.read_exact(&mut header).await.map_err(|_| Declined::Closed)?;
    let (_, header) = parse_tls_record_header(&header).map_err(|_| Declined::Nonsense)?;
    let mut content = vec![0; usize::from(header.len)];
    stream.read_exact(&mut content).await.map_err(|_| Declined::Closed)?;
    Ok((header.record_type, content))
}
