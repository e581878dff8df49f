// SPDX-License-Identifier: GPL-2.0

//! Mistakes on purpose, in task context: a device uses a page after it was taken back, and more
//! pages are mapped than the device can address. Do not copy these.

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

/// Makes the device write to a page, and read another page, after it has lost the ownership of
/// both. This function owns them, so no harm is done if nothing stops the device.
pub(crate) fn trespass(cx: &mut Task, device: DmaDevice<'_>, registers: &Registers<'_>) -> Result {
    let fresh = |cx: &Task, seed| {
        let mut pages = pages::fresh(cx, 0).ok_or(ENOMEM)?;
        pages::fill(&mut pages, seed);
        Ok::<_, Error>(pages)
    };

    // Fill the device's buffer with known bytes.
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
    // The page must exist, with these contents, until here.
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

/// Tries twice to map more pages than the device can address.
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
            // The error has the first page that was not mapped, unchanged.
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
