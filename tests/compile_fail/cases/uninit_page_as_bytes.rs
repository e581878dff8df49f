// SPDX-License-Identifier: GPL-2.0
// Passing a page off as initialised.

fn case(cx: &Softirq) -> Result<ExclusivePage<Bytes>> {
    let page = ExclusivePage::alloc(cx, GfpAtomic)?;

    #[cfg(not(misuse))]
    return Ok(page.zeroed());
    #[cfg(misuse)]
    // error[E0308]: mismatched types
    return Ok(page);
}
