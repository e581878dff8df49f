// SPDX-License-Identifier: GPL-2.0
// Allocating with `GFP_KERNEL` in the handler of a device's interrupt. The handler may be a thread,
// but must not sleep.

fn case(cx: &mut DeviceIrq) {
    #[cfg(not(misuse))]
    drop(ExclusivePage::alloc(cx, GfpAtomic));
    #[cfg(misuse)]
    // error[E0277]: is atomic context, which may not sleep
    drop(ExclusivePage::alloc(cx, GfpKernel));
}
