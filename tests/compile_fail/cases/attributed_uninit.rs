// SPDX-License-Identifier: GPL-2.0
// Giving a cache attribute to pages with contents of an earlier owner, which a device would see.

#[cfg(not(misuse))]
type Contents = Bytes;
#[cfg(misuse)]
type Contents = Uninit;

fn case(cx: &Task, blocks: KVec<ExclusivePages<Contents>>) -> bool {
    // error[E0308]: mismatched types
    AttributedPages::<Uncached>::set(cx, blocks).is_ok()
}
