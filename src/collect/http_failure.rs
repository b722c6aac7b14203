//! How a policy fetch can end after the handshake (RFC 9112 §8), in kinds and words. Used by `https`.

use super::allowance::{Allowance, Overrun};
use super::failure::{cause, failure, of_causes};
use crate::snapshot::{Failure, FailureKind, FailureStep};

/// What a failure's sentence begins with.
const STEP: &str = "fetching the policy";

/// How much of a body there was to be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Announced {
    /// As many octets as Content-Length says.
    Octets(u64),
    /// Chunks, up to the one that is empty.
    Chunks,
    /// All that comes until the connection is closed.
    UntilClosed,
}

/// How much was to come, and what came.
#[derive(Clone, Copy, Debug)]
pub struct Body {
    /// What was to come.
    pub announced: Announced,
    /// The octets that came.
    pub read: usize,
}

impl Body {
    /// Where in the body something ended.
    fn place(self) -> String {
        let read = self.read;
        match self.announced {
            Announced::Octets(announced) => format!("after {read} of the {announced} octets that it announced"),
            Announced::Chunks => format!("after {read} octets, before the last chunk came"),
            Announced::UntilClosed => format!("after {read} octets"),
        }
    }
}

/// What an error of the HTTP library means: before the response, or in its `body`.
pub fn of_hyper(error: &hyper::Error, body: Option<Body>, allowance: &Allowance) -> Failure {
    let step = if body.is_some() { FailureStep::Body } else { FailureStep::Response };
    let (kind, what) = understood(error, body, allowance);
    failure(kind, format!("{STEP}: {what}")).at(step)
}

fn understood(error: &hyper::Error, body: Option<Body>, allowance: &Allowance) -> (FailureKind, String) {
    if cause::<Overrun>(error).is_some() {
        return (FailureKind::Limit, Overrun.to_string());
    }
    let place = body.map_or_else(|| "before it answered".to_owned(), Body::place);
    let unannounced = if allowance.was_cut() { ", without the notice that TLS demands (close_notify)," } else { "" };
    // What the connection below says is a sentence of its own already.
    let below = of_causes("the connection", error);
    match below.map(|below| (below.kind, below.detail)) {
        Some((FailureKind::Reset, _)) => (FailureKind::Reset, format!("the server reset the connection {place}")),
        Some((FailureKind::Closed, _)) => {
            let doubt = if matches!(body, Some(Body { announced: Announced::UntilClosed, .. })) {
                ": nobody can tell whether they are all"
            } else {
                ""
            };
            (FailureKind::Closed, format!("the server closed the connection{unannounced} {place}{doubt}"))
        }
        Some((kind @ (FailureKind::TlsAlert | FailureKind::TlsHandshake | FailureKind::Limit), detail)) => {
            (kind, detail)
        }
        Some((kind @ (FailureKind::Timeout | FailureKind::Network), detail)) => (kind, detail),
        _ if error.is_incomplete_message() || error.is_closed() || error.is_canceled() => {
            (FailureKind::Closed, format!("the server closed the connection{unannounced} {place}"))
        }
        _ if error.is_parse_too_large() => {
            (FailureKind::Limit, "the head of the response is longer than is read".to_owned())
        }
        _ if error.is_parse_status() => {
            (FailureKind::Protocol, "the status code of the response is not a number".to_owned())
        }
        _ if body.is_some() => (FailureKind::Protocol, "the body is not framed as HTTP/1.1 has it".to_owned()),
        _ => (FailureKind::Protocol, "the response does not begin as one of HTTP/1.1".to_owned()),
    }
}
