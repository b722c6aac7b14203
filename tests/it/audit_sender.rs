//! `stslint audit-sender`: an outgoing server of a few lines is measured through the binary.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::process::{Command, Output, Stdio};

/// The command in a folder of its own, on free ports.
fn audit_sender(folder: &std::path::Path, words: &[&str]) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin("stslint"));
    command.current_dir(folder).args(["audit-sender", "--dns-port", "0", "--https-port", "0", "--smtp-port", "0"]);
    command.args(words).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn output(words: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    audit_sender(folder.path(), words).output().unwrap()
}

fn text(octets: &[u8]) -> &str {
    std::str::from_utf8(octets).unwrap()
}

/// Says a line and reads the reply of one or more lines.
fn say(stream: &mut BufReader<TcpStream>, line: &str) -> String {
    stream.get_mut().write_all(line.as_bytes()).unwrap();
    loop {
        let mut reply = String::new();
        assert!(stream.read_line(&mut reply).unwrap() > 0, "{line}");
        if reply.as_bytes().get(3) != Some(&b'-') {
            return reply;
        }
    }
}

/// Takes one mail and returns its recipient; nothing of a client that hangs up before.
fn take_mail(stream: TcpStream) -> String {
    let mut stream = BufReader::new(stream);
    stream.get_mut().write_all(b"220 sender.example\r\n").unwrap();
    let mut recipient = String::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).unwrap_or_default() == 0 {
            return recipient;
        }
        let reply: &[u8] = match line.split([' ', '\r']).next().unwrap() {
            "RCPT" => {
                recipient = line.split(['<', '>']).nth(1).unwrap().to_owned();
                b"250 ok\r\n"
            }
            "DATA" => {
                stream.get_mut().write_all(b"354 go ahead\r\n").unwrap();
                while stream.read_line(&mut line).unwrap() > 0 && !line.ends_with("\r\n.\r\n") {}
                b"250 queued\r\n"
            }
            _ => b"250 ok\r\n",
        };
        stream.get_mut().write_all(reply).unwrap();
    }
}

/// Asks for the MX record of a domain, and for the address of the host that is in it.
fn address_of_mx(dns: SocketAddr, domain: &str) -> Ipv4Addr {
    let ask = |name: &str, kind: u8| {
        let mut query = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00".to_vec();
        for label in name.split('.') {
            query.push(u8::try_from(label.len()).unwrap());
            query.extend_from_slice(label.as_bytes());
        }
        query.extend_from_slice(&[0, 0, kind, 0, 1]);
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        socket.send_to(&query, dns).unwrap();
        let mut answer = [0; 1_500];
        let size = socket.recv(&mut answer).unwrap();
        assert_eq!(answer[7], 1, "one answer for {name}");
        answer[query.len()..size].to_vec()
    };
    // The host is `mx.` and the domain everywhere but where the policy is about deeper names.
    ask(domain, 15);
    let address = ask(&format!("mx.{domain}"), 1);
    // A pointer or a name, type, class, TTL and length come before the four octets of the first answer.
    let name = if address[0] >= 0xc0 { 2 } else { address.iter().position(|octet| *octet == 0).unwrap() + 1 };
    let octets: [u8; 4] = address[name + 10..name + 14].try_into().unwrap();
    Ipv4Addr::from(octets)
}

/// Delivers without TLS, whatever the domain publishes.
fn deliver(recipient: &str, dns: SocketAddr, smtp_port: u16) {
    let (_, domain) = recipient.split_once('@').unwrap();
    let mut stream = BufReader::new(TcpStream::connect((address_of_mx(dns, domain), smtp_port)).unwrap());
    say(&mut stream, "");
    for (line, code) in [
        ("EHLO sender.example\r\n".to_owned(), "250"),
        ("MAIL FROM:<>\r\n".to_owned(), "250"),
        ("RCPT TO:<other@elsewhere.example>\r\n".to_owned(), "550"),
        (format!("RCPT TO:<{recipient}>\r\n"), "250"),
        ("DATA\r\n".to_owned(), "354"),
        ("Subject: test\r\n\r\n..\r\n.\r\n".to_owned(), "250"),
        ("QUIT\r\n".to_owned(), "221"),
    ] {
        let reply = say(&mut stream, &line);
        assert!(reply.starts_with(code), "{line}: {reply}");
    }
}

