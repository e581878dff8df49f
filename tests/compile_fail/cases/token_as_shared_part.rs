// SPDX-License-Identifier: GPL-2.0
// A token as the shared part of a cell, used with preemption disabled.

fn case(numbers: &CpuCell<u32, Counter>, tokens: &CpuCell<u32, &Task>) {
    #[cfg(not(misuse))]
    numbers.with_of(0, |_, shared| shared.add(1));
    #[cfg(misuse)]
    // error[E0277]: `*mut ()` cannot be shared between threads safely
    tokens.with_of(0, |_, task| drop(ExclusivePage::alloc(*task, GfpKernel)));
}
