// SPDX-License-Identifier: GPL-2.0
// A context that nothing vouches for.

struct Anywhere;

#[cfg(not(misuse))]
unsafe impl Context for Anywhere {}
#[cfg(misuse)]
// error[E0200]: requires an `unsafe impl` declaration
impl Context for Anywhere {}

fn case() {
    let page = ExclusivePage::alloc(&Anywhere, Atomic);
}
