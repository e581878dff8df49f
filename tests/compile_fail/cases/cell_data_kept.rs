// SPDX-License-Identifier: GPL-2.0
// Using the private part of a per-CPU cell after the cell was given back.

fn case(cell: &CpuCell<u64, ()>) {
    let mut kept: Option<&mut u64> = None;

    cell.with(|private, ()| {
        #[cfg(not(misuse))]
        let used = private;
        #[cfg(misuse)]
        // error[E0521]: borrowed data escapes outside of closure
        let used = kept.insert(private);
    });
    kept.take();
}
