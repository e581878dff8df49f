// SPDX-License-Identifier: GPL-2.0

//! The reserve of a pool.

use crate::{
    ffi::{
        cpu::{
            this,
            CPUS, //
        },
        percpu::counters::Counter, //
    },
    lock::SpinLock,
    logic::{
        shares::{
            Contents,
            Numbers,
            Part,
            Shares,
            SHARE, //
        },
        stack::Stack, //
    },
    Page,
    Peer, //
};

type Slots = Box<[Option<Page>]>;

#[repr(align(64))]
pub(crate) struct NativePart {
    contents: SpinLock<Contents<Slots>>,
    pages: Counter,
    room: Counter,
    active: Counter,
    moves: Counter,
}

impl NativePart {
    fn new(slots: usize, room: usize) -> Self {
        let slots = (0..slots).map(|_| None).collect();
        Self {
            contents: SpinLock::new(Contents::new(slots, room)),
            pages: Counter::new(0),
            room: Counter::new(room as u64),
            active: Counter::new(0),
            moves: Counter::new(0),
        }
    }

    #[inline(always)]
    fn publish_level(&self, numbers: Numbers) {
        self.pages.set(numbers.pages as u64);
        self.room.set(numbers.room as u64);
    }
}

impl Part for NativePart {
    type Page = Page;
    type Slots = Slots;

    #[inline(always)]
    fn with<R: Send>(&self, section: impl FnOnce(&mut Contents<Slots>) -> R + Send) -> R {
        self.contents.with(|contents| {
            let result = section(contents);
            self.publish_level(contents.numbers());
            result
        })
    }

    fn publish(&self, contents: &Contents<Slots>) {
        let numbers = contents.numbers();
        self.publish_level(numbers);
        self.active.set(numbers.active as u64);
        self.moves.set(numbers.moves as u64);
    }

    #[inline(always)]
    fn numbers(&self) -> Numbers {
        Numbers {
            pages: self.pages.read() as usize,
            room: self.room.read() as usize,
            active: self.active.read() as usize,
            moves: self.moves.read() as usize,
        }
    }
}

/// The reserve of a pool.
pub struct Reserve {
    common: NativePart,
    shares: Vec<NativePart>,
}

impl Shares for Reserve {
    type Part = NativePart;

    #[inline(always)]
    fn common(&self) -> &NativePart {
        &self.common
    }

    #[inline(always)]
    fn here(&self) -> Option<&NativePart> {
        self.shares.get(this())
    }

    fn shares(&self) -> impl Iterator<Item = &NativePart> {
        self.shares.iter()
    }
}

impl Peer for Reserve {
    const NAME: &'static str = "reserve";

    fn new(pages: usize) -> Self {
        let reserve = Self {
            common: NativePart::new(pages, pages),
            shares: (0..CPUS).map(|_| NativePart::new(SHARE, 0)).collect(),
        };
        for page in Page::some(pages) {
            reserve.put_in_common(page).unwrap();
        }
        reserve
    }

    #[inline(always)]
    fn get(&self) -> Option<Page> {
        self.take(Stack::pop)
    }

    #[inline(always)]
    fn put(&self, page: Page) {
        Shares::put(self, page).unwrap();
    }
}
