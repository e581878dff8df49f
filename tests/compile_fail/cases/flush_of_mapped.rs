// SPDX-License-Identifier: GPL-2.0
// Flushing a page that a device owns: a line that is written back could overwrite what it wrote.

fn case(mapped: Mapped<'_, FromDevice>) -> Result {
    #[cfg(not(misuse))]
    let mapped = mapped.unmap();
    #[cfg(misuse)]
    let mapped = mapped;
    // error[E0599]: no method named `flush` found for struct
    mapped.flush(0..1)
}
