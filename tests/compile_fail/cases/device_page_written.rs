// SPDX-License-Identifier: GPL-2.0
// Writing to a page that a device owns.

fn case(mut mapped: Mapped<'_, ToDevice>) {
    #[cfg(not(misuse))]
    mapped.sync_for_cpu()[0].fill(1);
    #[cfg(misuse)]
    // error[E0608]: cannot index into a value of type
    mapped[0].fill(1);
}
