// SPDX-License-Identifier: GPL-2.0

//! Checks that secrets are overwritten, by reading the memory of free pages.

#![forbid(unsafe_code)]

use crate::{
    case::{
        check,
        everywhere,
        Case, //
    },
    context::in_softirq,
    pages::filled,
    probe, //
};
use kernel::{
    page::PAGE_SIZE,
    prelude::*, //
};
#[cfg(not(CONFIG_PREEMPT_RT))]
use labyrinth::irq::irqs_off;
use labyrinth::{
    context::{
        Context,
        Task, //
    },
    AllowedIn,
    Bytes,
    ExclusivePage,
    ExclusivePages,
    GfpAtomic,
    GfpKernel,
    Place,
    Secret,
    Shared,
    VmappedPages, //
};

pub(crate) const CASES: &[&[Case]] = &[
    everywhere!("secret_dropped", dropped),
    everywhere!("secret_taken_out", taken_out),
    everywhere!("secret_order_2", of_order_2),
    &[
        Case {
            name: "secret_control",
            run: control,
        },
        Case {
            name: "secret_shared",
            run: shared,
        },
        Case {
            name: "secret_in_view",
            run: in_view,
        },
        Case {
            name: "secret_gone_bad",
            run: gone_bad,
        },
    ],
];

/// The bytes of a secret. A page that the kernel has poisoned or cleared has no such byte.
const SECRET: u8 = 0x5e;

/// Returns how many bytes of a secret are left in a page, which may be free. 0 if it cannot be
/// read.
fn left_at(address: usize) -> usize {
    probe::count(address, PAGE_SIZE, SECRET).unwrap_or(0)
}

/// Checks that the contents of an ordinary page stay after it is freed, unless the kernel itself
/// wipes free pages. Otherwise the other cases would prove nothing.
fn control(cx: &mut Task) -> Result {
    let page = filled(cx, SECRET)?;
    let address = page.as_ptr() as usize;
    // With interrupts disabled, no other code on this CPU can be given this page.
    let left = without_interrupts(cx, page, address)?;
    if cfg!(any(CONFIG_PAGE_POISONING, CONFIG_DEBUG_PAGEALLOC)) {
        pr_info!("of a free page {} bytes are as they were\n", left);
    } else {
        check!(left == PAGE_SIZE);
    }
    Ok(())
}

#[cfg(not(CONFIG_PREEMPT_RT))]
fn without_interrupts(cx: &mut Task, page: ExclusivePage<Bytes>, address: usize) -> Result<usize> {
    Ok(irqs_off(cx, |_| {
        drop(page);
        left_at(address)
    }))
}

/// On PREEMPT_RT pages cannot be freed with interrupts disabled.
#[cfg(CONFIG_PREEMPT_RT)]
fn without_interrupts(_: &mut Task, page: ExclusivePage<Bytes>, address: usize) -> Result<usize> {
    drop(page);
    Ok(left_at(address))
}

fn dropped<C: Context>(cx: &C) -> Result
where
    GfpAtomic: AllowedIn<C>,
{
    let secret = Secret::new(filled(cx, SECRET)?);
    let address = secret.as_ptr() as usize;
    check!(left_at(address) == PAGE_SIZE);
    drop(secret);
    check!(left_at(address) == 0);
    Ok(())
}

fn taken_out<C: Context>(cx: &C) -> Result
where
    GfpAtomic: AllowedIn<C>,
{
    let mut secret = Secret::new(ExclusivePage::alloc(cx, GfpAtomic)?.zeroed());
    secret.fill(SECRET);
    let page = secret.into_inner();
    check!(page.iter().all(|&byte| byte == 0));
    Ok(())
}

fn of_order_2<C: Context>(cx: &C) -> Result
where
    GfpAtomic: AllowedIn<C>,
{
    let mut pages = ExclusivePages::alloc(cx, GfpAtomic, 2, Place::Any)?.zeroed();
    pages.as_flattened_mut().fill(SECRET);
    let secret = Secret::new(pages);
    let addresses = [0, 1, 2, 3].map(|i| secret[i].as_ptr() as usize);
    check!(addresses
        .iter()
        .all(|&address| left_at(address) == PAGE_SIZE));
    drop(secret);
    check!(addresses.iter().all(|&address| left_at(address) == 0));
    Ok(())
}

/// The last reader scrubs the page, in whatever context it is dropped. Earlier readers do not.
fn shared(cx: &mut Task) -> Result {
    let secret = Secret::new(filled(cx, SECRET)?);
    let address = secret.as_ptr() as usize;
    let mine = Shared::new(cx, GfpKernel, secret).map_err(|_| ENOMEM)?;
    let theirs = mine.clone();
    drop(mine);
    in_softirq(cx, move |_| {
        let intact = theirs.iter().all(|&byte| byte == SECRET);
        check!(intact);
        drop(theirs);
        check!(left_at(address) == 0);
        Ok(())
    })?
}

fn in_view(cx: &mut Task) -> Result {
    let mut pages = KVec::new();
    for _ in 0..3 {
        pages.push(filled(cx, SECRET)?, GFP_KERNEL)?;
    }
    let view = VmappedPages::map(cx, pages).map_err(|(error, _)| error)?;
    let secret = Secret::new(view);
    check!(secret.iter().all(|&byte| byte == SECRET));
    let pages = secret.into_inner().unmap(cx);
    check!(pages
        .iter()
        .all(|page| left_at(page.as_ptr() as usize) == 0));
    Ok(())
}

/// Returns whether all of a secret is left. A free page may soon have other contents.
#[cfg(CONFIG_MEMORY_FAILURE)]
fn is_left(address: usize) -> bool {
    left_at(address) == PAGE_SIZE
}

/// When a secret is dropped, a page that has gone bad is not overwritten, but its neighbours are.
/// When the secret is taken out, the bad page is overwritten, too. Each run of this case loses
/// these pages for ever.
#[cfg(CONFIG_MEMORY_FAILURE)]
fn gone_bad(cx: &mut Task) -> Result {
    let mut pages = ExclusivePages::alloc(cx, GfpKernel, 2, Place::Any)?.zeroed();
    pages.as_flattened_mut().fill(SECRET);
    let addresses = [0, 1, 2, 3].map(|i| pages[i].as_ptr() as usize);
    probe::spoil(addresses[2]);
    drop(Secret::new(pages));
    check!(addresses.map(is_left) == [false, false, true, false]);

    let single = filled(cx, SECRET)?;
    let address = single.as_ptr() as usize;
    probe::spoil(address);
    let blank = Secret::new(single).into_inner();
    check!(left_at(address) == 0);
    drop(blank);

    let mut parts = KVec::new();
    for _ in 0..3 {
        parts.push(filled(cx, SECRET)?, GFP_KERNEL)?;
    }
    let addresses = [0, 1, 2].map(|i| parts[i].as_ptr() as usize);
    probe::spoil(addresses[1]);
    drop(Secret::new(
        VmappedPages::map(cx, parts).map_err(|(error, _)| error)?,
    ));
    check!(addresses.map(is_left) == [false, true, false]);
    Ok(())
}

/// This kernel has no flag for bad pages.
#[cfg(not(CONFIG_MEMORY_FAILURE))]
fn gone_bad(_: &mut Task) -> Result {
    Ok(())
}
