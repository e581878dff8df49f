// SPDX-License-Identifier: GPL-2.0
// Moving a token out of the reference that lends it.

fn case(thread: &mut Running) {
    #[cfg(not(misuse))]
    let task = thread.context();
    #[cfg(misuse)]
    // error[E0507]: cannot move out of a mutable reference
    let task = *thread.context();
}
