// SPDX-License-Identifier: GPL-2.0
// A handle that was given up for exclusive access, used although the access may have been granted.

fn case(reader: Shared<ExclusivePage<Bytes>>) -> u8 {
    match reader.take_back() {
        Ok(page) => page[0],
        #[cfg(not(misuse))]
        Err(reader) => reader[0],
        #[cfg(misuse)]
        // error[E0382]: borrow of moved value: `reader`
        Err(_) => reader[0],
    }
}
