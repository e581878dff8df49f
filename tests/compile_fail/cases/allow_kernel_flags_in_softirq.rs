// SPDX-License-Identifier: GPL-2.0
// Declaring that `GFP_KERNEL` is allowed in a softirq. A driver cannot implement this for flags of
// labyrinth.

#[derive(Clone, Copy)]
struct Mine;

unsafe impl Gfp for Mine {
    const NAME: &'static str = "GFP_KERNEL";
    const RAW: u32 = bindings::GFP_KERNEL;
    type Calls = AllocPages;
}

#[cfg(not(misuse))]
unsafe impl AllowedIn<Task> for Mine {}
#[cfg(misuse)]
// error[E0117]: only traits defined in the current crate can be implemented
unsafe impl AllowedIn<Softirq> for GfpKernel {}
