// SPDX-License-Identifier: GPL-2.0
// Two mutable references to one view.

fn case(mut view: VmappedPages) {
    let one = &mut view[..4096];
    #[cfg(misuse)]
    // error[E0499]: cannot borrow `view` as mutable more than once at a time
    let two = &mut view[4096..];
    one[0] = 1;
    #[cfg(misuse)]
    {
        two[0] = 2;
    }
}
