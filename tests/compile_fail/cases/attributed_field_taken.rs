// SPDX-License-Identifier: GPL-2.0
// Taking the pages out of their attribute, to free them with it.

fn case(block: AttributedPages<Uncached>) {
    #[cfg(not(misuse))]
    drop(block);
    #[cfg(misuse)]
    // error[E0616]: field `pages` of struct
    drop(block.pages);
}
