// SPDX-License-Identifier: GPL-2.0
// Pages that have got a cache attribute, used as ordinary pages.

fn case(cx: &Task, blocks: KVec<ExclusivePages<Bytes>>) -> bool {
    let first = blocks[0][0][0];
    let attributed = AttributedPages::<WriteCombined>::set(cx, blocks);
    #[cfg(misuse)]
    // error[E0382]: borrow of moved value: `blocks`
    let first = blocks[0][0][0];
    attributed.is_ok_and(|blocks| blocks[0].read(|pages| pages[0][0] == first))
}
