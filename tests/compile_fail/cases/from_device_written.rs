// SPDX-License-Identifier: GPL-2.0
// Writing to a page that only the device may write.

fn case(mut read: Mapped<'_, FromDevice>, mut both: Mapped<'_, Bidirectional>) {
    both.sync_for_cpu()[0].fill(1);
    #[cfg(misuse)]
    // error[E0596]: cannot borrow data in dereference of
    read.sync_for_cpu()[0].fill(1);
}
