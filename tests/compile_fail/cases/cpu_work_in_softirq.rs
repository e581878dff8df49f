// SPDX-License-Identifier: GPL-2.0
// Waiting for another CPU where nobody may wait.

fn case(cpu: OnlineCpu<'_>, task: &Task, softirq: &Softirq) {
    #[cfg(not(misuse))]
    cpu.run(task, |_| ());
    #[cfg(misuse)]
    // error[E0308]: mismatched types
    cpu.run(softirq, |_| ());
}
