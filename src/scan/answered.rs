//! What an earlier run has written already: which lines are answered, and where its files end. A line or a frame that a kill
//! or a full disk cut off is cut away. Used by `output` and `pipeline` for `--resume`.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use miette::Diagnostic;
use serde::Deserialize;
use thiserror::Error;

use super::answer::{Head, digest};
use super::zstd::Frames;
use crate::source_text::escape;

/// The most lines that an input may have where a run goes on: four octets are kept for each.
const MAX_LINES: u64 = 1 << 30;

/// Why a run cannot go on where another ended.
#[derive(Debug, Diagnostic, Error)]
pub enum ResumeError {
    /// What is in the file was not written by a scan.
    #[error("{} was not written by `stslint scan`: line {line} has no answer", shown(path))]
    #[diagnostic(code(stslint::scan), help("name the file of the run that is to go on, or leave out --resume"))]
    Foreign {
        /// The file.
        path: PathBuf,
        /// The line.
        line: u64,
    },
    /// The answers are to another input.
    #[error("the answers written so far are to another input: line {line} is not the line that was answered")]
    #[diagnostic(code(stslint::scan), help("give the same input as before, or another name for the output"))]
    OtherInput {
        /// The line of the input.
        line: u64,
    },
    /// The system refused.
    #[error("cannot go on with {}: {reason}", shown(path))]
    #[diagnostic(code(stslint::scan))]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: io::Error,
    },
}

fn shown(path: &Path) -> String {
    escape(&path.display().to_string())
}

/// The lines that are answered.
#[derive(Debug, Default)]
pub struct Answered {
    digests: Vec<u32>,
    looked_at: u64,
}

impl Answered {
    /// How many lines are answered.
    #[cfg(test)]
    fn count(&self) -> usize {
        self.digests.iter().filter(|digest| **digest != 0).count()
    }

    /// Whether a line is answered already. An error where the answer is to something else.
    pub fn has(&self, line: u64, input: &str) -> Result<bool, ResumeError> {
        match self.digest_of(line) {
            0 => Ok(false),
            known if known == digest(input) => Ok(true),
            _ => Err(ResumeError::OtherInput { line }),
        }
    }

    fn digest_of(&self, line: u64) -> u32 {
        usize::try_from(line).ok().and_then(|line| self.digests.get(line)).copied().unwrap_or_default()
    }

    /// Notes an answer; `false` where the line was answered before.
    fn note(&mut self, head: &Head) -> bool {
        let Some(place) = usize::try_from(head.line).ok().filter(|_| head.line < MAX_LINES) else { return false };
        if self.digests.len() <= place {
            self.digests.resize(place.saturating_add(1), 0);
        }
        match self.digests.get_mut(place) {
            Some(known) if *known == 0 => {
                *known = digest(&head.input);
                self.looked_at = self.looked_at.saturating_add(u64::from(head.is_looked_at()));
                true
            }
            _ => false,
        }
    }

    /// Reads the answers in a file and cuts off what is not whole.
    pub fn restore(path: &Path) -> Result<Self, ResumeError> {
        let mut answered = Answered::default();
        let cut = kept(path, &mut |text| match serde_json::from_slice::<Head>(text) {
            Ok(head) if answered.note(&head) => Verdict::Keep,
            _ => Verdict::Foreign,
        })?;
        cut.apply(path)?;
        Ok(answered)
    }

    /// Cuts a file of snapshots where it goes beyond the answers: they are written just before these, in the same order.
    pub fn restore_snapshots(&self, path: &Path) -> Result<(), ResumeError> {
        let mut left = self.looked_at;
        let cut = kept(path, &mut |text| {
            if left == 0 || !text.starts_with(b"{") {
                return Verdict::Cut;
            }
            left = left.saturating_sub(1);
            Verdict::Keep
        })?;
        cut.apply(path)
    }

    /// Cuts a file of findings where it goes beyond the answers.
    pub fn restore_findings(&self, path: &Path) -> Result<(), ResumeError> {
        #[derive(Deserialize)]
        struct Line {
            line: u64,
        }
        let cut = kept(path, &mut |text| match serde_json::from_slice::<Line>(text) {
            Ok(Line { line }) if self.digest_of(line) != 0 => Verdict::Keep,
            Ok(_) => Verdict::Cut,
            Err(_) => Verdict::Foreign,
        })?;
        cut.apply(path)
    }
}

enum Verdict {
    Keep,
    Cut,
    Foreign,
}

/// Where a file is cut, and what of the last piece is written again.
#[derive(Debug, Default)]
struct Cut {
    at: u64,
    again: Vec<u8>,
}

impl Cut {
    fn apply(self, path: &Path) -> Result<(), ResumeError> {
        let cut = || {
            let mut file = match File::options().write(true).open(path) {
                Ok(file) => file,
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
                Err(error) => return Err(error),
            };
            if file.metadata()?.len() > self.at {
                file.set_len(self.at)?;
            }
            if !self.again.is_empty() {
                io::Seek::seek(&mut file, io::SeekFrom::End(0))?;
                io::Write::write_all(&mut file, &super::zstd::frame(&self.again))?;
            }
            Ok(())
        };
        cut().map_err(|reason| ResumeError::Io { path: path.to_owned(), reason })
    }
}

