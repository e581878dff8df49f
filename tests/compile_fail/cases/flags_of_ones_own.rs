// SPDX-License-Identifier: GPL-2.0
// A driver's own flags, without `unsafe`. With them a page could be in high memory, and have no
// address.

#[derive(Clone, Copy)]
struct High;

#[cfg(not(misuse))]
unsafe impl Gfp for High {
    const NAME: &'static str = "__GFP_HIGHMEM";
    const RAW: u32 = bindings::__GFP_HIGHMEM;
    type Calls = AllocPages;
}
#[cfg(misuse)]
// error[E0200]: requires an `unsafe impl` declaration
impl Gfp for High {
    const NAME: &'static str = "__GFP_HIGHMEM";
    const RAW: u32 = bindings::__GFP_HIGHMEM;
    type Calls = AllocPages;
}
