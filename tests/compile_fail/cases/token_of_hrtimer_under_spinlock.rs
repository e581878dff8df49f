// SPDX-License-Identifier: GPL-2.0
// The callback of an hrtimer makes a token in a section that has borrowed its token.

use kernel::time::{
    hrtimer::{
        HasHrTimer,
        HrTimerCallbackContext,
        RelativeSoftMode, //
    },
    Monotonic, //
};

fn case<T>(mut callback: HrTimerCallbackContext<'_, T>, lock: &SpinLockBh<u32>)
where
    T: HasHrTimer<T, TimerMode = RelativeSoftMode<Monotonic>>,
{
    let cx = of_soft_hrtimer(&mut callback);
    #[cfg(not(misuse))]
    lock.with(cx, |_, held| *held += 1);
    #[cfg(misuse)]
    // error[E0277]: cannot be sent between threads safely
    lock.with(cx, |_, _| {
        drop(ExclusivePage::alloc(
            of_soft_hrtimer(&mut callback),
            GfpAtomic,
        ))
    });
}
