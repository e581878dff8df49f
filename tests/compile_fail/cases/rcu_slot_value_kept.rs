// SPDX-License-Identifier: GPL-2.0
// A published value, reached after it may have been taken away.

fn case(room: &RcuSlot<u32>) {
    let mut kept = None;

    room.with(|value| {
        #[cfg(not(misuse))]
        let used = kept.insert(*value);
        #[cfg(misuse)]
        // error[E0521]: borrowed data escapes outside of closure
        let used = kept.insert(value);
    });
    kept.take();
}
