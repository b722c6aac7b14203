//! What misleads once is tried again, and what is only seen from here is not laid at the domain's door: servers, resolvers and
//! a network that fail now and then, through the binary.

#![cfg(feature = "lab")]

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use hickory_resolver::proto::op::{Message, ResponseCode};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::peers::{
    Authority, DOMAIN, LOOPBACK, POLICY, Zone, answer_stream, https, https_with, listen, read_command, response, smtp,
    smtp_then, sockets,
};

/// The servers of a domain: its resolver, its policy host and its MX host.
struct Servers {
    authority: Authority,
    resolver: String,
    https_port: u16,
    smtp_port: u16,
}

impl Servers {
    async fn healthy() -> Self {
        let authority = Authority::new();
        let https_port =
            https(authority.identity(&["mta-sts.example.test"]).acceptor(), response("200 OK", TEXT, POLICY)).await;
        let smtp_port = smtp(authority.identity(&["mx.example.test"]).acceptor()).await;
        Servers { resolver: Zone::healthy().serve().await.to_string(), authority, https_port, smtp_port }
    }

    /// The same, whose MX host does something else with the first connections; a conversation opens two of them.
    async fn with_mx_host<F>(first: usize, instead: impl Fn(TcpStream) -> F + Copy + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send,
    {
        let servers = Servers::healthy().await;
        let (behind, count) = (servers.smtp_port, Arc::new(AtomicUsize::new(0)));
        let smtp_port = listen(move |mut stream| {
            let count = count.clone();
            async move {
                if count.fetch_add(1, Ordering::Relaxed) < first {
                    return instead(stream).await;
                }
                let mut server = TcpStream::connect((LOOPBACK, behind)).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut stream, &mut server).await;
            }
        })
        .await;
        Servers { smtp_port, ..servers }
    }

    /// The same, whose policy host answers with something else at first.
    async fn with_policy_host(first: &'static str, headers: &'static str) -> Self {
        let servers = Servers::healthy().await;
        let count = Arc::new(AtomicUsize::new(0));
        let acceptor = servers.authority.identity(&["mta-sts.example.test"]).acceptor();
        let https_port = https_with(acceptor, move |mut stream| {
            let is_first = count.fetch_add(1, Ordering::Relaxed) == 0;
            async move {
                let answer =
                    if is_first { response(first, headers, "later") } else { response("200 OK", TEXT, POLICY) };
                let _ = stream.write_all(&answer).await;
                let _ = stream.shutdown().await;
            }
        })
        .await;
        Servers { https_port, ..servers }
    }

    /// What a collection sees, and what is said of it.
    async fn seen(&self, args: &[&str]) -> Seen {
        let folder = tempfile::tempdir().unwrap();
        let mut command = assert_cmd::Command::cargo_bin("stslint").unwrap();
        command.current_dir(folder.path()).args(["collect", DOMAIN, "-o", "seen.json", "--authoritative=false"]);
        command.args(["--resolver", &self.resolver]).arg("--roots").arg(self.authority.file());
        command.args(["--https-port", &self.https_port.to_string(), "--smtp-port", &self.smtp_port.to_string()]);
        let given = |option: &str| args.iter().any(|arg| arg.starts_with(option));
        for (option, value) in [("--timeout", "2"), ("--dnssec", "off")] {
            if !given(option) {
                command.args([option, value]);
            }
        }
        command.args(args);
        tokio::task::spawn_blocking(move || {
            command.assert().success();
            Seen::of(&folder.path().join("seen.json"))
        })
        .await
        .unwrap()
    }
}

const TEXT: &str = "Content-Type: text/plain\r\n";

struct Seen {
    snapshot: Value,
    checks: Vec<Value>,
    sender: Value,
}

impl Seen {
    fn of(file: &Path) -> Self {
        let snapshot = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        let mut command = assert_cmd::Command::cargo_bin("stslint").unwrap();
        command.args(["--no-config", "check", "--format", "json", "--snapshot"]).arg(file);
        let report: Value = serde_json::from_slice(&command.output().unwrap().stdout).unwrap();
        let result = &report["results"][0];
        Seen { snapshot, checks: result["checks"].as_array().unwrap().clone(), sender: result["sender"].clone() }
    }

    fn outcome(&self, rule: &str) -> &str {
        self.check(rule)["outcome"].as_str().unwrap()
    }

    fn check(&self, rule: &str) -> &Value {
        self.checks.iter().find(|check| check["rule"] == rule).unwrap()
    }

