// SPDX-License-Identifier: GPL-2.0

//! All differences between the kernel versions that labyrinth supports (7.2 and newer).
//!
//! `Kbuild` sets `labyrinth_since_X_Y` for every kernel from X.Y on.

use kernel::{
    bindings,
    module_param::ModuleParamAccess, //
};

/// Disables the interrupts of this CPU with the functions that Linux 7.3 has for the kernel crate's
/// `LocalInterruptDisabled`.
///
/// The kernel counts how often interrupts were disabled, and restores them when the count is back
/// at zero. So two sections may end in any order, and one of them may never end.
#[cfg(labyrinth_since_7_3)]
pub(super) mod interrupts {
    use super::bindings;

    /// The saved state. It is empty, as the kernel keeps the state itself.
    #[derive(Clone, Copy)]
    #[allow(unnameable_types, reason = "the state of a lock's guard")]
    pub struct Saved(());

    /// Disables the interrupts of this CPU. Any context but NMI.
    #[inline]
    pub(in crate::ffi) fn disable() -> Saved {
        // SAFETY: The function may be called in any context but NMI.
        unsafe { bindings::local_interrupt_disable() };
        Saved(())
    }

    /// Restores the interrupts.
    ///
    /// # Safety
    ///
    /// `_saved` must come from [`disable`] on this CPU, and be used once.
    #[inline]
    pub(in crate::ffi) unsafe fn restore(_saved: Saved) {
        // SAFETY: By the requirement above this ends one call of `local_interrupt_disable()`.
        unsafe { bindings::local_interrupt_enable() }
    }

    /// Disables the interrupts of this CPU and takes a lock.
    ///
    /// # Safety
    ///
    /// The lock must be initialised.
    #[inline]
    pub(in crate::ffi) unsafe fn lock(lock: *mut bindings::raw_spinlock_t) -> Saved {
        // SAFETY: By the requirement above.
        unsafe { bindings::_raw_spin_lock_irq_disable(lock) };
        Saved(())
    }

    /// Like [`lock`], but returns `None` if the lock is held.
    ///
    /// # Safety
    ///
    /// As for [`lock`].
    #[inline]
    pub(in crate::ffi) unsafe fn try_lock(lock: *mut bindings::raw_spinlock_t) -> Option<Saved> {
        let saved = disable();
        // SAFETY: By the requirement above.
        if unsafe { bindings::_raw_spin_trylock(lock) } != 0 {
            return Some(saved);
        }
        // SAFETY: `saved` comes from the call above.
        unsafe { restore(saved) };
        None
    }

    /// Releases a lock and restores the interrupts.
    ///
    /// # Safety
    ///
    /// The lock must have been taken by [`lock`] or [`try_lock`], which returned `_saved`.
    #[inline]
    pub(in crate::ffi) unsafe fn unlock(lock: *mut bindings::raw_spinlock_t, _saved: Saved) {
        // SAFETY: By the requirement above.
        unsafe { bindings::_raw_spin_unlock_irq_enable(lock) }
    }
}

/// Disables the interrupts of this CPU. Before Linux 7.3 the kernel crate cannot do that.
#[cfg(not(labyrinth_since_7_3))]
pub(super) mod interrupts {
    use super::bindings;
    use crate::ffi::helpers;
    use kernel::ffi::c_ulong;

    /// The interrupt flags before the call.
    #[derive(Clone, Copy)]
    #[allow(unnameable_types, reason = "the state of a lock's guard")]
    pub struct Saved(c_ulong);

    /// Disables the interrupts of this CPU. Any context.
    #[inline]
    pub(in crate::ffi) fn disable() -> Saved {
        // SAFETY: The function may be called in any context.
        Saved(unsafe { helpers::labyrinth_irq_save() })
    }

    /// Restores the interrupts.
    ///
    /// # Safety
    ///
    /// `saved` must come from [`disable`] on this CPU. Everything that has disabled interrupts
    /// since then must have restored them.
    #[inline]
    pub(in crate::ffi) unsafe fn restore(saved: Saved) {
        // SAFETY: By the requirement above.
        unsafe { helpers::labyrinth_irq_restore(saved.0) }
    }

    /// Disables the interrupts of this CPU and takes a lock.
    ///
    /// # Safety
    ///
    /// The lock must be initialised.
    #[inline]
    pub(in crate::ffi) unsafe fn lock(lock: *mut bindings::raw_spinlock_t) -> Saved {
        // SAFETY: By the requirement above.
        Saved(unsafe { helpers::labyrinth_raw_spin_lock(lock) })
    }

    /// Like [`lock`], but returns `None` if the lock is held.
    ///
    /// # Safety
    ///
    /// As for [`lock`].
    #[inline]
    pub(in crate::ffi) unsafe fn try_lock(lock: *mut bindings::raw_spinlock_t) -> Option<Saved> {
        let mut flags = 0;
        // SAFETY: By the requirement above; `flags` may be written.
        (unsafe { helpers::labyrinth_raw_spin_trylock(lock, &mut flags) }).then_some(Saved(flags))
    }

