// SPDX-License-Identifier: GPL-2.0
// Exchanging the guard that keeps a CPU online for another one.

fn case(mut mine: HotplugGuard, mut other: HotplugGuard) -> Option<u32> {
    let cpu = mine.online().next();
    #[cfg(misuse)]
    // error[E0502]: cannot borrow `mine` as mutable because it is also borrowed as immutable
    core::mem::swap(&mut mine, &mut other);
    Some(cpu?.number())
}
