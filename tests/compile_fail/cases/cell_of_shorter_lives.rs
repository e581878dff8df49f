// SPDX-License-Identifier: GPL-2.0
// A reference to a local variable, put into a cell of references that outlive it.

fn put<'a>(cell: &CpuCell<&'a u64, ()>, value: &'a u64) {
    cell.with(|private, ()| *private = value);
}

fn case(cell: &CpuCell<&'static u64, ()>) {
    let local = 1;
    #[cfg(not(misuse))]
    let value = &1;
    #[cfg(misuse)]
    // error[E0597]: `local` does not live long enough
    let value = &local;
    put(cell, value);
}
