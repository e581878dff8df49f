// SPDX-License-Identifier: GPL-2.0

//! Blocks of pages with a pattern in them, counted.

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

/// A block of zeroes.
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

/// Gives a block to the device, or frees it.
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

/// The page of a block of `pages` that a round uses: the last one first, then others, also the
/// first.
fn which(pages: usize, seed: u64) -> usize {
    (pages - 1 + seed as usize * 3) % pages
}

/// The device's address of that page, which is as large as its buffer.
pub(crate) fn part<D: dma::Direction>(mapped: &Mapped<'_, D>, seed: u64) -> DmaAddress {
    let which = which(mapped.bytes() / BUFFER_BYTES, seed);
    mapped.address() + (which * BUFFER_BYTES) as DmaAddress
}

/// The byte at `index` of the pattern of a round.
fn pattern(index: usize, seed: u64) -> u8 {
    (index as u64)
        .wrapping_add(seed << 12)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
        .to_be_bytes()[0]
}

/// Fills the page of a block that a round uses.
pub(crate) fn fill(contents: &mut [Bytes], seed: u64) {
    let which = which(contents.len(), seed);
    for (index, byte) in contents[which].iter_mut().enumerate() {
        *byte = pattern(index, seed);
    }
}

/// Whether that page has these contents.
pub(crate) fn has(contents: &[Bytes], seed: u64) -> bool {
    contents[which(contents.len(), seed)]
        .iter()
        .enumerate()
        .all(|(index, &byte)| byte == pattern(index, seed))
}

/// Counts whether it is.
pub(crate) fn check(contents: &[Bytes], seed: u64) {
    if has(contents, seed) {
        TALLY.verified.one();
    } else {
        TALLY.corrupted.one();
    }
}
