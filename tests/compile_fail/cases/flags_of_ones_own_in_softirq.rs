// SPDX-License-Identifier: GPL-2.0
// Declaring that flags of one's own are fine in a softirq, and vouching for nothing.

#[derive(Clone, Copy)]
struct Mine;

unsafe impl Gfp for Mine {
    const NAME: &'static str = "GFP_NOWAIT";
    const RAW: u32 = bindings::GFP_NOWAIT;
    type Calls = AllocPages;
}

#[cfg(not(misuse))]
unsafe impl AllowedIn<Softirq> for Mine {}
#[cfg(misuse)]
// error[E0200]: requires an `unsafe impl` declaration
impl AllowedIn<Softirq> for Mine {}
