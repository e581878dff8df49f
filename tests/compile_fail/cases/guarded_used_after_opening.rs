// SPDX-License-Identifier: GPL-2.0
// Checking guards after they were removed.

fn case(mut page: Guarded) {
    #[cfg(not(misuse))]
    let pages = page.check();
    #[cfg(misuse)]
    let pages = page.open();
    // error[E0382]: borrow of moved value: `page`
    let outcome = page.check();
}
