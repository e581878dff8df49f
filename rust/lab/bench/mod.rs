// SPDX-License-Identifier: GPL-2.0

//! The benchmark: it compares ways to get a page, in the timer softirq.
//!
//! Some of them are also measured on several CPUs at once, in mixed contexts ([`scaling`]).
//!
//! `make bench` boots a machine for the benchmark.
//!
//! # Vocabulary
//!
//! - A *peer* is a way to get a page and give it back. There are peers in C
//!   (`rust/lab/ffi/bench_peers.c`) and in Rust ([`peers`]).
//! - An *operation* gets a page (or block of pages) and gives it back. A *batch* of operations gets
//!   all its pages first and gives them back after that.
//! - A *sample* is the time of one run of operations. A run has enough operations to contain
//!   occasional work of a peer, such as a refill of 64 pages, as often as on average. A *point* is
//!   a peer at an order and a batch size, with some samples.
//!
//! The figures are raw: they contain the clock's own cost and the loop. Both are points of their
//! own (`empty_c`, `empty_rust`). The reader of the file subtracts them.

#![forbid(unsafe_code)]

#[cfg(CONFIG_X86)]
mod attributed;
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

/// Makes the folder `bench`. A read of one of its files runs the benchmark, which takes a while.
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

/// 1 while the benchmark runs. Two runs at the same time would slow each other down.
static RUNNING: Atomic<i32> = Atomic::new(0);

/// Runs a benchmark. Fails with `EBUSY` if one is running already.
fn alone(run: impl FnOnce() -> Result) -> Result {
    if RUNNING.cmpxchg(0, 1, Acquire).is_err() {
        return Err(EBUSY);
    }
    let result = run();
    RUNNING.store(0, Release);
    result
}

/// The size of the buffer. If it were too small, the benchmark would run again.
const SIZE: usize = 128 << 10;

/// A file that runs the benchmark when it is read.
struct Run<P>(PhantomData<P>);

impl<T, P: Plan> Show<T> for Run<P> {
    const SIZE: usize = SIZE;

    fn show(_: &T, out: &SeqFile) -> Result {
        alone(|| plan::run::<P>(out))
    }
}

/// A file that runs the benchmark on several CPUs at once when it is read.
#[cfg(not(CONFIG_PREEMPT_RT))]
struct Scaling<P>(PhantomData<P>);

#[cfg(not(CONFIG_PREEMPT_RT))]
impl<T, P: scaling::Plan> Show<T> for Scaling<P> {
    const SIZE: usize = SIZE;

    fn show(_: &T, out: &SeqFile) -> Result {
        alone(|| scaling::run::<P>(out))
    }
}
