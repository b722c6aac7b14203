//! The facts of the policy host (RFC 8461 §3.3).

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::addresses::{Answers, NotAttempted};
use super::builder::{Builder, failure_text, no_ipv6, outcome_text, ttl_column};
use super::fact::Fact;
use super::first_try;
use super::legacy;
use super::location::Place;
use super::misplaced;
use super::path::Path;
use super::providers;
use super::reach::{self, Site};
use super::tls::{self, place, write};
use super::tree::{HeaderFacts, HttpsFacts, PolicyHostFacts};
use crate::grammar::names::normalised;
use crate::grammar::policy::{MAX_POLICY_OCTETS, are_the_same};
use crate::snapshot::{AddressRecord, DnsOutcome, HttpResponse, HttpsProbe, Lookup, PolicyHost};
use crate::source_text::escape;

const ROOT: &str = "policy_host";

/// The facts of the policy host.
pub fn policy_host_facts(builder: &mut Builder<'_>) -> PolicyHostFacts {
    let snapshot = builder.snapshot;
    let default = PolicyHost::default();
    let observed = snapshot.policy_host.as_ref();
    if observed.is_none() {
        builder.note_missing_part(ROOT, ROOT, "the policy host");
    }
    let host = observed.unwrap_or(&default);
    let name =
        host.name.as_deref().map(normalised).or_else(|| builder.domain().map(|domain| format!("mta-sts.{domain}")));
    let mut facts = PolicyHostFacts { name: name.clone().into(), ..PolicyHostFacts::default() };
    let Some(host) = observed else { return facts };
    let name = name.unwrap_or_else(|| "mta-sts".to_owned());
    addresses(builder, host, &name, &mut facts);
    probes(builder, host, &name, &mut facts);
    facts
}

fn addresses(builder: &mut Builder<'_>, host: &PolicyHost, name: &str, facts: &mut PolicyHostFacts) {
    let (ipv4, ipv6) = (host.ipv4.as_ref(), host.ipv6.as_ref());
    let mut lines = BTreeMap::new();
    exhibit(builder, name, "A", ipv4, &mut lines);
    exhibit(builder, name, "AAAA", ipv6, &mut lines);
    let answers = Answers { name, ipv4, ipv6 };
    facts.resolves = answers.resolves();
    facts.unresolved = answers.unresolved(builder.fault);
    facts.doubled = misplaced::doubled_policy_host(builder);
    facts.addresses = answers.addresses(builder, &Path::from(ROOT));
    for (index, address) in facts.addresses.entries().iter().enumerate() {
        let line = address.address.known().and_then(|address| lines.get(address)).cloned();
        builder.locations.note_as(Path::from(ROOT).to("addresses").nth(index), line);
    }
    let chain = answers.chain();
    let hosting = chain.aliases.clone().map(|aliases| providers::hosting(&aliases));
    facts.provider = hosting.clone().map(|hosting| hosting.map(|provider| provider.name.clone()));
    facts.provider_kind = hosting.map(|hosting| hosting.map(|provider| provider.kind));
    (facts.alias, facts.aliases, facts.canonical) = (chain.alias, chain.aliases, chain.canonical);
    (facts.ttl, facts.ttl_seen) = (answers.ttl(), answers.ttl_seen());
    builder.note_unobserved("policy_host.ttl", "what the policy host's addresses were published with was not observed");
    facts.outcome = better(ipv4, ipv6).into();
    if facts.resolves.is_unobserved()
        && let Some(reason) = answers.unanswered()
    {
        builder.note_unobserved(ROOT, reason);
    }
}

fn better(ipv4: Option<&Lookup<AddressRecord>>, ipv6: Option<&Lookup<AddressRecord>>) -> Option<DnsOutcome> {
    let outcomes: Vec<DnsOutcome> = [ipv4, ipv6].into_iter().flatten().filter_map(Lookup::outcome).collect();
    let good = [DnsOutcome::Answer, DnsOutcome::Nodata, DnsOutcome::Nxdomain];
    good.into_iter().find(|outcome| outcomes.contains(outcome)).or_else(|| outcomes.first().copied())
}

fn exhibit(
    builder: &mut Builder<'_>,
    name: &str,
    kind: &str,
    lookup: Option<&Lookup<AddressRecord>>,
    lines: &mut BTreeMap<String, Place>,
) {
    let Some(lookup) = lookup else { return };
    for alias in &lookup.aliases {
        let line =
            format!("{}. {}IN CNAME {}.", normalised(&alias.name), ttl_column(alias.ttl), normalised(&alias.target));
        if !builder.locations.exhibit(ROOT).text().contains(&line) {
            place(builder, ROOT, "policy_host.alias", &line);
        }
    }
    let owner = lookup.aliases.last().map_or_else(|| name.to_owned(), |alias| normalised(&alias.target));
    for record in &lookup.records {
        let line = format!("{owner}. {}IN {kind} {}", ttl_column(lookup.ttl), record.address);
        lines.insert(record.address.to_string(), write(builder, ROOT, &line));
    }
    if lookup.records.is_empty() {
        place(builder, ROOT, "policy_host.resolves", &format!("{owner}. IN {kind} ; {}", outcome_text(lookup)));
    }
    let end = builder.locations.exhibit(ROOT).text().find('\n').unwrap_or_default();
    builder.locations.note(ROOT, ROOT, (0, end));
}

