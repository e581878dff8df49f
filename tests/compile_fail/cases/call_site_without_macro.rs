// SPDX-License-Identifier: GPL-2.0
// A call site without counters, made by the function that only the macro may call.

#[cfg(CONFIG_MEM_ALLOC_PROFILING)]
static TAG: __private::Tag = __private::Tag::new(c"driver", c"receive", c"driver.rs", 1);
#[cfg(not(CONFIG_MEM_ALLOC_PROFILING))]
static TAG: () = ();

fn case(page: &mut ExclusivePage<Bytes>) {
    #[cfg(CONFIG_MEM_ALLOC_PROFILING)]
    let tag = &TAG;
    #[cfg(not(CONFIG_MEM_ALLOC_PROFILING))]
    let tag = TAG;

    #[cfg(not(misuse))]
    let caller = unsafe { __private::call_site(tag) };
    #[cfg(misuse)]
    // error[E0133]: call to unsafe function
    let caller = __private::call_site(tag);

    page.charge(caller);
}
