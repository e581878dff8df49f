// SPDX-License-Identifier: GPL-2.0
// A token as the private part of a cell, used with preemption disabled.

fn case(numbers: &CpuCell<u32, ()>, tokens: &CpuCell<&mut Task, ()>) {
    #[cfg(not(misuse))]
    numbers.with_of(0, |private, ()| *private += 1);
    #[cfg(misuse)]
    // error[E0277]: `*mut ()` cannot be sent between threads safely
    tokens.with_of(0, |task, ()| drop(ExclusivePage::alloc(&**task, GfpKernel)));
}
