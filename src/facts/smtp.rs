//! The facts of each address of an MX host on its SMTP port.

use std::net::IpAddr;

use super::addresses::{Answers, NotAttempted};
use super::builder::{Builder, failure_text, no_ipv6};
use super::fact::Fact;
use super::first_try::{self, reply_text};
use super::legacy;
use super::own_view;
use super::path::Path;
use super::reach::{self, Site};
use super::tls::{self, place, write};
use super::tree::{ReplyFacts, SmtpFacts, TlsSessionFacts};
use crate::snapshot::{FailureKind, FailureStep, MxHost, Party, SmtpProbe, SmtpReply, Snapshot};
use crate::source_text::escape;

/// Whether port 25 looks blocked on this side: no MX host answered, and none refused either.
pub fn looks_blocked(snapshot: &Snapshot) -> Option<bool> {
    let mut probes = snapshot.mx_hosts.iter().flatten().filter_map(|host| host.probes.as_ref()).flatten().peekable();
    probes.peek()?;
    let elsewhere = snapshot.collection.as_ref().and_then(|collection| collection.smtp_connected) == Some(true);
    let silent = |probe: &&SmtpProbe| {
        let kind = probe.failure.as_ref().map(|failure| failure.kind);
        probe.connected == Some(false) && matches!(kind, Some(FailureKind::Timeout | FailureKind::Network))
    };
    Some(!elsewhere && probes.all(|probe| silent(&probe)))
}

const BLOCKED: &str = "no MX host could be reached on the SMTP port: outbound port 25 looks blocked on this network";

/// The facts of every address of a host, of those too that were not asked.
pub fn probes(builder: &mut Builder<'_>, host: &MxHost, answers: &Answers<'_>, path: &Path) -> Fact<Vec<SmtpFacts>> {
    let (name, field) = (answers.name, "mx_hosts.probes");
    let path = path.to("probes");
    let blocked = builder.smtp_blocked;
    let probes = if blocked { &[][..] } else { host.probes.as_deref().unwrap_or_default() };
    let asked: Vec<IpAddr> = probes.iter().map(|probe| probe.address).collect();
    let not_attempted = answers.not_attempted(builder, &asked, field);
    if probes.is_empty()
        && not_attempted.iter().all(|not_attempted| not_attempted.address.is_none())
        && !not_attempted.is_empty()
    {
        if blocked {
            builder.note_unobserved(path, BLOCKED)
        } else {
            builder.note_missing_part(&path, field, &format!("how {name} answers on its SMTP port"))
        }
        return Fact::Unobserved;
    }
    let mut facts = Vec::new();
    for (index, probe) in probes.iter().enumerate() {
        facts.push(probe_facts(builder, host, probe, name, &path.nth(index)));
    }
    for NotAttempted { address, reason } in not_attempted {
        builder.note_unobserved(path.nth(facts.len()), if blocked { BLOCKED.to_owned() } else { reason });
        facts.push(SmtpFacts { address: address.map(|address| address.to_string()).into(), ..SmtpFacts::default() });
    }
    tell_places(&mut facts);
    Fact::Known(facts)
}

/// Tells of each address where a fault there keeps mail from getting to.
fn tell_places(probes: &mut [SmtpFacts]) {
    let site = |probe: &SmtpFacts| Site {
        address: probe.address.known().and_then(|address| address.parse().ok()),
        well: gives_verified_tls(probe),
    };
    let sites: Vec<Site> = probes.iter().map(site).collect();
    for (index, probe) in probes.iter_mut().enumerate() {
        probe.place = Fact::Known(reach::of(&sites, index).place().to_owned());
    }
}

