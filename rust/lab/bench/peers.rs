// SPDX-License-Identifier: GPL-2.0

//! The peers in Rust, among them labyrinth's.

use core::{
    hint::black_box,
    mem::MaybeUninit, //
};
use kernel::{
    page::{
        Page,
        PAGE_SIZE, //
    },
    prelude::*, //
};
use labyrinth::{
    context::PlainAlloc,
    percpu::Counter,
    stats::{
        Kind,
        Recorder,
        Recording,
        Stats, //
    },
    time::Moment,
    ExclusivePage,
    Gfp,
    GfpAtomic,
    Transfer,
    Uninit, //
};

/// A way to get pages, written in Rust.
///
/// Its two loops are those of `bench_peers.c`.
pub(super) trait Peer: Sized + Send + 'static {
    /// The name in reports.
    const NAME: &'static str;

    /// The largest batch.
    const MAX_BATCH: usize = 256;

    /// The largest order.
    const MAX_ORDER: u32 = 0;

    /// The result of a request.
    type Item: Send + 'static;

    /// Sets the peer up. Task context, may sleep.
    fn prepare(order: u32, batch: usize) -> Result<Self>;

    /// Gets one item, or `None` if there is none.
    fn get<C: PlainAlloc>(&mut self, cx: &C) -> Option<Self::Item>;

    /// Gives an item back.
    #[inline]
    fn put<C: PlainAlloc>(&mut self, _cx: &C, item: Self::Item) {
        drop(item);
    }

    /// Returns the number of requests that were turned away, and of all requests, if the peer
    /// counts them.
    fn turned_away(&self) -> Option<(u64, u64)> {
        None
    }

    /// Gets an item and gives it back, `ops` times. Returns whether there was always an item.
    #[inline]
    fn single<C: PlainAlloc>(&mut self, cx: &C, ops: usize) -> bool {
        // For a range, the compiler would emit more instructions than the C loop has.
        let mut left = ops;
        while left != 0 {
            match self.get(cx) {
                Some(item) => self.put(cx, item),
                None => return false,
            }
            left -= 1;
        }
        true
    }

    /// Gets as many items as fit into `items`, then gives all of them back.
    #[inline]
    fn batch<C: PlainAlloc>(&mut self, cx: &C, ops: usize, items: &mut KVec<Self::Item>) -> bool {
        let batch = items.capacity();
        let mut left = ops;

        while left >= batch {
            for _ in 0..batch {
                match self.get(cx) {
                    // There is space.
                    Some(item) => drop(items.push_within_capacity(item)),
                    None => return false,
                }
            }
            for item in items.drain_all() {
                self.put(cx, item);
            }
            left -= batch;
        }
        true
    }
}

/// The loops alone, without a peer.
#[derive(Clone)]
pub(super) struct Empty;

impl Peer for Empty {
    const NAME: &'static str = "empty_rust";
    const MAX_ORDER: u32 = 9;
    type Item = usize;

    fn prepare(_order: u32, _batch: usize) -> Result<Self> {
        Ok(Self)
    }

    #[inline]
    fn get<C: PlainAlloc>(&mut self, _: &C) -> Option<usize> {
        Some(black_box(1))
    }

    #[inline]
    fn put<C: PlainAlloc>(&mut self, _: &C, item: usize) {
        black_box(item);
    }

    #[inline]
    fn single<C: PlainAlloc>(&mut self, _: &C, ops: usize) -> bool {
        let mut left = ops;
        while left != 0 {
            black_box(());
            left -= 1;
        }
        true
    }
}

/// The kernel crate's `kernel::page::Page`.
pub(super) struct KernelPage;

impl Peer for KernelPage {
    const NAME: &'static str = "kernel_page";
    type Item = Page;

    fn prepare(_order: u32, _batch: usize) -> Result<Self> {
        Ok(Self)
    }

    #[inline]
    fn get<C: PlainAlloc>(&mut self, _: &C) -> Option<Page> {
        Page::alloc_page(GFP_ATOMIC).ok()
    }
}

/// A `KBox` with as many bytes as a page.
pub(super) struct PageInABox;

impl Peer for PageInABox {
    const NAME: &'static str = "kbox_page";
    type Item = KBox<MaybeUninit<[u8; PAGE_SIZE]>>;

    fn prepare(_order: u32, _batch: usize) -> Result<Self> {
        Ok(Self)
    }

    #[inline]
    fn get<C: PlainAlloc>(&mut self, _: &C) -> Option<Self::Item> {
        KBox::new_uninit(GFP_ATOMIC).ok()
    }
}

/// A single [`ExclusivePage`].
#[derive(Clone)]
pub(super) struct Exclusive;

impl Peer for Exclusive {
    const NAME: &'static str = "exclusive_page";
    type Item = ExclusivePage<Uninit>;

    fn prepare(_order: u32, _batch: usize) -> Result<Self> {
        Ok(Self)
    }

    #[inline]
    fn get<C: PlainAlloc>(&mut self, cx: &C) -> Option<Self::Item> {
        ExclusivePage::alloc(cx, GfpAtomic).ok()
    }
}

/// Two reads of the clock for latencies.
pub(super) struct TwoClockReads;

impl Peer for TwoClockReads {
    const NAME: &'static str = "two_clock_reads";
    const MAX_BATCH: usize = 1;
    type Item = ();

    fn prepare(_order: u32, _batch: usize) -> Result<Self> {
        Ok(Self)
    }

    #[inline]
    fn get<C: PlainAlloc>(&mut self, _: &C) -> Option<()> {
        let start = Moment::now();
        black_box(Moment::now().nanos_since(start));
        Some(())
    }
}

/// The cost of recording an operation: a request that succeeds, and the freeing of its page.
///
/// `MODE` is a [`Recording`], as a number.
pub(super) struct Recorded<const MODE: u64> {
    recorder: Recorder,
    /// The result of the request, which is read anew for each request: 0 for a failure.
    page: Counter,
    /// The source that was asked last, which is read anew, too.
    source: Counter,
}

impl<const MODE: u64> Peer for Recorded<MODE> {
    const NAME: &'static str = match MODE {
        OFF => "recording_off",
        COUNTERS => "recording_counters",
        _ => "recording_full",
    };
    const MAX_BATCH: usize = 1;
    type Item = bool;

    fn prepare(_order: u32, _batch: usize) -> Result<Self> {
        const LABELS: Kind = Kind {
            context: "timer_softirq",
            gfp: GfpAtomic::NAME,
        };
        let recording = Recording::from_number(MODE)?;
        let stats = Stats::new(recording, &[LABELS], Transfer::KINDS)?;
        Ok(Self {
            recorder: Recorder::new(stats, LABELS)?,
            page: Counter::new(1),
            source: Counter::new(1),
        })
    }

    #[inline(always)]
    fn get<C: PlainAlloc>(&mut self, _: &C) -> Option<bool> {
        let request = self.recorder.request();
        Some(request.done(self.page.read() != 0, self.source.read() as usize))
    }

    #[inline]
    fn put<C: PlainAlloc>(&mut self, _: &C, counted: bool) {
        self.recorder.freed(u64::from(counted));
    }
}

/// The modes of [`Recorded`].
pub(super) const OFF: u64 = Recording::Off as u64;
pub(super) const FULL: u64 = Recording::Full as u64;
pub(super) const COUNTERS: u64 = Recording::Counters as u64;
