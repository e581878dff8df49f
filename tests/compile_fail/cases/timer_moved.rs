// SPDX-License-Identifier: GPL-2.0
// A timer moved while the kernel has its address.

struct Tick;

impl Handler for Tick {
    fn expired(&mut self, _: &mut Softirq) -> Next {
        Next::Stop
    }
}

fn case(timer: Pin<KBox<Timer<Tick>>>) {
    #[cfg(not(misuse))]
    let timer = timer.as_ref();
    #[cfg(misuse)]
    // error[E0277]: cannot be unpinned
    let timer = Pin::into_inner(timer);
}