/// Whether a sender that asks for verified TLS delivers at this address; `None` where that was not observed.
fn gives_verified_tls(probe: &SmtpFacts) -> Option<bool> {
    let failed = probe.connected == Fact::Known(false)
        || probe.greeting == Fact::Known(None)
        || probe.ehlo == Fact::Known(None)
        || probe.starttls_offered == Fact::Known(false)
        || probe.starttls == Fact::Known(None);
    if failed {
        return Some(false);
    }
    let tls = probe.tls.known()?;
    if tls.handshake == Fact::Known(false) {
        return Some(false);
    }
    let certificate = tls.certificate.known()?.as_ref()?;
    let in_time = !*certificate.expired.known()? && !*certificate.not_yet_valid.known()?;
    Some(certificate.name_match.known()?.names_host() && in_time && *tls.trusted.known()?)
}

fn probe_facts(builder: &mut Builder<'_>, host: &MxHost, probe: &SmtpProbe, name: &str, path: &Path) -> SmtpFacts {
    let exhibit = format!("{name} [{}]", probe.address);
    transcript(builder, probe, path, &exhibit);
    let legacy = is_legacy(probe);
    let failure = probe.failure.as_ref().filter(|_| !legacy);
    let own_view = own_view::of(probe);
    let reason = match (&own_view, failure) {
        _ if legacy => legacy::BEYOND_LIBRARY.to_owned(),
        (Some(seen), _) => format!("as seen from here, {}", seen.reason),
        (None, Some(failure)) => failure_text(failure),
        (None, None) => "this step was not observed".to_owned(),
    };
    builder.note_unobserved(path, reason);
    let connected = probe
        .connected
        .or_else(|| probe.greeting.is_some().then_some(true))
        .filter(|_| !no_ipv6(probe.address, probe.failure.as_ref()));
    // An address that was not spoken to at all shows nothing.
    let tried = probe.connected.is_some() || probe.greeting.is_some();
    let turned_away = own_view.as_ref().filter(|seen| seen.turned_away);
    // A reply has a line at least: one that is recorded without any does not say what is offered.
    let seen = |reply: &&SmtpReply| reply.code != 250 || !reply.lines.is_empty();
    let keywords = |reply: &Option<SmtpReply>, word: &str| reply.as_ref().filter(seen).map(|reply| offers(reply, word));
    let mut facts = SmtpFacts {
        address: Fact::Known(probe.address.to_string()),
        connected: connected.into(),
        failure: Fact::Known(failure.map(failure_text)),
        failure_kind: Fact::Known(failure.map(|failure| failure.kind)),
        first_try: tried.then(|| first_try::probe(probe)).into(),
        turned_away: tried.then(|| turned_away.map(|seen| seen.reason.clone())).into(),
        greeting: step(connected == Some(true), &probe.greeting, probe),
        ..SmtpFacts::default()
    };
    let greeted = probe.greeting.as_ref().is_some_and(|reply| reply.code == 220);
    facts.ehlo = step(greeted, &probe.ehlo, probe);
    facts.starttls_offered = keywords(&probe.ehlo, "STARTTLS").into();
    facts.masked_keyword = probe.ehlo.as_ref().filter(seen).map(masked_keyword).into();
    facts.starttls = step(facts.starttls_offered == Fact::Known(true), &probe.starttls, probe);
    if probe.starttls.as_ref().is_some_and(|reply| reply.code == 220) {
        facts.after_starttls =
            Fact::Known(probe.after_starttls.as_ref().map(|octets| escape(&octets.lossy())).unwrap_or_default());
    }
    if let Some(tls) = &probe.tls {
        let session = tls::session(builder, tls, name, &path.to("tls"), &exhibit);
        let done = tls.handshake;
        if probe.transcript.is_empty() {
            reply_lines(builder, probe.ehlo_after_tls.as_ref(), path, "ehlo_after_tls", &exhibit);
        }
        facts.tls = Fact::Known(session);
        facts.tlsa_usages = super::dane::matched_usages(host, tls);
        if facts.tlsa_usages.is_unobserved() {
            let reason = "whether a TLSA record matches the chain was not observed";
            builder.note_unobserved(path.to("tlsa_usages"), reason);
        }
        facts.ehlo_after_tls = step(done, &probe.ehlo_after_tls, probe);
        facts.requiretls = keywords(&probe.ehlo_after_tls, "REQUIRETLS").into();
    }
    match &probe.without_sni {
        Some(without) if without.handshake || legacy::without_sni(without).is_some() => {
            (facts.without_sni, facts.without_sni_failure) = (Fact::Known(true), Fact::Known(None));
        }
        // What cannot be spoken with SNI cannot without.
        Some(_) if legacy => builder.note_unobserved(path.to("without_sni"), legacy::BEYOND_LIBRARY),
        Some(without) => {
            facts.without_sni = Fact::Known(false);
            let again = if without.first_failure.is_some() { ", at a second try too" } else { "" };
            let failure = without.failure.as_ref().map(|failure| failure_text(failure) + again);
            facts.without_sni_failure = Fact::Known(failure);
        }
        None => builder.note_unobserved(path.to("without_sni"), "a handshake without SNI was not tried"),
    }
    if let Some(seen) = own_view {
        withhold(&mut facts, seen.step);
    }
    facts
}

