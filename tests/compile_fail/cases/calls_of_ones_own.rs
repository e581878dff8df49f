// SPDX-License-Identifier: GPL-2.0
// Functions of one's own for the flags of one's own: labyrinth frees by its own.

enum Mine {}

#[cfg(misuse)]
// error[E0277]: the trait bound
impl Calls for Mine {
    const FREES: bool = true;
}
