// SPDX-License-Identifier: GPL-2.0
// A driver that uses the count of callbacks itself.

fn case() -> Result {
    #[cfg(misuse)]
    // error[E0603]: module `ffi` is private
    let _: Option<labyrinth::ffi::unload::CallbackRegistration> = None;
    Ok(())
}
