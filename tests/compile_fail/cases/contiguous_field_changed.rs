// SPDX-License-Identifier: GPL-2.0
// Making contiguous pages out of fewer pages.

fn case(mut pages: ContiguousPages<Bytes>) {
    #[cfg(not(misuse))]
    let _ = pages.len();
    #[cfg(misuse)]
    // error[E0616]: field `count` of struct
    let _ = pages.count;
}
