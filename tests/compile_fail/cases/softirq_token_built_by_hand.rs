// SPDX-License-Identifier: GPL-2.0
// The token of a softirq, made in a task.

fn case(cx: &mut Softirq, task: &mut Task) {
    #[cfg(not(misuse))]
    let token = cx;
    #[cfg(misuse)]
    // error[E0423]: cannot initialize a tuple struct which contains private fields
    let token = &Softirq(NotThreadSafe);

    let page = ExclusivePage::alloc(token, GfpAtomic);
}
