//! The lines of an input, one at a time and in bounded memory: plain, or compressed with gzip or Zstandard, which is seen from
//! the first octets. Used by `pipeline`.

use std::io::{self, BufRead, BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::read::MultiGzDecoder;

use super::zstd;

/// How many octets of a line are read; the rest of a longer one is skipped.
pub const MAX_LINE: usize = 1 << 20;
const GZIP: [u8; 2] = [0x1f, 0x8b];
const BUFFER: usize = 64 << 10;

/// A line of the input.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Line {
    /// Its number, from 1.
    pub number: u64,
    /// Its octets without the line ending: the first of them where there are too many.
    pub octets: Vec<u8>,
    /// Whether it has more than [`MAX_LINE`] octets.
    pub is_too_long: bool,
}

/// Reads lines.
pub struct Lines {
    reader: BufReader<Box<dyn Read + Send>>,
    number: u64,
}

/// How many octets were read of what the system has, for the time that is left.
#[derive(Clone, Debug, Default)]
pub struct Consumed(Arc<AtomicU64>);

impl Consumed {
    /// The octets so far.
    pub fn octets(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Lines {
    /// The lines of a source, unpacked where it is packed; what is read of it is counted in `consumed`.
    pub fn new(source: Box<dyn Read + Send>, consumed: &Consumed) -> io::Result<Self> {
        let counted = Metered { inner: source, consumed: consumed.clone() };
        let mut source = BufReader::with_capacity(BUFFER, counted);
        // A pipe may hand out fewer octets at first than the mark has.
        let mut begin = Vec::new();
        (&mut source).take(4).read_to_end(&mut begin)?;
        let kind = (begin.starts_with(&GZIP), begin == zstd::MAGIC);
        let whole = io::Cursor::new(begin).chain(source);
        let unpacked: Box<dyn Read + Send> = match kind {
            (true, _) => Box::new(MultiGzDecoder::new(whole)),
            (_, true) => Box::new(zstd::Frames::new(whole)),
            _ => Box::new(whole),
        };
        Ok(Lines { reader: BufReader::with_capacity(BUFFER, unpacked), number: 0 })
    }

    /// The next line; `None` after the last.
    pub fn next_line(&mut self) -> io::Result<Option<Line>> {
        let mut octets = Vec::new();
        // One more than a line may have, for its ending.
        let read = (&mut self.reader).take(MAX_LINE as u64 + 1).read_until(b'\n', &mut octets)?;
        if read == 0 {
            return Ok(None);
        }
        self.number = self.number.saturating_add(1);
        let is_too_long = octets.len() > MAX_LINE && octets.last() != Some(&b'\n');
        if is_too_long {
            octets.truncate(MAX_LINE);
            self.skip_rest()?;
        }
        for ending in [b'\n', b'\r'] {
            octets.pop_if(|last| *last == ending);
        }
        if self.number == 1 && octets.starts_with(b"\xef\xbb\xbf") {
            octets.drain(..3);
        }
        Ok(Some(Line { number: self.number, octets, is_too_long }))
    }

    /// Whether the next line may have to be waited for.
    pub fn may_wait(&self) -> bool {
        !self.reader.buffer().contains(&b'\n')
    }

    fn skip_rest(&mut self) -> io::Result<()> {
        self.reader.skip_until(b'\n').map(drop)
    }
}

struct Metered<R> {
    inner: R,
    consumed: Consumed,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.consumed.0.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, clippy::unwrap_used)]
mod tests {
    use std::io::Write;

    use super::*;

    fn lines(octets: &[u8]) -> Vec<Line> {
        let mut lines = Lines::new(Box::new(io::Cursor::new(octets.to_vec())), &Consumed::default()).unwrap();
        std::iter::from_fn(|| lines.next_line().unwrap()).collect()
    }

    fn texts(octets: &[u8]) -> Vec<String> {
        lines(octets).into_iter().map(|line| String::from_utf8(line.octets).unwrap()).collect()
    }

    #[test]
    fn every_kind_of_line_ending_and_packing_gives_the_same_lines() {
        let plain = b"\xef\xbb\xbfone\r\n\ntwo\nthree";
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(plain).unwrap();
        for packed in [plain.to_vec(), gzip.finish().unwrap(), zstd::frame(plain)] {
            assert_eq!(texts(&packed), ["one", "", "two", "three"]);
        }
        assert_eq!(texts(b""), [""; 0]);
        assert_eq!(texts(b"\n"), [""]);
        assert_eq!(texts(b"ab"), ["ab"], "shorter than any mark");
    }

    #[test]
    fn a_line_that_is_too_long_is_one_line_all_the_same() {
        let long = [vec![b'x'; MAX_LINE], b"y\nnext".to_vec()].concat();
        let read = lines(&long);
        assert_eq!((read.len(), read[0].octets.len(), read[0].is_too_long), (2, MAX_LINE, true));
        assert_eq!((read[1].number, &read[1].octets[..]), (2, &b"next"[..]));
        let just = [vec![b'x'; MAX_LINE], b"\n".to_vec()].concat();
        assert!(!lines(&just)[0].is_too_long);
    }
}
