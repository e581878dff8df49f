// SPDX-License-Identifier: GPL-2.0

//! The device through which the module holds pages. All pages are given back when the file is
//! closed, also when the process dies.

use crate::exit::Problem;
use rustix::io::Errno;
use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    os::unix::fs::FileExt,
    path::Path,
    time::Duration,
};

/// The path of the device below `/`.
pub const PATH: &str = "dev/labyrinth_squeeze";

/// An open device.
#[derive(Debug)]
pub struct Device {
    file: File,
}

/// The parameters of a squeeze.
#[derive(Clone, Copy, Debug)]
pub struct Order {
    /// The number of pages that a burst should get.
    pub headroom: u64,
    /// The most pages to hold.
    pub most: u64,
    /// The time after which the module gives all pages back.
    pub time: Duration,
    /// Whether pages that others have taken are replaced.
    pub refill: bool,
    /// Whether the pages are held even if the kernel runs out of memory.
    pub force: bool,
}

/// The report of the module. Numbers are pages, unless they count something else.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Whether the time is over.
    pub over: bool,
    /// Whether all pages are given back because the kernel has run out of memory.
    pub out_of_memory: bool,
    /// Pages that are held.
    pub held: u64,
    /// Pages that were taken before the first refusal.
    pub first: u64,
    /// Pages that were taken later, after others had freed them.
    pub later: u64,
    /// How many checks could take no more pages, because the most were held.
    pub limited: u64,
    /// How many requests of the module itself were refused.
    pub refused: u64,
    /// How many CPUs have not reached the wanted headroom yet.
    pub unsettled: u64,
    /// How many checks of CPUs that had reached the wanted headroom there were.
    pub checks: u64,
    /// How many of them found the wanted headroom.
    pub exact: u64,
    /// The smallest headroom of a CPU that a check found.
    pub least: u64,
    /// The largest headroom of a CPU that a check found.
    pub greatest: u64,
}

impl Device {
    /// Opens the device. `root` is `/` except in tests.
    pub fn open(root: &Path) -> Result<Self, Problem> {
        let path = root.join(PATH);

        match OpenOptions::new().read(true).write(true).open(&path) {
            Ok(file) => Ok(Self { file }),
            Err(error) => Err(problem(&path, &error)),
        }
    }

    fn command(&self, text: &str) -> io::Result<()> {
        (&self.file).write_all(text.as_bytes())
    }

    /// Starts the squeeze. From now on, the module ends it when its time is over.
    pub fn start(&self, order: Order) -> io::Result<()> {
        self.command(&format!(
            "start {} {} {} {} {}",
            order.headroom,
            order.most,
            order.time.as_millis(),
            u8::from(order.refill),
            u8::from(order.force)
        ))
    }

    /// Takes some pages. Returns false when there are no more.
    pub fn take(&self) -> io::Result<bool> {
        match self.command("take") {
            Ok(()) => Ok(false),
            Err(error) if Errno::from_io_error(&error) == Some(Errno::AGAIN) => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Lets the module hold the headroom.
    pub fn hold(&self) -> io::Result<()> {
        self.command("hold")
    }

    /// Reads the report of the module.
    pub fn status(&self) -> io::Result<Status> {
        let mut buffer = [0; 1024];
        let length = self.file.read_at(&mut buffer, 0)?;

        Ok(parse(&String::from_utf8_lossy(&buffer[..length])))
    }
}

fn parse(text: &str) -> Status {
    let value = |name: &str| {
        text.lines()
            .filter_map(|line| line.split_once(' '))
            .find(|&(word, _)| word == name)
            .map_or("", |(_, value)| value)
    };
    let number = |name| value(name).parse().unwrap_or_default();

    Status {
        over: value("phase") == "over",
        out_of_memory: value("phase") == "out_of_memory",
        held: number("held"),
        first: number("first"),
        later: number("later"),
        limited: number("limited"),
        refused: number("refused"),
        unsettled: number("unsettled"),
        checks: number("checks"),
        exact: number("exact"),
        least: number("least"),
        greatest: number("greatest"),
    }
}

/// Explains why the device cannot be opened.
fn problem(path: &Path, error: &io::Error) -> Problem {
    let what = format!("cannot open {}: {error}", path.display());

    match Errno::from_io_error(error) {
        Some(Errno::BUSY) => Problem::cannot_run(
            "another squeeze is running, and there can be one at a time",
            "wait for it to end, or end the process that has /dev/labyrinth_squeeze open",
        ),
        Some(Errno::NOENT) => Problem::cannot_run(
            format!("there is no {}", path.display()),
            "insmod a labyrinth.ko that has the squeeze; make module builds one",
        ),
        Some(Errno::ACCESS | Errno::PERM) => Problem::cannot_run(what, "run as root"),
        _ => Problem::cannot_run(what, "the kernel log may say more"),
    }
}

#[cfg(test)]
mod tests {
    use super::{parse, Device, PATH};
    use std::fs;

    #[test]
    fn reports_are_read() {
        let text = "phase holding\nheadroom 100\nheld 4711\nfirst 4800\nchecks 9\nmore 1\n";
        let status = parse(text);
        assert!(!status.over);
        assert_eq!((status.held, status.first, status.checks), (4711, 4800, 9));
        let over = |phase| {
            let status = parse(&format!("phase {phase}\n"));
            (status.over, status.out_of_memory)
        };
        assert_eq!(over("over"), (true, false));
        assert_eq!(over("out_of_memory"), (false, true));
    }

    #[test]
    fn commands_are_texts() {
        let root = tempfile::tempdir().unwrap();
        let missing = Device::open(root.path()).unwrap_err();
        assert!(missing.fix().starts_with("insmod"), "{}", missing.fix());
        fs::create_dir(root.path().join("dev")).unwrap();
        fs::write(root.path().join(PATH), "").unwrap();
        let device = Device::open(root.path()).unwrap();
        device.hold().unwrap();
        assert!(!device.take().unwrap());
        assert_eq!(
            fs::read_to_string(root.path().join(PATH)).unwrap(),
            "holdtake"
        );
    }
}
