// SPDX-License-Identifier: GPL-2.0
// Two names for one page: the uninitialised and the zeroed.

fn case(cx: &Softirq) -> Result {
    let page = ExclusivePage::alloc(cx, GfpAtomic)?;
    let zeroed = page.zeroed();
    #[cfg(misuse)]
    // error[E0382]: use of moved value: `page`
    drop(page);
    Ok(())
}
