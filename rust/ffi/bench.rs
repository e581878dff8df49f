// SPDX-License-Identifier: GPL-2.0

//! The benchmark's C side: peers, clock, calibration. Only in builds with `LABYRINTH_BENCH=1`.
//!
//! C header: [`bench_peers.h`](rust/ffi/bench_peers.h)

use super::context::{
    Kind,
    PlainAlloc, //
};
use core::ptr::NonNull;
use kernel::{
    prelude::*,
    sync::Arc, //
};

/// The bindgen output for `bench_peers.h`, made by a rule in `Kbuild`.
#[allow(
    clippy::all,
    clippy::undocumented_unsafe_blocks,
    dead_code,
    missing_docs,
    non_camel_case_types,
    unreachable_pub
)]
mod raw {
    use kernel::bindings::*;
    use kernel::ffi;

    include!(env!("LABYRINTH_BENCH_BINDINGS"));
}

/// A way to get pages, written in C.
///
/// # Invariants
///
/// The number is that of a peer: `labyrinth_bench_name()` has a name for it.
#[derive(Clone, Copy)]
pub struct Peer {
    number: u32,
    name: &'static str,
}

impl Peer {
    /// All peers. Any context.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..).map_while(|number| {
            // SAFETY: Takes any number.
            let name = NonNull::new(unsafe { raw::labyrinth_bench_name(number) }.cast_mut())?;
            // SAFETY: Not null, so a string that lives as long as the module.
            let name = unsafe { CStr::from_char_ptr(name.as_ptr()) };
            // INVARIANT: The number has a name.
            Some(Self {
                number,
                name: name.to_str().ok()?,
            })
        })
    }

    /// The name in reports. Any context.
    pub fn name(self) -> &'static str {
        self.name
    }

    /// Whether the peer hands out blocks of 2^`order` pages. Any context.
    pub fn has_order(self, order: u32) -> bool {
        // SAFETY: Takes any numbers.
        unsafe { raw::labyrinth_bench_has_order(self.number, order) }
    }

    /// Whether it runs in softirqs alone. Any context.
    pub fn only_in_softirq(self) -> bool {
        // SAFETY: Takes any number.
        unsafe { raw::labyrinth_bench_only_in_softirq(self.number) }
    }

    /// Sets the peer up for one order and batch size and a number of operations in a run, a
    /// multiple of the batch size. Task context only, may sleep.
    ///
    /// Fails with `ENOMEM` if there is no memory, or no such order or batch size.
    pub fn prepare(self, order: u32, batch: usize, ops: usize) -> Result<Prepared> {
        let (batch, ops) = (u32::try_from(batch)?, u32::try_from(ops)?);
        // SAFETY: Task context; the numbers are checked on the other side.
        let handle = unsafe { raw::labyrinth_bench_open(self.number, order, batch, ops) };

        // INVARIANT: Just opened, on its own.
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
/// - An open handle that belongs to this value.
/// - Where it was opened beside another one, that is in `_first`.
/// - `only_in_softirq` is what its peer says.
pub struct Prepared {
    handle: NonNull<c_void>,
    only_in_softirq: bool,
    _first: Option<Arc<Prepared>>,
}

// SAFETY: The handle is memory that is not tied to a thread.
unsafe impl Send for Prepared {}
// SAFETY: A shared reference only allows to open others beside it, which does not change it.
unsafe impl Sync for Prepared {}

impl Prepared {
    /// Another one beside `first`, to run at the same time. Task context only, may sleep.
    pub fn beside(first: &Arc<Self>) -> Result<Self> {
        // SAFETY: The handle is open, and stays so for longer than the new one.
        let handle = unsafe { raw::labyrinth_bench_open_beside(first.handle.as_ptr()) };

        // INVARIANT: Just opened, beside `first`, with the same peer.
        Ok(Self {
            handle: NonNull::new(handle).ok_or(ENOMEM)?,
            only_in_softirq: first.only_in_softirq,
            _first: Some(first.clone()),
        })
    }

    /// Does all operations. Always from the same CPU. Returns whether there was enough memory, and
    /// this is a softirq if the peer runs in softirqs alone.
    #[inline]
    pub fn run<C: PlainAlloc>(&mut self, _cx: &C) -> bool {
        if self.only_in_softirq && C::KIND != Kind::Softirq {
            return false;
        }
        // SAFETY: The handle is open; `_cx` proves the context, `&mut self` that nobody else runs it.
        unsafe { raw::labyrinth_bench_run(self.handle.as_ptr()) == 0 }
    }
}

impl Drop for Prepared {
    /// Task context only, may sleep.
    fn drop(&mut self) {
        // SAFETY: The handle is open and ours; the one that it was opened beside is closed later.
        unsafe { raw::labyrinth_bench_close(self.handle.as_ptr()) };
    }
}

/// The time in units of the clock: cycles on hardware, instructions under QEMU's
/// `-icount shift=0`. Any context.
#[inline]
pub fn clock() -> u64 {
    // SAFETY: Only reads a register.
    unsafe { raw::labyrinth_bench_clock() }
}

/// The clock where that begins what `tests/bench/sharing.c` counts. Any context.
#[inline]
pub fn begin() -> u64 {
    // SAFETY: As for `clock`.
    unsafe { raw::labyrinth_bench_begin() }
}

/// The clock where it ends. Any context.
#[inline]
pub fn end() -> u64 {
    // SAFETY: As for `clock`.
    unsafe { raw::labyrinth_bench_end() }
}

/// Says that what was counted until now is complete: nobody is between [`begin`] and [`end`]. Any
/// context.
pub fn counted() {
    // SAFETY: Does nothing.
    unsafe { raw::labyrinth_bench_counted() };
}

/// Runs a known number of instructions, and returns it. Any context.
pub fn known_instructions() -> u64 {
    // SAFETY: Does nothing, at length.
    unsafe { raw::labyrinth_bench_known() };
    // SAFETY: Returns a constant.
    u64::from(unsafe { raw::labyrinth_bench_known_instructions() })
}

/// Runs as many calls as [`known_instructions`], and nothing else. Any context.
pub fn no_instructions() -> u64 {
    // SAFETY: Does nothing.
    unsafe { raw::labyrinth_bench_nothing() };
    // SAFETY: Returns a constant.
    u64::from(unsafe { raw::labyrinth_bench_known_instructions() })
}
