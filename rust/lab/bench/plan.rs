// SPDX-License-Identifier: GPL-2.0

//! The points that are measured, and the format of the report.
//!
//! ```text
//! known 1000 1000                  a number of instructions, and the time that they take
//! worst …                          see the module `worst`
//! point NAME ORDER BATCH OPS BEST MEDIAN WORST
//! ```

use super::{
    peers::{
        self,
        Peer, //
    },
    pool,
    timing, //
};
use crate::ffi::bench;
use kernel::{
    prelude::*,
    seq_file::SeqFile,
    seq_print, //
};

/// The size of a run.
pub(super) trait Plan: 'static {
    /// The number of samples for each point.
    const SAMPLES: usize;
    /// The batch sizes at order 0. All divide [`OPS`].
    const BATCHES: &'static [usize];
    /// The orders, for one block at a time.
    const ORDERS: &'static [u32];
}

/// The plan with all points.
pub(super) struct Full;

impl Plan for Full {
    const SAMPLES: usize = 21;
    const BATCHES: &'static [usize] = &[1, 8, 16, 64, 128, 256];
    const ORDERS: &'static [u32] = &[1, 2, 3, 4, 5, 6, 7, 8, 9];
}

/// The plan with little more than the points that the required ratios need.
pub(super) struct Short;

impl Plan for Short {
    const SAMPLES: usize = 15;
    const BATCHES: &'static [usize] = &[1, 64];
    const ORDERS: &'static [u32] = &[3];
}

/// The operations in a sample: a multiple of every batch size and of every peer's refill.
const OPS: usize = 256;

/// Returns the operations in a sample of blocks. Larger blocks may have to be cleared, so there are
/// fewer.
fn ops_of(order: u32) -> usize {
    (OPS >> order).max(4)
}

/// Measures all points. Task context only, sleeps.
pub(super) fn run<P: Plan>(out: &SeqFile) -> Result {
    calibrate::<P>(out)?;
    for peer in bench::Peer::all() {
        for &batch in P::BATCHES {
            c_point::<P>(out, peer, 0, batch, OPS)?;
        }
        for &order in P::ORDERS {
            if peer.has_order(order) {
                c_point::<P>(out, peer, order, 1, ops_of(order))?;
            }
        }
    }
    rust_peer::<P, peers::Empty>(out)?;
    rust_peer::<P, peers::KernelPage>(out)?;
    rust_peer::<P, peers::PageInABox>(out)?;
    rust_peer::<P, peers::Exclusive>(out)?;
    rust_peer::<P, pool::Exclusives>(out)?;
    rust_peer::<P, pool::ExclusiveBulk>(out)?;
    rust_peer::<P, pool::StackAlone>(out)?;
    rust_peer::<P, pool::Hit>(out)?;
    rust_peer::<P, pool::ReserveAlone>(out)?;
    rust_peer::<P, pool::Miss>(out)?;
    rust_peer::<P, pool::Bulk<true>>(out)?;
    rust_peer::<P, pool::Bulk<false>>(out)?;
    // Other architectures lack the way of ttm_pool to compare it with.
    #[cfg(CONFIG_X86)]
    {
        rust_peer::<P, super::attributed::Kept>(out)?;
        rust_peer::<P, super::attributed::Cleared>(out)?;
    }
    rust_peer::<P, peers::TwoClockReads>(out)?;
    rust_peer::<P, peers::Recorded<{ peers::OFF }>>(out)?;
    rust_peer::<P, peers::Recorded<{ peers::COUNTERS }>>(out)?;
    rust_peer::<P, peers::Recorded<{ peers::FULL }>>(out)?;
    #[cfg(not(CONFIG_PREEMPT_RT))]
    super::worst::run(out)?;
    Ok(())
}

fn calibrate<P: Plan>(out: &SeqFile) -> Result {
    let known = bench::known_instructions();
    let with = timing::time(P::SAMPLES, |_| bench::known_instructions() != 0)?;
    let without = timing::time(P::SAMPLES, |_| bench::no_instructions() != 0)?;

    seq_print!(
        out,
        "known {known} {}\n",
        with.best.wrapping_sub(without.best)
    );
    Ok(())
}

fn c_point<P: Plan>(
    out: &SeqFile,
    peer: bench::Peer,
    order: u32,
    batch: usize,
    ops: usize,
) -> Result {
    let mut prepared = peer.prepare(order, batch, ops)?;
    let figure = timing::time(P::SAMPLES, move |cx| prepared.run(cx));

    report(out, peer.name(), order, batch, ops, figure)
}

fn rust_peer<P: Plan, R: Peer>(out: &SeqFile) -> Result {
    for &batch in P::BATCHES {
        if batch <= R::MAX_BATCH {
            rust_point::<P, R>(out, 0, batch, OPS)?;
        }
    }
    for &order in P::ORDERS {
        if order <= R::MAX_ORDER {
            rust_point::<P, R>(out, order, 1, ops_of(order))?;
        }
    }
    Ok(())
}

fn rust_point<P: Plan, R: Peer>(out: &SeqFile, order: u32, batch: usize, ops: usize) -> Result {
    let mut peer = R::prepare(order, batch)?;
    let figure = if batch == 1 {
        timing::time(P::SAMPLES, move |cx| peer.single(cx, ops))
    } else {
        let mut items = KVec::with_capacity(batch, GFP_KERNEL)?;
        timing::time(P::SAMPLES, move |cx| peer.batch(cx, ops, &mut items))
    };
    report(out, R::NAME, order, batch, ops, figure)
}

/// Writes a point. For a peer that runs out of memory the report says so, and has no figures.
fn report(
    out: &SeqFile,
    name: &str,
    order: u32,
    batch: usize,
    ops: usize,
    figure: Result<timing::Figure>,
) -> Result {
    match figure {
        Ok(figure) => seq_print!(
            out,
            "point {name} {order} {batch} {ops} {} {} {}\n",
            figure.best,
            figure.median,
            figure.worst
        ),
        Err(error) if error == ENOMEM => {
            seq_print!(out, "failed {name} {order} {batch} out of memory\n");
        }
        Err(error) => return Err(error),
    }
    Ok(())
}
