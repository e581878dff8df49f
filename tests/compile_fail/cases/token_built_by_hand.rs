// SPDX-License-Identifier: GPL-2.0
// Making a token from its parts, without entering the context.

fn case(thread: &mut Running) {
    #[cfg(not(misuse))]
    let task = thread.context();
    #[cfg(misuse)]
    // error[E0423]: cannot initialize a tuple struct which contains private fields
    let task = &Task(NotThreadSafe);

    let page = ExclusivePage::alloc(task, GfpKernel);
}
