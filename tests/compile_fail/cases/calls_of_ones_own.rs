// SPDX-License-Identifier: GPL-2.0
// A driver's own functions for its own flags. labyrinth would free the pages with another function.

enum Mine {}

#[cfg(misuse)]
// error[E0277]: the trait bound
impl Calls for Mine {
    const FREES: bool = true;
}
