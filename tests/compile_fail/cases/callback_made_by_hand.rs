// SPDX-License-Identifier: GPL-2.0
// The count of what the kernel may call, named by a driver.

fn case() -> Result {
    #[cfg(misuse)]
    // error[E0603]: module `ffi` is private
    let _: Option<labyrinth::ffi::unload::CallbackRegistration> = None;
    Ok(())
}
