// SPDX-License-Identifier: GPL-2.0

//! Counts the bytes of a log that are not text.
//!
//! A crash or a power failure leaves NUL bytes in a log, and a damaged file has others. They hide
//! whatever was there, so the answer names them.

use memchr::{memchr, memchr_iter};

/// The bytes that are not text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Binary {
    /// How many.
    pub bytes: u64,
    /// How many of them are NUL.
    pub nul: u64,
    /// In how many lines.
    pub lines: u64,
    /// The number of the first of these lines.
    pub first: u64,
    /// The line breaks so far.
    breaks: u64,
    /// Whether the current line has such a byte.
    counted: bool,
}

impl Binary {
    /// Takes the next bytes of the log.
    pub fn feed(&mut self, bytes: &[u8]) {
        let found = count(bytes);
        if found == 0 {
            // This is the usual case, so it must be fast.
            let breaks = memchr_iter(b'\n', bytes).count() as u64;
            self.breaks += breaks;
            self.counted &= breaks == 0;
            return;
        }
        self.bytes += found;
        self.nul += memchr_iter(0, bytes).count() as u64;
        let mut rest = bytes;
        while !rest.is_empty() {
            let end = memchr(b'\n', rest);
            if !self.counted && count(&rest[..end.unwrap_or(rest.len())]) > 0 {
                self.counted = true;
                self.lines += 1;
                if self.first == 0 {
                    self.first = self.breaks + 1;
                }
            }
            let Some(end) = end else { break };
            self.breaks += 1;
            self.counted = false;
            rest = &rest[end + 1..];
        }
    }

    /// Begins another file. The numbers of lines begin anew.
    pub fn add(&mut self, other: &Self) {
        self.bytes += other.bytes;
        self.nul += other.nul;
        self.lines += other.lines;
        if self.first == 0 {
            self.first = other.first;
        }
    }
}

/// Counts control characters, except those that logs have.
fn count(bytes: &[u8]) -> u64 {
    // Blocks whose count fits into a byte, so that the compiler uses vectors.
    bytes
        .chunks(255)
        .map(|block| {
            let odd = block.iter().fold(0_u8, |sum, &byte| {
                let usual = (8..14).contains(&byte) || byte == 0x1b || byte >= 0x20;
                sum + u8::from(!usual)
            });
            u64::from(odd)
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::Binary;

    #[test]
    fn bytes_and_lines_are_counted_wherever_a_piece_ends() {
        let log = b"a\n\0\0b\x01\n\x1b[1mc\t\r\n\x02\n\0";
        for size in 1..=log.len() {
            let mut binary = Binary::default();
            for piece in log.chunks(size) {
                binary.feed(piece);
            }
            let counts = (binary.bytes, binary.nul, binary.lines, binary.first);
            assert_eq!(counts, (5, 3, 3, 2), "{size}");
        }
    }
}
