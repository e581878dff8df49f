// SPDX-License-Identifier: GPL-2.0
// A driver reaches the pools of other drivers by way of its own.

fn case(pool: Arc<RegisteredPool>) -> Result {
    #[cfg(not(misuse))]
    let _ = pool.config();
    #[cfg(misuse)]
    // error[E0624]: method `manager` is private
    let _ = pool.manager().pools()?;
    drop(pool);
    Ok(())
}
