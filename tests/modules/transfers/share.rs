// SPDX-License-Identifier: GPL-2.0

//! Shares pages and takes them back.

#![forbid(unsafe_code)]

use crate::{
    case::{
        check,
        everywhere,
        Case, //
    },
    context::{
        eventually,
        in_softirq, //
    },
    pages::filled,
    probe, //
};
use kernel::{
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        Arc, //
    }, //
};
use labyrinth::{
    context::{
        Context,
        Task, //
    },
    task::{
        Body,
        Running,
        Thread, //
    },
    AllowedIn,
    Bytes,
    ExclusivePage,
    ExclusivePages,
    GfpAtomic,
    GfpKernel,
    Place,
    Shareable,
    Shared, //
};

pub(crate) const CASES: &[&[Case]] = &[
    everywhere!("share_and_back", there_and_back),
    everywhere!("share_order_3", of_order_3),
    everywhere!("share_freed_by_last", freed_by_last),
    &[
        Case {
            name: "share_freed_in_softirq",
            run: freed_in_softirq,
        },
        Case {
            name: "share_with_threads",
            run: with_threads,
        },
    ],
];

type Page = ExclusivePage<Bytes>;

/// Asks for exclusive access beside other readers.
fn refused<P: Shareable>(reader: Shared<P>) -> Result<Shared<P>> {
    let result = reader.take_back();
    check!(result.is_err());
    result.err().ok_or(EINVAL)
}

fn there_and_back<C: Context>(cx: &C) -> Result
where
    GfpAtomic: AllowedIn<C>,
{
    let page = filled(cx, 0x11)?;
    let pfn = page.pfn();
    let one = Shared::new(cx, GfpAtomic, page).map_err(|_| ENOMEM)?;
    let two = one.clone();
    let three = two.clone();
    check!(one[0] == 0x11 && two[4095] == 0x11 && three[17] == 0x11);
    check!(core::ptr::eq(&raw const *one, &raw const *three));

    let two = refused(two)?;
    drop(one);
    let three = refused(three)?;
    drop(two);
    let mut page = three.take_back().map_err(|_| EBUSY)?;
    check!(page.pfn() == pfn && page.iter().all(|&byte| byte == 0x11));
    page.fill(0x22);

    // The page can be shared a second time.
    let shared = Shared::new(cx, GfpAtomic, page).map_err(|_| ENOMEM)?;
    check!(shared.iter().all(|&byte| byte == 0x22));
    check!(shared.take_back().is_ok_and(|page| page.pfn() == pfn));
    Ok(())
}

fn of_order_3<C: Context>(cx: &C) -> Result
where
    GfpAtomic: AllowedIn<C>,
{
    let mut pages = ExclusivePages::alloc(cx, GfpAtomic, 3, Place::Any)?.zeroed();
    pages[7][1] = 0x33;
    let one = Shared::new(cx, GfpAtomic, pages).map_err(|_| ENOMEM)?;
    let two = one.clone();
    check!(two.len() == 8 && two[7][1] == 0x33 && one[0][0] == 0);
    drop(refused(one)?);
    let mut pages = two.take_back().map_err(|_| EBUSY)?;
    pages[7][1] += 1;
    check!(pages.order() == 3 && pages[7][1] == 0x34);
    Ok(())
}

fn freed_by_last<C: Context>(cx: &C) -> Result
where
    GfpAtomic: AllowedIn<C>,
{
    let one = Shared::new(cx, GfpAtomic, filled(cx, 0x44)?).map_err(|_| ENOMEM)?;
    let two = one.clone();
    let address = one.as_ptr() as usize;
    drop(one);
    check!(!probe::is_free(address) && two[9] == 0x44);
    drop(two);
    check!(probe::is_free(address));
    Ok(())
}

fn freed_in_softirq(cx: &mut Task) -> Result {
    let mine = Shared::new(cx, GfpKernel, filled(cx, 0x55)?).map_err(|_| ENOMEM)?;
    let address = mine.as_ptr() as usize;
    let theirs = mine.clone();
    drop(mine);
    in_softirq(cx, move |_| {
        let intact = theirs.iter().all(|&byte| byte == 0x55);
        check!(intact && !probe::is_free(address));
        drop(theirs);
        check!(probe::is_free(address));
        Ok(())
    })?
}

/// A thread that reads until it is told to stop.
struct Reader {
    shared: Option<Shared<Page>>,
    value: u8,
    stop: Arc<Atomic<bool>>,
    wrong: Arc<Atomic<u32>>,
}

impl Body for Reader {
    fn run(&mut self, thread: &mut Running) {
        while let Some(shared) = &self.shared {
            // Make and drop a reader while the other threads do the same.
            let other = shared.clone();
            if shared.iter().any(|&byte| byte != self.value) {
                self.wrong.add(1, Relaxed);
            }
            drop(other);
            if self.stop.load(Relaxed) {
                self.shared = None;
            }
            let _ = thread.sleep_us(10);
        }
    }
}

/// Shares a page with threads, takes it back, and writes to it at once. A reader that is left would
/// see the change.
fn with_threads(cx: &mut Task) -> Result {
    for round in 0..20 {
        let stop = Arc::new(Atomic::new(false), GFP_KERNEL)?;
        let wrong = Arc::new(Atomic::new(0), GFP_KERNEL)?;
        let mine = Shared::new(cx, GfpKernel, filled(cx, round)?).map_err(|_| ENOMEM)?;
        let mut threads = KVec::new();
        for _ in 0..4 {
            let reader = Reader {
                shared: Some(mine.clone()),
                value: round,
                stop: stop.clone(),
                wrong: wrong.clone(),
            };
            threads.push(Thread::spawn(c"labyrinth/reader", reader)?, GFP_KERNEL)?;
        }

        let mut tries = 0;
        let mut mine = Some(mine);
        let mut page = None;
        eventually(|| {
            tries += 1;
            if tries > 3 {
                stop.store(true, Relaxed);
            }
            match mine.take().map(Shared::take_back) {
                Some(Ok(exclusive)) => page = Some(exclusive),
                Some(Err(reader)) => mine = Some(reader),
                None => {}
            }
            page.is_some()
        })?;
        let mut page = page.ok_or(EBUSY)?;
        page.fill(0xff);
        check!(tries > 3);
        drop(threads);
        check!(wrong.load(Relaxed) == 0);
    }
    Ok(())
}
