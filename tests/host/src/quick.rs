// SPDX-License-Identifier: GPL-2.0

//! Sets of very many states.

use std::{
    collections::HashSet,
    hash::{
        BuildHasherDefault,
        Hasher, //
    }, //
};

/// A set with a fast hash.
pub(crate) type QuickSet<T> = HashSet<T, BuildHasherDefault<Quick>>;

/// A hash by multiplication and rotation. Hashing takes most of the time, and no adversary chooses
/// the states.
#[derive(Default)]
pub(crate) struct Quick(u64);

impl Hasher for Quick {
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(byte.into());
        }
    }

    fn write_u8(&mut self, value: u8) {
        self.write_u64(value.into());
    }

    fn write_usize(&mut self, value: usize) {
        self.write_u64(value as u64);
    }

    fn write_isize(&mut self, value: isize) {
        self.write_u64(value as u64);
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = (self.0.rotate_left(5) ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn finish(&self) -> u64 {
        self.0.rotate_left(26)
    }
}
