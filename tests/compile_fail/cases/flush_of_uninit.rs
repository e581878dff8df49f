// SPDX-License-Identifier: GPL-2.0
// Flushing contents of an earlier owner for a device.

fn case(page: ExclusivePage<Uninit>) -> Result {
    #[cfg(not(misuse))]
    let page = page.zeroed();
    // error[E0599]: no method named `flush` found for struct
    page.flush(0..1)
}
