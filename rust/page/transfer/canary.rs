// SPDX-License-Identifier: GPL-2.0

//! The canaries in the guards of a [`Guarded`](crate::page::Guarded) page, and their verification.
//!
//! This is arithmetic only. A test on the host includes this file, so nothing here may use the
//! `kernel` crate or another part of labyrinth.

/// The number of bytes in a guard. It is a multiple of the usual sizes of cache lines, so that the
/// bytes between the guards are aligned to a cache line.
pub(crate) const GUARD: usize = 64;

/// The number of bytes of a damaged guard that a report shows.
pub(crate) const SHOWN: usize = 16;

const WORD: usize = size_of::<u64>();

/// The bits of each byte that are always set, and those that are never set. So no byte of a canary
/// is one that is often written by accident: zero, 0xff, text, or the kernel's poison for pages
/// (0xaa).
const SET: u64 = 0x8181_8181_8181_8181;
const CLEAR: u64 = 0x0202_0202_0202_0202;

/// Computes the bytes of the canaries of one block of pages.
///
/// They depend on the address of the block, on a number that no other guarding has, and on the
/// place in the block. So the canaries of another block, of another place, or of an earlier
/// guarding of the same block do not match.
#[derive(Clone, Copy)]
pub(crate) struct Canary(u64);

/// The damage of a guard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The offset of the first wrong byte in the block.
    pub offset: usize,
    /// The number of wrong bytes.
    pub wrong: usize,
    /// The number of bytes of `expected` and `found` that are used. They begin with the first wrong
    /// byte and end with the last wrong byte that fits.
    pub shown: usize,
    /// The bytes that should be there, from `offset` on.
    pub expected: [u8; SHOWN],
    /// The bytes that were found.
    pub found: [u8; SHOWN],
}

impl Canary {
    /// Makes the canaries of the block at the page frame `frame`, for the guarding with this
    /// number.
    pub(crate) const fn new(frame: usize, number: u64) -> Self {
        Self(mix(mix(frame as u64) ^ number))
    }

    /// Returns the eight bytes at this offset in the block, which is a multiple of eight.
    const fn word(self, offset: usize) -> [u8; WORD] {
        let place = (offset as u64).wrapping_mul(GOLDEN);
        (mix(self.0 ^ place) & !CLEAR | SET).to_le_bytes()
    }

    /// Writes the canaries into a guard that begins at this offset in the block, a multiple of
    /// eight.
    pub(crate) fn plant(self, begin: usize, guard: &mut [u8]) {
        for (i, word) in guard.chunks_exact_mut(WORD).enumerate() {
            word.copy_from_slice(&self.word(begin + i * WORD));
        }
    }

    /// Returns the damage of a guard that begins at this offset in the block, if there is any.
    #[inline]
    pub(crate) fn damage(self, begin: usize, guard: &[u8]) -> Option<Damage> {
        let whole = guard
            .chunks_exact(WORD)
            .enumerate()
            .all(|(i, word)| word == self.word(begin + i * WORD));
        if whole {
            None
        } else {
            self.look_closely(begin, guard)
        }
    }

    #[cold]
    fn look_closely(self, begin: usize, guard: &[u8]) -> Option<Damage> {
        let wrong = || {
            self.compared(begin, guard)
                .filter(|(_, expected, found)| expected != found)
        };
        let ((first, ..), (last, ..)) = (wrong().next()?, wrong().last()?);

        let mut damage = Damage {
            offset: first,
            wrong: wrong().count(),
            shown: (last - first + 1).min(SHOWN),
            expected: [0; SHOWN],
            found: [0; SHOWN],
        };
        let shown = self
            .compared(begin, guard)
            .skip(first - begin)
            .take(damage.shown);
        let places = damage.expected.iter_mut().zip(&mut damage.found);
        for ((to_expected, to_found), (_, expected, found)) in places.zip(shown) {
            (*to_expected, *to_found) = (expected, found);
        }
        Some(damage)
    }

    /// Yields each byte of a guard: its offset in the block, the expected byte, and the byte that
    /// is there.
    fn compared(self, begin: usize, guard: &[u8]) -> impl Iterator<Item = (usize, u8, u8)> + '_ {
        guard.iter().enumerate().map(move |(i, &found)| {
            let expected = self.word(begin + i / WORD * WORD)[i % WORD];
            (begin + i, expected, found)
        })
    }
}

/// The golden ratio in 64 bits.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// Spreads every bit over all others: the finaliser of SplitMix64 (G. Steele, D. Lea, C. Flood).
const fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(GOLDEN);
    let value = (value ^ value >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ value >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ value >> 31
}
