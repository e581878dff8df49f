// SPDX-License-Identifier: GPL-2.0
// Writing to a page that others read.

fn case(page: ExclusivePage<Bytes>, cx: &Task) {
    #[cfg(not(misuse))]
    let mut owner = page;
    #[cfg(misuse)]
    let Ok(mut owner) = Shared::new(cx, GfpKernel, page) else {
        return;
    };
    // error[E0594]: cannot assign to data in dereference of
    owner[0] = 1;
}
