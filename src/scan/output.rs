//! The files of a scan, written by one thread: the answers, and what is beside them. Every write ends with a whole line, and
//! what a full disk cuts off is cut away. Used by `pipeline`'s caller.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::answered::is_packed;
use super::pipeline::Delivered;
use super::zstd;
use crate::files::FileError;

/// So many octets are gathered before they are written, where answers come that fast.
const BATCH: usize = 256 << 10;
/// So many octets make a frame.
const FRAME: usize = 2 << 20;
/// A frame is not waited for longer.
const FRAME_TIME: Duration = Duration::from_secs(5);

/// A file of lines.
#[derive(Debug)]
pub struct LineFile {
    path: PathBuf,
    to: To,
    packed: bool,
    pending: Vec<u8>,
    /// How long the file is with its last whole line.
    whole: u64,
}

#[derive(Debug)]
enum To {
    File(File),
    StandardOutput,
}

impl LineFile {
    /// Begins a file where there is none, or goes on at the end of one where `resume` says so; `-` is standard output.
    pub fn open(path: &Path, resume: bool) -> Result<Self, FileError> {
        let failed = |reason: io::Error| match reason.kind() {
            io::ErrorKind::AlreadyExists => FileError::Exists { path: path.to_owned() },
            _ => FileError::Io { action: "write", path: path.to_owned(), reason },
        };
        if path == Path::new("-") {
            let (path, to) = (path.to_owned(), To::StandardOutput);
            return Ok(LineFile { path, to, packed: false, pending: Vec::new(), whole: 0 });
        }
        if path.is_dir() {
            return Err(FileError::Directory { path: path.to_owned() });
        }
        let special = path.metadata().is_ok_and(|metadata| !metadata.is_file());
        let mut options = File::options();
        let options = match (special, resume) {
            (true, _) => options.write(true),
            (false, true) => options.write(true).create(true).truncate(false),
            (false, false) => options.write(true).create_new(true),
        };
        let open = || {
            let mut file = options.open(path)?;
            let whole = if special { 0 } else { file.seek(io::SeekFrom::End(0))? };
            Ok((file, whole))
        };
        let (file, whole) = open().map_err(failed)?;
        let packed = is_packed(path);
        Ok(LineFile { path: path.to_owned(), to: To::File(file), packed, pending: Vec::new(), whole })
    }

    fn add(&mut self, lines: &str) {
        self.pending.extend_from_slice(lines.as_bytes());
    }

    /// Writes what is pending; of a packed file only where it makes a frame, or `now` says so.
    fn write(&mut self, now: bool) -> Result<(), FileError> {
        if self.pending.is_empty() || (self.packed && !now && self.pending.len() < FRAME) {
            return Ok(());
        }
        let packed = self.packed.then(|| zstd::frame(&self.pending));
        let octets = packed.as_deref().unwrap_or(&self.pending);
        let written = match &mut self.to {
            To::StandardOutput => io::stdout().lock().write_all(octets).and_then(|()| io::stdout().flush()),
            To::File(file) => file.write_all(octets).inspect_err(|_| {
                // Half a line would be of no use to anybody.
                _ = file.set_len(self.whole).and_then(|()| file.seek(io::SeekFrom::End(0)));
            }),
        };
        let failed = |reason| FileError::Io { action: "write", path: self.path.clone(), reason };
        written.map_err(failed)?;
        self.whole = self.whole.saturating_add(octets.len() as u64);
        self.pending.clear();
        Ok(())
    }

    fn finish(mut self) -> Result<(), FileError> {
        self.write(true)?;
        match self.to {
            // What is no regular file cannot be synchronised.
            To::File(file) if file.metadata().is_ok_and(|metadata| metadata.is_file()) => {
                file.sync_all().map_err(|reason| FileError::Io { action: "write", path: self.path, reason })
            }
            _ => Ok(()),
        }
    }
}

/// The files of a run.
#[derive(Debug)]
pub struct Outputs {
    /// The answers.
    pub main: LineFile,
    /// A line for each finding.
    pub findings: Option<LineFile>,
    /// The snapshots.
    pub snapshots: Option<LineFile>,
    /// Whether answers are written in the order of their lines.
    pub in_order: bool,
}

impl Outputs {
    /// Writes answers until there are no more. An error ends it at once: what is not written is not answered.
    pub fn run(mut self, answers: &Receiver<Delivered>) -> Result<(), FileError> {
        let mut order = Order::default();
        let mut written = Instant::now();
        loop {
            let answer = answers.recv_timeout(FRAME_TIME);
            if let Err(RecvTimeoutError::Disconnected) = answer {
                break;
            }
            let mut next = answer.ok();
            let mut gathered = 0;
            while let Some(answer) = next {
                gathered += answer.answer.main.len();
                match self.in_order {
                    true => order.take(answer, &mut |answer| self.add(&answer)),
                    false => self.add(&answer),
                }
                next = if gathered < BATCH { answers.try_recv().ok() } else { None };
            }
            let now = written.elapsed() >= FRAME_TIME;
            if now {
                written = Instant::now();
            }
            self.write(now)?;
        }
        // The answers come last here too, so that no answer is without what is beside it.
        for file in [self.snapshots, self.findings, Some(self.main)].into_iter().flatten() {
            file.finish()?;
        }
        Ok(())
    }

    fn add(&mut self, delivered: &Delivered) {
        let answer = &delivered.answer;
        self.main.add(&answer.main);
        if let Some(file) = &mut self.findings {
            file.add(&answer.findings);
        }
        if let Some(file) = &mut self.snapshots {
            file.add(&answer.snapshot);
        }
        delivered.written();
    }

    fn write(&mut self, now: bool) -> Result<(), FileError> {
        // Where the answers are written, what is beside them has to be there.
        let now = now || (self.main.packed && self.main.pending.len() >= FRAME);
        let beside = now || !self.main.packed;
        for file in [&mut self.snapshots, &mut self.findings].into_iter().flatten() {
            file.write(beside && !file.pending.is_empty())?;
        }
        self.main.write(now)
    }
}

/// Answers that wait for those before them.
#[derive(Default)]
struct Order {
    next: u64,
    waiting: BTreeMap<u64, Delivered>,
}

impl Order {
    fn take(&mut self, answer: Delivered, write: &mut dyn FnMut(Delivered)) {
        self.waiting.insert(answer.place, answer);
        while let Some(answer) = self.waiting.remove(&self.next) {
            self.next = self.next.saturating_add(1);
            write(answer);
        }
    }
}
