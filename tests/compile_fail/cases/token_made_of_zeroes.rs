// SPDX-License-Identifier: GPL-2.0
// Making a token with the function for values of zeroes. It has no bytes that could be wrong.

fn case(thread: &mut Running) {
    #[cfg(not(misuse))]
    let task = thread.context();
    #[cfg(misuse)]
    // error[E0277]: Zeroable` is not satisfied
    let task = &<Task as pin_init::Zeroable>::zeroed();

    let page = ExclusivePage::alloc(task, GfpKernel);
}
