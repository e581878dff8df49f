// SPDX-License-Identifier: GPL-2.0
// Reading what the last owner left in a page.

fn case(cx: &Softirq) -> Result<u8> {
    let page = ExclusivePage::alloc(cx, GfpAtomic)?;
    #[cfg(not(misuse))]
    let page = page.zeroed();

    // error[E0608]: cannot index into a value of type
    Ok(page[0])
}
