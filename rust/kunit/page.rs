// SPDX-License-Identifier: GPL-2.0

//! Tests of single pages and chains, in a thread.

use super::task::{
    check,
    in_task,
    nap, //
};
use crate::{
    ffi::task::thread::{
        Body,
        Running,
        ShouldStop,
        Thread, //
    },
    page::{
        Bytes,
        Chain,
        ExclusivePage,
        ExclusivePages,
        GfpAtomic,
        GfpKernel,
        Place, //
    }, //
};
use kernel::{
    page::PAGE_SIZE,
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        Arc, //
    }, //
};

#[kunit_tests(labyrinth_page)]
mod tests {
    use super::*;

    #[test]
    fn page_is_as_small_as_a_pointer() {
        assert_eq!(size_of::<ExclusivePage<Bytes>>(), size_of::<usize>());
        assert_eq!(
            size_of::<Option<ExclusivePage<Bytes>>>(),
            size_of::<usize>()
        );
    }

    #[test]
    fn zeroed_page_is_zero_and_writable() -> Result {
        in_task(|thread| {
            let mut page = ExclusivePage::alloc(thread.context(), GfpAtomic)?.zeroed();

            check(page.iter().all(|&byte| byte == 0))?;
            page[PAGE_SIZE - 1] = 0x42;
            check(page[PAGE_SIZE - 1] == 0x42 && page[0] == 0)
        })
    }

    #[test]
    fn page_keeps_its_contents_through_the_raw_doors() -> Result {
        in_task(|thread| {
            let mut page = ExclusivePage::alloc(thread.context(), GfpKernel)?.zeroed();
            page.fill(0xa5);

            let raw = page.into_raw();
            check(raw.as_ptr() as usize % PAGE_SIZE == 0)?;
            // SAFETY: `raw` comes from `into_raw` of an initialised page, and is used once.
            let page = unsafe { ExclusivePage::<Bytes>::from_raw(raw) };
            check(page.iter().all(|&byte| byte == 0xa5))
        })
    }

    #[test]
    fn pages_do_not_overlap() -> Result {
        in_task(|thread| {
            let mut one = ExclusivePage::alloc(thread.context(), GfpAtomic)?.zeroed();
            let mut two = ExclusivePage::alloc(thread.context(), GfpAtomic)?.zeroed();

            one.fill(1);
            two.fill(2);
            check(one.iter().all(|&byte| byte == 1) && two.iter().all(|&byte| byte == 2))
        })
    }

    #[test]
    fn chain_hands_out_the_last_first() -> Result {
        in_task(|thread| {
            let mut chain = Chain::new();
            let mut frames = KVec::new();

            check(chain.pop().is_none() && chain.is_empty())?;
            for order in [0, 3, 0, 1] {
                let pages = ExclusivePages::alloc(thread.context(), GfpKernel, order, Place::Any)?;
                frames.push((pages.pfn(), order), GFP_KERNEL)?;
                chain.push(pages);
            }
            check(chain.len() == frames.len())?;
            // One page stays in the chain, which must free it.
            for &(pfn, order) in frames.iter().skip(1).rev() {
                let pages = chain.pop().ok_or(EINVAL)?;
                check(pages.pfn() == pfn && pages.order() == order)?;
            }
            check(chain.len() == 1)
        })
    }

    #[test]
    fn failed_check_is_noticed() {
        assert!(in_task(|_| check(false)).is_err());
    }

    #[test]
    fn stopping_wakes_a_sleeping_thread() -> Result {
        struct Sleeper {
            begun: Arc<Atomic<bool>>,
            woken: Arc<Atomic<bool>>,
        }

        impl Body for Sleeper {
            fn run(&mut self, thread: &mut Running) {
                self.begun.store(true, Relaxed);
                // The stop must end this sleep of an hour.
                let answer = thread.sleep_us(3_600_000_000);
                self.woken.store(answer == ShouldStop::Yes, Relaxed);
            }
        }

        let begun = Arc::new(Atomic::new(false), GFP_KERNEL)?;
        let woken = Arc::new(Atomic::new(false), GFP_KERNEL)?;
        let sleeper = Sleeper {
            begun: begun.clone(),
            woken: woken.clone(),
        };
        let thread = Thread::spawn(c"labyrinth/kunit", sleeper)?;
        while !begun.load(Relaxed) {
            nap();
        }
        drop(thread);

        assert!(woken.load(Relaxed));
        Ok(())
    }
}
