//! What an MX host shows to this client alone, and so says nothing of the domain: it turns away our address, as a block list
//! has it, or the name that EHLO gave; it puts off clients that it does not know; or it takes longer than we wait. Called by
//! `smtp`; none of it is the domain's error.

use super::builder::failure_text;
use super::first_try::reply_text;
use crate::snapshot::{FailureKind, FailureStep, Party, SmtpProbe, SmtpReply};
use crate::source_text::escape;

/// What was seen from here alone.
#[derive(Clone, Debug, PartialEq)]
pub struct OwnView {
    /// The first step that it concerns; the later ones were not reached.
    pub step: FailureStep,
    /// Why it tells nothing of the domain, in one or two sentences.
    pub reason: String,
    /// Whether the server turns this client away, as opposed to being slow.
    pub turned_away: bool,
}

/// What a conversation shows of this client alone, if anything.
pub fn of(probe: &SmtpProbe) -> Option<OwnView> {
    let hello = hello(probe);
    let steps: [(FailureStep, &Option<SmtpReply>); 4] = [
        (FailureStep::Greeting, &probe.greeting),
        (FailureStep::Ehlo, &probe.ehlo),
        (FailureStep::Starttls, &probe.starttls),
        (FailureStep::EhloAfterTls, &probe.ehlo_after_tls),
    ];
    let refused = steps.into_iter().find_map(|(step, reply)| {
        let reply = reply.as_ref().filter(|reply| reply.code >= 400)?;
        let reason = refusal(step, reply, probe, hello.as_deref())?;
        Some(OwnView { step, reason, turned_away: true })
    });
    refused.or_else(|| slow(probe))
}

/// Why a refusal is one of this client, if it is.
fn refusal(step: FailureStep, reply: &SmtpReply, probe: &SmtpProbe, hello: Option<&str>) -> Option<String> {
    let (text, said) = (reply_text(reply), words(reply));
    let has = |phrases: &[&str]| phrases.iter().any(|phrase| said.contains(phrase));
    if has(GREYLISTING) {
        return Some(format!("the server defers unknown clients (greylisting): {text}"));
    }
    let of_hello = matches!(step, FailureStep::Ehlo | FailureStep::EhloAfterTls)
        && (matches!(reply.code, 501 | 504) || has(HELLO));
    if of_hello && !matches!(reply.code, 500 | 502) {
        let name =
            hello.map_or_else(|| "the name that EHLO gave".to_owned(), |name| format!("the name `{name}` in EHLO"));
        let literal = hello.is_some_and(|name| name.starts_with('['));
        let why = if literal { ", an address in brackets, which some servers do not take" } else { "" };
        return Some(format!("the server refuses {name}{why}: {text}"));
    }
    let names_us = names_another_address(reply, probe);
    if has(BLOCK_LISTS) || has(ADDRESS) || names_us {
        return Some(format!("the server rejects this client's address: {text}"));
    }
    None
}

/// Greylisting, as servers word it.
const GREYLISTING: &[&str] = &["greylist", "graylist", "grey list", "gray list", "postgrey"];

/// Refusals of the name in EHLO.
const HELLO: &[&str] = &[
    " ehlo ",
    " fqdn ",
    " fully qualified ",
    " helo ",
    " host name ",
    " hostname ",
    " literal ",
    " resolve ",
    " resolves ",
];

/// Block lists and judgements on reputation.
const BLOCK_LISTS: &[&str] = &[
    " abusix ",
    " barracuda",
    " black list",
    " blacklist",
    " block list",
    " blocked by ",
    " blocked for ",
    " blocked using ",
    " blocklist",
    " deny list",
    " denylist",
    " dnsbl ",
    " dnsbls ",
    " invaluement ",
    " is listed ",
    " listed at ",
    " listed by ",
    " listed in ",
    " listed on ",
    " mailspike ",
    " poor reputation",
    " psbl ",
    " rbl ",
    " rbls ",
    " reputation ",
    " senderscore ",
    " sorbs ",
    " spamcop ",
    " spamhaus ",
    " spamrats ",
    " uceprotect",
];

/// Refusals of the address itself, or of a network like ours.
const ADDRESS: &[&str] = &[
    " banned ",
    " client host ",
    " dial up ",
    " dialup ",
    " dynamic ip ",
    " dynamic address",
    " from your ",
    " no ptr ",
    " ptr record",
    " rdns ",
    " residential ",
    " reverse dns ",
    " reverse hostname ",
    " reverse lookup ",
    " this ip ",
    " your address ",
    " your host ",
    " your ip ",
    " your network ",
];

/// The words of a reply in lower case, each between spaces.
fn words(reply: &SmtpReply) -> String {
    let mut words = String::from(" ");
    for character in reply.lines.join(" ").chars() {
        if character.is_alphanumeric() {
            words.extend(character.to_lowercase());
        } else if !words.ends_with(' ') {
            words.push(' ');
        }
    }
    if !words.ends_with(' ') {
        words.push(' ');
    }
    words
}

/// Whether a refusal names an IPv4 address that is not the server's own: that of whoever asked.
fn names_another_address(reply: &SmtpReply, probe: &SmtpProbe) -> bool {
    let text = reply.lines.join(" ");
    let candidates = text.split(|character: char| !character.is_ascii_digit() && character != '.');
    let mut addresses = candidates.filter_map(|part| part.trim_matches('.').parse::<std::net::Ipv4Addr>().ok());
    addresses.any(|address| std::net::IpAddr::V4(address) != probe.address)
}

