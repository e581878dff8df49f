// SPDX-License-Identifier: GPL-2.0
// The token of a hard interrupt in a timer that PREEMPT_RT has expire in a softirq.

use kernel::time::{
    hrtimer::{
        HasHrTimer,
        HrTimerCallbackContext,
        RelativeMode, //
    },
    Monotonic, //
};

fn case<T: HasHrTimer<T, TimerMode = RelativeMode<Monotonic>>>(
    mut callback: HrTimerCallbackContext<'_, T>,
) {
    #[cfg(not(misuse))]
    let _ = of_hrtimer(&mut callback);
    #[cfg(misuse)]
    // error[E0277]: HardMode` is not satisfied
    let _ = of_hard_hrtimer(&mut callback);
}
