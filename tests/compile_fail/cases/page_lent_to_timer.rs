// SPDX-License-Identifier: GPL-2.0
// A timer that works on contents which are perhaps only lent to it, and may outlive them.

#[cfg(not(misuse))]
trait Contents: DerefMut<Target = Bytes> + Send + 'static {}
#[cfg(misuse)]
trait Contents: DerefMut<Target = Bytes> + Send {}

struct Tick<C>(C);

// error[E0310]: the parameter type `C` may not live long enough
impl<C: Contents> Handler for Tick<C> {
    fn expired(&mut self, _: &mut Softirq) -> Next {
        self.0[0] = 1;
        Next::Stop
    }
}
