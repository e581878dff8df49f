// SPDX-License-Identifier: GPL-2.0
// Guarding pages with uninitialised contents.

fn case(cx: &Softirq) -> Result<Guarded> {
    let pages = ExclusivePages::alloc(cx, GfpAtomic, 1, Place::Any)?;
    #[cfg(not(misuse))]
    let pages = pages.zeroed();
    // error[E0308]: mismatched types
    Ok(Guarded::new(cx, pages))
}
