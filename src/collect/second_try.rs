//! A second try where one sample may mislead: a server that puts a client off for the moment (4yz in SMTP, 429 and 503 in
//! HTTP), and a connection that was reset or broken off. Each is tried once more, after a pause; the second try counts, and
//! the first is kept beside it. Used by `pass` and `policy`.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;

use super::guard::Admitted;
use super::https::{self, Asked};
use super::limits::{Clock, LONGEST_RETRY_AFTER, millis};
use super::log_lines;
use super::smtp::{self, SmtpClientConfig};
use super::tls::TlsProber;
use crate::snapshot::{FailureKind, FirstConversation, FirstFetch, HttpResponse, HttpsProbe, SmtpProbe, SmtpReply};
use crate::source_text::escape;

/// Speaks to one address of an MX host, a second time where the first may mislead.
pub async fn converse(
    exchange: &str,
    admitted: Admitted,
    smtp_client: &SmtpClientConfig,
    prober: &TlsProber,
    clock: Clock,
) -> SmtpProbe {
    let first = Box::pin(smtp::probe(exchange, admitted, smtp_client, prober, clock)).await;
    let Some(pause) = clock.retry_pause().filter(|_| smtp_client.retry && is_put_off(&first)) else { return first };
    let pause = pause.max(smtp_client.pause.unwrap_or_default());
    log_lines::second_try("MX host", exchange, first.address, pause);
    tokio::time::sleep(pause).await;
    let second = Box::pin(smtp::probe(exchange, admitted, smtp_client, prober, clock)).await;
    let first = FirstConversation {
        greeting: first.greeting,
        ehlo: first.ehlo,
        starttls: first.starttls,
        ehlo_after_tls: first.ehlo_after_tls,
        failure: first.failure,
        transcript: first.transcript,
        elapsed_ms: first.elapsed_ms,
        pause_ms: Some(millis(pause)),
    };
    SmtpProbe { first_try: Some(Box::new(first)), ..second }
}

/// Asks one address of a policy host for the policy, a second time where the first may mislead.
pub async fn fetch(asked: &Asked<'_>, retry: bool, prober: &TlsProber, clock: Clock) -> HttpsProbe {
    let first = Box::pin(https::probe(asked, prober, clock)).await;
    if !retry || !is_unsettled(&first) {
        return first;
    }
    let retry_after = first.response.as_ref().and_then(retry_after);
    let said = retry_after.as_deref().and_then(|value| seconds(value, Timestamp::now()));
    let (step, left) = (clock.step(), clock.left());
    // A server that names a time is asked then, where that is near enough.
    let Some(pause) = said.filter(|said| fits(*said, step, left)).or_else(|| clock.retry_pause()) else { return first };
    log_lines::second_try("policy host", asked.host, first.address, pause);
    tokio::time::sleep(pause).await;
    let second = Box::pin(https::probe(asked, prober, clock)).await;
    let first = FirstFetch {
        status: first.response.map(|response| response.status),
        retry_after,
        failure: first.failure,
        elapsed_ms: first.elapsed_ms,
        pause_ms: Some(millis(pause)),
    };
    HttpsProbe { first_try: Some(first), ..second }
}

fn fits(pause: Duration, step: Duration, left: Duration) -> bool {
    pause <= LONGEST_RETRY_AFTER && left.checked_sub(step).is_some_and(|spare| pause <= spare)
}

/// Whether a conversation ended in a way that another one might not: put off, reset, or closed in the middle of the SMTP
/// dialogue. A handshake that the server closes in order says what it speaks, and is the same the next time.
fn is_put_off(probe: &SmtpProbe) -> bool {
    let replies = [&probe.greeting, &probe.ehlo, &probe.starttls, &probe.ehlo_after_tls];
    let deferred = |reply: &SmtpReply| (400..500).contains(&reply.code);
    let handshake_failed = probe.tls.as_ref().is_some_and(|tls| !tls.handshake);
    let broken_off = probe.failure.as_ref().is_some_and(|failure| match failure.kind {
        FailureKind::Reset => true,
        FailureKind::Closed => !handshake_failed,
        _ => false,
    });
    broken_off || replies.into_iter().flatten().any(deferred)
}

