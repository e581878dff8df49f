// SPDX-License-Identifier: GPL-2.0

//! A comparison of the flag types with the flags that they stand for.

use crate::{
    ffi::context::with_task,
    page::{
        ExclusivePages,
        Gfp,
        GfpAtomic,
        GfpKernel,
        GfpNoLock,
        NoWarn,
        Node,
        Place,
        Shape,
        ZoneLimit, //
    }, //
};
use kernel::{
    bindings,
    prelude::*, //
};

#[kunit_tests(labyrinth_gfp)]
mod tests {
    use super::*;

    #[test]
    fn atomic_flags_do_not_sleep() {
        let atomic = <NoWarn<GfpAtomic> as Gfp>::RAW;

        assert_eq!(GfpAtomic::RAW, bindings::GFP_ATOMIC);
        // GFP_KERNEL differs from GFP_NOWAIT by the permission to sleep, I/O and FS.
        let may_sleep = bindings::GFP_KERNEL & !bindings::GFP_NOWAIT;
        assert!(may_sleep != 0);
        assert_eq!(atomic & may_sleep, 0);
    }

    #[test]
    fn kernel_flags_may_sleep() {
        assert_eq!(GfpKernel::RAW, bindings::GFP_KERNEL);
    }

    #[test]
    fn nowarn_adds_one_flag() {
        assert_eq!(
            <NoWarn<GfpAtomic> as Gfp>::RAW ^ GfpAtomic::RAW,
            bindings::__GFP_NOWARN
        );
        assert_eq!(
            <NoWarn<GfpKernel> as Gfp>::RAW ^ GfpKernel::RAW,
            bindings::__GFP_NOWARN
        );
    }

    #[test]
    fn names_are_those_of_the_kernel() {
        assert!(<NoWarn<GfpAtomic> as Gfp>::NAME == "GFP_ATOMIC");
        assert!(<NoWarn<GfpKernel> as Gfp>::NAME == "GFP_KERNEL");
    }

    #[test]
    fn nolock_flags_are_for_single_pages_of_any_zone() -> Result {
        with_task(|cx| {
            let node = Node::new(0)?;
            let alloc = |shape, place| ExclusivePages::alloc(cx, GfpNoLock, shape, place).is_ok();
            let low = Shape {
                zones: ZoneLimit::Dma32,
                ..Shape::from(0)
            };

            assert!(!alloc(Shape::from(1), Place::Any));
            assert!(!alloc(Shape::from(0), Place::Only(node)));
            assert!(!alloc(low, Place::Any));
            // Other code may hold the allocator's lock at that moment.
            for place in [Place::Any, Place::Near(node)] {
                assert!((0..100).any(|_| alloc(Shape::from(0), place)));
            }
            Ok(())
        })?
    }
}
