//! How much of a file a part of a snapshot takes, whatever the format: the collector keeps no more than the reader takes.
//!
//! Used by `collect`, which gives each part of what it observes a share of the largest file, and by the tests that hold
//! this against what is written.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::{CharEscape, Formatter};

use super::bounded::MAX_NODES;
use super::file::MAX_SNAPSHOT_OCTETS;
use crate::source_text::is_unseen;

/// What a line of its own costs: its end, its indentation at the deepest place of a snapshot, and what marks it.
const LINE: usize = 30;
/// What a character costs that some format writes as an escape, beyond its own octets: `\u{e0041}` is a pair of surrogates.
const ESCAPE: usize = 12;
/// After how many octets YAML may break a long line: at 80, and a word may be carried over.
const FOLD: usize = 40;
/// What a node counts at least: a file of the largest size then has no more nodes than the reader of YAML takes.
const NODE: usize = (MAX_SNAPSHOT_OCTETS as usize).div_ceil(MAX_NODES);

/// How many octets of a snapshot's file a part takes at most, in every format that it can be written in.
pub fn written_size(part: &impl Serialize) -> usize {
    let mut written = Written::default();
    let mut octets = Octets(0);
    let mut serializer = Serializer::with_formatter(&mut octets, &mut written);
    // What cannot be written takes no room; writing then says so.
    let _ = part.serialize(&mut serializer);
    octets.0.saturating_add(written.more).saturating_add(LINE).max(written.nodes.saturating_add(1).saturating_mul(NODE))
}

/// What the formats add to JSON without spaces.
#[derive(Default)]
struct Written {
    more: usize,
    nodes: usize,
    /// The octets of the string under way, and its spaces: YAML breaks lines at those alone.
    string: usize,
    spaces: usize,
}

impl Written {
    fn add(&mut self, octets: usize) {
        self.more = self.more.saturating_add(octets);
    }

    fn node(&mut self, octets: usize) {
        self.nodes = self.nodes.saturating_add(1);
        self.add(octets);
    }
}

impl Formatter for &mut Written {
    fn begin_array_value<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.node(LINE);
        if first { Ok(()) } else { writer.write_all(b",") }
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.node(LINE);
        if first { Ok(()) } else { writer.write_all(b",") }
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.node(1);
        writer.write_all(b":")
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.add(LINE);
        writer.write_all(b"]")
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.add(LINE);
        writer.write_all(b"}")
    }

    fn begin_string<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        (self.string, self.spaces) = (0, 0);
        writer.write_all(b"\"")
    }

    fn end_string<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.add(self.string.div_euclid(FOLD).min(self.spaces).saturating_mul(LINE));
        writer.write_all(b"\"")
    }

    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        self.string = self.string.saturating_add(fragment.len());
        for c in fragment.chars() {
            // A hash may be part of a runner's command, and a quote be doubled.
            if !c.is_ascii() || c.is_control() || is_unseen(c) || c == '#' {
                self.add(ESCAPE);
            } else if c == '\'' {
                self.add(1);
            } else if c == ' ' {
                self.spaces = self.spaces.saturating_add(1);
            }
        }
        writer.write_all(fragment.as_bytes())
    }

    fn write_char_escape<W: ?Sized + Write>(&mut self, writer: &mut W, escape: CharEscape) -> io::Result<()> {
        self.string = self.string.saturating_add(1);
        if matches!(escape, CharEscape::LineFeed) {
            self.add(LINE);
        }
        // As JSON writes them: no format needs more.
        writer.write_all(if matches!(escape, CharEscape::AsciiControl(_)) { b"\\u0000" } else { b"\\n" })
    }
}

/// Counts what is written.
struct Octets(usize);