    /// Releases a lock and restores the interrupts.
    ///
    /// # Safety
    ///
    /// The lock must have been taken by [`lock`] or [`try_lock`], which returned `saved`.
    /// Everything that has disabled interrupts since then must have restored them.
    #[inline]
    pub(in crate::ffi) unsafe fn unlock(lock: *mut bindings::raw_spinlock_t, saved: Saved) {
        // SAFETY: By the requirement above.
        unsafe { helpers::labyrinth_raw_spin_unlock(lock, saved.0) }
    }
}

/// The return value of an hrtimer's function: whether the timer is armed again.
#[cfg(labyrinth_since_7_3)]
pub(super) const fn hrtimer_restart(again: bool) -> bindings::hrtimer_restart {
    if again {
        bindings::hrtimer_restart::HRTIMER_RESTART
    } else {
        bindings::hrtimer_restart::HRTIMER_NORESTART
    }
}

/// The return value of an hrtimer's function: whether the timer is armed again.
#[cfg(not(labyrinth_since_7_3))]
pub(super) const fn hrtimer_restart(again: bool) -> bindings::hrtimer_restart {
    if again {
        bindings::hrtimer_restart_HRTIMER_RESTART
    } else {
        bindings::hrtimer_restart_HRTIMER_NORESTART
    }
}

/// The return value of an interrupt handler: whether the interrupt was its own.
#[cfg(all(CONFIG_PCI, labyrinth_since_7_3))]
pub(super) const fn irq_return(ours: bool) -> bindings::irqreturn_t {
    if ours {
        bindings::irqreturn::IRQ_HANDLED
    } else {
        bindings::irqreturn::IRQ_NONE
    }
}

/// The return value of an interrupt handler: whether the interrupt was its own.
#[cfg(all(CONFIG_PCI, not(labyrinth_since_7_3)))]
pub(super) const fn irq_return(ours: bool) -> bindings::irqreturn_t {
    if ours {
        bindings::irqreturn_IRQ_HANDLED
    } else {
        bindings::irqreturn_IRQ_NONE
    }
}

/// The data of the table entry that the device matched, as a PCI driver gets it.
#[cfg(all(CONFIG_PCI, labyrinth_since_7_3))]
pub(super) type IdInfo<'a, T> = Option<&'a T>;

/// The data of the table entry that the device matched, as a PCI driver gets it.
#[cfg(all(CONFIG_PCI, not(labyrinth_since_7_3)))]
pub(super) type IdInfo<'a, T> = &'a T;

/// Makes the table of the PCI devices that a driver supports, as `kernel::pci_device_table!` does.
/// The second name is that of the table for user space, which Linux 7.2 needs.
///
/// # Examples
///
/// ```
/// use kernel::pci;
///
/// labyrinth::pci_table!(TABLE, MODULE_TABLE, [pci::DeviceId::from_class(0x00_ff00, 0xff_ffff)]);
/// ```
#[cfg(labyrinth_since_7_3)]
#[macro_export]
macro_rules! pci_table {
    ($table:ident, $module_table:ident, [$id:expr]) => {
        ::kernel::pci_device_table!($table, (), [($id, ())]);
    };
}

/// Makes the table of the PCI devices that a driver supports, as `kernel::pci_device_table!` does.
/// The second name is that of the table for user space.
#[cfg(not(labyrinth_since_7_3))]
#[macro_export]
macro_rules! pci_table {
    ($table:ident, $module_table:ident, [$id:expr]) => {
        ::kernel::pci_device_table!($table, $module_table, (), [($id, ())]);
    };
}

/// The value of a module parameter. Any context.
#[cfg(labyrinth_since_7_3)]
pub fn parameter<T: Copy>(parameter: &ModuleParamAccess<T>) -> T {
    parameter.value()
}

/// The value of a module parameter. Any context.
#[cfg(not(labyrinth_since_7_3))]
pub fn parameter<T: Copy>(parameter: &ModuleParamAccess<T>) -> T {
    *parameter.value()
}

/// Converts the kernel crate's owned pages to and from raw pages, which the kernel crate cannot do.
/// The type that replaces `kernel::page::Page` as the owned page will have its conversions here.
pub(crate) mod owned_page {
    use super::bindings;
    use core::{
        mem::ManuallyDrop,
        ptr::{
            self,
            NonNull, //
        }, //
    };
    use kernel::page::{
        BorrowedPage,
        Page, //
    };

    /// Gives up the ownership of the page.
    pub(crate) fn into_raw(page: Page) -> NonNull<bindings::page> {
        let page = ManuallyDrop::new(page);
        // SAFETY: A `Page` has the address of a page, which is not null.
        unsafe { NonNull::new_unchecked(page.as_ptr()) }
    }

    /// Takes over the ownership of a page.
    ///
    /// # Safety
    ///
    /// `page` must be an allocated page of order 0. The caller must own it, and must not use it any
    /// more.
    pub(crate) unsafe fn from_raw(page: NonNull<bindings::page>) -> Page {
        // SAFETY: By the requirement above.
        let borrowed = unsafe { BorrowedPage::from_raw(page) };
        // SAFETY: The value is a valid `Page`. The borrowed one does not free it, so there is one
        // owner.
        unsafe { ptr::read(&*borrowed) }
    }
}
