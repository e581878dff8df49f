// SPDX-License-Identifier: GPL-2.0
// Making a stash, which sleeps, in a softirq.

fn case(cx: &Softirq, task: &Task, device: DmaDevice<'_>) {
    #[cfg(not(misuse))]
    let stash = Stash::<Bidirectional>::new(task, device, 4);
    #[cfg(misuse)]
    // error[E0277]: is atomic context, which may not sleep
    let stash = Stash::<Bidirectional>::new(cx, device, 4);
}
