// SPDX-License-Identifier: GPL-2.0
// Making a second unload barrier. When it is dropped, no unload would wait for callbacks any more.

fn case() -> Result {
    #[cfg(not(misuse))]
    let barrier = unload::UnloadBarrier::new()?;
    #[cfg(misuse)]
    // error[E0423]: cannot initialize a tuple struct which contains private fields
    let barrier = unload::UnloadBarrier(());

    drop(barrier);
    Ok(())
}
