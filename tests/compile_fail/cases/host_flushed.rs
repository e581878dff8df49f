// SPDX-License-Identifier: GPL-2.0
// Flushing a page that is shared with the host.

#[cfg(not(misuse))]
type Pages = ExclusivePages<Bytes>;
#[cfg(misuse)]
type Pages = HostPages;

fn case(pages: Pages) -> Result {
    // error[E0599]: no method named `flush` found for struct
    pages.flush(0..1)
}
