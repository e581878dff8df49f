// SPDX-License-Identifier: GPL-2.0

//! Counts the reports of failed page allocations in the kernel's log, from now on.

use memchr::memmem;
use std::{
    fs::{File, OpenOptions},
    io::{self, ErrorKind, Read, Seek, SeekFrom},
    os::{
        fd::{AsFd, BorrowedFd},
        unix::fs::OpenOptionsExt,
    },
    path::Path,
};

/// The kernel's log.
pub struct Log {
    file: File,
    /// The reports so far.
    pub reports: u64,
    /// Whether the kernel has overwritten records before they were read.
    pub overflowed: bool,
}

impl Log {
    /// Opens the log at its end.
    pub fn open(root: &Path) -> io::Result<Self> {
        let mut file = OpenOptions::new()
            .read(true)
            .custom_flags(rustix::fs::OFlags::NONBLOCK.bits() as i32)
            .open(root.join("dev/kmsg"))?;

        file.seek(SeekFrom::End(0))?;
        Ok(Self {
            file,
            reports: 0,
            overflowed: false,
        })
    }

    /// Reads all new records. Each call of read(2) returns one.
    pub fn read(&mut self) {
        let mut buffer = [0; 8192];

        loop {
            match self.file.read(&mut buffer) {
                Ok(0) => return,
                Ok(size) => self.reports += u64::from(is_report(&buffer[..size])),
                Err(error) if error.kind() == ErrorKind::BrokenPipe => self.overflowed = true,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return,
            }
        }
    }
}

impl AsFd for Log {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

/// Whether a record, such as "4,1234,5678,-;comm: page allocation failure: order:0, …", is the
/// kernel's own and begins a report.
fn is_report(record: &[u8]) -> bool {
    let Some(end) = record.iter().position(|&byte| byte == b',') else {
        return false;
    };
    let priority: Option<u32> = std::str::from_utf8(&record[..end])
        .ok()
        .and_then(|n| n.parse().ok());

    // Records of processes have another facility.
    priority.is_some_and(|priority| priority >> 3 == 0)
        && memmem::find(record, b": page allocation failure: order:").is_some()
}

#[cfg(test)]
mod tests {
    use super::is_report;

    #[test]
    fn only_the_kernel_reports() {
        let text =
            ",339,5140900,-;swapper/0: page allocation failure: order:0, mode:0x820(GFP_ATOMIC)";

        assert!(is_report(format!("4{text}").as_bytes()));
        assert!(!is_report(format!("12{text}").as_bytes()));
        assert!(!is_report(b"4,339,5140900,-;vmalloc error: size 4096"));
        assert!(!is_report(b"nonsense"));
    }
}
