// SPDX-License-Identifier: GPL-2.0
// A driver makes the proof that it is labyrinth's own module, and changes what others rely on.

fn case(barrier: &unload::UnloadBarrier) {
    #[cfg(not(misuse))]
    sentinel::set_policy(barrier.own_module(), sentinel::Policy::Count);
    #[cfg(misuse)]
    // error[E0423]: cannot initialize a tuple struct which contains private fields
    sentinel::set_policy(unload::OwnModule(()), sentinel::Policy::Count);
    let _ = barrier;
}
