// SPDX-License-Identifier: GPL-2.0
// A view that others read, unmapped by one of them.

fn case(reader: Shared<VmappedPages>, cx: &Task) -> usize {
    #[cfg(not(misuse))]
    let Ok(view) = reader.take_back() else {
        return 0;
    };
    #[cfg(misuse)]
    let view = reader;
    // error[E0599]: no method named `unmap` found
    view.unmap(cx).len()
}
