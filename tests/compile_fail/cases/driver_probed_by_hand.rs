// SPDX-License-Identifier: GPL-2.0
// A device probed by somebody other than the kernel, who could keep its handlers.

fn case<D: labyrinth::pci::Driver>(name: &'static CStr, module: &'static ThisModule) {
    #[cfg(not(misuse))]
    let driver = labyrinth::pci::Registered::<D>::new(name, module);
    #[cfg(misuse)]
    // error[E0603]: module `ffi` is private
    let probe = <labyrinth::ffi::pci::Bridge<D> as kernel::pci::Driver>::probe;
}
