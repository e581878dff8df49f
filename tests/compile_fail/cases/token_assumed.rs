// SPDX-License-Identifier: GPL-2.0
// A token by the function that is for the wrappers only.

fn case(thread: &mut Running) {
    #[cfg(not(misuse))]
    let task = thread.context();
    #[cfg(misuse)]
    // error[E0624]: associated function `assume` is private
    let task = &unsafe { Task::assume() };

    let page = ExclusivePage::alloc(task, GfpKernel);
}
