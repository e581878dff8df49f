// SPDX-License-Identifier: GPL-2.0
// What belongs to this thread, used by the worker of another CPU.

fn case(cpu: OnlineCpu<'_>, task: &Task, here: NotThreadSafe) {
    #[cfg(not(misuse))]
    cpu.run(task, |there| drop(ExclusivePage::alloc(there, Kernel)));
    #[cfg(misuse)]
    // error[E0277]: `*mut ()` cannot be shared between threads safely
    cpu.run(task, |_| drop(ExclusivePage::alloc(task, Kernel)));
}