    /// The text of the message, the reason and the help of a rule.
    fn text(&self, rule: &str) -> String {
        let check = self.check(rule);
        ["message", "reason", "help"].map(|field| check[field].as_str().unwrap_or_default()).join(" | ")
    }

    fn errors(&self) -> Vec<&str> {
        let failed = |check: &&Value| check["outcome"] == "fail" && check["severity"] == "error";
        self.checks.iter().filter(failed).map(|check| check["rule"].as_str().unwrap()).collect()
    }

    fn probe(&self) -> &Value {
        self.snapshot.pointer("/mx_hosts/0/probes/0").unwrap()
    }
}

/// Says some lines, and then nothing until the client goes.
async fn says(mut stream: TcpStream, lines: &[&str]) {
    let mut lines = lines.iter();
    let _ = stream.write_all(lines.next().unwrap().as_bytes()).await;
    while let (Some(command), Some(line)) = (read_command(&mut stream).await, lines.next()) {
        if command == "QUIT" || stream.write_all(line.as_bytes()).await.is_err() {
            return;
        }
    }
    while read_command(&mut stream).await.is_some() {}
}

const GREETING: &str = "220 mx ready\r\n";
const EHLO: &str = "250-mx\r\n250 STARTTLS\r\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_mx_host_that_puts_off_once_is_spoken_to_again() {
    let busy = Servers::with_mx_host(2, |stream| says(stream, &["421 4.3.2 busy\r\n"])).await;
    let seen = busy.seen(&[]).await;
    assert_eq!(seen.probe().pointer("/first_try/greeting/code"), Some(&421.into()), "{}", seen.probe());
    assert_eq!(seen.probe()["greeting"]["code"], 220);
    assert!(
        seen.probe().pointer("/first_try/transcript/0").is_some() && seen.probe()["without_sni"]["handshake"] == true
    );
    assert_eq!((seen.outcome("smtp-greeting"), seen.outcome("smtp-tls")), ("pass", "pass"));
    assert_eq!(seen.outcome("smtp-first-try"), "remark");
    assert!(seen.text("smtp-first-try").contains("the greeting was 421 4.3.2 busy"), "{}", seen.text("smtp-first-try"));
    assert!(seen.errors().is_empty(), "{:?}", seen.errors());

    for (said, step) in [
        (&[GREETING, "451 4.3.0 not now\r\n"][..], "ehlo"),
        (&[GREETING, EHLO, "454 4.7.0 TLS not available\r\n"], "starttls"),
    ] {
        let servers = Servers::with_mx_host(2, move |stream| says(stream, said)).await;
        let seen = servers.seen(&[]).await;
        assert!(seen.probe()["first_try"][step]["code"].as_u64().unwrap() >= 450, "{step}: {}", seen.probe());
        assert!(seen.errors().is_empty(), "{step}: {:?}", seen.errors());
    }

    let reset = Servers::with_mx_host(2, |mut stream| async move {
        let _ = stream.write_all(GREETING.as_bytes()).await;
        let _ = read_command(&mut stream).await;
        let _ = stream.set_zero_linger();
    })
    .await;
    let seen = reset.seen(&[]).await;
    let kind = seen.probe().pointer("/first_try/failure/kind").and_then(Value::as_str);
    assert!(matches!(kind, Some("closed" | "reset")), "{}", seen.probe());
    assert!(seen.errors().is_empty(), "{:?}", seen.errors());
}

/// Whether a ClientHello names a host, read in front of the server that answers it.
async fn names_a_host(stream: &TcpStream) -> bool {
    let mut hello = [0; 2048];
    loop {
        let Ok(length @ 1..) = stream.peek(&mut hello).await else { return true };
        let announced = usize::from(u16::from_be_bytes([hello[3], hello[4]])) + 5;
        if length >= announced {
            let name = b"mx.example.test";
            return hello[..length].windows(name.len()).any(|octets| octets == name);
        }
        tokio::task::yield_now().await;
    }
}

