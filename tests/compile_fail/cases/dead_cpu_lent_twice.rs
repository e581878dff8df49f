// SPDX-License-Identifier: GPL-2.0
// Using the proof that a CPU is dead twice at the same time, although each user has exclusive
// access.

fn case(handler: &impl CpuDead, cpu: &mut DeadCpu<'_>) {
    let mine = &mut *cpu;
    #[cfg(misuse)]
    // error[E0499]: cannot borrow `*cpu` as mutable more than once
    handler.dead(cpu);
    handler.dead(mine);
    #[cfg(not(misuse))]
    handler.dead(cpu);
}
