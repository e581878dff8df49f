// SPDX-License-Identifier: GPL-2.0

//! Tests of guards around a page, and around several pages.

use super::task::{
    check,
    in_task, //
};
use crate::{
    ffi::{
        context::Kind,
        irq::irqs_off,
        task::thread::Running,
        unload::OwnModule, //
    },
    page::{
        sentinel::{
            self,
            Corruption,
            Occasion,
            Policy, //
        },
        ExclusivePages,
        GfpKernel,
        Guarded,
        Place, //
    }, //
};
use kernel::{
    page::PAGE_SIZE,
    prelude::*,
    time::{
        delay::fsleep,
        Delta, //
    }, //
};

/// The bytes of a guard.
const GUARD: usize = 64;

/// The time for which a page is held before it is transferred. A check takes less time.
const HELD_MS: i64 = 500;

/// Guarded pages, with access to their guards.
///
/// # Invariants
///
/// The contents of `page`, guards included, are `size` bytes from `block` on.
struct Block {
    page: Guarded,
    block: *mut u8,
    size: usize,
}

impl Block {
    fn new(thread: &mut Running, order: u32) -> Result<Self> {
        let mut pages =
            ExclusivePages::alloc(thread.context(), GfpKernel, order, Place::Any)?.zeroed();
        let contents = pages.as_flattened_mut();
        let (block, size) = (contents.as_mut_ptr(), contents.len());

        // INVARIANT: The contents of the pages, which stay in place when they are guarded.
        Ok(Self {
            page: Guarded::new(thread.context(), pages),
            block,
            size,
        })
    }

    /// Changes a byte, as code that breaks the rules would. Returns its old value.
    fn overrun(&mut self, offset: usize) -> Result<u8> {
        check(offset < self.size)?;
        let byte = self.block.wrapping_add(offset);
        // SAFETY: By the invariant a byte of pages that `self` owns; `self` is borrowed mutably.
        unsafe {
            let was = byte.read_volatile();
            byte.write_volatile(!was);
            Ok(was)
        }
    }
}

/// Runs a check in a mode in which damage is only counted.
fn quietly(work: fn(&mut Running) -> Result) -> Result {
    let policy = sentinel::policy();
    sentinel::set_policy(OwnModule::FOR_TESTS, Policy::Count);
    let outcome = in_task(work);
    sentinel::set_policy(OwnModule::FOR_TESTS, policy);
    outcome
}

/// Returns whether the report is of this one byte, in pages that a task holds.
fn is_report_of(corruption: &Corruption, offset: usize, was: u8, noticed: Occasion) -> bool {
    let damage = &corruption.damage;
    (damage.offset, damage.wrong, damage.shown) == (offset, 1, 1)
        && (damage.expected[0], damage.found[0]) == (was, !was)
        && corruption.noticed == noticed
        && corruption.holder == Kind::Task
}

#[kunit_tests(labyrinth_guarded)]
mod tests {
    use super::*;

    #[test]
    fn payload_is_all_but_the_guards() -> Result {
        quietly(|thread| {
            for order in [0, 1, 3] {
                let Block {
                    mut page, block, ..
                } = Block::new(thread, order)?;
                check(page.len() == (PAGE_SIZE << order) - 2 * GUARD)?;
                check(page.as_ptr() == block.wrapping_add(GUARD).cast_const())?;
                page.fill(0x5a);
                check(page.check().is_ok())?;
                let pages = page.open().map_err(|_| EINVAL)?;
                let block = pages.as_flattened();
                check(block[GUARD..block.len() - GUARD].iter().all(|&b| b == 0x5a))?;
            }
            Ok(())
        })
    }

    #[test]
    fn every_byte_of_the_guards_is_watched() -> Result {
        quietly(|thread| {
            for order in [0, 2] {
                let mut block = Block::new(thread, order)?;
                let end = PAGE_SIZE << order;
                let is_guard = |offset: &usize| *offset < GUARD || *offset >= end - GUARD;
                for (times, offset) in (0..end).filter(is_guard).enumerate() {
                    let was = block.overrun(offset)?;
                    let page = &mut block.page;
                    let Err(corruption) = page.check() else {
                        return Err(EINVAL);
                    };
                    check(is_report_of(&corruption, offset, was, Occasion::Demand))?;
                    check(corruption.times as usize == times + 1)?;
                    check((corruption.pfn, corruption.order) == (page.pfn(), order))?;
                    // A repaired guard is not damaged any more.
                    check(page.check().is_ok())?;
                }
            }
            Ok(())
        })
    }

    #[test]
    fn damage_comes_with_the_pages() -> Result {
        quietly(|thread| {
            let mut block = Block::new(thread, 0)?;
            let was = block.overrun(GUARD - 1)?;
            let Err(damaged) = block.page.open() else {
                return Err(EINVAL);
            };
            check(damaged.pages.order() == 0)?;
            let found = Occasion::Transfer;
            check(is_report_of(&damaged.corruption, GUARD - 1, was, found))
        })
    }

    #[test]
    fn damage_is_that_of_the_former_holder() -> Result {
        quietly(|thread| {
            let mut block = Block::new(thread, 0)?;
            block.overrun(0)?;
            let before = sentinel::found(Occasion::Transfer, Kind::Task);
            fsleep(Delta::from_millis(HELD_MS));
            // INVARIANT: The pages stay in place.
            block.page = irqs_off(thread.context(), |cx| block.page.transfer(cx));
            check(sentinel::found(Occasion::Transfer, Kind::Task) == before + 1)?;
            check(block.page.check().is_ok())?;

            block.overrun(0)?;
            let Err(corruption) = block.page.check() else {
                return Err(EINVAL);
            };
            check(corruption.holder == Kind::IrqsOff && corruption.times == 1)?;
            // The age must not include the time of the earlier holder.
            check(corruption.age < HELD_MS as u64 * 1_000_000)
        })
    }

    #[test]
    fn dropped_damage_is_kept_for_the_report() -> Result {
        quietly(|thread| {
            let mut block = Block::new(thread, 1)?;
            let pfn = block.page.pfn();
            let (total, bytes) = (sentinel::total(), sentinel::bytes());
            let was = block.overrun(2 * PAGE_SIZE - 1)?;
            drop(block);
            check((sentinel::total(), sentinel::bytes()) == (total + 1, bytes + 1))?;
            check(sentinel::recent()?.iter().any(|corruption| {
                corruption.pfn == pfn
                    && is_report_of(corruption, 2 * PAGE_SIZE - 1, was, Occasion::Drop)
            }))
        })
    }
}
