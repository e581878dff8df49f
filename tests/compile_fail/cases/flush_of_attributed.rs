// SPDX-License-Identifier: GPL-2.0
// Flushing pages that are in no cache.

#[cfg(not(misuse))]
type Pages = VmappedPages;
#[cfg(misuse)]
type Pages = AttributedPages<WriteCombined>;

fn case(pages: Pages) -> Result {
    // error[E0599]: no method named `flush` found for struct
    pages.flush(0..1)
}