/// The name that EHLO gave, escaped.
fn hello(probe: &SmtpProbe) -> Option<String> {
    let lines = probe.transcript.iter().filter(|line| line.from == Party::Client);
    let said = lines.filter_map(|line| line.text.split_once(' ')).find(|(verb, _)| verb.eq_ignore_ascii_case("EHLO"));
    said.map(|(_, name)| escape(name.trim()))
}

/// Where the server did not answer as long as we waited: senders wait longer.
fn slow(probe: &SmtpProbe) -> Option<OwnView> {
    let failure = probe.failure.as_ref().filter(|failure| failure.kind == FailureKind::Timeout)?;
    if probe.connected == Some(false) || probe.tls.as_ref().is_some_and(|tls| !tls.handshake) {
        return None;
    }
    let greeted = probe.greeting.is_some();
    if !greeted && probe.connected != Some(true) {
        return None;
    }
    let step = match (greeted, &probe.ehlo, &probe.starttls, &probe.tls, &probe.ehlo_after_tls) {
        (false, ..) => FailureStep::Greeting,
        (_, None, ..) => FailureStep::Ehlo,
        (_, _, None, None, _) => FailureStep::Starttls,
        (_, _, _, Some(_), None) => FailureStep::EhloAfterTls,
        _ => return None,
    };
    let waits = if greeted { "senders wait longer" } else { "senders wait 5 minutes (RFC 5321 §4.5.3.2.1)" };
    let reason = format!("{}, and {waits}", failure_text(failure));
    Some(OwnView { step, reason, turned_away: false })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::snapshot::{Failure, TranscriptLine};

    fn probe() -> SmtpProbe {
        let said = "{ address: 192.0.2.25, connected: true }";
        let mut probe: SmtpProbe = serde_yaml::from_str(said).unwrap();
        probe.transcript = vec![TranscriptLine { from: Party::Client, text: "EHLO [198.51.100.7]".to_owned() }];
        probe
    }

    fn reply(text: &str) -> Option<SmtpReply> {
        let (code, text) = text.split_once(' ').unwrap();
        Some(SmtpReply { code: code.parse().unwrap(), lines: vec![text.to_owned()] })
    }

    fn step_of(probe: &SmtpProbe) -> Option<FailureStep> {
        of(probe).filter(|seen| seen.turned_away).map(|seen| seen.step)
    }

    #[test]
    fn refusals_of_this_client_are_told_from_those_of_everybody() {
        for text in [
            "554 5.7.1 Service unavailable; Client host [198.51.100.7] blocked using zen.spamhaus.org",
            "550 5.7.606 Access denied, banned sending IP [198.51.100.7]",
            "554 mx.example.net your IP address has a poor reputation",
            "421 4.7.0 [198.51.100.7] Our system has detected an unusual rate of mail",
            "550 Blocked - see https://ipcheck.proofpoint.com/?ip=198.51.100.7",
            "554 No PTR record",
            "450 4.7.1 Greylisted, try again in 300 seconds",
            "554 5.7.1 RBL: listed",
        ] {
            assert_eq!(step_of(&SmtpProbe { greeting: reply(text), ..probe() }), Some(FailureStep::Greeting), "{text}");
        }
        for text in [
            "554 go away",
            "554 No SMTP service here",
            "421 4.3.2 Service not available, closing transmission channel",
            "421 mx.example.net [192.0.2.25] too busy",
            "220 mx.example.net blocklist.example ESMTP",
            "554 verbless",
        ] {
            assert_eq!(step_of(&SmtpProbe { greeting: reply(text), ..probe() }), None, "{text}");
        }
    }

    #[test]
    fn a_refused_name_is_ours_and_an_address_in_brackets_is_called_that() {
        let of_ehlo = |text| of(&SmtpProbe { greeting: reply("220 mx"), ehlo: reply(text), ..probe() });
        for text in [
            "501 Syntactically invalid argument",
            "504 5.5.2 <[198.51.100.7]>: Helo command rejected: need fully-qualified hostname",
            "550 Host name is not resolvable, hostname required",
        ] {
            let seen = of_ehlo(text).unwrap();
            assert_eq!(seen.step, FailureStep::Ehlo, "{text}");
            assert!(seen.reason.contains("`[198.51.100.7]` in EHLO, an address in brackets"), "{}", seen.reason);
        }
        for text in ["502 unknown command", "500 what is EHLO", "550 no", "250 mx"] {
            assert_eq!(of_ehlo(text), None, "{text}");
        }
        let named = TranscriptLine { from: Party::Client, text: "EHLO probe.example".to_owned() };
        let refused = SmtpProbe { ehlo: reply("501 no"), transcript: vec![named], ..probe() };
        assert!(!of(&refused).unwrap().reason.contains("brackets"));
    }

    #[test]
    fn what_takes_longer_than_we_wait_is_not_seen() {
        let failure = Failure { kind: FailureKind::Timeout, step: None, detail: "no greeting within 30 s".to_owned() };
        let slow = SmtpProbe { failure: Some(failure), ..probe() };
        let seen = of(&slow).unwrap();
        assert_eq!((seen.step, seen.turned_away), (FailureStep::Greeting, false));
        assert_eq!(seen.reason, "no greeting within 30 s, and senders wait 5 minutes (RFC 5321 §4.5.3.2.1)");
        let greeted = SmtpProbe { greeting: reply("220 mx"), ..slow.clone() };
        assert_eq!(of(&greeted).unwrap().step, FailureStep::Ehlo);
        let offered = SmtpProbe { ehlo: reply("250 mx"), ..greeted.clone() };
        assert_eq!(of(&offered).unwrap().step, FailureStep::Starttls);
        assert_eq!(of(&SmtpProbe { connected: Some(false), ..slow }), None, "nobody connects");
    }
}
