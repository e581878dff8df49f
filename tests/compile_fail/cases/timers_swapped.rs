// SPDX-License-Identifier: GPL-2.0
// Two timers exchanged while the kernel has their addresses.

struct Tick;

impl Handler for Tick {
    fn expired(&mut self, _: &mut Softirq) -> Next {
        Next::Stop
    }
}

fn case(mut one: Pin<KBox<Timer<Tick>>>, mut other: Pin<KBox<Timer<Tick>>>) {
    #[cfg(not(misuse))]
    core::mem::swap(&mut one, &mut other);
    #[cfg(misuse)]
    // error[E0277]: cannot be unpinned
    core::mem::swap(one.as_mut().get_mut(), other.as_mut().get_mut());
}
