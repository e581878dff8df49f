// SPDX-License-Identifier: GPL-2.0

//! Which CPUs are online, and to which node each belongs.

use rustix::{
    io::Errno,
    net::{bind, netlink, recv, socket_with, AddressFamily, RecvFlags, SocketFlags, SocketType},
};
use std::{
    collections::{BTreeSet, HashMap},
    fs, io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::Path,
};

/// Parses a list of the kernel, such as "0-3,8".
pub fn parse_list(text: &str) -> Option<BTreeSet<u32>> {
    let mut cpus = BTreeSet::new();

    for part in text.trim().split(',').filter(|part| !part.is_empty()) {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        cpus.extend(first.parse::<u32>().ok()?..=last.parse().ok()?);
    }
    Some(cpus)
}

/// Returns the CPUs that are online.
pub fn online(root: &Path) -> io::Result<BTreeSet<u32>> {
    let text = fs::read_to_string(root.join("sys/devices/system/cpu/online"))?;

    parse_list(&text).ok_or_else(|| io::Error::other(format!("CPUs not understood: {text:?}")))
}

/// Returns the node of each CPU. On a kernel without NUMA there is only node 0, without a file.
pub fn nodes(root: &Path) -> HashMap<u32, u32> {
    let mut nodes = HashMap::new();
    let Ok(folder) = fs::read_dir(root.join("sys/devices/system/node")) else {
        return nodes;
    };

    for entry in folder.flatten() {
        let name = entry.file_name();
        let number = name
            .to_str()
            .and_then(|name| name.strip_prefix("node")?.parse().ok());
        let list = fs::read_to_string(entry.path().join("cpulist"));

        if let (Some(node), Ok(list)) = (number, list) {
            nodes.extend(
                parse_list(&list)
                    .unwrap_or_default()
                    .iter()
                    .map(|&cpu| (cpu, node)),
            );
        }
    }
    nodes
}

/// Hears from the kernel when a CPU goes online or offline.
pub struct Hotplug(OwnedFd);

impl Hotplug {
    /// Begins to listen. Fails in a network namespace or sandbox that has no such messages.
    pub fn listen() -> io::Result<Self> {
        // The first group is the kernel's own.
        const KERNEL: u32 = 1;
        let socket = socket_with(
            AddressFamily::NETLINK,
            SocketType::DGRAM,
            SocketFlags::CLOEXEC | SocketFlags::NONBLOCK,
            Some(netlink::KOBJECT_UEVENT),
        )?;

        bind(&socket, &netlink::SocketAddrNetlink::new(0, KERNEL))?;
        Ok(Self(socket))
    }

    /// Returns the CPUs that have gone online or offline since the last call, or nothing if messages
    /// may have been lost.
    pub fn changed(&self) -> Option<BTreeSet<u32>> {
        let mut buffer = [0; 8192];
        let mut changed = BTreeSet::new();
        let mut lost = false;

        loop {
            match recv(&self.0, &mut buffer[..], RecvFlags::empty()) {
                Ok((size, _)) => changed.extend(switched(&buffer[..size.min(8192)])),
                Err(Errno::INTR) => {}
                Err(Errno::NOBUFS) => lost = true,
                Err(_) => return (!lost).then_some(changed),
            }
        }
    }
}

/// Returns the CPUs that are online, and the CPUs that went online or offline since the last call.
/// If the latter are unknown, returns all online CPUs for them. Returns `None` if no CPU changed.
pub fn changed(
    root: &Path,
    hotplug: Option<&Hotplug>,
) -> io::Result<Option<(BTreeSet<u32>, BTreeSet<u32>)>> {
    let switched = match hotplug {
        Some(hotplug) => hotplug.changed(),
        None => Some(BTreeSet::new()),
    };

    if hotplug.is_some() && switched.as_ref().is_some_and(BTreeSet::is_empty) {
        return Ok(None);
    }
    let online = online(root)?;
    let switched = switched.unwrap_or_else(|| online.clone());
    Ok(Some((online, switched)))
}

impl AsFd for Hotplug {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Returns the CPU that a message, such as "online@/devices/system/cpu/cpu1\0…", is about.
fn switched(message: &[u8]) -> Option<u32> {
    let head = std::str::from_utf8(message.split(|&byte| byte == 0).next()?).ok()?;
    let (action, device) = head.split_once('@')?;

    matches!(action, "online" | "offline")
        .then(|| device.strip_prefix("/devices/system/cpu/cpu")?.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::{nodes, parse_list, switched};
    use std::fs;

    #[test]
    fn lists_are_parsed() {
        assert_eq!(
            parse_list("0-2,5\n")
                .unwrap()
                .into_iter()
                .collect::<Vec<_>>(),
            [0, 1, 2, 5]
        );
        assert_eq!(parse_list("\n").unwrap().len(), 0);
        assert_eq!(parse_list("none"), None);
    }

    #[test]
    fn cpus_have_nodes() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("sys/devices/system/node");

        assert!(nodes(root.path()).is_empty());
        for (node, list) in [("node0", "0-1\n"), ("node1", "2\n"), ("node2", "\n")] {
            fs::create_dir_all(folder.join(node)).unwrap();
            fs::write(folder.join(node).join("cpulist"), list).unwrap();
        }
        fs::write(folder.join("online"), "0-2\n").unwrap();
        let nodes = nodes(root.path());
        assert_eq!((nodes[&0], nodes[&1], nodes[&2], nodes.len()), (0, 0, 1, 3));
    }

    #[test]
    fn messages_about_cpus_are_recognized() {
        assert_eq!(
            switched(b"online@/devices/system/cpu/cpu12\0ACTION=online\0"),
            Some(12)
        );
        assert_eq!(switched(b"offline@/devices/system/cpu/cpu1\0"), Some(1));
        assert_eq!(switched(b"online@/devices/system/memory/memory1\0"), None);
        assert_eq!(switched(b"change@/devices/system/cpu/cpu1\0"), None);
        assert_eq!(switched(b""), None);
    }
}
