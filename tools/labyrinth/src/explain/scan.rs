// SPDX-License-Identifier: GPL-2.0

//! Finds the lines of a log that matter, without looking at each line of it.
//!
//! Most of a log has nothing to do with memory. [`Scanner::anchor`] searches whole chunks for the
//! few strings with which reports begin, and only then are lines taken one by one. Memory is
//! bounded: of a line longer than [`LONGEST`], only a part is kept.

use super::binary::Binary;
use memchr::{memchr, memchr_iter, memmem, memrchr};
use std::io::{self, Read};

/// The longest part of a line that is looked at.
pub const LONGEST: usize = 64 << 10;
/// How much is read and searched at a time. It fits into the caches of most CPUs.
const CHUNK: usize = 256 << 10;
/// How much of a long line before the string that was found is kept, for the prefix and the name.
const BEFORE: usize = 512;

/// A line with one of these strings can begin a report, or tells something about reports.
const ANCHORS: [&str; 17] = [
    "allocation failure",
    "vmalloc error",
    "vmap allocation for size",
    // Mail programs can wrap lines after any word.
    "failure: order",
    "oom-killer: gfp_mask",
    "allocation stalls for",
    "nable to allocate memory on",
    "alloc failed, req-size",
    "invoked oom-killer",
    "oom-kill:constraint",
    "Killed process",
    "ut of memory: Kill",
    "callbacks suppressed",
    "Linux version ",
    "Mem-Info:",
    "lowmem_reserve[]",
    "kB min:",
];
/// So many of them, the last ones, are in the middle of reports, and say nothing else.
const MIDDLE: usize = 3;

/// A line of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The number of the line, from 1.
    pub number: u64,
    /// The bytes of the line, without the line break.
    pub bytes: Vec<u8>,
    /// Whether a part of the line was left out, because it is too long.
    pub cut: bool,
    /// Whether the log ended in the middle of the line.
    pub unfinished: bool,
    /// Whether one of the strings that are not in the middle of reports may be in it.
    pub anchor: bool,
}

/// Reads a log.
pub struct Scanner<R> {
    reader: R,
    buffer: Vec<u8>,
    /// Where the part of `buffer` begins that is not yet consumed, and where it ends.
    start: usize,
    end: usize,
    finders: Vec<memmem::Finder<'static>>,
    /// Where each string comes next at or after `start`, if that is known.
    next: Vec<Next>,
    number: u64,
    /// Whether `start` is in the middle of a line whose beginning is gone.
    inside: bool,
    ended: bool,
    bytes: u64,
    binary: Binary,
    long_lines: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    Unknown,
    At(usize),
    Nowhere,
}

impl<R: Read> Scanner<R> {
    /// Begins to read.
    pub fn new(reader: R) -> Self {
        Self {
            reader,
            buffer: vec![0; CHUNK + 2 * LONGEST],
            start: 0,
            end: 0,
            finders: ANCHORS.iter().map(memmem::Finder::new).collect(),
            next: vec![Next::Unknown; ANCHORS.len()],
            number: 1,
            inside: false,
            ended: false,
            bytes: 0,
            binary: Binary::default(),
            long_lines: 0,
        }
    }

    /// Returns how many bytes were read so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Returns which bytes so far are not text.
    pub fn binary(&self) -> &Binary {
        &self.binary
    }

    /// Returns of how many lines so far only a part was looked at.
    pub fn long_lines(&self) -> u64 {
        self.long_lines
    }

    /// Returns how many lines were seen so far.
    pub fn lines(&self) -> u64 {
        self.number - 1
    }

    /// Skips to the next line with one of the strings, and takes it. `after_chunk` is called after
    /// each chunk with the number of bytes read so far.
    pub fn anchor(&mut self, mut after_chunk: impl FnMut(u64)) -> io::Result<Option<Line>> {
        loop {
            if let Some(hit) = self.hit() {
                let from = match memrchr(b'\n', &self.buffer[self.start..hit]) {
                    Some(at) => {
                        self.inside = false;
                        self.start + at + 1
                    }
                    None => self.start,
                };
                self.skip_to(from);
                if hit - self.start > LONGEST {
                    // The line is too long. Its end decides.
                    self.start = hit - BEFORE;
                    self.inside = true;
                }
                return self.line();
            }
            if self.ended {
                let (start, end) = (self.start, self.end);
                self.skip_to(end);
                if start < end && self.buffer[end - 1] != b'\n' {
                    self.number += 1;
                }
                return Ok(None);
            }
            // Nothing but a line that is not complete can be of use.
            let complete =
                memrchr(b'\n', &self.buffer[self.start..self.end]).map_or(0, |at| at + 1);
            if complete > 0 {
                self.inside = false;
            }
            self.skip_to(self.start + complete);
            if self.end - self.start > LONGEST {
                self.start = self.end - LONGEST;
                self.inside = true;
            }
            self.fill()?;
            after_chunk(self.bytes);
        }
    }

    /// Takes the next line.
    pub fn line(&mut self) -> io::Result<Option<Line>> {
        let mut searched = 0;
        loop {
            let rest = &self.buffer[self.start..self.end];
            if let Some(at) = memchr(b'\n', &rest[searched..]) {
                let line = self.make(searched + at, false);
                self.start += searched + at + 1;
                self.inside = false;
                self.number += 1;
                return Ok(Some(line));
            }
            searched = rest.len();
            if searched > LONGEST {
                let line = self.make(searched, false);
                self.drop_line()?;
                return Ok(Some(line));
            }
            if self.ended {
                if rest.is_empty() {
                    return Ok(None);
                }
                let line = self.make(searched, true);
                self.start = self.end;
                self.number += 1;
                return Ok(Some(line));
            }
            self.fill()?;
        }
    }

