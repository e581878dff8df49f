// SPDX-License-Identifier: GPL-2.0

//! What stands in the guards of a [`Guarded`](super::Guarded) page, and what is wrong with it.
//!
//! Arithmetic only. A test on the host includes this file as it is, so nothing here may use the
//! `kernel` crate or another part of labyrinth.

/// The bytes of one guard. A multiple of all cache lines that there are in practice, so that the bytes
/// between the guards are aligned to one.
pub(crate) const GUARD: usize = 64;

/// How many bytes of a damage are kept for its report.
pub(crate) const SHOWN: usize = 16;

const WORD: usize = size_of::<u64>();

/// The bits of each byte that are always set, and those that never are. So no canary is a byte that
/// gets written by accident more often than others: zero, 0xff, text, what the kernel poisons pages
/// with (0xaa).
const SET: u64 = 0x8181_8181_8181_8181;
const CLEAR: u64 = 0x0202_0202_0202_0202;

/// The bytes that belong to each place of one block of pages.
///
/// They follow from where the block is, from a number that no other guarding of a block has, and from
/// the place in the block. So the canaries of another block, of another place, or of the same block
/// when it was guarded before, are found to be wrong.
#[derive(Clone, Copy)]
pub(crate) struct Canary(u64);

/// What is wrong with a guard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damage {
    /// Where in the block the first wrong byte is.
    pub offset: usize,
    /// How many bytes are wrong.
    pub wrong: usize,
    /// How many bytes of `expected` and `found` count: those from the first to the last wrong one, as
    /// far as there is room.
    pub shown: usize,
    /// What should be there, from `offset` on.
    pub expected: [u8; SHOWN],
    /// What is there.
    pub found: [u8; SHOWN],
}

impl Canary {
    /// The canaries of the block at a page frame, by the number of its guarding.
    pub(crate) const fn new(frame: usize, number: u64) -> Self {
        Self(mix(mix(frame as u64) ^ number))
    }

    /// The bytes at a place of the block, which is a multiple of eight.
    const fn word(self, offset: usize) -> [u8; WORD] {
        let place = (offset as u64).wrapping_mul(GOLDEN);
        (mix(self.0 ^ place) & !CLEAR | SET).to_le_bytes()
    }

    /// Writes the canaries into a guard that begins at this place of the block, a multiple of eight.
    pub(crate) fn plant(self, begin: usize, guard: &mut [u8]) {
        for (i, word) in guard.chunks_exact_mut(WORD).enumerate() {
            word.copy_from_slice(&self.word(begin + i * WORD));
        }
    }

    /// What is wrong with a guard that begins at this place of the block.
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

    /// Each byte of a guard: its place in the block, what should be there, and what is.
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