impl Write for Octets {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0 = self.0.saturating_add(octets.len());
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::snapshot::bounded::{MAX_ALIASES, MAX_NAME, MAX_PROBES, MAX_RECORDS, MAX_TXT_OCTETS};
    use crate::snapshot::{
        AddressRecord, Alias, Certificate, DnsOutcome, Failure, FailureKind, FirstConversation, FirstFetch, Format,
        Header, HttpResponse, HttpsProbe, Lookup, MxHost, MxRecord, NameServer, Octets, Party, Policy, PolicyHost,
        PtrRecord, ReportHost, ReverseLookup, SmtpProbe, SmtpReply, Snapshot, Step, TlsFacts, TlsaRecord,
        TranscriptLine, TxtRecord, parse, to_text,
    };

    const FORMATS: [Format; 3] = [Format::Json, Format::JsonLines, Format::Yaml];

    /// Text that formats write in as many ways as there are: escapes, hashes, quotes, long lines of short and long words.
    fn text() -> impl Strategy<Value = String> {
        prop_oneof![
            "[ -~]{0,24}",
            "[\\x00-\\x1f\"'\\\\#\u{7f}\u{85}\u{9b}\u{2028}\u{202e}\u{feff}\u{e0041}é😀]{0,40}",
            "([a-z]{1,90} ){0,8}",
            "(##vso\\[|##\\[|: |- |\n|\r\n|\t|  |~|null|1e3){0,40}",
        ]
    }

    fn octets() -> impl Strategy<Value = Octets> {
        prop_oneof![text().prop_map(|text| Octets(text.into_bytes())), vec(any::<u8>(), 0..40).prop_map(Octets)]
    }

    fn failure() -> impl Strategy<Value = Failure> {
        text().prop_map(|detail| Failure { kind: FailureKind::Protocol, step: None, detail })
    }

