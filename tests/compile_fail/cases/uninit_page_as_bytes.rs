// SPDX-License-Identifier: GPL-2.0
// Using an uninitialised page as an initialised one.

fn case(cx: &Softirq) -> Result<ExclusivePage<Bytes>> {
    let page = ExclusivePage::alloc(cx, GfpAtomic)?;

    #[cfg(not(misuse))]
    return Ok(page.zeroed());
    #[cfg(misuse)]
    // error[E0308]: mismatched types
    return Ok(page);
}
