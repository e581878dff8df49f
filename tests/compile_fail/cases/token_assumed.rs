// SPDX-License-Identifier: GPL-2.0
// Making a token with the function that only the wrappers may call.

fn case(thread: &mut Running) {
    #[cfg(not(misuse))]
    let task = thread.context();
    #[cfg(misuse)]
    // error[E0624]: associated function `assume` is private
    let task = &unsafe { Task::assume() };

    let page = ExclusivePage::alloc(task, GfpKernel);
}
