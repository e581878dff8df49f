// SPDX-License-Identifier: GPL-2.0

//! Blocks of pages with a pattern in them, counted.

use crate::{
    ffi::{
        context::PlainAlloc,
        dma::DmaDevice, //
    },
    page::{
        dma::{
            self,
            Mapped, //
        },
        Atomic,
        Bytes,
        ExclusivePages,
        Place, //
    },
    registers::BUFFER_BYTES,
    tally::TALLY, //
};
use kernel::dma::DmaAddress;

/// A block of zeroes.
pub(crate) fn fresh<C: PlainAlloc>(cx: &C, order: u32) -> Option<ExclusivePages<Bytes>> {
    match ExclusivePages::alloc(cx, Atomic, order, Place::Any) {
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

/// Where the device finds the last page of a block, which is as large as its buffer.
pub(crate) fn last<D: dma::Direction>(mapped: &Mapped<'_, D>) -> DmaAddress {
    mapped.address() + (mapped.bytes() - BUFFER_BYTES) as DmaAddress
}

/// The byte at `index` of the pattern of a round.
fn pattern(index: usize, seed: u64) -> u8 {
    (index as u64)
        .wrapping_add(seed << 12)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
        .to_be_bytes()[0]
}

/// Fills the last page of a block.
pub(crate) fn fill(contents: &mut [Bytes], seed: u64) {
    if let Some(page) = contents.last_mut() {
        for (index, byte) in page.iter_mut().enumerate() {
            *byte = pattern(index, seed);
        }
    }
}

/// Whether that is in the last page of a block.
pub(crate) fn has(contents: &[Bytes], seed: u64) -> bool {
    contents.last().is_some_and(|page| {
        page.iter()
            .enumerate()
            .all(|(index, &byte)| byte == pattern(index, seed))
    })
}

/// Counts whether it is.
pub(crate) fn check(contents: &[Bytes], seed: u64) {
    if has(contents, seed) {
        TALLY.verified.one();
    } else {
        TALLY.corrupted.one();
    }
}