/// The same of a fetch: put off with 429 (RFC 6585 §4) or 503 (RFC 9110 §15.6.4), reset, or closed before the response.
fn is_unsettled(probe: &HttpsProbe) -> bool {
    let status = probe.response.as_ref().map(|response| response.status);
    let handshake_failed = probe.tls.as_ref().is_some_and(|tls| !tls.handshake);
    let broken_off = probe.failure.as_ref().is_some_and(|failure| match failure.kind {
        FailureKind::Reset => true,
        FailureKind::Closed => status.is_none() && !handshake_failed,
        _ => false,
    });
    broken_off || matches!(status, Some(429 | 503))
}

/// The Retry-After field, escaped and no longer than its values are.
fn retry_after(response: &HttpResponse) -> Option<String> {
    let field = response.headers.iter().find(|field| field.name.eq_ignore_ascii_case("retry-after"))?;
    Some(escape(field.value.lossy().trim()).chars().take(64).collect())
}

/// How long to wait by a Retry-After field: seconds, or a date (RFC 9110 §10.2.3).
fn seconds(value: &str, now: Timestamp) -> Option<Duration> {
    if let Ok(seconds) = value.parse::<u32>() {
        return Some(Duration::from_secs(seconds.into()));
    }
    let date = DateTimeParser::new().parse_timestamp(value).ok()?;
    Some(Duration::try_from(date.duration_since(now)).unwrap_or_default())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::super::failure::failure;
    use super::*;
    use crate::snapshot::TlsFacts;

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    #[test]
    fn what_another_try_may_heal_is_tried_again() {
        let reply = |code| Some(SmtpReply { code, lines: Vec::new() });
        let of = smtp::not_attempted;
        for code in [421, 450, 451, 454, 499] {
            assert!(is_put_off(&SmtpProbe { greeting: reply(code), ..of(HERE) }), "{code}");
            assert!(is_put_off(&SmtpProbe { ehlo: reply(code), ..of(HERE) }), "{code}");
            assert!(is_put_off(&SmtpProbe { starttls: reply(code), ..of(HERE) }), "{code}");
            assert!(is_put_off(&SmtpProbe { ehlo_after_tls: reply(code), ..of(HERE) }), "{code}");
        }
        for code in [220, 250, 500, 501, 554] {
            assert!(!is_put_off(&SmtpProbe { greeting: reply(code), ehlo: reply(code), ..of(HERE) }), "{code}");
        }
        let failed = |kind, tls| SmtpProbe { failure: Some(failure(kind, "")), tls, ..of(HERE) };
        let refused = || Some(TlsFacts::default());
        assert!(is_put_off(&failed(FailureKind::Reset, None)) && is_put_off(&failed(FailureKind::Reset, refused())));
        assert!(is_put_off(&failed(FailureKind::Closed, None)) && !is_put_off(&failed(FailureKind::Closed, refused())));
        for kind in [FailureKind::Refused, FailureKind::Timeout, FailureKind::TlsAlert, FailureKind::Protocol] {
            assert!(!is_put_off(&failed(kind, None)), "{kind}");
        }
    }

    #[test]
    fn a_fetch_is_tried_again_after_429_and_503_alone() {
        let of = |status| HttpsProbe {
            response: Some(HttpResponse { status, ..HttpResponse::default() }),
            ..https::not_attempted(HERE)
        };
        for status in [429, 503] {
            assert!(is_unsettled(&of(status)), "{status}");
        }
        for status in [200, 301, 404, 410, 500] {
            assert!(!is_unsettled(&of(status)), "{status}");
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = "2026-11-27T08:00:00Z".parse().unwrap();
        for (value, expected) in [
            ("5", Some(5)),
            ("0", Some(0)),
            ("Fri, 27 Nov 2026 08:00:07 GMT", Some(7)),
            ("Fri, 27 Nov 2026 07:00:00 GMT", Some(0)),
            ("-1", None),
            ("99999999999999", None),
            ("soon", None),
        ] {
            assert_eq!(seconds(value, now), expected.map(Duration::from_secs), "{value}");
        }
    }

    #[test]
    fn a_time_that_a_server_names_leaves_that_of_a_step() {
        let seconds = Duration::from_secs;
        assert!(fits(seconds(30), seconds(10), seconds(60)) && !fits(seconds(31), seconds(10), seconds(60)));
        assert!(fits(seconds(10), seconds(10), seconds(20)) && !fits(seconds(11), seconds(10), seconds(20)));
    }
}
