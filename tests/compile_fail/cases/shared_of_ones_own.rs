// SPDX-License-Identifier: GPL-2.0
// Sharing a value that gives more away than its contents when it is borrowed.

struct Own<T>(T);

#[cfg(not(misuse))]
type Pages = ExclusivePage<Bytes>;
#[cfg(misuse)]
type Pages = Own<ExclusivePage<Bytes>>;

fn case(pages: Pages, cx: &Task) -> bool {
    // error[E0277]: Shareable` is not satisfied
    Shared::new(cx, GfpKernel, pages).is_ok()
}