/// Whether an address agrees only to TLS that the program's own library lacks.
fn is_legacy(probe: &SmtpProbe) -> bool {
    probe.tls.as_ref().is_some_and(|tls| legacy::of(tls, false).is_some())
}

/// Takes away what is seen from here alone: from a step on, nothing is known of the domain.
fn withhold(facts: &mut SmtpFacts, step: FailureStep) {
    match step {
        FailureStep::Greeting => facts.greeting = Fact::Unobserved,
        FailureStep::Ehlo => facts.ehlo = Fact::Unobserved,
        FailureStep::Starttls => facts.starttls = Fact::Unobserved,
        _ => (facts.ehlo_after_tls, facts.requiretls) = (Fact::Unobserved, Fact::Unobserved),
    }
    if matches!(step, FailureStep::Greeting | FailureStep::Ehlo) {
        (facts.starttls_offered, facts.masked_keyword) = (Fact::Unobserved, Fact::Unobserved);
    }
}

/// A reply: known where it came, known absent where the step was reached and failed, else not observed.
fn step(reached: bool, reply: &Option<SmtpReply>, probe: &SmtpProbe) -> Fact<Option<ReplyFacts>> {
    match reply {
        Some(reply) => Fact::Known(Some(reply_facts(reply))),
        None if reached && probe.failure.is_some() => Fact::Known(None),
        None => Fact::Unobserved,
    }
}

fn reply_facts(reply: &SmtpReply) -> ReplyFacts {
    let keyword = |line: &String| line.split_whitespace().next().map(str::to_ascii_uppercase);
    ReplyFacts {
        code: Fact::Known(i64::from(reply.code)),
        text: Fact::Known(reply_text(reply)),
        keywords: Fact::Known(reply.lines.iter().skip(1).filter_map(keyword).collect()),
    }
}

/// The keyword that a device on the way wrote over with the letter X, such as `XXXXXXXA` for STARTTLS.
fn masked_keyword(reply: &SmtpReply) -> Option<String> {
    reply.lines.iter().skip(1).find(|line| is_masked(line)).and_then(|line| line.split_whitespace().next()).map(escape)
}

/// Whether a line of a reply to EHLO was written over: no keyword begins with four times X.
fn is_masked(line: &str) -> bool {
    line.split_whitespace().next().is_some_and(|keyword| keyword.len() >= 6 && keyword.starts_with("XXXX"))
}

fn offers(reply: &SmtpReply, word: &str) -> bool {
    let mut keywords = reply.lines.iter().skip(1).filter_map(|line| line.split_whitespace().next());
    reply.code == 250 && keywords.any(|keyword| keyword.eq_ignore_ascii_case(word))
}

