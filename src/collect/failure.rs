//! Errors of the libraries as the kinds of failure that a snapshot knows.

use std::error::Error;
use std::io;

use tokio_rustls::rustls::{self, AlertDescription, PeerIncompatible};

use crate::snapshot::{Failure, FailureKind};
use crate::source_text::escape;

/// The longest detail that is kept, in characters.
const MAX_DETAIL: usize = 300;

/// A failure whose detail is safe to show.
pub fn failure(kind: FailureKind, detail: impl AsRef<str>) -> Failure {
    Failure { kind, detail: escape(detail.as_ref()).chars().take(MAX_DETAIL).collect() }
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
    let what = match kind {
        FailureKind::Refused => "the connection was refused".to_owned(),
        FailureKind::Reset => "the connection was reset".to_owned(),
        FailureKind::Closed => "the connection was closed".to_owned(),
        FailureKind::Timeout => "the network gave up waiting".to_owned(),
        _ => error.to_string(),
    };
    failure(kind, format!("{step}: {what}"))
}

/// What an error of a TLS handshake means (RFC 8446 §6).
pub fn of_tls(error: &rustls::Error) -> Failure {
    match error {
        rustls::Error::AlertReceived(alert) => {
            let reason = meaning(*alert).map_or_else(String::new, |meaning| format!(": {meaning}"));
            failure(
                FailureKind::TlsAlert,
                format!("the server ended the connection with the TLS alert {alert:?}{reason}"),
            )
        }
        rustls::Error::PeerIncompatible(
            PeerIncompatible::ServerDoesNotSupportTls12Or13 | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
        ) => failure(FailureKind::TlsHandshake, format!("the TLS handshake failed: {TOO_OLD}")),
        rustls::Error::InvalidMessage(
            rustls::InvalidMessage::CertificatePayloadTooLarge | rustls::InvalidMessage::HandshakePayloadTooLarge,
        ) => failure(FailureKind::Limit, "a message of the server's TLS handshake is larger than 64 KiB"),
        rustls::Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType) => {
            failure(FailureKind::TlsHandshake, "the server answered with something that is not TLS")
        }
        error => failure(FailureKind::TlsHandshake, format!("the TLS handshake failed: {error}")),
    }
}

const TOO_OLD: &str = "the server speaks neither TLS 1.2 nor TLS 1.3, which is all that is offered";

/// What an alert says to the one who has to mend it.
fn meaning(alert: AlertDescription) -> Option<&'static str> {
    match alert {
        AlertDescription::ProtocolVersion => Some(TOO_OLD),
        AlertDescription::HandshakeFailure | AlertDescription::InsufficientSecurity => {
            Some("it accepts nothing of what is offered (cipher suites, key exchange, signatures)")
        }
        AlertDescription::UnrecognisedName => Some("it does not know the name that it was asked for"),
        AlertDescription::CertificateRequired => Some("it wants the client's certificate, and senders have none"),
        AlertDescription::NoApplicationProtocol => {
            Some("it speaks no HTTP/1.1, the version that every client and all senders know")
        }
        AlertDescription::InternalError => Some("something is wrong on its side; its log says what"),
        _ => None,
    }
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
