// SPDX-License-Identifier: GPL-2.0
// A page that is shared with the host, used as an exclusive one.

fn case(cx: &Task, page: ExclusivePage<Bytes>) -> bool {
    let first = page[0];
    let shared = HostPages::share(cx, page);
    #[cfg(misuse)]
    // error[E0382]: borrow of moved value: `page`
    let first = page[0];
    shared.is_ok() || first == 0
}
