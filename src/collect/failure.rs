//! Errors of the libraries as the kinds of failure that a snapshot knows.

use std::error::Error;
use std::io;

use tokio_rustls::rustls::{self, PeerIncompatible};

use super::alert::{self, TOO_OLD};
use crate::snapshot::{Failure, FailureKind, FailureStep};
use crate::source_text::escape;

/// The longest detail that is kept, in characters.
const MAX_DETAIL: usize = 300;

/// A failure whose detail is safe to show.
pub fn failure(kind: FailureKind, detail: impl AsRef<str>) -> Failure {
    Failure { kind, step: None, detail: escape(detail.as_ref()).chars().take(MAX_DETAIL).collect() }
}

/// What an error of a connection means; `step` names what was being done.
pub fn of_io(step: &str, error: &io::Error) -> Failure {
    if let Some(tls) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        return of_tls(tls);
    }
    let kind = match error.kind() {
        io::ErrorKind::ConnectionRefused => FailureKind::Refused,
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted => FailureKind::Reset,
        io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe | io::ErrorKind::NotConnected => FailureKind::Closed,
        io::ErrorKind::HostUnreachable
        | io::ErrorKind::NetworkUnreachable
        | io::ErrorKind::NetworkDown
        | io::ErrorKind::AddrNotAvailable => FailureKind::Network,
        io::ErrorKind::TimedOut => FailureKind::Timeout,
        io::ErrorKind::PermissionDenied => FailureKind::Network,
        _ => FailureKind::Other,
    };
    let what = match (kind, error.kind()) {
        (FailureKind::Refused, _) => "the connection was refused".to_owned(),
        (FailureKind::Reset, _) => "the connection was reset".to_owned(),
        (FailureKind::Closed, _) => "the connection was closed".to_owned(),
        (FailureKind::Timeout, _) => "the connection timed out".to_owned(),
        (_, io::ErrorKind::HostUnreachable) => "there is no route to the host".to_owned(),
        (_, io::ErrorKind::NetworkUnreachable) => "there is no route to the network of the address".to_owned(),
        (_, io::ErrorKind::NetworkDown) => "the network here is down".to_owned(),
        (_, io::ErrorKind::AddrNotAvailable) => "this machine has no address to connect from".to_owned(),
        (_, io::ErrorKind::PermissionDenied) => "this machine does not allow the connection".to_owned(),
        (_, io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput) => "what came cannot be read".to_owned(),
        _ => match error.raw_os_error() {
            // EMFILE and ENFILE.
            Some(23 | 24) => "this machine has too many files and connections open".to_owned(),
            Some(number) => format!("the operating system here reports error {number}"),
            None => "the connection failed without a reason".to_owned(),
        },
    };
    failure(kind, format!("{step}: {what}"))
}

/// What an error of a TLS handshake means (RFC 8446 §6).
pub fn of_tls(error: &rustls::Error) -> Failure {
    match error {
        rustls::Error::AlertReceived(alert) => {
            let (number, ended) = (u8::from(*alert), "the server ended the connection with the TLS alert");
            let reason = alert::meaning(number).map_or_else(String::new, |meaning| format!(": {meaning}"));
            failure(FailureKind::TlsAlert, format!("{ended} {}{reason}", alert::name(number)))
        }
        rustls::Error::PeerIncompatible(
            PeerIncompatible::ServerDoesNotSupportTls12Or13 | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
        ) => failure(FailureKind::TlsHandshake, format!("the TLS handshake failed: {TOO_OLD}")),
        rustls::Error::InvalidMessage(
            rustls::InvalidMessage::CertificatePayloadTooLarge | rustls::InvalidMessage::HandshakePayloadTooLarge,
        ) => failure(FailureKind::Limit, "a message of the server's TLS handshake is larger than 64 KiB"),
        rustls::Error::PeerSentOversizedRecord => {
            failure(FailureKind::Limit, "a record of the server's is larger than TLS allows")
        }
        error => failure(FailureKind::TlsHandshake, format!("the TLS handshake failed: {}", of_library(error))),
    }
}

/// What went wrong in a handshake, where the TLS library itself ended it.
fn of_library(error: &rustls::Error) -> &'static str {
    use rustls::{Error, InvalidMessage};
    match error {
        Error::InvalidMessage(InvalidMessage::InvalidContentType | InvalidMessage::UnknownProtocolVersion) => {
            "the server answered with something that is not TLS"
        }
        Error::InvalidMessage(_) => "a message of the server cannot be read",
        Error::InappropriateMessage { .. } | Error::InappropriateHandshakeMessage { .. } => {
            "the server sent a message out of turn"
        }
        Error::NoCertificatesPresented => "the server sent no certificate",
        Error::InvalidCertificate(_) => "the certificate of the server cannot be used",
        Error::UnsupportedNameType => "the name of the host cannot be used in TLS",
        Error::DecryptError => "what the server sent cannot be decrypted",
        Error::PeerIncompatible(_) => "the server chose something that was not offered",
        Error::PeerMisbehaved(_) => "the server broke the rules of TLS",
        Error::NoApplicationProtocol => "the server chose no protocol that was offered",
        _ => "the TLS library here gives no reason",
    }
}

/// The same failure, where the server demanded a client's certificate before: however it then ends the connection, by an
/// alert (RFC 8446 §4.4.2.4), by closing or by a reset, that is its reason.
pub fn for_want_of_certificate(failure: Failure, demanded: bool) -> Failure {
    let ended = [FailureKind::Closed, FailureKind::Reset, FailureKind::TlsAlert, FailureKind::TlsHandshake];
    if !demanded || !ended.contains(&failure.kind) {
        return failure;
    }
    self::failure(FailureKind::ClientCertificate, "the server demands a client certificate, but senders have none")
        .at(FailureStep::TlsHandshake)
}

/// The first error of type `T` in a chain of causes.
pub fn cause<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    causes(error).find_map(|error| error.downcast_ref::<T>())
}

/// The first error of a connection in a chain of causes, TLS before others.
pub fn of_causes(step: &str, error: &(dyn Error + 'static)) -> Option<Failure> {
    if let Some(tls) = cause::<rustls::Error>(error) {
        return Some(of_tls(tls));
    }
    causes(error).filter_map(|error| error.downcast_ref::<io::Error>()).last().map(|error| of_io(step, error))
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    // An io::Error hides the error that it carries from `source`, which shows only that error's own cause.
    std::iter::successors(Some(error), |error| below(*error)).take(16)
}

fn below<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(inner) => Some(inner),
        None => error.source(),
    }
}
