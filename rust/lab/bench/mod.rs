// SPDX-License-Identifier: GPL-2.0

//! The benchmark: every way to get a page, side by side, in the timer softirq.
//!
//! And some of them on several CPUs at once, in mixed contexts ([`scaling`]).
//!
//! `make bench` boots a machine for it.
//!
//! # Vocabulary
//!
//! - A *peer* is a way to get a page and give it back: one in C (`rust/ffi/bench.rs`) or one in
//!   Rust ([`peers`]).
//! - An *operation* is one page (or block of pages) got and given back. A *batch* of them is got
//!   first and given back after that.
//! - A *sample* is the time of one run of so many operations that what a peer does only now and
//!   then, such as a refill of 64 pages, is in it as often as its mean says. A *point* is a peer at
//!   an order and a batch size, with some samples.
//!
//! The figures are raw: the clock's own cost and the loop are in them. Both are points of their own
//! (`empty_c`, `empty_rust`), which the reader of the file subtracts.

#![forbid(unsafe_code)]

mod peers;
mod plan;
mod pool;
#[cfg(not(CONFIG_PREEMPT_RT))]
mod scaling;
mod timing;
#[cfg(not(CONFIG_PREEMPT_RT))]
mod worst;

use core::marker::PhantomData;
use kernel::{
    prelude::*,
    seq_file::SeqFile,
    sync::atomic::{
        Acquire,
        Atomic,
        Release, //
    }, //
};
use labyrinth::debugfs::{
    Dir,
    Show, //
};
use plan::{
    Full,
    Plan,
    Short, //
};

/// Makes the folder `bench`. Reading one of its files runs the benchmark, which takes a while.
pub(crate) fn create<T: Send + Sync + 'static>(top: &Dir<'_, T>) {
    let folder = top.dir(c"bench");

    folder.read_only::<Run<Full>>(c"full");
    folder.read_only::<Run<Short>>(c"short");
    #[cfg(not(CONFIG_PREEMPT_RT))]
    {
        folder.read_only::<Scaling<scaling::Timed>>(c"scaling");
        folder.read_only::<Scaling<scaling::Counted>>(c"sharing");
    }
}

/// 1 while the benchmark runs: two at a time would measure each other.
static RUNNING: Atomic<i32> = Atomic::new(0);

/// Runs a benchmark, `EBUSY` if one is under way.
fn alone(run: impl FnOnce() -> Result) -> Result {
    if RUNNING.cmpxchg(0, 1, Acquire).is_err() {
        return Err(EBUSY);
    }
    let result = run();
    RUNNING.store(0, Release);
    result
}

/// The size of the buffer. If it were too small, everything would run again.
const SIZE: usize = 128 << 10;

/// A file that runs the benchmark when it is read.
struct Run<P>(PhantomData<P>);

impl<T, P: Plan> Show<T> for Run<P> {
    const SIZE: usize = SIZE;

    fn show(_: &T, out: &SeqFile) -> Result {
        alone(|| plan::run::<P>(out))
    }
}

/// A file that runs it on several CPUs at once.
#[cfg(not(CONFIG_PREEMPT_RT))]
struct Scaling<P>(PhantomData<P>);

#[cfg(not(CONFIG_PREEMPT_RT))]
impl<T, P: scaling::Plan> Show<T> for Scaling<P> {
    const SIZE: usize = SIZE;

    fn show(_: &T, out: &SeqFile) -> Result {
        alone(|| scaling::run::<P>(out))
    }
}
