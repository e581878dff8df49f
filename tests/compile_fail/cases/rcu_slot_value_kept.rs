// SPDX-License-Identifier: GPL-2.0
// Using a published value after it may have been removed.

fn case(slot: &RcuSlot<u32>) {
    let mut kept = None;

    slot.with(|value| {
        #[cfg(not(misuse))]
        let used = kept.insert(*value);
        #[cfg(misuse)]
        // error[E0521]: borrowed data escapes outside of closure
        let used = kept.insert(value);
    });
    kept.take();
}
