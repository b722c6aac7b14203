//! SMTP conversations that break off, and the manners of ours: QUIT ends every one that still can be ended.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hickory_resolver::proto::rr::RData;
use hickory_resolver::proto::rr::rdata::AAAA;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::hostile_tests::{EHLO, answers, kind, mx_host, mx_host_of};
use super::limits::GREETING_STEPS;
use super::testing::{
    Authority, DOMAIN, POLICY, Zone, closed_port, collect, https, listen, listen_at, options, read_command, response,
    smtp,
};
use super::{Collector, Options};
use crate::snapshot::FailureKind;

/// An MX host that speaks as `script` has it and resets the connection in the middle of the command `verb`.
async fn resets_at(verb: &'static str) -> u16 {
    listen(move |mut stream| async move {
        if verb == "greeting" {
            // What was sent and never read makes the system answer the close with a RST.
            let _ = stream.set_zero_linger();
            return;
        }
        let _ = stream.write_all(b"220 mx\r\n").await;
        let mut first = [0; 1];
        while stream.read_exact(&mut first).await.is_ok() {
            if verb.as_bytes()[0] == first[0] {
                let _ = stream.set_zero_linger();
                return;
            }
            let _ = read_command(&mut stream).await;
            let answer = if first[0] == b'E' { EHLO.1 } else { b"220 go\r\n" };
            let _ = stream.write_all(answer).await;
        }
    })
    .await
}

#[tokio::test]
async fn a_reset_at_each_step_is_told_with_the_step() {
    for (verb, step) in [("greeting", "greeting"), ("EHLO", "EHLO"), ("STARTTLS", "STARTTLS"), ("\u{16}", "handshake")]
    {
        let probe = mx_host(resets_at(verb).await).await;
        let failure = probe.failure.clone().unwrap();
        assert!(matches!(failure.kind, FailureKind::Reset | FailureKind::Closed), "{verb}: {failure:?}");
        assert!(failure.detail.contains(step), "{verb}: {failure:?}");
        let known = (probe.greeting.is_some(), probe.ehlo.is_some(), probe.starttls.is_some(), probe.tls.is_some());
        let expected = match step {
            "greeting" => (false, false, false, false),
            "EHLO" => (true, false, false, false),
            "STARTTLS" => (true, true, false, false),
            _ => (true, true, true, true),
        };
        assert_eq!((probe.connected, known), (Some(true), expected), "{verb}");
    }
}

/// The last command of every connection to a host that answers as scripted.
async fn last_commands(opening: &'static [u8], list: &[(&'static str, &'static [u8])]) -> Vec<String> {
    let (list, heard) = (answers(list), Arc::new(Mutex::new(Vec::<String>::new())));
    let noted = heard.clone();
    let port = listen(move |mut stream| {
        let (list, noted) = (list.clone(), noted.clone());
        async move {
            let number = {
                let mut noted = noted.lock().unwrap();
                noted.push("nothing".to_owned());
                noted.len() - 1
            };
            let _ = stream.write_all(opening).await;
            while let Some(command) = read_command(&mut stream).await {
                if let Some((_, answer)) = list.iter().find(|(verb, _)| command.starts_with(verb)) {
                    let _ = stream.write_all(answer).await;
                }
                noted.lock().unwrap()[number] = command;
            }
        }
    })
    .await;
    let zone = Zone::healthy().without("mta-sts.example.test").serve().await;
    let collector = Collector::new(options(zone, Authority::new().roots(), closed_port().await, port)).unwrap();
    collector.collect(DOMAIN, jiff::Timestamp::now()).await;
    collector.finish().await;
    let heard = heard.lock().unwrap();
    heard.clone()
}

#[tokio::test]
async fn quit_is_sent_wherever_the_conversation_ends() {
    let bye: (&str, &[u8]) = ("QUIT", b"221 bye\r\n");
    for (opening, list) in [
        (&b"554 go away\r\n"[..], vec![bye]),
        (b"220 mx\r\n", vec![("EHLO", &b"502 what?\r\n"[..]), bye]),
        (b"220 mx\r\n", vec![("EHLO", &b"250 mx\r\n"[..]), bye]),
        (b"220 mx\r\n", vec![EHLO, ("STARTTLS", &b"454 not now\r\n"[..]), bye]),
        (b"220 mx\r\n", vec![EHLO, ("STARTTLS", &b"what?\r\n"[..]), bye]),
        (b"220 mx\r\n", vec![EHLO, bye]),
        (b"220 mx\r\n", vec![EHLO]),
    ] {
        let last = last_commands(opening, &list).await;
        assert!(!last.is_empty() && last.iter().all(|command| command == "QUIT"), "{last:?} after {list:?}");
    }
}

