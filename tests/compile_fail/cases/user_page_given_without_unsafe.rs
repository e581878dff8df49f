// SPDX-License-Identifier: GPL-2.0
// A page frame given to a process by somebody who may use it all the same.

fn case<'a>(cx: &Task, area: NewArea<'a>, page: ExclusivePage<Bytes>) {
    let frame = page.pfn();
    #[cfg(misuse)]
    // error[E0133]: call to unsafe function
    let mapped = area.give(cx, frame, page);
}
