// SPDX-License-Identifier: GPL-2.0
// Using an uninitialised page after it was zeroed, which moved it to a new value.

fn case(cx: &Softirq) -> Result {
    let page = ExclusivePage::alloc(cx, GfpAtomic)?;
    let zeroed = page.zeroed();
    #[cfg(misuse)]
    // error[E0382]: use of moved value: `page`
    drop(page);
    Ok(())
}
