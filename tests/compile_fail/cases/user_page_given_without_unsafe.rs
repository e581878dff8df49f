// SPDX-License-Identifier: GPL-2.0
// A page frame given to a process by somebody who may use it all the same: by the function that is
// for `UserPage` only.

fn case<'a>(cx: &Task, area: NewArea<'a>, page: ExclusivePage<Bytes>) {
    let frame = page.pfn();
    #[cfg(misuse)]
    // error[E0624]: method `give` is private
    let mapped = unsafe { area.give(cx, frame, page) };
}
