// SPDX-License-Identifier: GPL-2.0

//! Stamps in pages, which show whether other code has written to the pages.

use labyrinth::{
    pool::Batch,
    Gfp, //
};

/// The distance of two stamps, in bytes: the size of a cache line on most CPUs.
const STRIDE: usize = 64;

/// The size of a stamp, in bytes.
const STAMP: usize = size_of::<u64>();

/// Makes the stamps of one batch. No other batch has the same ones.
#[derive(Clone, Copy)]
pub(super) struct Pattern(u64);

impl Pattern {
    /// Makes a pattern. No other batch may have the same number in the same series.
    pub(super) fn new(series: u8, number: u32) -> Self {
        Self(u64::from(series) << 56 | u64::from(number) << 32)
    }

    /// Writes a stamp to every cache line of every page.
    pub(super) fn stamp<G: Gfp>(&mut self, batch: &mut Batch<G>) {
        self.next_cycle();
        for (number, page) in batch.pages_mut().iter_mut().enumerate() {
            self.stamp_page(number, page);
        }
    }

    /// Counts the pages that do not have the stamps of the last [`Self::stamp`].
    pub(super) fn verify<G: Gfp>(&self, batch: &Batch<G>) -> u64 {
        let pages = batch.pages().iter().enumerate();

        pages
            .filter(|(number, page)| !self.page_is_ours(*number, page))
            .count() as u64
    }

    /// Changes the low half, so that stamps of an earlier cycle are not taken for those of this
    /// one.
    fn next_cycle(&mut self) {
        let cycle = (self.0 as u32).wrapping_add(1);
        self.0 = self.0 & !u64::from(u32::MAX) | u64::from(cycle);
    }

    fn stamp_page(self, number: usize, page: &mut [u8]) {
        for (line, bytes) in page.chunks_exact_mut(STRIDE).enumerate() {
            bytes[..STAMP].copy_from_slice(&self.value(number, line));
        }
    }

    fn page_is_ours(self, number: usize, page: &[u8]) -> bool {
        page.chunks_exact(STRIDE)
            .enumerate()
            .all(|(line, bytes)| bytes[..STAMP] == self.value(number, line))
    }

    /// Returns the stamp of one line. The multiplier is the golden ratio in 64 bits, so the stamps
    /// of neighbours differ in many bits.
    fn value(self, number: usize, line: usize) -> [u8; STAMP] {
        let place = (number as u64) << 16 | line as u64;
        (self.0 ^ place.wrapping_mul(0x9e37_79b9_7f4a_7c15)).to_ne_bytes()
    }
}
