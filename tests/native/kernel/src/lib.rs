// SPDX-License-Identifier: GPL-2.0

//! Stands for the kernel crate, with the few names that the included files use.

/// Errors of allocations.
pub mod alloc {
    /// There is no memory.
    #[derive(Debug)]
    pub struct AllocError;
}

/// Functions in C.
pub mod bindings {
    /// A memory barrier on all CPUs, which these programs do not need.
    ///
    /// # Safety
    ///
    /// None.
    pub unsafe fn kick_all_cpus_sync() {}
}

/// Names that are used everywhere.
pub mod prelude {
    pub use core::ffi::c_void;
}
