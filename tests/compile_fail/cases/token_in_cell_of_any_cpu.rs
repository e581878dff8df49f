// SPDX-License-Identifier: GPL-2.0
// A page allocated, perhaps asleep, with preemption disabled for the cell of another CPU.

fn case(cell: &CpuCell<u32, Counter>, task: &mut Task) {
    #[cfg(not(misuse))]
    cell.with_of(0, |private, _| *private += 1);
    #[cfg(misuse)]
    // error[E0277]: `*mut ()` cannot be shared between threads safely
    cell.with_of(0, |_, _| drop(ExclusivePage::alloc(task, GfpKernel)));
}
