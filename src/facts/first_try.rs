//! What a first try came to where a second one counts, in words. Called by the builders of facts.

use super::builder::failure_text;
use crate::snapshot::{DnsOutcome, FirstConversation, FirstFetch, FirstQuery, SmtpProbe, SmtpReply};
use crate::source_text::escape;

/// What was tried twice at an MX host: the whole conversation, or the handshake without SNI alone.
pub fn probe(probe: &SmtpProbe) -> Option<String> {
    let reset = || probe.without_sni.as_ref()?.first_failure.as_ref();
    let whole = probe.first_try.as_deref().map(conversation);
    whole.or_else(|| reset().map(|failure| format!("without SNI, {}", failure_text(failure))))
}

/// A first conversation with an MX host: the reply that put the client off, or the failure.
fn conversation(first: &FirstConversation) -> String {
    let steps = [
        (&first.greeting, "the greeting was"),
        (&first.ehlo, "EHLO was answered with"),
        (&first.starttls, "STARTTLS was answered with"),
        (&first.ehlo_after_tls, "EHLO inside TLS was answered with"),
    ];
    let deferred = |reply: &&SmtpReply| (400..500).contains(&reply.code);
    let put_off = steps
        .into_iter()
        .find_map(|(reply, what)| reply.as_ref().filter(deferred).map(|reply| format!("{what} {}", reply_text(reply))));
    let failed = first.failure.as_ref().map(failure_text);
    put_off.or(failed).unwrap_or_else(|| "it ended early".to_owned())
}

/// A first fetch of the policy: the status that put the client off, or the failure.
pub fn fetch(first: &FirstFetch) -> String {
    let after = first.retry_after.as_deref().map(|value| format!(" with Retry-After: {}", escape(value)));
    let status = first.status.map(|status| format!("the status was {status}{}", after.unwrap_or_default()));
    let failed = first.failure.as_ref().map(failure_text);
    // A response of another status that broke off is told by what broke it off.
    let status = status.filter(|_| failed.is_none() || matches!(first.status, Some(429 | 503)));
    status.or(failed).unwrap_or_else(|| "it ended early".to_owned())
}

/// A query as it was put at first.
pub fn query(first: &FirstQuery) -> String {
    let label = match first.outcome {
        DnsOutcome::Answer => "it was answered",
        outcome => outcome.label(),
    };
    first.failure.as_ref().map_or_else(|| label.to_owned(), failure_text)
}

/// A reply in one line, escaped.
pub fn reply_text(reply: &SmtpReply) -> String {
    let text = reply.lines.iter().map(|line| escape(line)).collect::<Vec<_>>().join(" / ");
    format!("{} {text}", reply.code).trim_end().to_owned()
}