/// How much of a file is whole and to be kept, by what `judge` says of each line.
fn kept(path: &Path, judge: &mut dyn FnMut(&[u8]) -> Verdict) -> Result<Cut, ResumeError> {
    let failed = |reason| ResumeError::Io { path: path.to_owned(), reason };
    let file = match File::open(path) {
        Ok(file) => file,
        // A run that ended before it wrote anything.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Cut::default()),
        Err(reason) => return Err(failed(reason)),
    };
    let mut number = 0;
    let mut whole = |line: &[u8], last: bool| {
        number += 1;
        match judge(line) {
            Verdict::Keep => Ok(true),
            Verdict::Cut => Ok(false),
            // What a machine that lost its power left at the end may be anything.
            Verdict::Foreign if last => Ok(false),
            Verdict::Foreign => Err(ResumeError::Foreign { path: path.to_owned(), line: number }),
        }
    };
    if is_packed(path) {
        return of_frames(file, &mut whole).map_err(|error| error.unwrap_or_else(failed));
    }
    let mut reader = BufReader::with_capacity(1 << 20, file);
    let (mut at, mut line) = (0_u64, Vec::new());
    loop {
        line.clear();
        let read = reader.read_until(b'\n', &mut line).map_err(failed)?;
        if line.pop_if(|last| *last == b'\n').is_none() {
            return Ok(Cut { at, again: Vec::new() });
        }
        let last = reader.fill_buf().map_err(failed)?.is_empty();
        if !whole(&line, last)? {
            return Ok(Cut { at, again: Vec::new() });
        }
        at = at.saturating_add(read as u64);
    }
}

/// An error of the run, or of reading.
enum Failed {
    Resume(ResumeError),
    Io(io::Error),
}

impl Failed {
    fn unwrap_or_else(self, failed: impl FnOnce(io::Error) -> ResumeError) -> ResumeError {
        match self {
            Failed::Resume(error) => error,
            Failed::Io(reason) => failed(reason),
        }
    }
}

/// Takes the whole lines of a stretch, and whether it is the last; whether all of them are sound.
type TakeLines<'a> = &'a mut dyn FnMut(&[u8], bool) -> Result<bool, ResumeError>;

fn of_frames(file: File, whole: TakeLines<'_>) -> Result<Cut, Failed> {
    let mut frames = Frames::new(file);
    loop {
        let at = frames.whole();
        let mut text = Vec::new();
        match frames.next_frame(&mut text) {
            Ok(true) => {}
            Ok(false) => return Ok(Cut { at, again: Vec::new() }),
            Err(error) if matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof) => {
                return Ok(Cut { at, again: Vec::new() });
            }
            Err(error) => return Err(Failed::Io(error)),
        }
        let mut again = 0_usize;
        for line in text.split_inclusive(|octet| *octet == b'\n') {
            if !whole(line, false).map_err(Failed::Resume)? {
                text.truncate(again);
                return Ok(Cut { at, again: text });
            }
            again = again.saturating_add(line.len());
        }
    }
}

/// Whether a file is packed, by the ending of its name.
pub fn is_packed(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("zst") || ending.eq_ignore_ascii_case("zstd"))
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, clippy::unwrap_used)]
mod tests {
    use super::super::zstd::frame;
    use super::*;

    fn line(number: u64, input: &str) -> String {
        format!("{{\"line\":{number},\"input\":\"{input}\",\"x\":1}}\n")
    }

    #[test]
    fn a_half_line_is_cut_off_wherever_it_breaks() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.jsonl");
        let (first, second) = (line(1, "a.example"), line(2, "b.example"));
        for cut in 0..=second.len() {
            std::fs::write(&path, format!("{first}{}", &second[..cut])).unwrap();
            let answered = Answered::restore(&path).unwrap();
            let all = cut == second.len();
            assert_eq!(answered.count(), 1 + usize::from(all), "{cut}");
            assert!(answered.has(1, "a.example").unwrap());
            assert_eq!(answered.has(2, "b.example").unwrap(), all);
            let left = std::fs::read_to_string(&path).unwrap();
            assert_eq!(left, if all { format!("{first}{second}") } else { first.clone() });
        }
        assert!(Answered::restore(&path).unwrap().has(1, "c.example").is_err(), "another input");
        assert_eq!(Answered::restore(&folder.path().join("new")).unwrap().count(), 0);
    }

    #[test]
    fn frames_are_kept_whole_and_what_is_beyond_the_answers_is_cut() {
        let folder = tempfile::tempdir().unwrap();
        let (main, beside) = (folder.path().join("out.jsonl.zst"), folder.path().join("findings.jsonl.zst"));
        let (first, second) = (frame(line(1, "a").as_bytes()), frame(line(2, "b").as_bytes()));
        std::fs::write(&main, [&first[..], &second[..second.len() - 2]].concat()).unwrap();
        let both = frame(format!("{}{}{}", line(1, "a"), line(1, "a"), line(2, "b")).as_bytes());
        std::fs::write(&beside, both).unwrap();
        let answered = Answered::restore(&main).unwrap();
        assert_eq!((answered.count(), std::fs::read(&main).unwrap()), (1, first));
        answered.restore_findings(&beside).unwrap();
        let mut left = Vec::new();
        io::Read::read_to_end(&mut Frames::new(File::open(&beside).unwrap()), &mut left).unwrap();
        assert_eq!(String::from_utf8(left).unwrap(), line(1, "a").repeat(2));
    }

    #[test]
    fn another_file_is_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("letter.txt");
        std::fs::write(&path, "Dear Ada,\nhow are you?\n").unwrap();
        assert!(matches!(Answered::restore(&path), Err(ResumeError::Foreign { line: 1, .. })));
        let twice = line(1, "a").repeat(2) + &line(2, "b");
        std::fs::write(&path, &twice).unwrap();
        assert!(matches!(Answered::restore(&path), Err(ResumeError::Foreign { line: 2, .. })), "answered twice");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), twice);
    }
}
