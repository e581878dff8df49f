// SPDX-License-Identifier: GPL-2.0
// A thread that has a page with a device, and may live longer than its driver.

struct Holder(Option<Mapped<'static, ToDevice>>);

impl Body for Holder {
    fn run(&mut self, _: &mut Running) {}
}

fn case(cx: &Task, device: &Device<Bound>, page: ExclusivePage<Bytes>) {
    // error[E0521]: borrowed data escapes outside of function
    let mapped = map(cx, DmaDevice::new(device), ToDevice, page).ok();
    #[cfg(misuse)]
    let thread = Thread::spawn(c"holder", Holder(mapped));
}