/// The conversation as an exhibit; where the snapshot holds none, it is written from the replies.
fn transcript(builder: &mut Builder<'_>, probe: &SmtpProbe, path: &Path, exhibit: &str) {
    if probe.transcript.is_empty() {
        let steps = [("greeting", &probe.greeting), ("ehlo", &probe.ehlo), ("starttls", &probe.starttls)];
        for (field, reply) in steps {
            reply_lines(builder, reply.as_ref(), path, field, exhibit);
        }
        injected_lines(builder, probe, path, exhibit);
    } else {
        let mut step = "greeting";
        for line in &probe.transcript {
            let mark = match line.from {
                Party::Client => ">",
                Party::Note => "*",
                Party::Server => "<",
            };
            let verb = line.text.split_whitespace().next().unwrap_or_default().to_ascii_uppercase();
            step = match (line.from, verb.as_str()) {
                (Party::Client, "EHLO" | "HELO") if matches!(step, "starttls" | "tls") => "ehlo_after_tls",
                (Party::Client, "EHLO" | "HELO") => "ehlo",
                (Party::Client, "STARTTLS") => "starttls",
                (Party::Client, _) => "",
                (Party::Note, _) if step == "starttls" => "tls",
                _ => step,
            };
            let text = escape(&line.text);
            place_step(builder, exhibit, path, step, &format!("{mark} {text}"));
            // Behind code and separator.
            if step == "ehlo" && line.from == Party::Server && line.text.get(4..).is_some_and(is_masked) {
                place_masked(builder, exhibit, path, &text);
            }
            if step == "starttls" && line.from == Party::Server && line.text.starts_with("220 ") {
                injected_lines(builder, probe, path, exhibit);
            }
        }
    }
    let first_line = builder.locations.exhibit(exhibit).text().find('\n').unwrap_or_default();
    if let Some(failure) = probe.failure.as_ref().filter(|_| !is_legacy(probe)) {
        place(builder, exhibit, path.to("failure"), &format!("! {}", failure_text(failure)));
        for field in ["connected", "failure_kind"] {
            let same = builder.locations.get(path.to("failure"));
            builder.locations.note_as(path.to(field), same);
        }
    }
    if builder.locations.get(path).is_none() {
        let end = builder.locations.exhibit(exhibit).text().find('\n').unwrap_or(first_line);
        builder.locations.note(path, exhibit, (0, end));
    }
    let offered = builder.locations.get(path.to("ehlo"));
    if builder.locations.get(path.to("starttls_offered")).is_none() {
        builder.locations.note_as(path.to("starttls_offered"), offered);
    }
}

/// What came after the 220 and before the handshake, where anything did.
fn injected_lines(builder: &mut Builder<'_>, probe: &SmtpProbe, path: &Path, exhibit: &str) {
    let path = path.to("after_starttls");
    let Some(octets) = probe.after_starttls.as_ref().filter(|octets| !octets.0.is_empty()) else { return };
    if builder.locations.get(&path).is_none() {
        let line = format!("< {} (in the clear, before the handshake)", escape(octets.lossy().trim_end()));
        place(builder, exhibit, &path, &line);
    }
}

/// Notes the masked keyword of the line that was just written, which ends with `text`: a line of a reply.
fn place_masked(builder: &mut Builder<'_>, exhibit: &str, path: &Path, text: &str) {
    let keyword = text.get(4..).and_then(|rest| rest.split_whitespace().next()).unwrap_or_default().len();
    let start = builder.locations.exhibit(exhibit).text().trim_end_matches('\n').len().saturating_sub(text.len());
    for field in ["masked_keyword", "starttls_offered"] {
        builder.locations.note(path.to(field), exhibit, (start.saturating_add(4), keyword));
    }
}

fn place_step(builder: &mut Builder<'_>, exhibit: &str, path: &Path, step: &str, line: &str) {
    if step.is_empty() {
        write(builder, exhibit, line);
        return;
    }
    let of = path.to(step);
    let known = builder.locations.get(&of);
    place(builder, exhibit, &of, line);
    // The first line of a reply is where a finding about it points; a refusal may come on any line.
    if known.is_some() {
        builder.locations.note_as(of, known);
    }
}

