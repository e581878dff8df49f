// SPDX-License-Identifier: GPL-2.0
// The flags of the allocator that takes no lock, for the one that does.

fn case(cx: &IrqsOff) {
    #[cfg(not(misuse))]
    let page = ExclusivePages::alloc_nolock(cx, None);
    #[cfg(misuse)]
    // error[E0277]: the trait bound
    let page = ExclusivePages::alloc(cx, GfpNoLock, 0, Place::Any);
}
