// SPDX-License-Identifier: GPL-2.0
// mutants.py appends this file to tests/host/src/main.rs in the copies that it makes.

#[allow(dead_code)]
mod ffi {
    use std::sync::LazyLock;

    static CHOSEN: LazyLock<u32> = LazyLock::new(|| {
        let number = std::env::var("LABYRINTH_MUTANT").unwrap_or_default();
        number.parse().unwrap_or(0)
    });

    /// Whether a mutant is chosen by the variable `LABYRINTH_MUTANT`.
    pub(crate) fn mutant(number: u32) -> bool {
        *CHOSEN == number
    }
}

// Files that are not part of the library call the function by the name of the library.
#[allow(unused_imports)]
pub(crate) use ffi::mutant;
extern crate self as labyrinth;
