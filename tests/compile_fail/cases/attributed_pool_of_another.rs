// SPDX-License-Identifier: GPL-2.0
// Giving an uncached block to a pool of write-combined ones.

#[cfg(not(misuse))]
type Block = AttributedPages<WriteCombined>;
#[cfg(misuse)]
type Block = AttributedPages<Uncached>;

fn case(pool: &AttributedPool<WriteCombined>, block: Block) {
    // error[E0308]: mismatched types
    pool.put(block);
}
