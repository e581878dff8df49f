// SPDX-License-Identifier: GPL-2.0
// The token of a softirq in a timer that expires in a hard interrupt.

use kernel::time::{
    hrtimer::{
        HasHrTimer,
        HrTimerCallbackContext,
        RelativeHardMode, //
    },
    Monotonic, //
};

fn case<T: HasHrTimer<T, TimerMode = RelativeHardMode<Monotonic>>>(
    mut callback: HrTimerCallbackContext<'_, T>,
) {
    #[cfg(not(misuse))]
    let _ = of_hard_hrtimer(&mut callback);
    #[cfg(misuse)]
    // error[E0277]: SoftMode` is not satisfied
    let _ = of_soft_hrtimer(&mut callback);
}
