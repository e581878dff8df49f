// SPDX-License-Identifier: GPL-2.0
// A timer's handler that claims to be called in task context.

struct Tick;

#[cfg(not(misuse))]
type Context = HardIrq;
#[cfg(misuse)]
type Context = Task;

// error[E0277]: no timer expires in the context `labyrinth::context::Task`
impl Handler<Context> for Tick {
    fn expired(&mut self, _: &mut Context) -> Next {
        Next::Stop
    }
}