    fn lookup<R: Clone + std::fmt::Debug + 'static>(
        record: impl Strategy<Value = R> + 'static,
    ) -> impl Strategy<Value = Lookup<R>> {
        let aliases = vec((text(), text()).prop_map(|(name, target)| Alias { name, target, ttl: Some(1) }), 0..3);
        (text(), vec(record, 0..6), aliases, proptest::option::of(failure())).prop_map(
            |(name, records, aliases, failure)| Lookup {
                name: Some(name),
                outcome: Some(DnsOutcome::Answer),
                ttl: Some(u32::MAX),
                records,
                aliases,
                failure,
                ..Lookup::default()
            },
        )
    }

    fn txt() -> impl Strategy<Value = Lookup<TxtRecord>> {
        lookup(vec(octets(), 0..6).prop_map(|strings| TxtRecord { strings }))
    }

    fn mx() -> impl Strategy<Value = Lookup<MxRecord>> {
        lookup((any::<u16>(), text()).prop_map(|(preference, exchange)| MxRecord { preference, exchange }))
    }

    fn addresses() -> impl Strategy<Value = Lookup<AddressRecord>> {
        lookup(any::<[u8; 16]>().prop_map(|octets| AddressRecord { address: octets.into() }))
    }

    fn tls() -> impl Strategy<Value = TlsFacts> {
        let certificate =
            (text(), text(), vec(text(), 0..5), text()).prop_map(|(subject, pem, dns_ids, malformed)| Certificate {
                subject,
                dns_ids,
                pem: Some(pem),
                malformed: Some(malformed),
                extended_key_usage: Some(Vec::new()),
                ..Certificate::default()
            });
        (vec(certificate, 0..3), text()).prop_map(|(chain, verifier)| TlsFacts {
            handshake: true,
            chain,
            chain_length: Some(u32::MAX),
            verifier: Some(verifier),
            ..TlsFacts::default()
        })
    }

    fn smtp_probe() -> impl Strategy<Value = SmtpProbe> {
        let reply = (200_u16..600, vec(text(), 0..4)).prop_map(|(code, lines)| SmtpReply { code, lines });
        let transcript = vec(text().prop_map(|text| TranscriptLine { from: Party::Server, text }), 0..6);
        (any::<[u8; 4]>(), reply, tls(), octets(), transcript, failure()).prop_map(
            |(address, reply, tls, after, transcript, failure)| SmtpProbe {
                address: address.into(),
                connected: Some(true),
                greeting: Some(reply.clone()),
                ehlo: None,
                starttls: None,
                after_starttls: Some(after),
                tls: Some(tls),
                ehlo_after_tls: Some(reply),
                without_sni: None,
                failure: Some(failure.clone()),
                first_try: Some(Box::new(FirstConversation {
                    failure: Some(failure),
                    transcript: transcript.clone(),
                    ..FirstConversation::default()
                })),
                transcript,
                elapsed_ms: Some(u64::MAX),
            },
        )
    }

    fn policy_host() -> impl Strategy<Value = PolicyHost> {
        let header = (text(), octets()).prop_map(|(name, value)| Header { name, value });
        let response = (vec(header, 0..4), octets()).prop_map(|(headers, body)| HttpResponse {
            status: 200,
            headers,
            body: Some(body),
            ..HttpResponse::default()
        });
        let probe = (any::<[u8; 16]>(), tls(), response).prop_map(|(address, tls, response)| HttpsProbe {
            address: address.into(),
            connected: Some(true),
            tls: Some(tls),
            response: Some(response),
            failure: None,
            first_try: Some(FirstFetch { status: Some(503), ..FirstFetch::default() }),
            elapsed_ms: Some(1),
        });
        (text(), addresses(), vec(probe, 0..3)).prop_map(|(name, ipv6, probes)| PolicyHost {
            name: Some(name),
            ipv4: None,
            ipv6: Some(ipv6),
            probes: Some(probes),
        })
    }

    fn mx_host() -> impl Strategy<Value = MxHost> {
        let tlsa = text().prop_map(|association| TlsaRecord { association, ..TlsaRecord::default() });
        let reverse = (any::<[u8; 16]>(), lookup(text().prop_map(|name| PtrRecord { name })))
            .prop_map(|(address, ptr)| ReverseLookup { address: address.into(), ptr });
        (text(), addresses(), lookup(tlsa), vec(smtp_probe(), 0..3), vec(reverse, 0..3)).prop_map(
            |(exchange, ipv4, tlsa, probes, reverse)| MxHost {
                exchange,
                ipv4: Some(ipv4),
                ipv6: None,
                tlsa: Some(tlsa),
                probes: Some(probes),
                reverse: Some(reverse),
            },
        )
    }

    fn snapshot() -> impl Strategy<Value = Snapshot> {
        let policy = octets().prop_map(|body| Policy { body, ..Policy::default() });
        let server = (text(), txt(), mx()).prop_map(|(name, record, mx)| NameServer {
            name,
            address: None,
            record: Some(record),
            tlsrpt: None,
            mx: Some(mx),
            authority: Some(true),
        });
        let report_host =
            (text(), mx()).prop_map(|(name, mx)| ReportHost { name, mx: Some(mx), ..ReportHost::default() });
        let step = text().prop_map(|name| Step { name, start_ms: u64::MAX, end_ms: u64::MAX });
        let parts = (txt(), mx(), vec(txt(), 0..3), policy_host(), proptest::option::of(policy));
        let lists = (vec(mx_host(), 0..3), vec(server, 0..2), vec(report_host, 0..2), vec(step, 0..4));
        (parts, lists).prop_map(
            |((record, mx, misplaced, policy_host, policy), (mx_hosts, servers, report_hosts, steps))| Snapshot {
                record: Some(record),
                mx: Some(mx),
                misplaced: Some(misplaced),
                policy_host: Some(policy_host),
                policy: Some(policy),
                mx_hosts: Some(mx_hosts),
                name_servers: Some(servers),
                report_hosts: Some(report_hosts),
                timeline: Some(steps),
                ..Snapshot::of(Some("example.com"))
            },
        )
    }

    /// Writes a snapshot in every format, and holds its size against what was reckoned; what was read back is the same.
    fn written(snapshot: &Snapshot) {
        let reckoned = written_size(snapshot);
        for format in FORMATS {
            let text = to_text(snapshot, format).unwrap();
            assert!(text.len() <= reckoned, "{format:?}: {} octets, reckoned {reckoned}", text.len());
            if reckoned <= MAX_SNAPSHOT_OCTETS as usize {
                let back = parse("test", &text, Some(format));
                assert!(back.as_ref().is_ok_and(|back| back == snapshot), "{format:?}: {:?}\n{text}", back.err());
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(96))]

        #[test]
        fn no_format_writes_more_than_was_reckoned_and_all_of_it_is_read_back(snapshot in snapshot()) {
            written(&snapshot);
        }
    }

    /// Snapshots that are at a limit each, and cost as much of the file as is possible there.
    fn at_the_limits() -> Vec<Snapshot> {
        let of = || Snapshot::of(Some("example.com"));
        fn answer<R>(records: Vec<R>) -> Option<Lookup<R>> {
            Some(Lookup::answer(Some("\\000".repeat(MAX_NAME / 4)), records))
        }
        let strings = |string: &[u8], count: usize| vec![TxtRecord { strings: vec![Octets(string.to_vec()); count] }];
        let exchange = "\\001.".repeat(MAX_NAME / 5);
        let aliases = vec![Alias { name: exchange.clone(), target: exchange.clone(), ttl: None }; MAX_ALIASES];
        let probe = SmtpProbe { failure: None, ..probe_of([192, 0, 2, 1]) };
        let host = |probes| MxHost { exchange: exchange.clone(), probes: Some(probes), ..MxHost::default() };
        let record = MxRecord { preference: 0, exchange: exchange.clone() };
        vec![
            Snapshot { record: answer(strings(b"", 30_000)), ..of() },
            Snapshot { record: answer(strings(b"\xff", 20_000)), ..of() },
            Snapshot { record: answer(strings(&[b'\n'; 1], MAX_TXT_OCTETS / 2)), ..of() },
            Snapshot { record: answer(strings(&vec![1; MAX_TXT_OCTETS], 1)), ..of() },
            Snapshot { mx: answer(vec![record; MAX_RECORDS]).map(|mx| Lookup { aliases, ..mx }), ..of() },
            Snapshot { mx_hosts: Some(vec![host(vec![probe; MAX_PROBES])]), ..of() },
            Snapshot { mx_hosts: Some(vec![host(Vec::new()); MAX_RECORDS]), ..of() },
            Snapshot {
                policy: Some(Some(Policy { body: Octets(b"a\n".repeat(1 << 18)), ..Policy::default() })),
                ..of()
            },
        ]
    }

    #[test]
    fn text_that_is_all_escapes_is_reckoned_as_it_is_written() {
        for part in [
            "\n",
            "'",
            "\"",
            "\\",
            "\t",
            "\u{1}",
            "\u{7f}",
            "\u{9b}",
            "\u{2028}",
            "\u{e0041}",
            "é",
            "##vso[",
            "ab ",
            "a: ",
        ] {
            let name = part.repeat(10_000);
            let policy = Policy { body: Octets(name.clone().into_bytes()), ..Policy::default() };
            let steps = vec![Step { name, start_ms: 0, end_ms: 0 }];
            written(&Snapshot {
                policy: Some(Some(policy)),
                timeline: Some(steps),
                ..Snapshot::of(Some("example.com"))
            });
        }
    }

    fn probe_of(address: [u8; 4]) -> SmtpProbe {
        SmtpProbe {
            address: address.into(),
            connected: Some(false),
            greeting: None,
            ehlo: None,
            starttls: None,
            after_starttls: None,
            tls: None,
            ehlo_after_tls: None,
            without_sni: None,
            failure: None,
            first_try: None,
            transcript: vec![TranscriptLine { from: Party::Note, text: String::new() }],
            elapsed_ms: None,
        }
    }

    #[test]
    fn at_every_limit_what_is_written_is_read_back() {
        for snapshot in at_the_limits() {
            assert!(written_size(&snapshot) <= MAX_SNAPSHOT_OCTETS as usize, "{}", written_size(&snapshot));
            written(&snapshot);
        }
    }
}
