// SPDX-License-Identifier: GPL-2.0
// A reference to contents that the host can change at any time.

fn case(pages: HostPages) -> u8 {
    let mut byte = [0];
    let _ = pages.read(0, &mut byte);
    #[cfg(misuse)]
    // error[E0608]: cannot index into a value of type
    let byte = &pages[0];
    byte[0]
}
