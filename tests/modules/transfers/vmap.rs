// SPDX-License-Identifier: GPL-2.0

//! Maps scattered pages side by side.

#![forbid(unsafe_code)]

#[cfg(not(CONFIG_PREEMPT_RT))]
use crate::context::in_hard_irq;
use crate::{
    case::{
        check,
        Case, //
    },
    context::{
        eventually,
        in_softirq,
        under_spinlock, //
    },
    probe, //
};
use kernel::{
    page::PAGE_SIZE,
    prelude::*, //
};
use labyrinth::{
    context::Task,
    Bytes,
    ExclusivePage,
    GfpKernel,
    Shared,
    VmappedPages, //
};

pub(crate) const CASES: &[&[Case]] = &[&[
    Case {
        name: "view_there_and_back",
        run: there_and_back,
    },
    Case {
        name: "view_of_nothing",
        run: of_nothing,
    },
    Case {
        name: "view_guards",
        run: guards,
    },
    Case {
        name: "view_used_in_softirq",
        run: used_in_softirq,
    },
    Case {
        name: "view_dropped_task",
        run: |cx| dropped(cx, |_, views| Ok(drop(views))),
    },
    Case {
        name: "view_dropped_spinlock",
        run: |cx| dropped(cx, |cx, views| under_spinlock(cx, |_| drop(views))),
    },
    Case {
        name: "view_dropped_softirq",
        run: |cx| dropped(cx, |cx, views| in_softirq(cx, |_| drop(views))),
    },
    #[cfg(not(CONFIG_PREEMPT_RT))]
    Case {
        name: "view_dropped_hard_irq",
        run: |cx| dropped(cx, |cx, views| in_hard_irq(cx, |_| drop(views))),
    },
    Case {
        name: "view_shared",
        run: shared,
    },
]];

/// Makes pages, each of which begins and ends with its number.
fn pages(cx: &Task, count: usize) -> Result<KVec<ExclusivePage<Bytes>>> {
    let mut pages = KVec::with_capacity(count, GFP_KERNEL)?;
    for number in 0..count {
        let mut page = ExclusivePage::alloc(cx, GfpKernel)?.zeroed();
        page[0] = number as u8;
        page[PAGE_SIZE - 1] = number as u8;
        pages.push(page, GFP_KERNEL)?;
    }
    Ok(pages)
}

fn view(cx: &Task, count: usize) -> Result<VmappedPages> {
    VmappedPages::map(cx, pages(cx, count)?).map_err(|(error, _)| error)
}

fn there_and_back(cx: &mut Task) -> Result {
    const COUNT: usize = 33;

    let mut pages = pages(cx, COUNT)?;
    // Do not map them in the order of their allocation.
    pages.reverse();
    let mut frames = KVec::new();
    for page in &pages {
        frames.push(page.pfn(), GFP_KERNEL)?;
    }

    let mut view = VmappedPages::map(cx, pages).map_err(|(error, _)| error)?;
    check!(view.len() == COUNT * PAGE_SIZE);
    for (place, page) in view.chunks_exact(PAGE_SIZE).enumerate() {
        let number = (COUNT - 1 - place) as u8;
        check!(page[0] == number && page[PAGE_SIZE - 1] == number);
    }
    // Write across the border of each two pages.
    for edge in (1..COUNT).map(|place| place * PAGE_SIZE) {
        view[edge - 2..edge + 2].copy_from_slice(&[1, 2, 3, 4]);
    }

    let pages = view.unmap(cx);
    check!(pages.len() == COUNT);
    for (place, page) in pages.iter().enumerate() {
        check!(page.pfn() == frames[place]);
        check!(place == 0 || page[..2] == [3, 4]);
        check!(place == COUNT - 1 || page[PAGE_SIZE - 2..] == [1, 2]);
    }
    Ok(())
}

fn of_nothing(cx: &mut Task) -> Result {
    let result = VmappedPages::map(cx, KVec::new());
    check!(result.is_err_and(|(error, pages)| error == EINVAL && pages.is_empty()));
    Ok(())
}

/// Checks the guards of many views at a time, so that most views have another one on each side.
fn guards(cx: &mut Task) -> Result {
    let mut views = KVec::new();
    for count in 1..100 {
        views.push(view(cx, count % 7 + 1)?, GFP_KERNEL)?;
    }
    for view in &views {
        let begin = view.as_ptr() as usize;
        let end = begin + view.len();

        check!(probe::byte(begin).is_ok() && probe::byte(end - 1).is_ok());
        for beyond in [0, 1, 8, PAGE_SIZE - 1] {
            check!(probe::byte(end + beyond) == Err(EFAULT));
            // On other architectures the guard in front is a mapped page that nobody reads.
            #[cfg(CONFIG_X86)]
            check!(probe::byte(begin - 1 - beyond) == Err(EFAULT));
        }
    }
    for view in views {
        let begin = view.as_ptr() as usize;
        let pages = view.unmap(cx);
        probe::flush_areas(cx);
        check!(!pages.is_empty() && probe::byte(begin) == Err(EFAULT));
    }
    Ok(())
}

fn used_in_softirq(cx: &mut Task) -> Result {
    let mut view = view(cx, 5)?;
    let view = in_softirq(cx, move |_| {
        view[PAGE_SIZE - 1..PAGE_SIZE + 1].fill(0x66);
        view
    })?;
    let pages = view.unmap(cx);
    check!(pages[0][PAGE_SIZE - 1] == 0x66 && pages[1][0] == 0x66);
    Ok(())
}

/// Views that are dropped are unmapped and freed later, even if the context allows neither.
fn dropped(cx: &mut Task, drop: fn(&mut Task, KVec<VmappedPages>) -> Result) -> Result {
    for _ in 0..20 {
        let mut views = KVec::new();
        let mut addresses = KVec::new();
        for _ in 0..8 {
            let pages = pages(cx, 3)?;
            for page in &pages {
                addresses.push(page.as_ptr() as usize, GFP_KERNEL)?;
            }
            let view = VmappedPages::map(cx, pages).map_err(|(error, _)| error)?;
            views.push(view, GFP_KERNEL)?;
        }
        drop(cx, views)?;
        // Other code may soon be given some of these pages.
        eventually(|| {
            addresses.retain(|&mut address| !probe::is_free(address));
            addresses.len() < 4
        })?;
    }
    Ok(())
}

fn shared(cx: &mut Task) -> Result {
    let mine = Shared::new(cx, GfpKernel, view(cx, 4)?).map_err(|_| ENOMEM)?;
    let theirs = mine.clone();
    in_softirq(cx, move |_| {
        check!(theirs[3 * PAGE_SIZE] == 3);
        Ok(())
    })??;
    let view = mine.take_back().map_err(|_| EBUSY)?;
    check!(view.unmap(cx).len() == 4);
    Ok(())
}
