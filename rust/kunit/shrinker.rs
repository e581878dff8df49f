// SPDX-License-Identifier: GPL-2.0

//! Tests of a shrinker that the kernel calls.

use crate::ffi::mm::shrinker::{
    Shrink,
    Shrinker, //
};
use kernel::{
    bindings,
    error::to_result,
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        Arc, //
    }, //
};

/// A number of objects, which do not really exist.
struct Objects {
    left: Atomic<usize>,
    scans: Atomic<usize>,
    most_wanted: Atomic<usize>,
}

impl Shrink for Arc<Objects> {
    fn count(&self) -> usize {
        self.left.load(Relaxed)
    }

    fn scan(&self, wanted: usize) -> usize {
        self.scans.add(1, Relaxed);
        if wanted > self.most_wanted.load(Relaxed) {
            self.most_wanted.store(wanted, Relaxed);
        }
        let left = self.left.load(Relaxed);
        let freed = left.min(wanted);
        self.left.store(left - freed, Relaxed);
        freed
    }
}

/// Makes the kernel shrink everything that it can, as an administrator would.
fn drop_slab() -> Result {
    let argv = [
        c"/bin/sh".as_char_ptr().cast_mut(),
        c"-c".as_char_ptr().cast_mut(),
        c"echo 2 >/proc/sys/vm/drop_caches".as_char_ptr().cast_mut(),
        core::ptr::null_mut(),
    ];
    let envp: [*mut c_char; 1] = [core::ptr::null_mut()];

    // SAFETY: The strings, and the arrays, which end with null, outlive the call. The call does not
    // write to them. This is task context.
    to_result(unsafe {
        bindings::call_usermodehelper(
            argv[0],
            argv.as_ptr().cast_mut(),
            envp.as_ptr().cast_mut(),
            bindings::UMH_WAIT_PROC as c_int,
        )
    })
}

#[kunit_tests(labyrinth_shrinker)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_asked_for_until_the_shrinker_is_dropped() -> Result {
        const MANY: usize = 1_000;
        let objects = Arc::new(
            Objects {
                left: Atomic::new(MANY),
                scans: Atomic::new(0),
                most_wanted: Atomic::new(0),
            },
            GFP_KERNEL,
        )?;
        let shrinker = Shrinker::new(c"labyrinth-kunit", objects.clone())?;

        drop_slab()?;
        assert!(objects.scans.load(Relaxed) > 0);
        assert!(objects.left.load(Relaxed) < MANY);
        assert!((1..=MANY).contains(&objects.most_wanted.load(Relaxed)));

        // When there is nothing to give back, the kernel must not ask for anything.
        objects.left.store(0, Relaxed);
        objects.scans.store(0, Relaxed);
        drop_slab()?;
        assert_eq!(objects.scans.load(Relaxed), 0);

        drop(shrinker);
        objects.left.store(MANY, Relaxed);
        drop_slab()?;
        assert_eq!(objects.scans.load(Relaxed), 0);
        assert_eq!(objects.left.load(Relaxed), MANY);
        Ok(())
    }

    /// A shrinker may return numbers that have a special meaning for the kernel: no objects, and
    /// stop.
    #[test]
    fn any_number_of_objects_can_be_said() -> Result {
        struct Liar {
            scans: Atomic<usize>,
        }

        impl Shrink for Arc<Liar> {
            fn count(&self) -> usize {
                usize::MAX - 1
            }

            fn scan(&self, _wanted: usize) -> usize {
                match self.scans.fetch_add(1, Relaxed) {
                    0 => usize::MAX,
                    _ => 0,
                }
            }
        }

        let scans = Atomic::new(0);
        let liar = Arc::new(Liar { scans }, GFP_KERNEL)?;
        let shrinker = Shrinker::new(c"labyrinth-kunit", liar.clone())?;
        drop_slab()?;
        drop(shrinker);
        // The kernel has asked, and has asked again after the first answer.
        assert!(liar.scans.load(Relaxed) > 1);
        Ok(())
    }
}
