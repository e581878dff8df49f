// SPDX-License-Identifier: GPL-2.0
// The contents of pages with a cache attribute, kept past the barrier.

fn case(block: &mut AttributedPages<WriteCombined>) {
    let mut kept = None;

    block.write(|pages| {
        #[cfg(not(misuse))]
        let used = kept.insert(pages[0]);
        #[cfg(misuse)]
        // error[E0521]: borrowed data escapes outside of closure
        let used = kept.insert(&mut pages[0]);
    });
    kept.take();
}
