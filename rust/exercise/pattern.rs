// SPDX-License-Identifier: GPL-2.0

//! Writing to pages in a way that shows whether somebody else did.

use labyrinth::{
    pool::Batch,
    Gfp, //
};

/// One stamp in every so many bytes: one in every cache line of most CPUs.
const STRIDE: usize = 64;

/// The bytes of a stamp.
const STAMP: usize = size_of::<u64>();

/// Makes stamps that no other holder of a page makes.
#[derive(Clone, Copy)]
pub(super) struct Pattern(u64);

impl Pattern {
    /// A pattern for one holder: `series` and `who` together are its own.
    pub(super) fn new(series: u8, who: u32) -> Self {
        Self(u64::from(series) << 56 | u64::from(who) << 32)
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

    /// Changes the low half, so that what an earlier cycle left behind does not pass.
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

    /// The stamp of one line. The multiplier (the golden ratio in 64 bits) spreads neighbours.
    fn value(self, number: usize, line: usize) -> [u8; STAMP] {
        let place = (number as u64) << 16 | line as u64;
        (self.0 ^ place.wrapping_mul(0x9e37_79b9_7f4a_7c15)).to_ne_bytes()
    }
}
