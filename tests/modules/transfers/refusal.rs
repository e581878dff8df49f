// SPDX-License-Identifier: GPL-2.0

//! Functions of the kernel that fail although nothing is wrong, for tests only. The C side is
//! `refusal.c`.

use kernel::{
    error::to_result,
    prelude::*, //
};
use labyrinth::context::Task;

extern "C" {
    fn labyrinth_refuse(which: c_uint, times: c_int) -> c_int;
    fn labyrinth_refusals_left(which: c_uint) -> c_int;
    fn labyrinth_refuse_no_more(which: c_uint);
}

/// The functions that can fail or pretend, with the numbers of `refusal.h`.
#[derive(Clone, Copy)]
pub(crate) enum Function {
    /// `set_pages_array_wc()`, which fails after it has changed the pages.
    Set = 0,
    /// `set_pages_array_wb()`, which fails before it changes any.
    Reset = 1,
    /// `set_memory_decrypted()`, which fails at once.
    Share = 2,
    /// `set_memory_encrypted()`, which fails at once.
    TakeBack = 3,
    /// `labyrinth_host_exists()`, which tells this task that it runs in a confidential guest.
    PretendHost = 4,
}

/// A function of the kernel that fails as long as this exists. There is one of each at a time.
pub(crate) struct Refusal(Function);

impl Refusal {
    /// Makes the next `times` calls of a function fail with `ENOMEM`, or pretend. Sleeps. `None` if
    /// this kernel has no such function, or no kprobes.
    pub(crate) fn of(_cx: &Task, function: Function, times: c_int) -> Result<Option<Self>> {
        // SAFETY: A context that may sleep. The tests run one case at a time.
        match to_result(unsafe { labyrinth_refuse(function as c_uint, times) }) {
            Ok(()) => Ok(Some(Self(function))),
            Err(error) if error == ENOENT => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Returns how many calls have not failed yet. Any context.
    pub(crate) fn left(&self) -> c_int {
        // SAFETY: No requirements.
        unsafe { labyrinth_refusals_left(self.0 as c_uint) }
    }
}

impl Drop for Refusal {
    /// Task context only, sleeps.
    fn drop(&mut self) {
        // SAFETY: As in `of`, which has made this.
        unsafe { labyrinth_refuse_no_more(self.0 as c_uint) };
    }
}
