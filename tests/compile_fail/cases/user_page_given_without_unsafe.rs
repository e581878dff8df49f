// SPDX-License-Identifier: GPL-2.0
// Giving a page frame to a process with the function that only `UserPage` may call. The caller
// could still use the page.

fn case<'a>(cx: &Task, area: NewArea<'a>, page: ExclusivePage<Bytes>) {
    let frame = page.pfn();
    #[cfg(misuse)]
    // error[E0624]: method `give` is private
    let mapped = unsafe { area.give(cx, frame, page) };
}
