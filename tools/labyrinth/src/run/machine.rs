// SPDX-License-Identifier: GPL-2.0

//! Facts of the machine that explain its latencies. None of them names the machine.

use std::{fs, path::Path};

/// Parameters of the kernel that change what requests cost. Others may have names or addresses in
/// them, so they are left out.
const PARAMETERS: [&str; 22] = [
    "cgroup_disable",
    "default_hugepagesz",
    "hugepages",
    "idle",
    "init_on_alloc",
    "init_on_free",
    "intel_idle.max_cstate",
    "irqaffinity",
    "isolcpus",
    "maxcpus",
    "mem",
    "mitigations",
    "movablecore",
    "nohz_full",
    "nosmt",
    "numa",
    "page_owner",
    "page_poison",
    "preempt",
    "processor.max_cstate",
    "rcu_nocbs",
    "threadirqs",
];

/// Returns the parameters of the kernel that matter.
pub(super) fn parameters(proc: &Path) -> Vec<String> {
    let line = fs::read_to_string(proc.join("cmdline")).unwrap_or_default();
    let matters = |word: &&str| {
        let name = word.split('=').next().unwrap_or_default();
        PARAMETERS.contains(&name)
    };

    line.split_whitespace()
        .filter(matters)
        .map(str::to_owned)
        .collect()
}

/// Returns the preemption model: what the scheduler says in debugfs, or what the kernel was built
/// with.
pub(super) fn preemption(sys: &Path, version: &str) -> Option<String> {
    let chosen = fs::read_to_string(sys.join("kernel/debug/sched/preempt")).unwrap_or_default();
    let built = version
        .split_whitespace()
        .find(|word| word.starts_with("PREEMPT"));

    chosen
        .split(['(', ')'])
        .nth(1)
        .map(str::to_owned)
        .or_else(|| built.map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::{parameters, preemption};
    use std::fs;

    #[test]
    fn names_and_addresses_are_left_out() {
        let root = tempfile::tempdir().unwrap();
        let line = "root=/dev/vda ip=::::secret nohz_full=1 quiet threadirqs\n";
        fs::write(root.path().join("cmdline"), line).unwrap();
        assert_eq!(parameters(root.path()), ["nohz_full=1", "threadirqs"]);
        assert!(parameters(&root.path().join("none")).is_empty());
    }

    #[test]
    fn the_chosen_model_wins() {
        let root = tempfile::tempdir().unwrap();
        let version = "#1 SMP PREEMPT_DYNAMIC Debian";
        let found = || preemption(root.path(), version);
        assert_eq!(found().as_deref(), Some("PREEMPT_DYNAMIC"));
        let folder = root.path().join("kernel/debug/sched");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("preempt"), "none voluntary full (lazy)\n").unwrap();
        assert_eq!(found().as_deref(), Some("lazy"));
        assert_eq!(preemption(&root.path().join("none"), "#1 SMP"), None);
    }
}
