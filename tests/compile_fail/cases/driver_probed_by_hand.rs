// SPDX-License-Identifier: GPL-2.0
// A device probed by somebody other than the kernel, who could keep its handlers.

fn case<D: crate::ffi::pci::Driver>(name: &'static CStr, module: &'static ThisModule) {
    #[cfg(not(misuse))]
    let driver = crate::ffi::pci::Registered::<D>::new(name, module);
    #[cfg(misuse)]
    // error[E0603]: struct `Bridge` is private
    let probe = <crate::ffi::pci::Bridge<D> as kernel::pci::Driver>::probe;
}
