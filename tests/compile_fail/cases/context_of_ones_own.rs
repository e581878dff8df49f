// SPDX-License-Identifier: GPL-2.0
// A driver's own context, without `unsafe`.

struct Anywhere;

#[cfg(not(misuse))]
unsafe impl Context for Anywhere {
    const KIND: Kind = Kind::Task;
}
#[cfg(misuse)]
// error[E0200]: requires an `unsafe impl` declaration
impl Context for Anywhere {
    const KIND: Kind = Kind::Task;
}

fn takes<C: Context>(_cx: &C) {}

fn case() {
    takes(&Anywhere);
}