fn probes(builder: &mut Builder<'_>, host: &PolicyHost, name: &str, facts: &mut PolicyHostFacts) {
    let answers = Answers { name, ipv4: host.ipv4.as_ref(), ipv6: host.ipv6.as_ref() };
    let probes = host.probes.as_deref().unwrap_or_default();
    let asked: Vec<IpAddr> = probes.iter().map(|probe| probe.address).collect();
    let not_attempted = answers.not_attempted(builder, &asked, "policy_host.probes");
    if probes.is_empty()
        && !not_attempted.is_empty()
        && not_attempted.iter().all(|not_attempted| not_attempted.address.is_none())
    {
        for field in ["probes", "reachable", "consistent", "difference", "fetchable"] {
            builder.note_missing_part(Path::from(ROOT).to(field), "policy_host.probes", &format!("how {name} answers"));
        }
        return;
    }
    let mut https: Vec<HttpsFacts> =
        probes.iter().enumerate().map(|(index, probe)| probe_facts(builder, probe, name, index)).collect();
    for NotAttempted { address, reason } in not_attempted {
        builder.note_unobserved(Path::from("policy_host").to("probes").nth(https.len()), reason.clone());
        for field in ["reachable", "consistent", "difference", "fetchable"] {
            builder.note_unobserved(Path::from(ROOT).to(field), reason.clone());
        }
        https.push(HttpsFacts { address: address.map(|address| address.to_string()).into(), ..HttpsFacts::default() });
    }
    let reachable = https.iter().filter(|probe| probe.connected == Fact::Known(true)).count();
    if reachable > 0 || https.iter().all(|probe| !probe.connected.is_unobserved()) {
        facts.reachable = Fact::Known(i64::try_from(reachable).unwrap_or(i64::MAX));
    }
    concerned(&mut https);
    facts.fetchable = fetchable(&https);
    let policy = builder.snapshot.policy.as_ref().and_then(Option::as_ref).map(|policy| policy.body.0.as_slice());
    let (consistent, difference, other) = compared(&https, probes, policy);
    (facts.consistent, facts.difference) = (consistent, difference);
    if let Some(other) = other {
        let place = builder.locations.get(Path::from(ROOT).to("probes").nth(other));
        builder.locations.note_as(Path::from(ROOT).to("difference"), place);
    }
    facts.probes = Fact::Known(https);
    if facts.fetchable.is_unobserved() {
        builder.note_unobserved("policy_host.fetchable", format!("it was not seen whether {name} serves a policy"));
    }
}

fn probe_facts(builder: &mut Builder<'_>, probe: &HttpsProbe, name: &str, index: usize) -> HttpsFacts {
    let path = Path::from("policy_host").to("probes").nth(index);
    place(builder, ROOT, &path, &format!("; {}", probe.address));
    let connected = probe
        .connected
        .or_else(|| probe.tls.is_some().then_some(true))
        .filter(|_| !no_ipv6(probe.address, probe.failure.as_ref()));
    let legacy = probe.tls.as_ref().is_some_and(|tls| legacy::of(tls, true).is_some());
    let failure = probe.failure.as_ref().filter(|_| !legacy);
    // An address that was not spoken to at all shows nothing.
    let tried = probe.connected.is_some() || probe.tls.is_some();
    let mut facts = HttpsFacts {
        address: Fact::Known(probe.address.to_string()),
        connected: connected.into(),
        failure: Fact::Known(failure.map(failure_text)),
        failure_kind: Fact::Known(failure.map(|failure| failure.kind)),
        first_try: tried.then(|| probe.first_try.as_ref().map(first_try::fetch)).into(),
        milliseconds: probe
            .elapsed_ms
            .filter(|_| probe.response.is_some())
            .and_then(|time| i64::try_from(time).ok())
            .into(),
        ..HttpsFacts::default()
    };
    let reason = match failure {
        _ if legacy => legacy::BEYOND_LIBRARY.to_owned(),
        Some(failure) => failure_text(failure),
        None => "this step was not observed".to_owned(),
    };
    builder.note_unobserved(&path, reason);
    if let Some(tls) = &probe.tls {
        facts.tls = Fact::Known(tls::session(builder, tls, name, &path.to("tls"), ROOT));
    }
    match &probe.response {
        Some(response) => response_facts(builder, response, &path, &mut facts),
        // Without a connection or TLS, or where the request failed, no response came: that is known.
        None => {
            let handshake = probe.tls.as_ref().map(|tls| tls.handshake).filter(|_| !legacy);
            let failed = handshake == Some(false) || (handshake == Some(true) && probe.failure.is_some());
            if failed || connected == Some(false) {
                facts.status = Fact::Known(None);
            }
        }
    }
    if let Some(failure) = failure {
        place(builder, ROOT, path.to("failure"), &format!("! {}", failure_text(failure)));
        let same = builder.locations.get(path.to("failure"));
        builder.locations.note_as(path.to("connected"), same.clone());
        if probe.response.is_none() {
            builder.locations.note_as(path.to("status"), same);
        }
    }
    facts
}

