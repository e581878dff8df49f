// SPDX-License-Identifier: GPL-2.0
// Uncached pages among write-combined ones.

fn case(
    blocks: &mut KVec<AttributedPages<WriteCombined>>,
    mine: AttributedPages<WriteCombined>,
    other: AttributedPages<Uncached>,
) {
    let _ = blocks.push(mine, GFP_KERNEL);
    #[cfg(misuse)]
    // error[E0308]: mismatched types
    let _ = blocks.push(other, GFP_KERNEL);
}
