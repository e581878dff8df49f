// SPDX-License-Identifier: GPL-2.0

//! What a pool has done beyond its caches, which count for themselves.

use crate::{
    ffi::{
        context::Kind,
        cpu,
        percpu::{
            Counter,
            PerCpu, //
        }, //
    },
    source::logic::request::{
        Request,
        Room, //
    }, //
};
use kernel::{
    alloc::AllocError,
    prelude::*, //
};

/// One CPU's counters. `[context][room]`
#[derive(Zeroable)]
struct Slot {
    /// Requests that a room was asked for.
    asked: [[Counter; Room::COUNT]; Kind::COUNT],
    /// Requests that it served.
    served: [[Counter; Room::COUNT]; Kind::COUNT],
    /// Requests that nobody served.
    failed: [Counter; Kind::COUNT],
    /// Pages that went to the reserve, by context.
    to_reserve: [Counter; Kind::COUNT],
    /// Pages that went back to the allocator, by context.
    to_buddy: [Counter; Kind::COUNT],
    /// Pages filled into the reserve ahead.
    refilled: Counter,
    /// Whether requests of this CPU found its cache empty since it was last refilled.
    hungry: Counter,
}

/// All counters.
pub(crate) struct Counts(PerCpu<Slot>);

impl Counts {
    pub(super) fn new() -> Result<Self, AllocError> {
        Ok(Self(PerCpu::new()?))
    }

    /// Notes how a request that its CPU's cache could not serve has ended. Any context.
    pub(super) fn path(&self, context: Kind, request: &Request, served: bool) {
        let slot = self.0.local();
        let context = context as usize;
        let last = request.last_room();

        for room in Room::ALL {
            if request.has_been_to(room) {
                slot.asked[context][room as usize].add(1);
            }
        }
        match last {
            Some(room) if served => slot.served[context][room as usize].add(1),
            _ => slot.failed[context].add(1),
        }
        slot.hungry.raise_to(1);
    }

    /// Notes pages of one call that its CPU's cache could not serve.
    pub(super) fn bulk_missed(&self, context: Kind, pages: usize) {
        let slot = self.0.local();
        slot.asked[context as usize][Room::Cache as usize].add(pages as u64);
        slot.hungry.raise_to(1);
    }

    /// Notes pages that a room served in one call.
    pub(super) fn bulk(&self, context: Kind, room: Room, pages: usize) {
        let slot = self.0.local();
        slot.asked[context as usize][room as usize].add(pages as u64);
        slot.served[context as usize][room as usize].add(pages as u64);
    }

    /// Notes a page that went to the reserve.
    pub(super) fn to_reserve(&self, context: Kind) {
        self.0.local().to_reserve[context as usize].add(1);
    }

    /// Notes a page that went back to the allocator.
    pub(super) fn to_buddy(&self, context: Kind) {
        self.0.local().to_buddy[context as usize].add(1);
    }

    /// Notes a page filled into the reserve ahead.
    pub(super) fn refilled(&self) {
        self.0.local().refilled.add(1);
    }

    /// Whether requests of `cpu` found its cache empty since this was last asked.
    pub(super) fn take_hunger(&self, cpu: u32) -> bool {
        // The numbers of possible CPUs may have gaps.
        let mut slots = cpu::possible().zip(self.0.iter());
        slots.find(|&(of, _)| of == cpu).is_some_and(|(_, slot)| {
            let hungry = slot.hungry.read() != 0;
            if hungry {
                slot.hungry.clear();
            }
            hungry
        })
    }

    /// How often a room was asked in a context.
    pub(crate) fn asked(&self, context: Kind, room: Room) -> u64 {
        self.sum(|slot| &slot.asked[context as usize][room as usize])
    }

    /// How often it served. The cache counts for itself.
    pub(crate) fn served(&self, context: Kind, room: Room) -> u64 {
        self.sum(|slot| &slot.served[context as usize][room as usize])
    }

    /// How many requests nobody served.
    pub(crate) fn failed(&self, context: Kind) -> u64 {
        self.sum(|slot| &slot.failed[context as usize])
    }

    /// How many pages went to the reserve.
    pub(crate) fn put_to_reserve(&self, context: Kind) -> u64 {
        self.sum(|slot| &slot.to_reserve[context as usize])
    }

    /// How many pages went back to the allocator.
    pub(crate) fn put_to_buddy(&self, context: Kind) -> u64 {
        self.sum(|slot| &slot.to_buddy[context as usize])
    }

    /// How many pages were filled into the reserve ahead.
    pub(crate) fn reserve_refilled(&self) -> u64 {
        self.sum(|slot| &slot.refilled)
    }

    fn sum(&self, counter: impl Fn(&Slot) -> &Counter) -> u64 {
        self.0.iter().map(|slot| counter(slot).read()).sum()
    }
}