    fn make(&mut self, length: usize, unfinished: bool) -> Line {
        let anchor = self
            .first(ANCHORS.len() - MIDDLE)
            .is_some_and(|at| at < self.start + length);
        let kept = length.min(LONGEST);
        let cut = self.inside || kept < length;

        self.long_lines += u64::from(cut);
        let mut bytes = &self.buffer[self.start..self.start + kept];
        // A part of a number is another number.
        while self.inside && bytes.first().is_some_and(u8::is_ascii_alphanumeric) {
            bytes = &bytes[1..];
        }
        while kept < length && bytes.last().is_some_and(u8::is_ascii_alphanumeric) {
            bytes = &bytes[..bytes.len() - 1];
        }
        Line {
            number: self.number,
            bytes: bytes.to_vec(),
            cut,
            unfinished,
            anchor,
        }
    }

    /// Skips the rest of a line that is too long.
    fn drop_line(&mut self) -> io::Result<()> {
        loop {
            if let Some(at) = memchr(b'\n', &self.buffer[self.start..self.end]) {
                self.start += at + 1;
                break;
            }
            self.start = self.end;
            if self.ended {
                break;
            }
            self.fill()?;
        }
        self.inside = false;
        self.number += 1;
        Ok(())
    }

    fn skip_to(&mut self, to: usize) {
        self.number += memchr_iter(b'\n', &self.buffer[self.start..to]).count() as u64;
        self.start = to;
    }

    /// Returns where the first of the strings is.
    fn hit(&mut self) -> Option<usize> {
        self.first(ANCHORS.len())
    }

    /// Returns where the first one is of the first strings.
    fn first(&mut self, count: usize) -> Option<usize> {
        let mut first = None;
        for (finder, next) in self.finders.iter().zip(&mut self.next).take(count) {
            let stale = match *next {
                Next::Unknown => true,
                Next::At(at) => at < self.start,
                Next::Nowhere => false,
            };
            if stale {
                *next = match finder.find(&self.buffer[self.start..self.end]) {
                    Some(at) => Next::At(self.start + at),
                    None => Next::Nowhere,
                };
            }
            if let Next::At(at) = *next {
                first = Some(first.map_or(at, |first: usize| first.min(at)));
            }
        }
        first
    }

    /// Reads more. The part that is not consumed moves to the front.
    fn fill(&mut self) -> io::Result<()> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        self.next.fill(Next::Unknown);
        let target = self.buffer.len().min(self.end + CHUNK);
        while self.end < target && !self.ended {
            match self.reader.read(&mut self.buffer[self.end..target]) {
                Ok(0) => self.ended = true,
                Ok(count) => {
                    self.binary.feed(&self.buffer[self.end..self.end + count]);
                    self.end += count;
                    self.bytes += count as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Line, Scanner, ANCHORS, LONGEST};
    use std::io::{self, Read};

    /// Gives a few bytes at a time.
    struct Drip<'a>(&'a [u8], usize);

    impl Read for Drip<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.1.min(self.0.len()).min(buffer.len());
            buffer[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    fn anchors(text: &[u8], step: usize) -> Vec<Line> {
        let mut scanner = Scanner::new(Drip(text, step));
        std::iter::from_fn(|| scanner.anchor(|_| ()).unwrap()).collect()
    }

    #[test]
    fn lines_are_found_wherever_they_are() {
        let mut text = Vec::new();
        let mut expected = Vec::new();
        for round in 0..40_000_u64 {
            if round % 977 == 5 {
                text.extend_from_slice(b"x: page allocation failure: order:0\n");
                expected.push(round + 1);
            } else {
                text.extend_from_slice(b"usb 1-1: nothing of interest happens here\n");
            }
        }
        for step in [1 << 20, 4096, 7] {
            let found: Vec<u64> = anchors(&text, step)
                .iter()
                .map(|line| line.number)
                .collect();
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn each_string_is_found() {
        for anchor in ANCHORS {
            let text = format!("a\nb {anchor} c");
            let lines = anchors(text.as_bytes(), 3);
            assert_eq!(lines.len(), 1);
            assert_eq!(lines[0].number, 2);
            assert!(lines[0].unfinished);
        }
    }

    #[test]
    fn long_lines_are_bounded() {
        let mut text = vec![b'x'; 3 << 20];
        text.extend_from_slice(b"kernel: y invoked oom-killer: order=0");
        text.extend_from_slice(&vec![b'z'; 3 << 20]);
        text.extend_from_slice(b"\nMem-Info:\nnext\n");
        let mut scanner = Scanner::new(&text[..]);
        let first = scanner.anchor(|_| ()).unwrap().unwrap();
        assert!(first.cut && first.number == 1 && first.bytes.len() <= LONGEST);
        assert!(memchr::memmem::find(&first.bytes, b"y invoked oom-killer").is_some());
        let second = scanner.anchor(|_| ()).unwrap().unwrap();
        assert_eq!((second.number, second.cut), (2, false));
        assert_eq!(scanner.line().unwrap().unwrap().bytes, b"next");
        assert_eq!(scanner.line().unwrap(), None);
        assert_eq!((scanner.lines(), scanner.long_lines()), (3, 1));
    }

    #[test]
    fn an_empty_log_has_no_lines() {
        assert_eq!(anchors(b"", 1), []);
    }
}
