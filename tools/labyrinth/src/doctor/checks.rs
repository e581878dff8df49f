// SPDX-License-Identifier: GPL-2.0

//! The things that the tool needs.

use crate::{
    exit::Problem,
    failures::{
        self,
        probe::{Probe, Source},
        problem, tracefs,
    },
    memory::zoneinfo,
};
use rustix::fs::{access, Access};
use schemars::JsonSchema;
use serde::Serialize;
use std::{
    fs::{self, File},
    path::Path,
};

/// A thing that the tool needs.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Check {
    /// Its name.
    pub name: &'static str,
    /// The commands and answers that need it.
    pub good_for: &'static str,
    /// Whether it is there.
    pub ok: bool,
    /// More about it, or what is wrong.
    pub detail: Option<String>,
    /// The fix, if it is missing.
    pub fix: Option<String>,
}

/// The result of a check: more about the thing, or what is wrong and what helps.
type Found = Result<Option<String>, (String, String)>;

/// Checks everything.
pub fn all(root: &Path) -> Vec<Check> {
    let check = |name, good_for, found: Found| match found {
        Ok(detail) => Check {
            name,
            good_for,
            ok: true,
            detail,
            fix: None,
        },
        Err((wrong, fix)) => Check {
            name,
            good_for,
            ok: false,
            detail: Some(wrong),
            fix: Some(fix),
        },
    };
    let mut checks = vec![
        check(
            "kprobe",
            "failures at no cost",
            source(Source::Kprobe, root),
        ),
        check(
            "tracepoint",
            "failures, also of alloc_pages_nolock()",
            source(Source::Tracepoint, root),
        ),
        check("tracefs", "names of flags", tracefs(root)),
        check("symbols", "names of callers", symbols(root)),
        check("log", "how many failures the kernel's log hides", log(root)),
        check("zones", "headroom and top", zones(root)),
        check(
            "explain",
            "reports in logs",
            Ok(Some("needs only a log".to_owned())),
        ),
    ];

    if failures::injection(root) {
        checks.push(check(
            "injected",
            "failures of fail_page_alloc",
            injected(root),
        ));
    }
    checks.extend([
        check("module", "run, and contexts and pools in top", module(root)),
        check(
            "debugfs",
            "run, and contexts and pools in top",
            debugfs(root),
        ),
        check("device", "pages in user space", device(root, "labyrinth")),
        check("squeeze", "squeeze", device(root, "labyrinth_squeeze")),
        check("rust", "building the module", rust(root)),
    ]);
    checks
}

/// Returns the kernel's release.
pub fn release(root: &Path) -> String {
    fs::read_to_string(root.join("proc/sys/kernel/osrelease"))
        .map_or("(unknown)".to_owned(), |text| text.trim().to_owned())
}

fn wrong(what: impl Into<String>, fix: impl Into<String>) -> Found {
    Err((what.into(), fix.into()))
}

fn from_problem(problem: &Problem) -> Found {
    wrong(problem.what(), problem.fix())
}

/// Tries a source for a moment, on one CPU.
fn source(source: Source, root: &Path) -> Found {
    if let Some(problem) = problem::expected(source, root) {
        return from_problem(&problem);
    }
    let cpu = failures::first_cpu(root);

    match Probe::of(source, root).and_then(|probe| probe.open(root, cpu)) {
        Ok(_) => Ok(Some(source.name().to_owned())),
        Err(error) => from_problem(&problem::explain(source, &error)),
    }
}

fn tracefs(root: &Path) -> Found {
    match tracefs::find(root) {
        Some(_) if failures::probe::names(root).is_empty() => wrong(
            "the kernel does not list its flags",
            "a kernel with CONFIG_EVENT_TRACING; without it, flags are numbers",
        ),
        Some(folder) => Ok(Some(folder.display().to_string())),
        None => wrong(
            "not mounted, or not readable",
            "as root, mount -t tracefs tracefs /sys/kernel/tracing",
        ),
    }
}

fn symbols(root: &Path) -> Found {
    match failures::probe::symbols(root) {
        Some(_) => Ok(None),
        None if root.join("proc/kallsyms").exists() => wrong(
            "the kernel hides its addresses",
            "run as root, with sysctl kernel.kptr_restrict=1 or less",
        ),
        None => wrong("no /proc/kallsyms", "a kernel with CONFIG_KALLSYMS"),
    }
}

fn log(root: &Path) -> Found {
    match File::open(root.join("dev/kmsg")) {
        Ok(_) => Ok(None),
        Err(error) => wrong(
            format!("/dev/kmsg: {error}"),
            "run as root; in a container, give it the device /dev/kmsg and CAP_SYSLOG",
        ),
    }
}

fn zones(root: &Path) -> Found {
    match zoneinfo::read(&root.join("proc")) {
        Ok(_) => Ok(None),
        Err(error) => match error.downcast_ref() {
            Some(problem) => from_problem(problem),
            None => wrong(format!("{error:#}"), "mount -t proc proc /proc"),
        },
    }
}

