// SPDX-License-Identifier: GPL-2.0
// Allocating contiguous pages in a softirq, where the kernel cannot move other pages.

#[cfg(not(misuse))]
type Here = Task;
#[cfg(misuse)]
type Here = Softirq;

fn case(cx: &Here) -> bool {
    // error[E0277]: is atomic context, which may not sleep
    ContiguousPages::alloc(cx, 2000, Bounds::default(), Place::Any).is_ok()
}
