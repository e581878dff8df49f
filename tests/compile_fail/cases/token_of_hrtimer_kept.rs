// SPDX-License-Identifier: GPL-2.0
// The token of an hrtimer's callback, kept when the callback has ended.

use kernel::time::{
    hrtimer::{
        HasHrTimer,
        HrTimerCallbackContext,
        RelativeSoftMode, //
    },
    Monotonic, //
};

fn case<'a, T: HasHrTimer<T, TimerMode = RelativeSoftMode<Monotonic>> + 'a>(
    mut callback: HrTimerCallbackContext<'a, T>,
    _kept: &mut Option<&'a Softirq>,
) {
    #[cfg(not(misuse))]
    let _ = of_soft_hrtimer(&mut callback);
    #[cfg(misuse)]
    // error[E0597]: `callback` does not live long enough
    let token = of_soft_hrtimer(&mut callback);
    #[cfg(misuse)]
    {
        *_kept = Some(token);
    }
}
