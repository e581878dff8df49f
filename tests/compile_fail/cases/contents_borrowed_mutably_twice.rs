// SPDX-License-Identifier: GPL-2.0
// Two references that can write to one page.

fn case(mut page: ExclusivePage<Bytes>) {
    let one: &mut Bytes = &mut page;
    #[cfg(misuse)]
    // error[E0499]: cannot borrow `page` as mutable more than once at a time
    let two: &mut Bytes = &mut page;
    one[0] = 1;
}
