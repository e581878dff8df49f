// SPDX-License-Identifier: GPL-2.0

//! Blocks of pages with a pattern in them. Each step is counted.

use crate::{
    registers::BUFFER_BYTES,
    tally::TALLY, //
};
use kernel::dma::DmaAddress;
use labyrinth::{
    context::PlainAlloc,
    dma::{
        self,
        DmaDevice,
        Mapped, //
    },
    Bytes,
    ExclusivePages,
    GfpAtomic,
    Place, //
};

/// Allocates a block of zeroes.
pub(crate) fn fresh<C: PlainAlloc>(cx: &C, order: u32) -> Option<ExclusivePages<Bytes>> {
    match ExclusivePages::alloc(cx, GfpAtomic, order, Place::Any) {
        Ok(pages) => {
            TALLY.allocated.one();
            Some(pages.zeroed())
        }
        Err(_) => {
            TALLY.not_allocated.one();
            None
        }
    }
}

/// Maps a block for the device, or frees it if that fails.
pub(crate) fn map<'d, C: PlainAlloc, D: dma::Direction>(
    cx: &C,
    device: DmaDevice<'d>,
    direction: D,
    pages: ExclusivePages<Bytes>,
) -> Option<Mapped<'d, D>> {
    match dma::map(cx, device, direction, pages) {
        Ok(mapped) => {
            TALLY.mapped.one();
            Some(mapped)
        }
        Err(not_mapped) => {
            drop(not_mapped.into_pages());
            TALLY.given_back.one();
            None
        }
    }
}

/// Returns the index of the page that a round uses, in a block of this many pages. It is the last
/// page in the first round, and another one in each further round.
fn which(pages: usize, seed: u64) -> usize {
    (pages - 1 + seed as usize * 3) % pages
}

/// Returns the device's address of that page, which is as large as the device's buffer.
pub(crate) fn part<D: dma::Direction>(mapped: &Mapped<'_, D>, seed: u64) -> DmaAddress {
    let which = which(mapped.bytes() / BUFFER_BYTES, seed);
    mapped.address() + (which * BUFFER_BYTES) as DmaAddress
}

/// Returns the byte at `index` in the pattern of a round.
fn pattern(index: usize, seed: u64) -> u8 {
    (index as u64)
        .wrapping_add(seed << 12)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
        .to_be_bytes()[0]
}

/// Fills the page that a round uses with the pattern of the round.
pub(crate) fn fill(contents: &mut [Bytes], seed: u64) {
    let which = which(contents.len(), seed);
    for (index, byte) in contents[which].iter_mut().enumerate() {
        *byte = pattern(index, seed);
    }
}

/// Returns whether that page contains the pattern.
pub(crate) fn has(contents: &[Bytes], seed: u64) -> bool {
    contents[which(contents.len(), seed)]
        .iter()
        .enumerate()
        .all(|(index, &byte)| byte == pattern(index, seed))
}

/// Counts that page as verified or corrupted.
pub(crate) fn check(contents: &[Bytes], seed: u64) {
    if has(contents, seed) {
        TALLY.verified.one();
    } else {
        TALLY.corrupted.one();
    }
}
