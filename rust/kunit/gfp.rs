// SPDX-License-Identifier: GPL-2.0

//! The flag types against the flags that they stand for.

use crate::{
    page::{
        Atomic,
        Gfp,
        Kernel,
        NoLock,
        NoWarn, //
    },
    stats::Kind, //
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
        let atomic = <NoWarn<Atomic> as Gfp>::RAW;

        assert_eq!(Atomic::RAW, bindings::GFP_ATOMIC);
        // What GFP_KERNEL has and GFP_NOWAIT has not is the permission to sleep, I/O and FS.
        let may_sleep = bindings::GFP_KERNEL & !bindings::GFP_NOWAIT;
        assert!(may_sleep != 0);
        assert_eq!(atomic & may_sleep, 0);
    }

    #[test]
    fn kernel_flags_may_sleep() {
        assert_eq!(Kernel::RAW, bindings::GFP_KERNEL);
    }

    #[test]
    fn nowarn_adds_one_flag() {
        assert_eq!(
            <NoWarn<Atomic> as Gfp>::RAW ^ Atomic::RAW,
            bindings::__GFP_NOWARN
        );
        assert_eq!(
            <NoWarn<Kernel> as Gfp>::RAW ^ Kernel::RAW,
            bindings::__GFP_NOWARN
        );
    }

    #[test]
    fn names_are_those_of_the_kernel() {
        assert!(<NoWarn<Atomic> as Gfp>::NAME == "GFP_ATOMIC");
        assert!(<NoWarn<Kernel> as Gfp>::NAME == "GFP_KERNEL");
    }

    #[test]
    fn statistics_have_the_names_of_the_flags() {
        for (kind, name) in [
            (Kind::TimerSoftirq, Atomic::NAME),
            (Kind::Spinlock, Atomic::NAME),
            (Kind::TaskAtomic, Atomic::NAME),
            (Kind::TaskKernel, Kernel::NAME),
            (Kind::HardIrq, NoLock::NAME),
        ] {
            assert!(kind.gfp() == name);
        }
    }
}
