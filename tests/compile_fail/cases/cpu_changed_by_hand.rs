// SPDX-License-Identifier: GPL-2.0
// A CPU number that no mask of the kernel's has.

fn case(mut cpu: OnlineCpu<'_>) {
    #[cfg(not(misuse))]
    let number = cpu.number();
    #[cfg(misuse)]
    // error[E0616]: field `number` of struct
    let number = core::mem::replace(&mut cpu.number, 4711);
}
