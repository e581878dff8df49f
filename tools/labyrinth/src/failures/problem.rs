// SPDX-License-Identifier: GPL-2.0

//! Why failures cannot be seen on a machine, and what helps.

use super::{probe::Source, tracefs};
use crate::exit::Problem;
use rustix::io::Errno;
use std::{fs, io, path::Path};

/// CAP_SYS_ADMIN and CAP_PERFMON.
const CAPABILITIES: u64 = (1 << 21) | (1 << 38);

/// What keeps a source from working, if it is known without trying. Some of these make the kernel
/// accept a probe that then sees nothing.
pub fn expected(source: Source, root: &Path) -> Option<Problem> {
    let read = |path: &str| fs::read_to_string(root.join(path)).unwrap_or_default();

    if !root.join("proc/sys/kernel/perf_event_paranoid").exists() {
        return Some(Problem::cannot_run(
            "this kernel has no perf events",
            "use a kernel with CONFIG_PERF_EVENTS",
        ));
    }
    if !privileged(&read("proc/self/status")) {
        return Some(Problem::cannot_run(
            "only root may watch the page allocations of the whole machine",
            "run it with sudo, or give the program CAP_PERFMON: setcap cap_perfmon,cap_syslog=ep \
             $(command -v labyrinth), on Debian with sysctl kernel.perf_event_paranoid=2; without \
             root, `labyrinth headroom` and `labyrinth explain` work",
        ));
    }
    if read("sys/kernel/security/lockdown").contains("[confidentiality]") {
        return Some(Problem::cannot_run(
            "kernel lockdown forbids perf and kprobes, as it keeps the kernel's memory confidential",
            "boot with lockdown=integrity, or without lockdown",
        ));
    }
    match source {
        Source::Kprobe if !root.join("sys/bus/event_source/devices/kprobe").exists() => {
            Some(Problem::cannot_run(
                "this kernel has no kprobe events",
                "use a kernel with CONFIG_KPROBE_EVENTS",
            ))
        }
        Source::Kprobe if read("sys/kernel/debug/kprobes/enabled").trim() == "0" => {
            Some(Problem::cannot_run(
                "all kprobes are switched off",
                "echo 1 > /sys/kernel/debug/kprobes/enabled",
            ))
        }
        // On arm64 a kprobe is a breakpoint, which needs no ftrace.
        Source::Kprobe
            if !cfg!(target_arch = "aarch64")
                && read("proc/sys/kernel/ftrace_enabled").trim() == "0" =>
        {
            Some(Problem::cannot_run(
                "ftrace is switched off, and with it all kprobes on functions",
                "sysctl kernel.ftrace_enabled=1",
            ))
        }
        Source::Tracepoint if tracefs::find(root).is_none() => Some(Problem::cannot_run(
            "tracefs is not mounted, or cannot be read",
            "mount -t tracefs tracefs /sys/kernel/tracing",
        )),
        _ => None,
    }
}

/// Explains an error of the kernel when a probe was started.
pub fn explain(source: Source, error: &io::Error) -> Problem {
    let name = source.name();

    match Errno::from_io_error(error) {
        Some(Errno::ACCESS | Errno::PERM) => Problem::cannot_run(
            format!("the kernel refuses {name}: {error}"),
            // Debian's default is 3, where its kernels do not accept CAP_PERFMON.
            "run as root outside of a container, or allow CAP_PERFMON there (seccomp, an LSM and \
             kernel.perf_event_paranoid above 2 can forbid perf_event_open, too)",
        ),
        Some(Errno::NOSYS | Errno::OPNOTSUPP) => Problem::cannot_run(
            format!("this kernel does not know {name}: {error}"),
            "use a kernel with CONFIG_PERF_EVENTS, CONFIG_EVENT_TRACING and CONFIG_KPROBE_EVENTS",
        ),
        Some(Errno::NOENT | Errno::ADDRNOTAVAIL | Errno::INVAL) => Problem::cannot_run(
            format!("this kernel does not accept {name}: {error}"),
            "use another kernel, or the other --source",
        ),
        Some(Errno::MFILE) => Problem::cannot_run(
            "each CPU needs a file, and the limit of open files is too low",
            "ulimit -n 4096",
        ),
        Some(Errno::NOMEM) => Problem::cannot_run(
            "there is no memory for the buffers of perf",
            "try again when memory is free",
        ),
        _ => Problem::cannot_run(
            format!("cannot start {name}: {error}"),
            "try the other --source",
        ),
    }
}

/// Whether the process may use perf on the whole machine. If this is not known, the kernel says.
fn privileged(status: &str) -> bool {
    status
        .lines()
        .find_map(|line| line.strip_prefix("CapEff:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .is_none_or(|mask| mask & CAPABILITIES != 0)
}

#[cfg(test)]
mod tests {
    use super::{expected, explain, Source};
    use rustix::io::Errno;
    use std::{fs, io, path::Path};

    fn put(root: &Path, file: &str, text: &str) {
        let path = root.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn what(source: Source, root: &Path) -> String {
        expected(source, root)
            .map(|problem| problem.what().to_owned())
            .unwrap_or_default()
    }

    #[test]
    fn each_obstacle_is_named() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();

        assert!(what(Source::Kprobe, root).contains("no perf events"));
        put(root, "proc/sys/kernel/perf_event_paranoid", "2\n");
        put(
            root,
            "proc/self/status",
            "Name:\tx\nCapEff:\t0000000000000000\n",
        );
        assert!(what(Source::Kprobe, root).contains("only root"));
        put(root, "proc/self/status", "CapEff:\t0000004000000000\n");
        assert!(what(Source::Kprobe, root).contains("no kprobe events"));
        assert!(what(Source::Tracepoint, root).contains("tracefs"));
        put(root, "sys/kernel/tracing/events/enable", "0\n");
        put(root, "sys/bus/event_source/devices/kprobe/type", "8\n");
        assert_eq!(what(Source::Kprobe, root), "");
        assert_eq!(what(Source::Tracepoint, root), "");
        put(root, "proc/sys/kernel/ftrace_enabled", "0\n");
        assert!(what(Source::Kprobe, root).contains("ftrace"));
        put(root, "sys/kernel/debug/kprobes/enabled", "0\n");
        assert!(what(Source::Kprobe, root).contains("switched off"));
        put(
            root,
            "sys/kernel/security/lockdown",
            "none integrity [confidentiality]\n",
        );
        assert!(what(Source::Tracepoint, root).contains("lockdown"));
    }

    #[test]
    fn errors_of_the_kernel_have_a_fix() {
        for errno in [
            Errno::ACCESS,
            Errno::NOSYS,
            Errno::NOENT,
            Errno::MFILE,
            Errno::NOMEM,
            Errno::IO,
        ] {
            let error = io::Error::from_raw_os_error(errno.raw_os_error());
            assert!(!explain(Source::Kprobe, &error).fix().is_empty());
        }
    }
}
