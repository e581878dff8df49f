// SPDX-License-Identifier: GPL-2.0
// Making the proof of labyrinth's own module in a driver, to change settings that all drivers
// share.

fn case(barrier: &unload::UnloadBarrier) {
    #[cfg(not(misuse))]
    sentinel::set_policy(barrier.own_module(), sentinel::Policy::Count);
    #[cfg(misuse)]
    // error[E0423]: cannot initialize a tuple struct which contains private fields
    sentinel::set_policy(unload::OwnModule(()), sentinel::Policy::Count);
    let _ = barrier;
}
