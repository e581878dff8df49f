// SPDX-License-Identifier: GPL-2.0
// Probing a device other than by the kernel. The caller could keep the handlers of the device.

fn case<D: labyrinth::pci::Driver>(name: &'static CStr, module: &'static ThisModule) {
    #[cfg(not(misuse))]
    let driver = labyrinth::pci::Registered::<D>::new(name, module);
    #[cfg(misuse)]
    // error[E0603]: module `ffi` is private
    let probe = <labyrinth::ffi::pci::Bridge<D> as kernel::pci::Driver>::probe;
}
