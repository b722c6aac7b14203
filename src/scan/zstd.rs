//! Zstandard (RFC 8878), read frame after frame and written as frames that are complete in themselves: a file that is cut off
//! loses its last frame and no other. Used by `lines` and `output`.

use std::io::{self, BufRead, BufReader, Read};

use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

/// The octets that a frame begins with.
pub const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// How many octets of a frame are read at a time.
const PART: usize = 64 << 10;

/// One frame with these octets.
pub fn frame(octets: &[u8]) -> Vec<u8> {
    compress_to_vec(octets, CompressionLevel::Fastest)
}

/// The octets in frames that follow each other.
pub struct Frames<R> {
    source: Counted<BufReader<R>>,
    decoder: FrameDecoder,
    within: bool,
    whole: u64,
}

impl<R: Read> Frames<R> {
    /// Reads frames from here.
    pub fn new(source: R) -> Self {
        Frames {
            source: Counted { inner: BufReader::with_capacity(PART, source), octets: 0 },
            decoder: FrameDecoder::new(),
            within: false,
            whole: 0,
        }
    }

    /// How many octets of the source the frames have that were read to their end.
    pub fn whole(&self) -> u64 {
        self.whole
    }

    /// Adds the next frame to `octets`, whole; `false` where there is none.
    pub fn next_frame(&mut self, octets: &mut Vec<u8>) -> io::Result<bool> {
        if !self.begin()? {
            return Ok(false);
        }
        let mut part = vec![0; PART];
        loop {
            match self.of_frame(&mut part)? {
                0 => return Ok(true),
                read => octets.extend_from_slice(part.get(..read).unwrap_or_default()),
            }
        }
    }

    /// Reads of the frame that was begun; nothing at its end.
    fn of_frame(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.decoder.read(buffer)?;
            if read > 0 {
                return Ok(read);
            }
            if self.decoder.is_finished() && self.decoder.can_collect() == 0 {
                self.whole = self.source.octets;
                return Ok(0);
            }
            let strategy = BlockDecodingStrategy::UptoBytes(PART);
            let decoded = self.decoder.decode_blocks(&mut self.source, strategy);
            decoded.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.to_string()))?;
        }
    }

    /// Begins the next frame; `false` where there is none.
    fn begin(&mut self) -> io::Result<bool> {
        loop {
            if self.source.inner.fill_buf()?.is_empty() {
                return Ok(false);
            }
            match self.decoder.init(&mut self.source) {
                Ok(()) => return Ok(true),
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                    io::copy(&mut (&mut self.source).take(length.into()), &mut io::sink())?;
                    self.whole = self.source.octets;
                }
                Err(error) => return Err(io::Error::new(io::ErrorKind::InvalidData, error.to_string())),
            }
        }
    }
}

impl<R: Read> Read for Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            if !self.within && !self.begin()? {
                return Ok(0);
            }
            let read = self.of_frame(buffer)?;
            self.within = read > 0;
            if read > 0 {
                return Ok(read);
            }
        }
    }
}

struct Counted<R> {
    inner: R,
    octets: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.octets = self.octets.saturating_add(read as u64);
        Ok(read)
    }
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_read_one_after_the_other_and_a_cut_one_is_an_error() {
        let long: Vec<u8> =
            (0..400_000_u32).map(|n| b"abcdefg \n"[(n.wrapping_mul(2_654_435_761) >> 20) as usize % 9]).collect();
        let (first, second) = (frame(b"one\n"), frame(&long));
        let both = [first.clone(), second.clone()].concat();
        let mut read = Vec::new();
        let mut frames = Frames::new(&both[..]);
        frames.read_to_end(&mut read).unwrap();
        assert_eq!((read.len(), frames.whole()), (4 + long.len(), both.len() as u64));
        assert!(second.len() < long.len());

        for cut in [1, 7, second.len() / 2, second.len() - 1] {
            let mut frames = Frames::new(&both[..first.len() + cut]);
            assert!(frames.read_to_end(&mut Vec::new()).is_err(), "{cut}");
            assert_eq!(frames.whole(), first.len() as u64, "{cut}");
        }
    }
}
