// SPDX-License-Identifier: GPL-2.0
// Keeping a page with a device longer than its driver is bound.

fn case(
    cx: &Task,
    device: &Device<Bound>,
    page: ExclusivePage<Bytes>,
    kept: &mut Option<Mapped<'static, ToDevice>>,
) {
    // error[E0521]: borrowed data escapes outside of function
    let mapped = map(cx, DmaDevice::new(device), ToDevice, page).ok();
    #[cfg(misuse)]
    core::mem::replace(kept, mapped);
}
