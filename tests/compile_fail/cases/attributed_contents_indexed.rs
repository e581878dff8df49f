// SPDX-License-Identifier: GPL-2.0
// Accessing pages with a cache attribute without a barrier.

fn case(block: AttributedPages<WriteCombined>) -> u8 {
    #[cfg(not(misuse))]
    let byte = block.read(|pages| pages[0][0]);
    #[cfg(misuse)]
    // error[E0608]: cannot index into a value of type
    let byte = block[0][0];
    byte
}
