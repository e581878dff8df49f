// SPDX-License-Identifier: GPL-2.0

//! A driver is linked to the very library that it was built against, or not at all.
//!
//! The layout of types may change with each build, and a driver has the library's code inlined. An
//! old driver beside a new library would read fields that are elsewhere by now. Rust's symbol names
//! do not show that: they depend on `-Cmetadata` only. Neither does the module loader's check of the
//! kernel version.
//!
//! So `Kbuild` hashes all that the library is made of: its sources, the compiler, its flags, the
//! kernel's configuration and the kernel crate. The hash is `-Cmetadata`, and is part of the name of
//! the namespace that all symbols are exported to. [`import!`](crate::import) makes a driver import the
//! namespace of the library that it is compiled with. The module loader refuses the driver if that
//! is not the namespace of the symbols, with `EINVAL` and a line in the kernel log.
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

/// Imports the library's symbols. A driver has this once, beside its `module!`. Without it the driver
/// does not build: modpost reports symbols of a namespace that is not imported.
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
            use $crate::__private::NAMESPACE;

            #[link_section = ".modinfo"]
            #[used(compiler)]
            static IMPORT: [u8; NAMESPACE.len()] = NAMESPACE;
        };
    };
}
