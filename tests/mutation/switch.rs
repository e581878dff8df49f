// SPDX-License-Identifier: GPL-2.0
// mutants.py appends this file to rust/ffi/mod.rs in the copies that it makes.

/// Whether a mutant is chosen by the module parameter `mutant`. Any context.
#[allow(dead_code)]
#[inline(always)]
pub fn mutant(number: u32) -> bool {
    mutation::labyrinth_mutant().load(core::sync::atomic::Ordering::Relaxed) == number
}

/// Whether a mutant is chosen. After the first call that returns true, no mutant is chosen. Any
/// context.
#[allow(dead_code)]
pub fn once(mutant: bool) -> bool {
    mutant && mutation::labyrinth_mutant().swap(0, core::sync::atomic::Ordering::Relaxed) != 0
}

mod mutation {
    use core::sync::atomic::AtomicU32;

    #[inline(always)]
    pub(super) fn labyrinth_mutant() -> &'static AtomicU32 {
        extern "C" {
            static labyrinth_mutant: AtomicU32;
        }
        // SAFETY: A word in switch.c, which lives as long as the module; accesses are atomic.
        unsafe { &labyrinth_mutant }
    }
}
