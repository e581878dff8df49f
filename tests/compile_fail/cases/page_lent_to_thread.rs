// SPDX-License-Identifier: GPL-2.0
// A thread that works on contents which are perhaps only lent to it, and may outlive them.

#[cfg(not(misuse))]
trait Contents: DerefMut<Target = Bytes> + Send + 'static {}
#[cfg(misuse)]
trait Contents: DerefMut<Target = Bytes> + Send {}

struct Work<C>(C);

// error[E0310]: the parameter type `C` may not live long enough
impl<C: Contents> Body for Work<C> {
    fn run(&mut self, _: &mut Running) {
        self.0[0] = 1;
    }
}
