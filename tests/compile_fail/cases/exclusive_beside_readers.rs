// SPDX-License-Identifier: GPL-2.0
// Taking exclusive access without a check for other readers.

fn case(reader: Shared<ExclusivePage<Bytes>>) {
    #[cfg(not(misuse))]
    let Ok(mut page) = reader.take_back() else {
        return;
    };
    #[cfg(misuse)]
    // error[E0308]: mismatched types
    let mut page: ExclusivePage<Bytes> = reader.take_back();
    page[0] = 1;
}
