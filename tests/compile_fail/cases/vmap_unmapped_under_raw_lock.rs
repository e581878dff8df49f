// SPDX-License-Identifier: GPL-2.0
// A view unmapped, which sleeps, under a raw spinlock that holds the token.

fn case(numbers: &RawSpinLock<u32>, tokens: &RawSpinLock<&mut Task>, view: VmappedPages) {
    #[cfg(not(misuse))]
    numbers.with(|held| *held += view.len() as u32);
    #[cfg(misuse)]
    // error[E0277]: `*mut ()` cannot be sent between threads safely
    tokens.with(|task| drop(view.unmap(&**task)));
}
