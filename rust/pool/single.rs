// SPDX-License-Identifier: GPL-2.0

//! Single pages of the buddy allocator, with their statistics.

use super::{
    events,
    Tier, //
};
use crate::{
    ffi::{
        context::Context,
        mm::call_site::CallSite, //
    },
    page::{
        AllowedIn,
        ExclusivePage,
        Uninit, //
    },
    stats::Recorder, //
};
use core::slice;

/// Counts one page as in flight, if its allocation was counted. Dropping this counts the page as
/// freed.
pub struct Accounting {
    counted: bool,
    recorder: Recorder,
}

/// Asks the buddy allocator for a page, and records the outcome and the latency. The page is
/// charged to `caller`.
///
/// Contexts: those in which `gfp` is allowed.
pub fn alloc_single<C: Context, G: AllowedIn<C>>(
    cx: &C,
    gfp: G,
    recorder: &Recorder,
    caller: CallSite,
) -> Option<(ExclusivePage<Uninit>, Accounting)> {
    let asked = recorder.request();
    let page = ExclusivePage::alloc(cx, gfp).ok();
    let counted = asked.done(page.is_some(), Tier::Buddy as usize);

    events::answered_by_buddy::<C, G>(page.as_ref());
    page.map(|mut page| {
        page.charge(caller);
        let recorder = recorder.clone();
        (page, Accounting { counted, recorder })
    })
}

impl Accounting {
    /// Frees the page. Contexts: those of [`ExclusivePage`].
    pub fn free(self, page: ExclusivePage<Uninit>) {
        events::freed(slice::from_ref(&page), ExclusivePage::pfn);
        drop(page);
    }
}

impl Drop for Accounting {
    fn drop(&mut self) {
        self.recorder.freed(self.counted.into());
    }
}
