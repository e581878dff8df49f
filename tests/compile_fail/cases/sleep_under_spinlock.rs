// SPDX-License-Identifier: GPL-2.0
// A thread that sleeps inside its critical section.

fn case(lock: &SpinLockBh<u32>, thread: &mut Running) {
    #[cfg(not(misuse))]
    let wish = {
        lock.with(thread.context(), |_, held| *held += 1);
        thread.sleep_us(100)
    };
    #[cfg(misuse)]
    // error[E0277]: `*mut ()` cannot be sent between threads safely
    let wish = lock.with(thread.context(), |_, held| {
        *held += 1;
        thread.sleep_us(100)
    });
}
