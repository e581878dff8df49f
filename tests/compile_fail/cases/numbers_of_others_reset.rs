// SPDX-License-Identifier: GPL-2.0
// A driver resets the numbers of labyrinth and of all other drivers.

fn case(registry: &stats::Registry, barrier: &unload::UnloadBarrier) -> Result {
    #[cfg(not(misuse))]
    registry.reset(barrier.own_module())?;
    #[cfg(misuse)]
    // error[E0061]: this method takes 1 argument but 0 arguments were supplied
    registry.reset()?;
    let _ = (registry, barrier);
    Ok(())
}
