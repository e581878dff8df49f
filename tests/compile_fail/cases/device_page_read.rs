// SPDX-License-Identifier: GPL-2.0
// Reading a page that a device owns.

fn case(mut mapped: Mapped<'_, FromDevice>) -> u8 {
    #[cfg(not(misuse))]
    let byte = mapped.sync_for_cpu()[0][0];
    #[cfg(misuse)]
    // error[E0608]: cannot index into a value of type
    let byte = mapped[0][0];
    byte
}
