// SPDX-License-Identifier: GPL-2.0
// A task's token used in another thread.

struct Later<T>(T);

#[cfg(not(misuse))]
type Shared = &'static ExclusivePage<Bytes>;
#[cfg(misuse)]
type Shared = &'static Task;

// error[E0277]: `*mut ()` cannot be shared between threads safely
impl Body for Later<Shared> {
    fn run(&mut self, _: &mut Running) {}
}
