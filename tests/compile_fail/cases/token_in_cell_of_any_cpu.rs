// SPDX-License-Identifier: GPL-2.0
// Allocating a page with flags that may sleep, with preemption disabled for the cell of another
// CPU.

fn case(cell: &CpuCell<u32, Counter>, task: &mut Task) {
    #[cfg(not(misuse))]
    cell.with_of(0, |private, _| *private += 1);
    #[cfg(misuse)]
    // error[E0277]: `*mut ()` cannot be shared between threads safely
    cell.with_of(0, |_, _| drop(ExclusivePage::alloc(task, GfpKernel)));
}
