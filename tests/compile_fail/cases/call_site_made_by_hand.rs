// SPDX-License-Identifier: GPL-2.0
// A call site that is in no module.

fn case(page: &mut ExclusivePage<Bytes>) {
    #[cfg(not(misuse))]
    let caller = call_site!(receive);
    #[cfg(misuse)]
    // error[E0423]: cannot initialize a tuple struct which contains private fields
    let caller = CallSite(());

    page.charge(caller);
}