/// Measures a sender that delivers everything without TLS.
fn measured(words: &[&str]) -> (Output, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let sender = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let server = sender.local_addr().unwrap().to_string();
    let mut words = words.to_vec();
    words.extend(["--send", &server, "--wait", "20", "--quiet-time", "1", "--pause", "0", "--run", "test"]);
    let mut child = audit_sender(folder.path(), &words).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut listening = String::new();
    stderr.read_line(&mut listening).unwrap();
    let after = |word: &str| listening.split(word).nth(1).unwrap().split([',', ';']).next().unwrap().to_owned();
    let dns: SocketAddr = after("DNS on ").parse().unwrap();
    let smtp_port: u16 = after("SMTP on port ").parse().unwrap();
    let sending = std::thread::spawn(move || {
        for stream in sender.incoming() {
            let recipient = take_mail(stream.unwrap());
            if recipient.is_empty() {
                return;
            }
            deliver(&recipient, dns, smtp_port);
        }
    });
    let ended = child.wait_with_output().unwrap();
    let mut rest = String::new();
    stderr.read_to_string(&mut rest).unwrap();
    drop(TcpStream::connect(&server).unwrap());
    sending.join().unwrap();
    (Output { stderr: rest.into_bytes(), ..ended }, folder)
}

#[test]
fn a_sender_that_delivers_everything_does_not_enforce() {
    let words = ["--only", "mx-expired", "--only", "then-record-gone", "--profile", "own.yaml", "--name", "ours"];
    let (ended, folder) = measured(&words);
    let shown = text(&ended.stdout);
    assert_eq!(ended.status.code(), Some(1), "{shown}\n{}", text(&ended.stderr));
    assert!(shown.contains("This sender does not enforce MTA-STS: it never asks for the records."), "{shown}");
    let line = |name: &str| shown.lines().find(|line| line.contains(&format!(" {name} "))).unwrap();
    assert!(line("perfect").starts_with('✓'), "{shown}");
    assert!(line("mx-expired").starts_with('✗'), "{shown}");
    assert!(line("mx-expired").ends_with("delivered without TLS; the standard: hold"), "{shown}");
    assert!(line("then-record-gone").ends_with("no second mail was tried"), "{shown}");
    let profile = std::fs::read_to_string(folder.path().join("own.yaml")).unwrap();
    assert!(profile.contains("sender: ours") && profile.contains("never"), "{profile}");
}

#[test]
fn programs_get_what_was_seen_and_what_was_inferred() {
    let (ended, _folder) = measured(&["--only", "mx-expired", "--no-second", "--format", "json"]);
    let document: serde_json::Value = serde_json::from_slice(&ended.stdout).unwrap();
    assert_eq!(document["enforces"], false);
    assert_eq!(document["under"], "test.sender-audit.example");
    let names: Vec<&str> =
        document["domains"].as_array().unwrap().iter().map(|row| row["domain"].as_str().unwrap()).collect();
    assert_eq!(names, ["plain", "plain-no-starttls", "perfect", "mx-not-covered", "mx-expired"]);
    let expired = &document["domains"][4];
    assert_eq!(expired["fate"], "delivered_clear");
    assert_eq!(expired["policy"], "unknown");
    assert_eq!(expired["because"], "not_enforcing");
    assert_eq!(expired["conforms"], false);
    assert_eq!(expired["first"]["mx_asked"], true);
    assert_eq!(expired["first"]["record_asked"], false);
}

#[test]
fn where_no_mail_comes_nothing_is_known() {
    let nothing = ["--only", "perfect", "--wait", "1", "--quiet-time", "1", "--require-complete"];
    let ended = output(&nothing);
    assert_eq!(ended.status.code(), Some(3));
    assert!(text(&ended.stdout).contains("enforces MTA-STS is unknown"), "{}", text(&ended.stdout));
    assert!(text(&ended.stderr).contains("for name in plain plain-no-starttls perfect mx-not-covered; do"));
}

#[test]
fn the_domains_are_listed_and_a_wrong_name_gets_the_nearest() {
    let listed = output(&["--list"]);
    assert!(text(&listed.stdout).lines().any(|line| line.starts_with("mx-expired ")));
    let wrong = output(&["--only", "mx-expird"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(text(&wrong.stderr).contains("Did you mean mx-expired?"), "{}", text(&wrong.stderr));
}

#[test]
fn the_authority_is_kept_and_no_other_file_is_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let prepare = || audit_sender(folder.path(), &["--prepare", "--ca", "ca.pem"]).output().unwrap();
    assert!(prepare().status.success());
    let first = std::fs::read_to_string(folder.path().join("ca.pem")).unwrap();
    assert!(prepare().status.success());
    assert_eq!(std::fs::read_to_string(folder.path().join("ca.pem")).unwrap(), first);
    std::fs::write(folder.path().join("roots.pem"), "others").unwrap();
    let refused = audit_sender(folder.path(), &["--prepare", "--ca", "roots.pem"]).output().unwrap();
    assert_eq!(refused.status.code(), Some(2));
    assert_eq!(std::fs::read_to_string(folder.path().join("roots.pem")).unwrap(), "others");
}
