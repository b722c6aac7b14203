//! A bounce or a log as people paste it: a mail with its MIME parts, quoted-printable text, HTML, lines with `>` before
//! them, of any size and from anyone.
//!
//! Called by `symptoms`.

use mail_parser::decoders::html::html_to_text;
use mail_parser::{Message, MessageParser, PartType};

use crate::grammar::names::DomainName;

/// So many octets of text are looked at; what is behind them is left.
pub const MOST_TEXT: usize = 1 << 18;
/// A mail in a mail in a mail.
const DEPTH: usize = 4;
/// So many parts of a mail are looked at.
const PARTS: usize = 200;

/// The readings of a pasted text, each within [`MOST_TEXT`]: as it is, and as what it is packed into.
pub fn readings(text: &str) -> Vec<String> {
    let mut readings = vec![within(text).to_owned()];
    let mut add = |reading: String| {
        if !reading.trim().is_empty() && readings.iter().all(|known| known.trim() != reading.trim()) {
            readings.push(reading);
        }
    };
    add(within(&unfolded(within(text))).to_owned());
    if let Some(message) = MessageParser::default().parse(within(text)) {
        let mut parts = String::new();
        unpack(&message, DEPTH, &mut parts);
        add(within(&parts).to_owned());
    }
    if text.contains("</") {
        add(within(&html_to_text(within(text))).to_owned());
    }
    readings
}

/// The text up to [`MOST_TEXT`] octets.
fn within(text: &str) -> &str {
    let end = (0..=MOST_TEXT.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default();
    text.get(..end).unwrap_or_default()
}

/// The text without the soft line breaks and the escapes of quoted-printable (RFC 2045 §6.7), and without the marks of
/// quoted lines.
fn unfolded(text: &str) -> String {
    let mut joined = String::with_capacity(text.len());
    for line in text.lines() {
        let line = line.trim_start_matches(['>', ' ', '|']).trim_end();
        match line.strip_suffix('=') {
            Some(soft) => joined.push_str(soft),
            None => {
                joined.push_str(line);
                joined.push('\n');
            }
        }
    }
    for (escape, character) in [("=20", " "), ("=27", "'"), ("=3D", "="), ("=E2=80=99", "’"), ("=C2=A0", " ")] {
        joined = joined.replace(escape, character);
    }
    joined
}

/// The texts of a mail's parts, one after the other.
fn unpack(message: &Message<'_>, depth: usize, texts: &mut String) {
    for part in message.parts.iter().take(PARTS) {
        match &part.body {
            PartType::Text(text) => push(texts, text),
            PartType::Html(html) => push(texts, &html_to_text(within(html))),
            PartType::Binary(octets) | PartType::InlineBinary(octets) => {
                // A delivery status is text of a type of its own (RFC 3464 §2.1).
                if let Ok(text) = std::str::from_utf8(octets) {
                    push(texts, text);
                }
            }
            PartType::Message(inner) if depth > 0 => unpack(inner, depth.saturating_sub(1), texts),
            PartType::Message(_) | PartType::Multipart(_) => {}
        }
    }
}

fn push(texts: &mut String, text: &str) {
    if texts.len() < MOST_TEXT {
        texts.push_str(within(text));
        texts.push('\n');
    }
}

/// The domain of the recipient that a text names, if it names one that can be checked.
pub fn recipient_domain(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let after = |mark: &str| {
        let mut found = lower.match_indices(mark).take(20);
        found.find_map(|(at, _)| lower.get(at.saturating_add(mark.len())..))
    };
    let address = after("final-recipient:").or_else(|| after("original-recipient:")).or_else(|| after(" to=<"));
    let of_address = address.and_then(|rest| {
        let end = rest.find(['>', '\n', '\r']).unwrap_or(rest.len()).min(600);
        rest.get(..end)?.rsplit_once('@').map(|(_, domain)| domain)
    });
    let named = of_address.or_else(|| after("mx hosts of ").and_then(|rest| rest.split_whitespace().next()));
    let plain = named?.trim().trim_matches(|c: char| !c.is_ascii_alphanumeric());
    // Whoever wrote the text does not get to write an option, or a word that a shell obeys, into a command.
    let name = DomainName::parse(plain).ok()?.as_str().to_owned();
    name.contains('.').then_some(name)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_domain_of_the_recipient_is_taken_where_it_is_one() {
        for (text, domain) in [
            ("C1: orig_to=<bill@example.org>, relay=none", None),
            ("C1: to=<bill@Example.ORG>, relay=none", Some("example.org")),
            ("Final-Recipient: rfc822; bill@example.org\nAction: failed", Some("example.org")),
            ("MX hosts of 'example.net' failed", Some("example.net")),
            ("MX hosts of \u{201c}example.net\u{201d} failed", Some("example.net")),
            ("mail to=<bill@localhost>", None),
            ("mail to=<bill@[192.0.2.1]>", None),
            ("mail to=<bill@--held;rm -rf>", None),
            ("mail to=<bill@$(reboot).example>", None),
            ("mail to=<bill@", None),
            ("", None),
        ] {
            assert_eq!(recipient_domain(text).as_deref(), domain, "{text}");
        }
    }

    #[test]
    fn what_a_text_is_packed_into_is_undone() {
        let folded = "> Server certificate n=\n> ot verified =E2=80=99";
        assert!(readings(folded).iter().any(|it| it.contains("Server certificate not verified ’")));
        let mail = "Subject: x\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\n\
            U2VydmVyIGNlcnRpZmljYXRlIG5vdCB2ZXJpZmllZA==\n";
        assert!(readings(mail).iter().any(|it| it.contains("Server certificate not verified")));
        let html = "<html><body><p>Remote server&#39;s <b>certificate</b></p></body></html>";
        assert!(readings(html).iter().any(|it| it.contains("Remote server's certificate")), "{:?}", readings(html));
    }

    #[test]
    fn no_reading_is_larger_than_it_may_be() {
        let large = "é=\n<b></b>".repeat(MOST_TEXT / 4);
        assert!(readings(&large).iter().all(|it| it.len() <= MOST_TEXT));
    }
}
