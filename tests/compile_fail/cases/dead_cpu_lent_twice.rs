// SPDX-License-Identifier: GPL-2.0
// The proof that a CPU is dead, for two who both take it for theirs alone.

fn case(handler: &impl CpuDead, cpu: &mut DeadCpu<'_>) {
    let mine = &mut *cpu;
    #[cfg(misuse)]
    // error[E0499]: cannot borrow `*cpu` as mutable more than once
    handler.dead(cpu);
    handler.dead(mine);
    #[cfg(not(misuse))]
    handler.dead(cpu);
}
