// SPDX-License-Identifier: GPL-2.0
// A line to charge pages to that no module has.

fn case(page: &mut ExclusivePage<Bytes>) {
    #[cfg(not(misuse))]
    let caller = call_site!(receive);
    #[cfg(misuse)]
    // error[E0423]: cannot initialize a tuple struct which contains private fields
    let caller = CallSite(());

    page.charge(caller);
}