/// Writes a reply to a step of the conversation with an address, which is at `probe`.
fn reply_lines(builder: &mut Builder<'_>, reply: Option<&SmtpReply>, probe: &Path, step: &str, exhibit: &str) {
    let Some(reply) = reply else { return };
    let path = probe.to(step);
    for line in &reply.lines {
        let known = builder.locations.get(&path);
        let text = format!("{} {}", reply.code, escape(line));
        place(builder, exhibit, &path, &format!("< {text}"));
        if known.is_some() {
            builder.locations.note_as(&path, known);
        }
        if step == "ehlo" && is_masked(line) {
            place_masked(builder, exhibit, probe, &text);
        }
    }
}

/// Whether all addresses of a host behave alike, and what differs; not observed where an address was not spoken to and
/// the others behave alike. What differs has its place where the second address is shown.
pub fn compared(
    builder: &mut Builder<'_>,
    probes: &Fact<Vec<SmtpFacts>>,
    path: &Path,
) -> (Fact<bool>, Fact<Option<String>>) {
    let Fact::Known(probes) = probes else { return (Fact::Unobserved, Fact::Unobserved) };
    // An address that gives no greeting is a finding of its own.
    let silent = |probe: &SmtpFacts| probe.connected == Fact::Known(false) || probe.greeting == Fact::Known(None);
    let mut speaking = probes.iter().enumerate().filter(|(_, probe)| !silent(probe));
    let Some((_, first)) = speaking.next() else { return (Fact::Unobserved, Fact::Unobserved) };
    let mut all_compared = true;
    for (index, other) in speaking {
        match difference(first, other) {
            Some(None) => {}
            Some(Some(difference)) => {
                let place = builder.locations.get(path.to("probes").nth(index));
                builder.locations.note_as(path.to("difference"), place);
                return (Fact::Known(false), Fact::Known(Some(difference)));
            }
            None => all_compared = false,
        }
    }
    if all_compared { (Fact::Known(true), Fact::Known(None)) } else { (Fact::Unobserved, Fact::Unobserved) }
}

/// What differs between two addresses, if anything; `None` where that was not observed.
fn difference(a: &SmtpFacts, b: &SmtpFacts) -> Option<Option<String>> {
    let what = match differs(&a.starttls_offered, &b.starttls_offered)? {
        true => "one offers STARTTLS, the other does not",
        false if a.starttls_offered == Fact::Known(false) => return Some(None),
        false => match sessions_differ(a.tls.known()?, b.tls.known()?)? {
            Some(what) => what,
            None => return Some(None),
        },
    };
    let address = |facts: &SmtpFacts| facts.address.known().cloned().unwrap_or_default();
    Some(Some(format!("{} and {}: {what}", address(a), address(b))))
}

fn sessions_differ(a: &TlsSessionFacts, b: &TlsSessionFacts) -> Option<Option<&'static str>> {
    if a.handshake == Fact::Known(false) && b.handshake == Fact::Known(false) {
        return Some(None);
    }
    let certificates = match (a.certificate.known()?, b.certificate.known()?) {
        (Some(a), Some(b)) => [differs(&a.dns_ids, &b.dns_ids), differs(&a.expired, &b.expired)],
        (None, None) => [Some(false), Some(false)],
        _ => [Some(true), Some(true)],
    };
    let trust = differs(&a.trusted, &b.trusted);
    let all = [certificates[0], certificates[1], trust, differs(&a.version, &b.version)];
    match all {
        [Some(true), ..] | [_, Some(true), ..] | [_, _, Some(true), _] => {
            Some(Some("their certificates differ in names, dates or trust"))
        }
        [.., Some(true)] => Some(Some("they speak different versions of TLS")),
        all if all.contains(&None) => None,
        _ => Some(None),
    }
}

fn differs<T: PartialEq>(a: &Fact<T>, b: &Fact<T>) -> Option<bool> {
    Some(a.known()? != b.known()?)
}
