// SPDX-License-Identifier: GPL-2.0
// Reaching the pools of other drivers through a driver's own pool.

fn case(pool: Arc<RegisteredPool>) -> Result {
    #[cfg(not(misuse))]
    let _ = pool.config();
    #[cfg(misuse)]
    // error[E0624]: method `manager` is private
    let _ = pool.manager().pools()?;
    drop(pool);
    Ok(())
}
