// SPDX-License-Identifier: GPL-2.0

//! The C side of the benchmark: peers, clock, calibration.
//!
//! C header: [`bench_peers.h`](rust/lab/ffi/bench_peers.h)

use super::raw;
use core::ptr::NonNull;
use kernel::{
    prelude::*,
    sync::Arc, //
};
use labyrinth::context::{
    Kind,
    PlainAlloc, //
};

/// A way to get pages, written in C.
///
/// # Invariants
///
/// `number` is that of a peer: `labyrinth_bench_name()` has a name for it.
#[derive(Clone, Copy)]
pub(crate) struct Peer {
    number: u32,
    name: &'static str,
}

impl Peer {
    /// Returns all peers. Any context.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        (0..).map_while(|number| {
            // SAFETY: Takes any number.
            let name = NonNull::new(unsafe { raw::labyrinth_bench_name(number) }.cast_mut())?;
            // SAFETY: Not null, so it is a string that lives as long as the module.
            let name = unsafe { CStr::from_char_ptr(name.as_ptr()) };
            // INVARIANT: The number has a name.
            Some(Self {
                number,
                name: name.to_str().ok()?,
            })
        })
    }

    /// Returns the name in reports. Any context.
    pub(crate) fn name(self) -> &'static str {
        self.name
    }

    /// Returns whether the peer hands out blocks of 2^`order` pages. Any context.
    pub(crate) fn has_order(self, order: u32) -> bool {
        // SAFETY: Takes any numbers.
        unsafe { raw::labyrinth_bench_has_order(self.number, order) }
    }

    /// Returns whether the peer runs in softirqs only. Any context.
    pub(crate) fn only_in_softirq(self) -> bool {
        // SAFETY: Takes any number.
        unsafe { raw::labyrinth_bench_only_in_softirq(self.number) }
    }

    /// Sets the peer up for one order, one batch size, and a number of operations in a run, which
    /// must be a multiple of the batch size. Task context only, may sleep.
    ///
    /// Fails with `ENOMEM` if there is no memory, or if the peer does not have that order or batch
    /// size.
    pub(crate) fn prepare(self, order: u32, batch: usize, ops: usize) -> Result<Prepared> {
        let (batch, ops) = (u32::try_from(batch)?, u32::try_from(ops)?);
        // SAFETY: Task context; C checks the numbers.
        let handle = unsafe { raw::labyrinth_bench_open(self.number, order, batch, ops) };

        // INVARIANT: Just opened, beside no other handle.
        Ok(Prepared {
            handle: NonNull::new(handle).ok_or(ENOMEM)?,
            only_in_softirq: self.only_in_softirq(),
            _first: None,
        })
    }
}

/// A peer that is ready to run.
///
/// # Invariants
///
/// - `handle` is open and belongs to this value.
/// - If it was opened beside another handle, `_first` has that one.
/// - `only_in_softirq` is the property of its peer.
pub(crate) struct Prepared {
    handle: NonNull<c_void>,
    only_in_softirq: bool,
    _first: Option<Arc<Prepared>>,
}

// SAFETY: The handle is memory that is not tied to a thread.
unsafe impl Send for Prepared {}
// SAFETY: A shared reference only allows opening other handles beside it, which does not change it.
unsafe impl Sync for Prepared {}

impl Prepared {
    /// Sets up another handle beside `first`, to run at the same time. Task context only, may
    /// sleep.
    pub(crate) fn beside(first: &Arc<Self>) -> Result<Self> {
        // SAFETY: The handle is open, and stays so for longer than the new one.
        let handle = unsafe { raw::labyrinth_bench_open_beside(first.handle.as_ptr()) };

        // INVARIANT: Just opened, beside `first`, with the same peer.
        Ok(Self {
            handle: NonNull::new(handle).ok_or(ENOMEM)?,
            only_in_softirq: first.only_in_softirq,
            _first: Some(first.clone()),
        })
    }

    /// Does all operations. The CPU must be the same in all calls. Returns false if there was not
    /// enough memory, or if the peer runs in softirqs only and this is no softirq.
    #[inline]
    pub(crate) fn run<C: PlainAlloc>(&mut self, _cx: &C) -> bool {
        if self.only_in_softirq && C::KIND != Kind::Softirq {
            return false;
        }
        // SAFETY: The handle is open; `_cx` proves the context, and `&mut self` proves that no
        // other code runs it.
        unsafe { raw::labyrinth_bench_run(self.handle.as_ptr()) == 0 }
    }
}

impl Drop for Prepared {
    /// Task context only, may sleep.
    fn drop(&mut self) {
        // SAFETY: The handle is open and ours; if it was opened beside another, that is closed
        // later.
        unsafe { raw::labyrinth_bench_close(self.handle.as_ptr()) };
    }
}

/// Returns the time in units of the clock: cycles on hardware, instructions under QEMU's `-icount
/// shift=0`. Any context.
#[inline]
pub(crate) fn clock() -> u64 {
    // SAFETY: Only reads a register.
    unsafe { raw::labyrinth_bench_clock() }
}

/// Returns the time, and begins the counting of `tests/bench/sharing.c`. Any context.
#[inline]
pub(crate) fn begin() -> u64 {
    // SAFETY: As for `clock`.
    unsafe { raw::labyrinth_bench_begin() }
}

/// Returns the time, and ends the counting. Any context.
#[inline]
pub(crate) fn end() -> u64 {
    // SAFETY: As for `clock`.
    unsafe { raw::labyrinth_bench_end() }
}

/// Marks the counts so far as complete: no code is between [`begin`] and [`end`]. Any context.
pub(crate) fn counted() {
    // SAFETY: Does nothing.
    unsafe { raw::labyrinth_bench_counted() };
}

/// Runs a known number of instructions, and returns it. Any context.
pub(crate) fn known_instructions() -> u64 {
    // SAFETY: Only executes instructions that do nothing.
    unsafe { raw::labyrinth_bench_known() };
    // SAFETY: Returns a constant.
    u64::from(unsafe { raw::labyrinth_bench_known_instructions() })
}

/// Makes as many calls as [`known_instructions`], and nothing else. Any context.
pub(crate) fn no_instructions() -> u64 {
    // SAFETY: Does nothing.
    unsafe { raw::labyrinth_bench_nothing() };
    // SAFETY: Returns a constant.
    u64::from(unsafe { raw::labyrinth_bench_known_instructions() })
}
