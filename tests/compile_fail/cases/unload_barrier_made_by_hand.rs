// SPDX-License-Identifier: GPL-2.0
// A second barrier, whose end would be the end of all waiting for callbacks.

fn case() -> Result {
    #[cfg(not(misuse))]
    let barrier = unload::UnloadBarrier::new()?;
    #[cfg(misuse)]
    // error[E0423]: cannot initialize a tuple struct which contains private fields
    let barrier = unload::UnloadBarrier(());

    drop(barrier);
    Ok(())
}