/// An MX host that resets the first handshakes that name no host.
async fn resets_without_sni(servers: &Servers, first: usize) -> u16 {
    let (acceptor, count) =
        (servers.authority.identity(&["mx.example.test"]).acceptor(), Arc::new(AtomicUsize::new(0)));
    smtp_then(LOOPBACK, 0, move |stream| {
        let (acceptor, count) = (acceptor.clone(), count.clone());
        async move {
            if !names_a_host(&stream).await && count.fetch_add(1, Ordering::Relaxed) < first {
                let _ = stream.set_zero_linger();
                return;
            }
            let Ok(mut stream) = acceptor.accept(stream).await else { return };
            while read_command(&mut stream).await.is_some_and(|command| command.starts_with("EHLO")) {
                let _ = stream.write_all(b"250 mx\r\n").await;
            }
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handshake_without_sni_that_is_reset_is_repeated_alone() {
    let servers = Servers::healthy().await;
    // The look at what else the server speaks, without SNI too, comes to as little: two offers.
    for (first, args, outcome, remark) in [
        (3, &[][..], "pass", "remark"),
        (usize::MAX, &[], "fail", "remark"),
        (usize::MAX, &["--no-retry"], "fail", "pass"),
    ] {
        let servers = Servers { smtp_port: resets_without_sni(&servers, first).await, ..Servers::healthy().await };
        let seen = servers.seen(args).await;
        let without = &seen.probe()["without_sni"];
        assert_eq!(seen.outcome("smtp-tls"), "pass", "{}", seen.probe());
        assert!(seen.probe().get("first_try").is_none(), "{}", seen.probe());
        assert_eq!((seen.outcome("smtp-sni-optional"), seen.outcome("smtp-first-try")), (outcome, remark), "{without}");
        let kind = without.pointer("/first_failure/kind").and_then(Value::as_str);
        assert_eq!(kind, (remark == "remark").then_some("reset"), "{without}");
        let text = seen.text("smtp-sni-optional");
        assert_eq!(text.contains("was reset, at a second try too"), first > 3 && args.is_empty(), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_fails_twice_counts_and_what_is_tried_once_counts_with_no_retry() {
    let busy = |stream| says(stream, &["421 4.3.2 busy\r\n"]);
    let seen = Servers::with_mx_host(usize::MAX, busy).await.seen(&[]).await;
    assert_eq!(seen.outcome("smtp-greeting"), "fail");
    assert!(
        seen.text("smtp-greeting").contains("421 4.3.2 busy, also at the second try"),
        "{}",
        seen.text("smtp-greeting")
    );
    let seen = Servers::with_mx_host(2, busy).await.seen(&["--no-retry"]).await;
    assert_eq!((seen.outcome("smtp-greeting"), seen.outcome("smtp-first-try")), ("fail", "pass"));
    assert!(seen.probe().get("first_try").is_none());
    let seen = Servers::with_policy_host("503 Busy", "").await.seen(&["--no-retry"]).await;
    assert_eq!(seen.snapshot.pointer("/policy_host/probes/0/response/status"), Some(&503.into()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_policy_host_that_puts_off_once_is_asked_again() {
    for (status, headers, said) in [
        ("503 Busy", "", "the status was 503"),
        ("503 Busy", "Retry-After: 1\r\n", "503 with Retry-After: 1"),
        ("503 Busy", "Retry-After: 86400\r\n", "503 with Retry-After: 86400"),
        ("429 Slower", "Retry-After: Fri, 27 Nov 2020 08:00:00 GMT\r\n", "429 with Retry-After: Fri"),
    ] {
        let seen = Servers::with_policy_host(status, headers).await.seen(&[]).await;
        assert_eq!(seen.outcome("host-first-try"), "remark", "{status} {headers}");
        assert!(seen.text("host-first-try").contains(said), "{}", seen.text("host-first-try"));
        assert!(seen.snapshot["policy"]["body"].is_string() && seen.errors().is_empty(), "{:?}", seen.errors());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_said_to_this_client_alone_is_no_error_of_the_domain() {
    let of = |said: &'static [&'static str]| move |stream| says(stream, said);
    for (said, reason, unknown) in [
        (
            &["554 5.7.1 Service unavailable; Client host [198.51.100.7] blocked using zen.spamhaus.org\r\n"][..],
            "rejects this client's address: 554 5.7.1",
            "smtp-greeting",
        ),
        (&["450 4.7.1 Greylisted for 5 minutes\r\n"], "greylisting", "smtp-greeting"),
        (&[GREETING, "501 5.5.4 no such name\r\n"], "`[127.0.0.1]` in EHLO, an address in brackets", "smtp-ehlo"),
        (
            &[GREETING, "550 5.7.1 Helo command rejected: need fully-qualified hostname\r\n"],
            "the server refuses the name",
            "smtp-ehlo",
        ),
    ] {
        let seen = Servers::with_mx_host(usize::MAX, of(said)).await.seen(&[]).await;
        assert!(seen.errors().is_empty(), "{said:?}: {:?}", seen.errors());
        assert_eq!(seen.outcome(unknown), "not_checked", "{said:?}");
        for text in [seen.text("smtp-turned-away"), seen.text(unknown)] {
            assert!(text.contains("as seen from here") && text.contains(reason), "{text}");
        }
        assert!(
            seen.text("smtp-turned-away").contains("--helo") && seen.text("smtp-turned-away").contains("--smtp-proxy")
        );
        let host = &seen.sender["hosts"][0];
        assert_ne!(host["action"], "retry", "{host}");
    }
    let named = Servers::with_mx_host(usize::MAX, of(&[GREETING, "501 5.5.4 no such name\r\n"])).await;
    let seen = named.seen(&["--helo", "probe.example"]).await;
    assert!(
        seen.text("smtp-turned-away").contains("`probe.example` in EHLO: 501"),
        "{}",
        seen.text("smtp-turned-away")
    );
    // The same of a server that turns everybody away is its own.
    let seen = Servers::with_mx_host(usize::MAX, of(&["554 No SMTP service here\r\n"])).await.seen(&[]).await;
    assert_eq!((seen.outcome("smtp-greeting"), seen.outcome("smtp-turned-away")), ("fail", "pass"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_greeting_that_takes_longer_than_we_wait_is_not_checked() {
    let silent = |mut stream| async move { while read_command(&mut stream).await.is_some() {} };
    let seen = Servers::with_mx_host(usize::MAX, silent).await.seen(&["--timeout", "0.2"]).await;
    assert_eq!(seen.outcome("smtp-greeting"), "not_checked");
    assert!(seen.text("smtp-greeting").contains("senders wait 5 minutes (RFC 5321 §4.5.3.2.1)"));
    assert!(seen.errors().is_empty(), "{:?}", seen.errors());
}

/// What a resolver does with a query over UDP.
enum Reaction {
    Answers,
    Code(ResponseCode),
    IsSilent,
    Truncates,
}

/// A resolver that is at odds with some queries over UDP, and whether it answers over TCP.
async fn resolver(over_tcp: bool, react: impl Fn(&Message, usize) -> Reaction + Send + 'static) -> SocketAddr {
    let zone = Arc::new(Zone::healthy());
    let (udp, tcp) = sockets().await;
    let address = udp.local_addr().unwrap();
    let answers = zone.clone();
    tokio::spawn(async move {
        let mut seen = std::collections::BTreeMap::new();
        let mut buffer = [0; 4096];
        while let Ok((length, peer)) = udp.recv_from(&mut buffer).await {
            let question = Message::from_vec(&buffer[..length]).unwrap();
            let query = question.queries[0].clone();
            let times: &mut usize = seen.entry((query.name().clone(), query.query_type())).or_default();
            *times += 1;
            let Some(mut answer) = answers.answer(&question) else { continue };
            match react(&question, *times) {
                Reaction::Answers => {}
                Reaction::Code(code) => {
                    answer = Message::response(question.id, question.op_code);
                    answer.add_queries(question.queries.clone());
                    answer.metadata.response_code = code;
                }
                Reaction::IsSilent => continue,
                Reaction::Truncates => {
                    answer = answer.truncate();
                    answer.metadata.truncation = true;
                }
            }
            let _ = udp.send_to(&answer.to_vec().unwrap(), peer).await;
        }
    });
    if over_tcp {
        tokio::spawn(async move {
            while let Ok((stream, _)) = tcp.accept().await {
                let zone = zone.clone();
                tokio::spawn(async move { answer_stream(stream, &|question: &Message| zone.answer(question)).await });
            }
        });
    }
    address
}

/// A resolver whose every answer ends after its header, over UDP and TCP.
async fn unreadable() -> SocketAddr {
    let (udp, tcp) = sockets().await;
    let address = udp.local_addr().unwrap();
    let cut = |question: &[u8]| [&question[..2], &[0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0]].concat();
    tokio::spawn(async move {
        let mut buffer = [0; 4096];
        while let Ok((length, peer)) = udp.recv_from(&mut buffer).await {
            let _ = udp.send_to(&cut(&buffer[..length]), peer).await;
        }
    });
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = tcp.accept().await {
            tokio::spawn(async move {
                while let Ok(length) = stream.read_u16().await {
                    let mut question = vec![0; length.into()];
                    let _ = stream.read_exact(&mut question).await;
                    let _ = stream.write_all(&[&[0, 12], &cut(&question)[..]].concat()).await;
                }
            });
        }
    });
    address
}

fn record(seen: &Seen) -> &Value {
    &seen.snapshot["record"]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_without_an_answer_is_put_in_another_way() {
    let validate = ["--dnssec", "validate"];
    let silent = || Reaction::IsSilent;
    let lossy = resolver(true, move |_, times| if times == 1 { silent() } else { Reaction::Answers }).await;
    let tcp_alone = resolver(true, move |_, _| silent()).await;
    let no_edns =
        resolver(true, move |question, _| if question.edns.is_some() { silent() } else { Reaction::Answers }).await;
    let refuses_edns = resolver(true, move |question, _| match question.edns {
        Some(_) => Reaction::Code(ResponseCode::FormErr),
        None => Reaction::Answers,
    })
    .await;
    for (resolver, args, said) in [
        (lossy, &[][..], Some("sent again")),
        (tcp_alone, &[], Some("repeated over TCP")),
        (refuses_edns, &validate, Some("answered with FORMERR, and was repeated without")),
        // Without DNSSEC nothing asks for EDNS.
        (no_edns, &[], None),
        (refuses_edns, &[], None),
    ] {
        let servers = Servers { resolver: resolver.to_string(), ..Servers::healthy().await };
        let seen = servers.seen(args).await;
        assert_eq!(record(&seen)["outcome"], "answer", "{}", record(&seen));
        assert!(seen.errors().is_empty(), "{:?}", seen.errors());
        match said {
            Some(said) => assert!(seen.text("dns-first-try").contains(said), "{}", seen.text("dns-first-try")),
            None => assert_eq!(seen.outcome("dns-first-try"), "pass", "{}", seen.text("dns-first-try")),
        }
    }
    let servers = Servers { resolver: no_edns.to_string(), ..Servers::healthy().await };
    let seen = servers.seen(&validate).await;
    assert_eq!(record(&seen)["outcome"], "answer", "{}", record(&seen));
    // Nothing is signed for who cannot ask for signatures, and that is not the zone's doing.
    assert_eq!(record(&seen)["dnssec"], "indeterminate", "{}", record(&seen));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fault_on_the_way_to_the_resolver_is_not_the_domains() {
    let closed = SocketAddr::new(LOOPBACK, crate::peers::closed_port().await);
    let silent = resolver(false, |_, _| Reaction::IsSilent).await;
    let truncating = resolver(false, |_, _| Reaction::Truncates).await;
    let failing = resolver(false, |_, _| Reaction::Code(ResponseCode::ServFail)).await;
    for (resolver, said) in [
        (closed, "the connection was refused"),
        (silent, "connecting to it: the connection was refused"),
        (truncating, "does not fit in a datagram, and the resolver does not answer over TCP"),
        (failing, "the resolver answered SERVFAIL, and it has no answer for the root either"),
        (unreadable().await, "the answer of the resolver cannot be read, and it has no answer for the root either"),
    ] {
        let servers = Servers { resolver: resolver.to_string(), ..Servers::healthy().await };
        let seen = servers.seen(&["--timeout", "0.8"]).await;
        assert_eq!(record(&seen)["failure"]["kind"], "resolver", "{}", record(&seen));
        let detail = record(&seen)["failure"]["detail"].as_str().unwrap();
        assert!(detail.contains(said), "{detail}, not {said}");
        assert!(seen.errors().is_empty(), "{said}: {:?}", seen.errors());
        assert_eq!(seen.outcome("dns-answer"), "not_checked", "{said}");
    }
    let mut servers = Servers::healthy().await;
    let other_name = servers.authority.identity(&["dns.example"]).acceptor();
    let encrypted = Zone::healthy().serve_tls(other_name).await;
    for (resolver, said) in [
        (format!("tls://{encrypted}#dns.other.example"), "its certificate does not name dns.other.example"),
        (format!("https://{encrypted}/dns-query#dns.other.example"), "its certificate does not name dns.other.example"),
    ] {
        servers.resolver = resolver;
        let seen = servers.seen(&["--timeout", "0.8"]).await;
        assert_eq!(record(&seen)["failure"]["kind"], "resolver", "{}", record(&seen));
        let detail = record(&seen)["failure"]["detail"].as_str().unwrap();
        assert!(detail.contains(said), "{detail}, not {said}");
    }
    // Where the resolver is there, what it cannot find out about a name is the zone's.
    let name = crate::peers::name("_mta-sts.example.test");
    let zone = resolver(true, move |question, _| match question.queries[0].name() == &name {
        true => Reaction::Code(ResponseCode::ServFail),
        false => Reaction::Answers,
    })
    .await;
    let seen = Servers { resolver: zone.to_string(), ..Servers::healthy().await }.seen(&[]).await;
    assert_eq!((record(&seen)["outcome"].as_str(), seen.outcome("dns-answer")), (Some("servfail"), "fail"));
}
