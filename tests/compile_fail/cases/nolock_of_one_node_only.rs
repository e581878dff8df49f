// SPDX-License-Identifier: GPL-2.0
// A page of one node and no other, from the allocator that takes no lock and goes on to others.

fn case(cx: &IrqsOff, node: Node) {
    #[cfg(not(misuse))]
    let page = ExclusivePages::alloc_nolock(cx, Some(node));
    #[cfg(misuse)]
    // error[E0308]: mismatched types
    let page = ExclusivePages::alloc_nolock(cx, Place::Only(node));
}
