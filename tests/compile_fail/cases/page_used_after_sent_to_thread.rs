// SPDX-License-Identifier: GPL-2.0
// Keeping a page that a thread works on.

struct Work(ExclusivePage<Bytes>);

impl Body for Work {
    fn run(&mut self, _: &mut Running) {
        self.0[0] = 1;
    }
}

fn case(page: ExclusivePage<Bytes>) -> Result<u8> {
    let byte = page[0];
    let thread = Thread::spawn(c"work", Work(page))?;
    #[cfg(misuse)]
    // error[E0382]: borrow of moved value: `page`
    let byte = page[0];
    Ok(byte)
}