#[tokio::test]
async fn the_end_of_a_run_waits_for_the_reply_to_quit() {
    let (ended, mut ends) = tokio::sync::mpsc::unbounded_channel();
    let port = listen(move |mut stream| {
        let ended = ended.clone();
        async move {
            let _ = stream.write_all(b"220 mx\r\n").await;
            let _ = read_command(&mut stream).await;
            let _ = stream.write_all(b"250 mx\r\n").await;
            let _ = read_command(&mut stream).await;
            tokio::time::sleep(Duration::from_millis(300)).await;
            let _ = stream.write_all(b"221 bye\r\n").await;
            let _ = ended.send(stream.read(&mut [0; 16]).await.ok());
        }
    })
    .await;
    let zone = Zone::healthy().without("mta-sts.example.test").serve().await;
    let collector = Collector::new(options(zone, Authority::new().roots(), closed_port().await, port)).unwrap();
    collector.collect(DOMAIN, jiff::Timestamp::now()).await;
    assert!(ends.try_recv().is_err(), "the collection itself does not wait");
    collector.finish().await;
    assert_eq!(ends.recv().await, Some(Some(0)), "closed in order, not reset");
}

#[test]
fn a_greeting_after_20_seconds_is_still_waited_for() {
    let options = Options::default();
    let greeting = options.timeout * GREETING_STEPS;
    assert!(greeting > Duration::from_secs(20) && greeting < options.deadline);
}

#[tokio::test]
async fn ipv6_is_asked_beside_ipv4_and_each_has_its_own_facts() {
    let authority = Authority::new();
    let mx = authority.identity(&["mx.example.test"]).acceptor();
    let smtp_port = smtp(mx).await;
    let https_port =
        https(authority.identity(&["mta-sts.example.test"]).acceptor(), response("200 OK", "", POLICY)).await;
    let six = IpAddr::V6(Ipv6Addr::LOCALHOST);
    if TcpListener::bind((six, 0)).await.is_err() {
        eprintln!("skipped: this machine has no IPv6 on loopback");
        return;
    }
    listen_at(six, smtp_port, |mut stream| async move {
        let _ = stream.write_all(b"220 six\r\n").await;
        let _ = read_command(&mut stream).await;
        let _ = stream.write_all(b"250 six\r\n").await;
        let _ = read_command(&mut stream).await;
    })
    .await;
    let localhost = RData::AAAA(AAAA(Ipv6Addr::LOCALHOST));
    let zone = Zone::healthy().add("mx.example.test", localhost.clone()).add("mta-sts.example.test", localhost);
    let snapshot = collect(options(zone.serve().await, authority.roots(), https_port, smtp_port)).await;
    let probes = snapshot.mx_hosts.as_ref().unwrap()[0].probes.as_ref().unwrap();
    let seen: Vec<_> = probes.iter().map(|probe| (probe.address, probe.starttls.is_some())).collect();
    assert_eq!(seen, [(IpAddr::V4(Ipv4Addr::LOCALHOST), true), (six, false)]);
    assert!(probes[1].transcript.iter().any(|line| line.text == "EHLO [IPv6:::1]"), "{:?}", probes[1].transcript);
    let fetched = snapshot.policy_host.as_ref().unwrap().probes.as_ref().unwrap();
    assert_eq!((fetched[0].connected, fetched[1].connected), (Some(true), Some(false)));
    assert_eq!(kind(&fetched[1].failure), Some(FailureKind::Refused));
    assert!(snapshot.policy.unwrap().is_some(), "one family is enough for a policy");
}

#[tokio::test]
async fn of_many_addresses_some_are_asked_and_the_rest_is_said() {
    let authority = Authority::new();
    let mut zone = Zone::healthy();
    for number in 2..=200 {
        zone = zone.a("mx.example.test", Ipv4Addr::new(127, 0, 0, number));
    }
    let mut options = options(zone.serve().await, authority.roots(), closed_port().await, closed_port().await);
    options.max_addresses = 3;
    let snapshot = collect(options).await;
    let host = &snapshot.mx_hosts.as_ref().unwrap()[0];
    assert_eq!((host.ipv4.as_ref().unwrap().records.len(), host.probes.as_ref().unwrap().len()), (200, 3));
    let left_out = snapshot.collection.unwrap().left_out;
    assert!(left_out.iter().any(|left| left.reason.contains("only 3 of the 200 addresses of mx.example.test")));
}

#[tokio::test]
async fn the_name_for_ehlo_is_given_as_chosen() {
    let authority = Authority::new();
    let mut options = options(
        Zone::healthy().serve().await,
        authority.roots(),
        closed_port().await,
        smtp(authority.identity(&["mx.example.test"]).acceptor()).await,
    );
    options.helo = Some("probe.example.org".to_owned());
    let probe = collect(options).await.mx_hosts.unwrap().remove(0).probes.unwrap().remove(0);
    assert_eq!(probe.transcript.iter().filter(|line| line.text == "EHLO probe.example.org").count(), 2);
    let again = mx_host_of(&authority, closed_port().await).await;
    assert_eq!((again.connected, kind(&again.failure)), (Some(false), Some(FailureKind::Refused)));
}
