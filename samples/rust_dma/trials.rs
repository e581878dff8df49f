// SPDX-License-Identifier: GPL-2.0

//! What is tried once, in task context: a device that uses a page after it was taken back, and more
//! mappings than fit.

use crate::{
    pages,
    registers::{
        Registers,
        Way, //
    },
    tally::TALLY, //
};
use kernel::prelude::*;
use labyrinth::{
    context::Task,
    dma::{
        map_each,
        DmaDevice,
        FromDevice,
        ToDevice, //
    }, //
};

const OURS: u64 = 1;
const DEVICES: u64 = 2;
const SECRET: u64 = 3;

/// Has the device write to a page, and read one, that it does not own any more. We do, so nobody
/// else is harmed if nothing stops it.
pub(crate) fn trespass(cx: &mut Task, device: DmaDevice<'_>, registers: &Registers<'_>) -> Result {
    let fresh = |cx: &Task, seed| {
        let mut pages = pages::fresh(cx, 0).ok_or(ENOMEM)?;
        pages::fill(&mut pages, seed);
        Ok::<_, Error>(pages)
    };

    // Known bytes for the device's buffer.
    let mapped = pages::map(cx, device, ToDevice, fresh(cx, DEVICES)?).ok_or(ENOMEM)?;
    registers.start(Way::Out, mapped.address(), false);
    registers.wait(cx)?;
    drop(mapped);

    let mapped = pages::map(cx, device, FromDevice, fresh(cx, OURS)?).ok_or(ENOMEM)?;
    let address = mapped.address();
    let page = mapped.unmap();
    registers.start(Way::In, address, false);
    registers.wait(cx)?;
    if !pages::has(&page, OURS) {
        TALLY.trespass_written.one();
    }

    let mapped = pages::map(cx, device, ToDevice, fresh(cx, SECRET)?).ok_or(ENOMEM)?;
    let address = mapped.address();
    let page = mapped.unmap();
    registers.start(Way::Out, address, false);
    registers.wait(cx)?;
    // Until here it was a page with that in it.
    drop(page);

    let mut mapped = pages::map(cx, device, FromDevice, fresh(cx, OURS)?).ok_or(ENOMEM)?;
    registers.start(Way::In, mapped.address(), false);
    registers.wait(cx)?;
    if pages::has(&mapped.sync_for_cpu(), SECRET) {
        TALLY.trespass_read.one();
    }
    TALLY.trespasses.one();
    Ok(())
}

/// Maps more pages than the device can address, twice.
pub(crate) fn exhaust(cx: &mut Task, device: DmaDevice<'_>, count: usize) -> Result {
    for _ in 0..2 {
        let mut blocks = KVec::with_capacity(count, GFP_KERNEL)?;
        for seed in 0..count {
            let mut pages = pages::fresh(cx, 0).ok_or(ENOMEM)?;
            pages::fill(&mut pages, seed as u64);
            blocks.push_within_capacity(pages)?;
        }
        let mut mapped = KVec::with_capacity(count, GFP_KERNEL)?;
        let mut blocks = blocks.into_iter();
        let result = map_each(cx, device, FromDevice, &mut blocks, |pages| {
            // There is space for all.
            let _ = mapped.push_within_capacity(pages);
        });
        TALLY.mapped.add(mapped.len() as u64);
        if let Err(not_mapped) = result {
            // The next after those that were mapped, with what was in it.
            pages::check(&not_mapped.into_pages(), mapped.len() as u64);
            TALLY.given_back.one();
        }
        for (index, pages) in blocks.enumerate() {
            pages::check(&pages, (mapped.len() + 1 + index) as u64);
            TALLY.untried.one();
        }
    }
    Ok(())
}
