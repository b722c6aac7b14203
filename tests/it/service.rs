//! A `stslint serve` of its own for a test, and a client that speaks to it as a browser or a program would.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// A running service; it is killed when this is dropped.
pub struct Service {
    child: Child,
    address: String,
}

impl Service {
    /// With the lab of `--demo`.
    pub fn start(options: &[&str]) -> Self {
        Service::start_with(&[&["--demo"], options].concat())
    }

    /// With these options.
    pub fn start_with(options: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_stslint"))
            .args(["serve", "--listen", "127.0.0.1:0", "--pause", "0"])
            .args(options)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().trim_start_matches("http://").trim_end_matches('/').to_owned();
        Service { child, address }
    }

    /// The process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn ask(&self, request: &str) -> Answer {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut octets = Vec::new();
        stream.read_to_end(&mut octets).unwrap();
        let text = String::from_utf8(octets).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
    }

    pub fn get(&self, path: &str) -> Answer {
        self.ask(&format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"))
    }

    pub fn post(&self, path: &str, media_type: &str, body: &str, headers: &str) -> Answer {
        let length = body.len();
        self.ask(&format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: {media_type}\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
        ))
    }

    pub fn form(&self, path: &str, body: &str) -> Answer {
        self.post(path, "application/x-www-form-urlencoded", body, "")
    }

    /// Checks a domain by the form; the path of the result once it is there, with its secret.
    pub fn check(&self, domain: &str) -> (String, String) {
        let answer = self.form("/check", &format!("domain={domain}&smtp=on"));
        assert_eq!(answer.status, 303, "{}", answer.body);
        let location = answer.header("location").unwrap();
        let (path, removal) = location.split_once("?removal=").unwrap_or((&location, ""));
        self.until_done(path);
        (path.to_owned(), removal.to_owned())
    }

    pub fn until_done(&self, path: &str) -> Answer {
        let begun = Instant::now();
        loop {
            let answer = self.get(path);
            if answer.status != 202 {
                return answer;
            }
            assert!(begun.elapsed() < Duration::from_secs(60), "{}", answer.body);
            // The server holds this open until the check has gone on.
            self.get(&format!("{}/events", path.replace("/api/v1/checks/", "/r/")));
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An answer over HTTP; the header is in lower case.
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<String> {
        let start = format!("{name}: ");
        self.head.lines().find_map(|line| line.strip_prefix(&start).map(str::to_owned))
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}
