// SPDX-License-Identifier: GPL-2.0
// Sharing a page with the host in a softirq.

#[cfg(not(misuse))]
type Here = Task;
#[cfg(misuse)]
type Here = Softirq;

fn case(cx: &Here, page: ExclusivePage<Bytes>) -> bool {
    // error[E0277]: is atomic context, which may not sleep
    HostPages::share(cx, page).is_ok()
}
