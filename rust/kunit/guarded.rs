// SPDX-License-Identifier: GPL-2.0

//! Guards around a page, and around several.

use super::task::{
    check,
    in_task, //
};
use crate::{
    ffi::{
        context::Kind,
        irq::irqs_off,
        thread::Running, //
    },
    page::{
        sentinel::{
            self,
            Corruption,
            Occasion,
            Policy, //
        },
        ExclusivePages,
        Guarded,
        Kernel,
        Place, //
    }, //
};
use kernel::{
    page::PAGE_SIZE,
    prelude::*, //
};

/// The bytes of a guard.
const GUARD: usize = 64;

/// Guarded pages, and a way around the guards.
fn guarded(thread: &mut Running, order: u32) -> Result<(Guarded, *mut u8)> {
    let mut pages = ExclusivePages::alloc(thread.context(), Kernel, order, Place::Any)?.zeroed();
    let block = pages.as_flattened_mut().as_mut_ptr();
    Ok((Guarded::new(thread.context(), pages), block))
}

/// Changes a byte as somebody would who does not keep to the rules. Returns what was there.
fn overrun(block: *mut u8, offset: usize) -> u8 {
    let byte = block.wrapping_add(offset);
    // SAFETY: A byte of allocated pages, which nobody else accesses at the same time.
    unsafe {
        let was = byte.read_volatile();
        byte.write_volatile(!was);
        was
    }
}

/// Runs a check while damages are only counted.
fn quietly(work: fn(&mut Running) -> Result) -> Result {
    let policy = sentinel::policy();
    sentinel::set_policy(Policy::Count);
    let outcome = in_task(work);
    sentinel::set_policy(policy);
    outcome
}

/// Whether this one byte was reported, of pages that a task has.
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
                let (mut page, block) = guarded(thread, order)?;
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
                let (mut page, block) = guarded(thread, order)?;
                let end = PAGE_SIZE << order;
                let is_guard = |offset: &usize| *offset < GUARD || *offset >= end - GUARD;
                for (times, offset) in (0..end).filter(is_guard).enumerate() {
                    let was = overrun(block, offset);
                    let Err(corruption) = page.check() else {
                        return Err(EINVAL);
                    };
                    check(is_report_of(&corruption, offset, was, Occasion::Demand))?;
                    check(corruption.times as usize == times + 1)?;
                    check((corruption.pfn, corruption.order) == (page.pfn(), order))?;
                    // Made whole, it is no damage any more.
                    check(page.check().is_ok())?;
                }
            }
            Ok(())
        })
    }

    #[test]
    fn damage_comes_with_the_pages() -> Result {
        quietly(|thread| {
            let (page, block) = guarded(thread, 0)?;
            let was = overrun(block, GUARD - 1);
            let Err(damaged) = page.open() else {
                return Err(EINVAL);
            };
            check(damaged.pages.order() == 0)?;
            let found = Occasion::HandOver;
            check(is_report_of(&damaged.corruption, GUARD - 1, was, found))
        })
    }

    #[test]
    fn damage_is_that_of_the_former_holder() -> Result {
        quietly(|thread| {
            let (page, block) = guarded(thread, 0)?;
            overrun(block, 0);
            let before = sentinel::found(Occasion::HandOver, Kind::Task);
            let mut page = irqs_off(thread.context(), |cx| page.hand_over(cx));
            check(sentinel::found(Occasion::HandOver, Kind::Task) == before + 1)?;
            check(page.check().is_ok())?;

            overrun(block, 0);
            let Err(corruption) = page.check() else {
                return Err(EINVAL);
            };
            check(corruption.holder == Kind::IrqsOff && corruption.times == 1)
        })
    }

    #[test]
    fn dropped_damage_is_kept_for_the_report() -> Result {
        quietly(|thread| {
            let (page, block) = guarded(thread, 1)?;
            let pfn = page.pfn();
            let (total, bytes) = (sentinel::total(), sentinel::bytes());
            let was = overrun(block, 2 * PAGE_SIZE - 1);
            drop(page);
            check((sentinel::total(), sentinel::bytes()) == (total + 1, bytes + 1))?;
            check(sentinel::recent()?.iter().any(|corruption| {
                corruption.pfn == pfn
                    && is_report_of(corruption, 2 * PAGE_SIZE - 1, was, Occasion::Drop)
            }))
        })
    }
}