fn injected(root: &Path) -> Found {
    let kprobes = root.join("sys/bus/event_source/devices/kprobe").exists();

    match tracefs::find(root) {
        Some(tracefs) if kprobes && tracefs.join("kprobe_events").exists() => {
            Ok(Some("a kretprobe on should_fail_alloc_page".to_owned()))
        }
        _ => wrong(
            "without kprobes only their number is known, and only with a limit",
            "set a limit in /sys/kernel/debug/fail_page_alloc/times, or use a kernel with \
             CONFIG_KPROBE_EVENTS",
        ),
    }
}

fn module(root: &Path) -> Found {
    let folder = root.join("sys/module/labyrinth");

    if !folder.is_dir() {
        return wrong(
            "not loaded",
            "make module, and insmod the labyrinth.ko that it names",
        );
    }
    let version = fs::read_to_string(folder.join("srcversion")).ok();

    Ok(version.map(|version| format!("srcversion {}", version.trim())))
}

fn debugfs(root: &Path) -> Found {
    let debug = root.join("sys/kernel/debug");

    if debug.join("labyrinth/metrics").exists() {
        return Ok(Some("/sys/kernel/debug/labyrinth".to_owned()));
    }
    let mounted = fs::read_to_string(root.join("proc/self/mounts")).is_ok_and(|mounts| {
        mounts
            .lines()
            .any(|line| line.split(' ').nth(2) == Some("debugfs"))
    });

    if !mounted {
        return wrong(
            "not mounted",
            "as root, mount -t debugfs debugfs /sys/kernel/debug",
        );
    }
    if fs::read_dir(&debug).is_err() {
        return wrong("not readable", "run as root");
    }
    wrong("no folder of the module", "load the module (see above)")
}

fn device(root: &Path, name: &str) -> Found {
    let path = root.join("dev").join(name);

    if path.exists() {
        return if access(&path, Access::READ_OK | Access::WRITE_OK).is_ok() {
            Ok(Some(format!("/dev/{name}")))
        } else {
            wrong(format!("/dev/{name} is only for others"), "run as root")
        };
    }
    if root.join("sys/class/misc").join(name).exists() {
        return wrong(
            format!("no /dev/{name}"),
            "start udev, or mount -t devtmpfs devtmpfs /dev",
        );
    }
    wrong("no device of the module", "load the module (see above)")
}

/// The module can be built if the kernel has Rust, and the metadata of its crates.
fn rust(root: &Path) -> Found {
    let release = release(root);
    let build = root.join("lib/modules").join(&release).join("build");
    let config = [
        root.join(format!("boot/config-{release}")),
        build.join(".config"),
    ]
    .iter()
    .find_map(|path| fs::read_to_string(path).ok());

    match config {
        Some(config) if !config.lines().any(|line| line == "CONFIG_RUST=y") => wrong(
            "this kernel has no Rust",
            "a kernel with CONFIG_RUST=y, such as those of Debian 13 backports",
        ),
        _ if build.join("rust/libkernel.rmeta").exists() => {
            Ok(Some("with its metadata".to_owned()))
        }
        None => wrong(
            "the configuration of this kernel is not installed",
            "install its headers, or let `make module` fetch a kernel",
        ),
        Some(_) => wrong(
            "the kernel has Rust, but its headers lack the metadata",
            "`make module` rebuilds it from the kernel's source",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::{all, debugfs, device, module, rust, zones};
    use std::{fs, os::unix::fs::PermissionsExt, path::Path};

    fn put(root: &Path, file: &str, text: &str) {
        let path = root.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn a_device_of_others_is_missing() {
        let root = tempfile::tempdir().unwrap();
        let device = |mode| {
            let path = root.path().join("dev/labyrinth");
            put(root.path(), "dev/labyrinth", "");
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
            device(root.path(), "labyrinth").is_ok()
        };

        assert!(device(0o600));
        // Root may do everything.
        assert_eq!(device(0), rustix::process::geteuid().is_root());
    }

    #[test]
    fn an_empty_machine_lacks_everything_and_each_thing_has_a_fix() {
        let root = tempfile::tempdir().unwrap();

        for check in all(root.path()) {
            assert_eq!(check.ok, check.name == "explain", "{}", check.name);
            assert_eq!(check.fix.is_none(), check.ok, "{}", check.name);
        }
    }

    #[test]
    fn a_good_machine_has_all() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();

        put(root, "proc/sys/kernel/osrelease", "7.3.4\n");
        put(
            root,
            "proc/zoneinfo",
            "Node 0, zone DMA\n  pages free 1\n  managed 9\n  protection: (0, 1)\n",
        );
        put(root, "sys/module/labyrinth/srcversion", "ABC\n");
        put(root, "sys/kernel/debug/labyrinth/metrics", "");
        put(root, "dev/labyrinth", "");
        put(root, "boot/config-7.3.4", "CONFIG_RUST=y\n");
        put(root, "lib/modules/7.3.4/build/rust/libkernel.rmeta", "");
        for found in [
            zones(root),
            module(root),
            debugfs(root),
            device(root, "labyrinth"),
            rust(root),
        ] {
            assert!(found.is_ok(), "{found:?}");
        }
        assert_eq!(module(root).unwrap().unwrap(), "srcversion ABC");
        put(root, "boot/config-7.3.4", "# CONFIG_RUST is not set\n");
        assert!(rust(root).unwrap_err().0.contains("no Rust"));
    }
}
