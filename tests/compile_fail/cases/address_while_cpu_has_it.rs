// SPDX-License-Identifier: GPL-2.0
// Starting a transfer while the CPU writes to the page.

fn case(mut mapped: Mapped<'_, ToDevice>) -> u64 {
    let mut contents = mapped.sync_for_cpu();
    #[cfg(misuse)]
    // error[E0502]: cannot borrow `mapped` as immutable because it is also borrowed as mutable
    let address = mapped.address();
    contents[0].fill(1);
    drop(contents);
    mapped.address()
}
