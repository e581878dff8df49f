// SPDX-License-Identifier: GPL-2.0
// Exchanging the private part of a per-CPU cell for a reference with a shorter lifetime.

fn case(cell: &CpuCell<&'static u64, ()>) {
    let local = 1;
    #[cfg(not(misuse))]
    let mut value = &1;
    #[cfg(misuse)]
    // error[E0597]: `local` does not live long enough
    let mut value = &local;
    cell.with(|private, ()| core::mem::swap(private, &mut value));
}
