//! The lines of an SMTP conversation: read within limits, written down with every control character escaped.

use std::io;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::RwLock;

use super::failure::{failure, of_io};
use super::limits::{Clock, MAX_LINE_OCTETS, MAX_REPLY_LINES, MAX_REPLY_OCTETS, PARTING};
use crate::snapshot::{Failure, FailureKind, Party, SmtpReply, TranscriptLine};

/// How many lines of a conversation are written down.
const MAX_TRANSCRIPT: usize = 256;

/// What was said so far.
#[derive(Debug, Default)]
pub struct Transcript {
    lines: Vec<TranscriptLine>,
}

impl Transcript {
    /// Writes down a line; `text` is escaped already.
    pub fn add(&mut self, from: Party, text: impl Into<String>) {
        if self.lines.len() < MAX_TRANSCRIPT {
            self.lines.push(TranscriptLine { from, text: text.into() });
        }
    }

    /// All lines.
    pub fn into_lines(self) -> Vec<TranscriptLine> {
        self.lines
    }
}

/// The conversations of a run that said QUIT and still hear the reply: each holds a lock to read.
#[derive(Clone, Debug, Default)]
pub struct Farewells(Arc<RwLock<()>>);

impl Farewells {
    /// Waits until all conversations have ended, each within [`PARTING`].
    pub async fn ended(&self) {
        let _ended = self.0.write().await;
    }
}

/// One end of a conversation.
pub struct Wire<S> {
    stream: S,
    pending: Vec<u8>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    /// A conversation over `stream`.
    pub fn new(stream: S) -> Self {
        Wire { stream, pending: Vec::new() }
    }

    /// Sends a command, and writes it down.
    pub async fn send(&mut self, command: &str, clock: Clock, transcript: &mut Transcript) -> Result<(), Failure> {
        let line = format!("{command}\r\n");
        let sending = async {
            self.stream.write_all(line.as_bytes()).await?;
            self.stream.flush().await
        };
        let sent = clock.within("room to send", sending).await?;
        sent.map_err(|error| of_io(&format!("sending {command}"), &error))?;
        transcript.add(Party::Client, escaped(command.as_bytes()));
        Ok(())
    }

    /// Reads a whole reply (RFC 5321 §4.2.1), and writes it down; `what` it answers is for the failure's text.
    pub async fn reply(&mut self, what: &str, clock: Clock, transcript: &mut Transcript) -> Result<SmtpReply, Failure> {
        clock.within(what, self.read_reply(what, transcript)).await?
    }

    /// What came beyond the last reply, and what comes within a moment: nothing should after a 220 to STARTTLS.
    pub async fn surplus(&mut self, moment: std::time::Duration) -> Vec<u8> {
        if self.pending.is_empty() {
            let _ = tokio::time::timeout(moment, self.fill()).await;
        }
        std::mem::take(&mut self.pending)
    }

    /// The stream itself.
    pub fn into_stream(self) -> S {
        self.stream
    }

    /// Says QUIT, and leaves the end of the conversation to itself: the reply is read and the connection closed in
    /// order, so that the server has nothing to complain of, while the collection goes on.
    pub async fn quit(mut self, clock: Clock, transcript: &mut Transcript, farewells: &Farewells)
    where
        S: Send + 'static,
    {
        // A server that no longer listens is none the worse for it.
        if self.send("QUIT", clock, transcript).await.is_err() {
            return;
        }
        let under_way = farewells.0.clone().try_read_owned();
        tokio::spawn(tokio::time::timeout(PARTING, async move {
            let _under_way = under_way;
            let mut transcript = Transcript::default();
            let _ = self.read_reply("reply to QUIT", &mut transcript).await;
            let _ = self.stream.shutdown().await;
        }));
    }

