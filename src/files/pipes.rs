//! Pipes with a name: opened and read within a time limit, since whoever waits for the other end of one waits for ever.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel, sync_channel};
use std::time::Duration;

/// So long the other end has to open the pipe.
const OPEN: Duration = Duration::from_secs(5);
/// So long it may say nothing: a collection whose output is read takes a minute at most.
const SILENCE: Duration = Duration::from_secs(180);
/// How many octets are read at a time.
const PART: usize = 64 * 1024;

/// Opens a file, where the other end of a pipe opens it too before long.
pub fn open(path: &Path, options: &OpenOptions) -> io::Result<File> {
    let (opened, opening) = channel();
    let (path, options) = (path.to_owned(), options.clone());
    // A thread that waits for ever ends with the process.
    std::thread::spawn(move || opened.send(options.open(path)));
    opening.recv_timeout(OPEN).unwrap_or_else(|_| {
        let seconds = OPEN.as_secs();
        Err(io::Error::new(
            io::ErrorKind::TimedOut,
            format!("nobody has the other end of this pipe, for {seconds} seconds"),
        ))
    })
}

/// A pipe that is read.
pub struct Pipe {
    parts: Receiver<io::Result<Vec<u8>>>,
    part: Vec<u8>,
    given: usize,
}

impl Pipe {
    /// Reads `file` on a thread of its own.
    pub fn of(mut file: File) -> Self {
        let (sender, parts) = sync_channel(4);
        std::thread::spawn(move || {
            loop {
                let mut part = vec![0; PART];
                let read = file.read(&mut part).map(|octets| {
                    part.truncate(octets);
                    part
                });
                let ended = read.as_ref().map_or(true, Vec::is_empty);
                if sender.send(read).is_err() || ended {
                    return;
                }
            }
        });
        Pipe { parts, part: Vec::new(), given: 0 }
    }
}

impl Read for Pipe {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.given >= self.part.len() {
            self.given = 0;
            self.part = match self.parts.recv_timeout(SILENCE) {
                Ok(part) => part?,
                Err(RecvTimeoutError::Disconnected) => Vec::new(),
                Err(RecvTimeoutError::Timeout) => {
                    let text = format!("nothing has come from this pipe for {} seconds", SILENCE.as_secs());
                    return Err(io::Error::new(io::ErrorKind::TimedOut, text));
                }
            };
        }
        let left = self.part.get(self.given..).unwrap_or_default();
        let octets = left.len().min(buffer.len());
        for (to, from) in buffer.iter_mut().zip(left) {
            *to = *from;
        }
        self.given = self.given.saturating_add(octets);
        Ok(octets)
    }
}
