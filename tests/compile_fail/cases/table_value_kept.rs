// SPDX-License-Identifier: GPL-2.0
// Using the value of a handle after it may have been removed from the table.

fn case(table: &'static Handles<u32>, handle: Handle) {
    let mut kept = None;

    table.with(handle, &NoToken, |value, _| {
        #[cfg(not(misuse))]
        let used = kept.insert(*value);
        #[cfg(misuse)]
        // error[E0521]: borrowed data escapes outside of closure
        let used = kept.insert(value);
    });
    kept.take();
}
