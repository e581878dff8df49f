// SPDX-License-Identifier: GPL-2.0

//! The per-CPU cache, and stores that it is compared with.

use crate::{
    ffi::{
        cpu::{
            online::possible,
            this,
            CPUS, //
        },
        percpu::{
            cell::CpuCell,
            stack::CpuStack, //
        }, //
    },
    lock::SpinLock,
    Page, //
};
use crossbeam_queue::ArrayQueue;
use std::sync::Mutex;

/// A store of pages that several threads use at once.
pub trait Peer: Sync {
    /// The name in reports.
    const NAME: &'static str;

    /// Makes a store of so many pages, for all CPUs together.
    fn new(pages: usize) -> Self;

    /// Takes a page.
    fn get(&self) -> Option<Page>;

    /// Puts a page back.
    fn put(&self, page: Page);
}

/// The per-CPU cache of a pool.
pub struct Cache(CpuStack<Page, ()>);

impl Peer for Cache {
    const NAME: &'static str = "cache";

    fn new(pages: usize) -> Self {
        let cache = CpuStack::new(pages, || ()).unwrap();
        for cpu in possible() {
            for page in Page::some(pages / CPUS) {
                cache
                    .with_of(cpu, |stack, ()| stack.push(page))
                    .unwrap()
                    .unwrap();
            }
        }
        Self(cache)
    }

    #[inline(always)]
    fn get(&self) -> Option<Page> {
        self.0.with(|stack, ()| stack.pop())?
    }

    #[inline(always)]
    fn put(&self, page: Page) {
        self.0.with(|stack, ()| stack.push(page)).unwrap().unwrap();
    }
}

/// The token of a per-CPU cell alone: an exchange and a store.
pub struct Token(CpuCell<Option<Page>, ()>);

impl Peer for Token {
    const NAME: &'static str = "token";

    fn new(_pages: usize) -> Self {
        Self(CpuCell::new(|| Ok((Page::some(1).next(), ()))).unwrap())
    }

    #[inline(always)]
    fn get(&self) -> Option<Page> {
        self.0.with(|page, ()| page.take())?
    }

    #[inline(always)]
    fn put(&self, page: Page) {
        self.0.with(|place, ()| *place = Some(page)).unwrap();
    }
}

/// A stack behind a mutex.
pub struct Locked(Mutex<Vec<Page>>);

impl Peer for Locked {
    const NAME: &'static str = "mutex_stack";

    fn new(pages: usize) -> Self {
        Self(Mutex::new(Page::some(pages).collect()))
    }

    #[inline(always)]
    fn get(&self) -> Option<Page> {
        self.0.lock().unwrap().pop()
    }

    #[inline(always)]
    fn put(&self, page: Page) {
        self.0.lock().unwrap().push(page);
    }
}

/// crossbeam's bounded queue.
pub struct Queue(ArrayQueue<Page>);

impl Peer for Queue {
    const NAME: &'static str = "crossbeam_queue";

    fn new(pages: usize) -> Self {
        let queue = ArrayQueue::new(pages);
        Page::some(pages).for_each(|page| queue.push(page).unwrap());
        Self(queue)
    }

    #[inline(always)]
    fn get(&self) -> Option<Page> {
        self.0.pop()
    }

    #[inline(always)]
    fn put(&self, page: Page) {
        self.0.push(page).unwrap();
    }
}

/// A model of page_pool when pages come back on another CPU than that of the consumer: an array
/// with a lock for those that put and one for those that get, who take a batch into a cache of their
/// own.
pub struct Ring {
    slots: Vec<SpinLock<Option<Page>>>,
    producer: SpinLock<usize>,
    consumer: SpinLock<usize>,
    caches: [CacheLine<SpinLock<Vec<Page>>>; CPUS],
}

#[derive(Default)]
#[repr(align(128))]
struct CacheLine<T>(T);

/// The number of pages that a consumer takes at once.
const REFILL: usize = 64;

impl Peer for Ring {
    const NAME: &'static str = "page_pool_ring";

    fn new(pages: usize) -> Self {
        Self {
            slots: Page::some(pages).map(Some).map(SpinLock::new).collect(),
            producer: SpinLock::new(0),
            consumer: SpinLock::new(0),
            caches: Default::default(),
        }
    }

    fn get(&self) -> Option<Page> {
        self.caches[this()].0.with(|cache| {
            if cache.is_empty() {
                self.consumer.with(|at| {
                    while cache.len() < REFILL {
                        let Some(page) = self.slots[*at].with(Option::take) else {
                            break;
                        };
                        cache.push(page);
                        *at = (*at + 1) % self.slots.len();
                    }
                });
            }
            cache.pop()
        })
    }

    fn put(&self, page: Page) {
        self.producer.with(|at| {
            let before = self.slots[*at].with(|slot| slot.replace(page));
            assert!(before.is_none(), "the ring is full");
            *at = (*at + 1) % self.slots.len();
        });
    }
}
