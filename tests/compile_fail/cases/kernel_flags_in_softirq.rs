// SPDX-License-Identifier: GPL-2.0
// `GFP_KERNEL` in the handler of a timer.

struct Tick;

impl Handler for Tick {
    fn expired(&mut self, cx: &mut Softirq) -> Next {
        #[cfg(not(misuse))]
        let page = ExclusivePage::alloc(cx, GfpAtomic);
        #[cfg(misuse)]
        // error[E0277]: is atomic context, which may not sleep
        let page = ExclusivePage::alloc(cx, GfpKernel);

        Next::Stop
    }
}
