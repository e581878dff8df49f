// SPDX-License-Identifier: GPL-2.0

//! A driver can only be loaded with the build of the library that it was built against.
//!
//! The layout of types may change with each build, and code of the library is inlined into drivers.
//! An old driver would access fields at their old offsets. The kernel does not prevent that: Rust's
//! symbol names depend on `-Cmetadata` only, and the module loader checks only the kernel version.
//!
//! So `Kbuild` hashes everything that the library is built from: its sources, the compiler, its
//! flags, the kernel's configuration and the kernel crate. The hash is passed as `-Cmetadata`, and
//! is a part of the name of the namespace that all symbols are exported to.
//! [`import!`](crate::import!) makes a driver import the namespace of the library that it is
//! compiled with, and refer to a symbol whose name depends on the hash. If another build of the
//! library is loaded, the module loader refuses the driver with `EINVAL` or `ENOENT`, and with
//! lines in the kernel log:
//!
//! - It refuses all symbols of a namespace that the driver does not import. This is necessary for
//!   drivers that use nothing but C helpers, because the names of C helpers do not change. With
//!   `CONFIG_MODULE_ALLOW_MISSING_NAMESPACE_IMPORTS` the kernel only warns.
//! - It refuses unknown symbols on all kernels. One of them is `BUILT_AGAINST_ANOTHER_LABYRINTH`,
//!   whose name tells the reader of the kernel log what is wrong.
//!
//! `insmod --force` skips neither check.
//!
//! C header: [`include/linux/export.h`](srctree/include/linux/export.h)

const TEXT: &[u8] = concat!("import_ns=LABYRINTH_", env!("LABYRINTH_ID"), "\0").as_bytes();

/// The entry in a driver's `.modinfo`.
#[doc(hidden)]
pub const NAMESPACE: [u8; TEXT.len()] = {
    let mut bytes = [0; TEXT.len()];
    let mut i = 0;
    while i < bytes.len() {
        bytes[i] = TEXT[i];
        i += 1;
    }
    bytes
};

/// Each driver refers to this symbol, see above. The kernel log names it if the driver is refused.
#[doc(hidden)]
pub static BUILT_AGAINST_ANOTHER_LABYRINTH: u8 = 0;

/// Imports the library's symbols. A driver uses this macro once, beside its `module!`. Without it
/// the driver does not build: modpost reports symbols of a namespace that is not imported.
///
/// # Examples
///
/// ```
/// labyrinth::import!();
/// ```
#[macro_export]
macro_rules! import {
    () => {
        const _: () = {
            use $crate::__private::{
                BUILT_AGAINST_ANOTHER_LABYRINTH,
                NAMESPACE, //
            };

            #[link_section = ".modinfo"]
            #[used(compiler)]
            static IMPORT: [u8; NAMESPACE.len()] = NAMESPACE;

            #[used(compiler)]
            static BUILD: &u8 = &BUILT_AGAINST_ANOTHER_LABYRINTH;
        };
    };
}
