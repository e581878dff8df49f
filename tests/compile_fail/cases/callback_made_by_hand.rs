// SPDX-License-Identifier: GPL-2.0
// The count of what the kernel may call, changed by a driver.

fn case(code: fn()) -> Result {
    #[cfg(misuse)]
    // error[E0603]: module `ffi` is private
    drop(labyrinth::ffi::unload::Callback::new(code as *const _)?);
    Ok(())
}