fn response_facts(builder: &mut Builder<'_>, response: &HttpResponse, path: &Path, facts: &mut HttpsFacts) {
    let version = response.version.as_deref().unwrap_or("HTTP");
    place(builder, ROOT, path.to("status"), &format!("{} {}", escape(version), response.status));
    let mut headers = Vec::new();
    for header in &response.headers {
        let field = match header.name.to_ascii_lowercase().as_str() {
            "age" => Some("age"),
            "cache-control" => Some("cache_seconds"),
            "content-encoding" => Some("content_encoding"),
            "content-type" => Some("media_type"),
            "location" => Some("location"),
            _ => None,
        };
        let line = format!("{}: {}", escape(&header.name), escape(&header.value.lossy()));
        let place = write(builder, ROOT, &line);
        if let Some(field) = field {
            builder.locations.note_as(path.to(field), Some(place.clone()));
        }
        builder.locations.note_as(path.to("headers").nth(headers.len()), Some(place));
        headers.push(HeaderFacts {
            name: Fact::Known(escape(&header.name.to_ascii_lowercase())),
            value: Fact::Known(escape(header.value.lossy().trim())),
        });
    }
    let same = builder.locations.get(path.to("media_type"));
    builder.locations.note_as(path.to("charset"), same);
    let header = |name: &str| {
        response
            .headers
            .iter()
            .find(|header| header.name.eq_ignore_ascii_case(name))
            .map(|header| header.value.lossy().trim().to_owned())
    };
    let content_type = header("content-type");
    facts.status = Fact::Known(Some(i64::from(response.status)));
    facts.headers = Fact::Known(headers);
    facts.location = Fact::Known(header("location"));
    facts.media_type = Fact::Known(
        content_type
            .as_deref()
            .and_then(|value| value.split(';').next())
            .map(|value| value.trim().to_ascii_lowercase()),
    );
    facts.charset = Fact::Known(content_type.as_deref().and_then(charset));
    facts.content_encoding =
        Fact::Known(header("content-encoding").filter(|coding| !coding.eq_ignore_ascii_case("identity")));
    facts.age = Fact::Known(header("age").and_then(|age| age.parse().ok()));
    facts.cache_seconds = Fact::Known(header("cache-control").as_deref().and_then(cache_seconds));
    // A proxy that says that it keeps no copy is no cache.
    let kept = header("cf-cache-status")
        .is_none_or(|status| !["BYPASS", "DYNAMIC"].iter().any(|passed| status.trim().eq_ignore_ascii_case(passed)));
    facts.proxied = Fact::Known(
        kept && ["age", "via", "x-cache", "cf-cache-status", "x-served-by"].iter().any(|name| header(name).is_some()),
    );
    facts.octets = response.body_length.and_then(|octets| i64::try_from(octets).ok()).into();
    facts.oversized =
        Fact::Known(response.truncated || response.body_length.is_some_and(|octets| octets > MAX_POLICY_OCTETS as u64));
}

/// The charset of a Content-Type, in lower case (RFC 9110 §8.3.2).
fn charset(content_type: &str) -> Option<String> {
    let parameters = content_type.split(';').skip(1).filter_map(|parameter| parameter.split_once('='));
    parameters
        .filter(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))
        .map(|(_, value)| value.trim().trim_matches('"').to_ascii_lowercase())
        .next()
}

/// How long a shared cache may keep a response: `s-maxage`, else `max-age` (RFC 9111 §5.2.2).
fn cache_seconds(value: &str) -> Option<i64> {
    let directive = |wanted: &str| {
        value
            .split(',')
            .filter_map(|part| part.split_once('='))
            .find(|(name, _)| name.trim().eq_ignore_ascii_case(wanted))
            .and_then(|(_, seconds)| seconds.trim().trim_matches('"').parse().ok())
    };
    // What is private or not to be stored stays out of shared caches (RFC 9111 §5.2.2).
    let stays_out = value
        .split(',')
        .any(|part| ["no-store", "no-cache", "private"].iter().any(|name| part.trim().eq_ignore_ascii_case(name)));
    if stays_out { None } else { directive("s-maxage").or_else(|| directive("max-age")) }
}