    async fn read_reply(&mut self, what: &str, transcript: &mut Transcript) -> Result<SmtpReply, Failure> {
        let mut reply = SmtpReply::default();
        let mut octets = 0_usize;
        loop {
            let line = self.read_line(what, transcript).await?;
            octets = octets.saturating_add(line.len());
            let text = escaped(&line);
            transcript.add(Party::Server, text.as_str());
            let (code, more, rest) = split(&line).ok_or_else(|| {
                failure(FailureKind::Protocol, format!("{what}: this is not an SMTP reply: {}", shortened(&text)))
            })?;
            if !reply.lines.is_empty() && code != reply.code {
                let detail = format!("{what}: the lines of one reply have the codes {} and {code}", reply.code);
                return Err(failure(FailureKind::Protocol, detail));
            }
            reply.code = code;
            reply.lines.push(escaped(rest));
            if !more {
                return Ok(reply);
            }
            if reply.lines.len() >= MAX_REPLY_LINES || octets > MAX_REPLY_OCTETS {
                let detail = format!("{what}: the reply does not end after {} lines", reply.lines.len());
                return Err(failure(FailureKind::Limit, detail));
            }
        }
    }

    /// Reads up to the next line ending, CRLF or LF alone.
    async fn read_line(&mut self, what: &str, transcript: &mut Transcript) -> Result<Vec<u8>, Failure> {
        loop {
            if let Some(end) = self.pending.iter().position(|octet| *octet == b'\n') {
                let mut line: Vec<u8> = self.pending.drain(..=end).collect();
                line.pop();
                if line.last() == Some(&b'\r') {
                    line.pop();
                }
                return Ok(line);
            }
            if self.pending.len() > MAX_REPLY_OCTETS {
                transcript.add(Party::Server, escaped(&self.pending));
                let detail = format!("{what}: a line does not end within {MAX_REPLY_OCTETS} octets");
                return Err(failure(FailureKind::Limit, detail));
            }
            match self.fill().await {
                Ok(0) => {
                    if !self.pending.is_empty() {
                        transcript.add(Party::Server, escaped(&self.pending));
                    }
                    return Err(failure(FailureKind::Closed, format!("{what}: the server closed the connection")));
                }
                Ok(_) => {}
                Err(error) => return Err(of_io(what, &error)),
            }
        }
    }

    async fn fill(&mut self) -> io::Result<usize> {
        let mut buffer = [0; 4096];
        let read = self.stream.read(&mut buffer).await?;
        self.pending.extend_from_slice(buffer.get(..read).unwrap_or_default());
        Ok(read)
    }
}

/// A reply line: its code, whether more lines follow, and its text.
fn split(line: &[u8]) -> Option<(u16, bool, &[u8])> {
    let (digits, rest) = line.split_at_checked(3)?;
    let code = std::str::from_utf8(digits).ok().filter(|digits| digits.bytes().all(|octet| octet.is_ascii_digit()))?;
    let code = code.parse().ok().filter(|code| (200..600).contains(code))?;
    match rest.split_first() {
        None => Some((code, false, &[])),
        Some((b' ', text)) => Some((code, false, text)),
        Some((b'-', text)) => Some((code, true, text)),
        Some(_) => None,
    }
}

/// Octets as text that is safe to show, cut where they are too many.
pub fn escaped(octets: &[u8]) -> String {
    let cut = octets.get(..MAX_LINE_OCTETS);
    let mut text = String::new();
    for chunk in cut.unwrap_or(octets).utf8_chunks() {
        text.push_str(&crate::source_text::escape(chunk.valid()));
        text.extend(chunk.invalid().iter().map(|octet| format!("\\x{octet:02x}")));
    }
    if cut.is_some() && octets.len() > MAX_LINE_OCTETS {
        text.push_str(&format!("… ({} octets)", octets.len()));
    }
    text
}

fn shortened(text: &str) -> String {
    text.chars().take(80).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn reply_lines_are_told_from_other_text() {
        assert_eq!(split(b"220 hello"), Some((220, false, &b"hello"[..])));
        assert_eq!(split(b"250-SIZE"), Some((250, true, &b"SIZE"[..])));
        assert_eq!(split(b"220"), Some((220, false, &b""[..])));
        for line in [&b""[..], b"22", b"SSH-2.0", b"+20 x", b"099 x", b"600 x", b"220x", b"22\xff x"] {
            assert_eq!(split(line), None, "{line:?}");
        }
    }

    #[test]
    fn text_of_a_server_is_escaped_and_cut() {
        assert_eq!(escaped(b"a\x1b[31m\0\xffb"), "a\\u{1b}[31m\\u{0}\\xffb");
        let long = escaped(&[b'a'; 1_000_000]);
        assert!(long.len() < 1_100 && long.ends_with("… (1000000 octets)"), "{}", long.len());
    }
}
