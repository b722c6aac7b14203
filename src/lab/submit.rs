//! A client that hands mail to somebody else's server, as a mail program does.
//!
//! `stslint audit-sender --send` gives the sender under audit its mails with it.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long a server may take for all of one mail.
const PATIENCE: Duration = Duration::from_secs(30);

/// The longest line of a reply that is read, in octets.
const LINE_LIMIT: u64 = 2_048;

/// The most lines of one reply.
const MOST_LINES: usize = 100;

/// Why a mail could not be handed over.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    /// The connection failed.
    #[error("the connection failed: {0}")]
    Connection(#[from] io::Error),
    /// The server answered with something else than success.
    #[error("to {command}, the server says: {reply}")]
    Refused {
        /// The command, or what else was waited for.
        command: &'static str,
        /// What it said, its last line.
        reply: String,
    },
    /// It took too long.
    #[error("the server did not take the mail within 30 seconds")]
    TooSlow,
}

/// Hands one mail to the server at `host:port`; an empty `from` is the null reverse-path.
///
/// # Errors
/// [`SubmitError`] when the server does not take it.
pub async fn submit(server: &str, from: &str, to: &str, subject: &str) -> Result<(), SubmitError> {
    timeout(PATIENCE, converse(server, from, to, subject)).await.unwrap_or(Err(SubmitError::TooSlow))
}

async fn converse(server: &str, from: &str, to: &str, subject: &str) -> Result<(), SubmitError> {
    let mut stream = BufReader::new(TcpStream::connect(server).await?);
    expect(&mut stream, "the connection", b'2').await?;
    let message = format!("From: <{from}>\r\nTo: <{to}>\r\nSubject: {subject}\r\n\r\nA test of MTA-STS.\r\n.\r\n");
    let steps = [
        ("EHLO", "EHLO [127.0.0.1]\r\n".to_owned(), b'2'),
        ("MAIL FROM", format!("MAIL FROM:<{from}>\r\n"), b'2'),
        ("RCPT TO", format!("RCPT TO:<{to}>\r\n"), b'2'),
        ("DATA", "DATA\r\n".to_owned(), b'3'),
        ("the message", message, b'2'),
    ];
    for (command, line, success) in steps {
        stream.get_mut().write_all(line.as_bytes()).await?;
        expect(&mut stream, command, success).await?;
    }
    // It has been taken: how the server takes its leave does not matter.
    if stream.get_mut().write_all(b"QUIT\r\n").await.is_ok() {
        let _ = expect(&mut stream, "QUIT", b'2').await;
    }
    Ok(())
}

/// Reads a reply and compares the first digit of its code.
async fn expect(stream: &mut BufReader<TcpStream>, command: &'static str, success: u8) -> Result<(), SubmitError> {
    for _ in 0..MOST_LINES {
        let mut line = Vec::new();
        (&mut *stream).take(LINE_LIMIT).read_until(b'\n', &mut line).await?;
        if line.get(3) == Some(&b'-') {
            continue;
        }
        if line.first() == Some(&success) {
            return Ok(());
        }
        let reply = String::from_utf8_lossy(&line).trim_end().to_owned();
        let reply = if reply.is_empty() { "nothing".to_owned() } else { reply };
        return Err(SubmitError::Refused { command, reply });
    }
    Err(SubmitError::Refused { command, reply: "a reply without end".to_owned() })
}
