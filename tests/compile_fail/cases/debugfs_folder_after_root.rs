// SPDX-License-Identifier: GPL-2.0
// A folder used after everything below the root was removed.

fn case(root: Root<u32>) {
    let folder = root.top().dir(c"exercise");
    #[cfg(misuse)]
    // error[E0505]: cannot move out of `root` because it is borrowed
    drop(root);
    let below = folder.dir(c"task");
}