/// Tells of each address that was asked whom a fault there concerns.
fn concerned(https: &mut [HttpsFacts]) {
    let site = |probe: &HttpsFacts| Site {
        address: probe.address.known().and_then(|address| address.parse().ok()),
        well: gives_policy(probe),
    };
    let sites: Vec<Site> = https.iter().map(site).collect();
    for (index, probe) in https.iter_mut().enumerate() {
        probe.concerned = Fact::Known(reach::of(&sites, index).senders().to_owned());
    }
}

/// Whether one address at least gives a policy as a sender fetches it: a valid certificate and status 200.
fn fetchable(probes: &[HttpsFacts]) -> Fact<bool> {
    let verdicts: Vec<Option<bool>> = probes.iter().map(gives_policy).collect();
    if verdicts.contains(&Some(true)) {
        Fact::Known(true)
    } else if verdicts.contains(&None) {
        Fact::Unobserved
    } else {
        Fact::Known(false)
    }
}

/// Whether a sender that asks this address gets a policy; `None` where that was not observed.
pub fn gives_policy(probe: &HttpsFacts) -> Option<bool> {
    if probe.connected == Fact::Known(false) || probe.failure_kind.known().is_some_and(Option::is_some) {
        return Some(false);
    }
    let tls = probe.tls.known()?;
    if tls.handshake == Fact::Known(false) {
        return Some(false);
    }
    let certificate = tls.certificate.known()?.as_ref()?;
    let named = certificate.name_match.known()?.names_policy_host();
    let in_time = !*certificate.expired.known()? && !*certificate.not_yet_valid.known()?;
    Some(named && in_time && *tls.trusted.known()? && *probe.status.known()? == Some(200))
}

/// Whether two responses hold different policies; `None` where the body of one was not observed. A body that is not in
/// its response is the policy's.
fn differ(one: &HttpResponse, other: &HttpResponse, policy: Option<&[u8]>) -> Option<bool> {
    let (one_hash, other_hash) = one.body_sha256.as_ref().zip(other.body_sha256.as_ref())?;
    if one_hash == other_hash {
        return Some(false);
    }
    let body = |response: &HttpResponse| response.body.as_ref().map(|body| body.0.clone());
    let bodies = [body(one), body(other)].map(|body| body.or_else(|| policy.map(<[u8]>::to_vec)));
    match bodies {
        [Some(one), Some(other)] => Some(!are_the_same(&one, &other)),
        _ => Some(true),
    }
}

/// Whether all addresses that answer serve the same, what differs, and which of them is the second; not observed where an
/// address was not asked and the others serve the same.
fn compared(
    facts: &[HttpsFacts],
    probes: &[HttpsProbe],
    policy: Option<&[u8]>,
) -> (Fact<bool>, Fact<Option<String>>, Option<usize>) {
    let responses: Vec<(usize, &HttpsFacts, &HttpsProbe, &HttpResponse)> = facts
        .iter()
        .zip(probes)
        .enumerate()
        .filter_map(|(index, (facts, probe))| Some((index, facts, probe, probe.response.as_ref()?)))
        .collect();
    // An address that fails is a finding of its own.
    let failed = |facts: &HttpsFacts| {
        facts.connected == Fact::Known(false)
            || facts.status == Fact::Known(None)
            || facts.tls.known().is_some_and(|tls| tls.handshake == Fact::Known(false))
    };
    let mut all_compared = facts
        .iter()
        .enumerate()
        .all(|(index, facts)| failed(facts) || probes.get(index).is_some_and(|probe| probe.response.is_some()));
    if let Some(((_, first, first_probe, response), rest)) = responses.split_first() {
        for (index, other, other_probe, other_response) in rest {
            let body = differ(response, other_response, policy);
            let valid = gives_policy(first).zip(gives_policy(other)).map(|(a, b)| a != b);
            let what = match (body, valid) {
                _ if first.status != other.status => "they answer with different status codes",
                (Some(true), _) => "they serve different policies",
                (_, Some(true)) => "the certificate of one is valid, the other's is not",
                (Some(false), Some(false)) => continue,
                _ => {
                    all_compared = false;
                    continue;
                }
            };
            let difference = format!("{} and {}: {what}", first_probe.address, other_probe.address);
            return (Fact::Known(false), Fact::Known(Some(difference)), Some(*index));
        }
    }
    if all_compared { (Fact::Known(true), Fact::Known(None), None) } else { (Fact::Unobserved, Fact::Unobserved, None) }
}
