// SPDX-License-Identifier: GPL-2.0
// The token of an hrtimer's callback, used in a section that is stricter than the callback.

use kernel::time::{
    hrtimer::{
        HasHrTimer,
        HrTimerCallbackContext,
        RelativeSoftMode, //
    },
    Monotonic, //
};

fn case<T>(mut callback: HrTimerCallbackContext<'_, T>, lock: &RawSpinLock<u32>)
where
    T: HasHrTimer<T, TimerMode = RelativeSoftMode<Monotonic>>,
{
    #[cfg(not(misuse))]
    lock.with(|held| *held += 1);
    #[cfg(misuse)]
    // error[E0277]: cannot be sent between threads safely
    lock.with(|_| {
        drop(ExclusivePage::alloc(
            of_soft_hrtimer(&mut callback),
            GfpAtomic,
        ))
    });
}
