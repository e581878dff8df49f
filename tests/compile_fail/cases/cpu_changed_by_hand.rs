// SPDX-License-Identifier: GPL-2.0
// Changing the number of an online CPU to one that does not exist.

fn case(mut cpu: OnlineCpu<'_>) {
    #[cfg(not(misuse))]
    let number = cpu.number();
    #[cfg(misuse)]
    // error[E0616]: field `number` of struct
    let number = core::mem::replace(&mut cpu.number, 4711);
}
