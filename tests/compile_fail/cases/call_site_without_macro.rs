// SPDX-License-Identifier: GPL-2.0
// A line to charge pages to, whose counters nobody has made: by the function that is for the macro.

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
