// SPDX-License-Identifier: GPL-2.0

//! Where the log comes from.

use crate::exit::Problem;
use std::{
    fs::{File, OpenOptions},
    io::{self, ErrorKind, IsTerminal, Read},
    os::unix::fs::{FileTypeExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

/// The log of the running kernel.
const KMSG: &str = "/dev/kmsg";

/// A log to be read.
pub struct Source {
    /// Its name in messages.
    pub name: String,
    /// Its size in bytes, if it is known.
    pub size: Option<u64>,
    /// Its bytes.
    pub reader: Box<dyn Read>,
}

/// Opens the files, or standard input, or the log of the running kernel if that is a terminal.
pub fn open(files: &[PathBuf]) -> anyhow::Result<Vec<Source>> {
    if files.is_empty() {
        return Ok(vec![if io::stdin().is_terminal() {
            file(Path::new(KMSG))?
        } else {
            stdin()?
        }]);
    }
    files
        .iter()
        .map(|path| {
            if path.as_os_str() == "-" {
                stdin()
            } else {
                file(path)
            }
        })
        .collect()
}

fn stdin() -> anyhow::Result<Source> {
    let name = "standard input".to_owned();
    let reader = plain(Box::new(io::stdin()), &name, "FILE")?;

    Ok(Source {
        name,
        size: None,
        reader,
    })
}

fn file(path: &Path) -> anyhow::Result<Source> {
    let name = path.display().to_string();
    let cannot = |error: &io::Error| {
        let what = format!("cannot read {name}: {error}");

        match error.kind() {
            // The other commands also take this for wrong usage.
            ErrorKind::NotFound | ErrorKind::NotADirectory => {
                Problem::usage(what, fix(path, error))
            }
            _ => Problem::cannot_run(what, fix(path, error)),
        }
    };
    let metadata = std::fs::metadata(path).map_err(|error| cannot(&error))?;

    if metadata.is_dir() {
        return Err(Problem::usage(format!("{name} is a folder"), "name the files in it").into());
    }
    let device = metadata.file_type().is_char_device() && path.ends_with("kmsg");
    let file = if device {
        let file = OpenOptions::new()
            .read(true)
            .custom_flags(i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or(0))
            .open(path)
            .map_err(|error| cannot(&error))?;
        let mut reader: Box<dyn Read> = Box::new(Records {
            file,
            record: Vec::new(),
            given: 0,
        });
        // Some kernels allow opening, but not reading.
        let mut first = [0; 1];
        let count = reader.read(&mut first).map_err(|error| cannot(&error))?;
        reader = Box::new(io::Cursor::new(first[..count].to_vec()).chain(reader));
        return Ok(Source {
            name,
            size: None,
            reader,
        });
    } else {
        File::open(path).map_err(|error| cannot(&error))?
    };
    let reader = plain(Box::new(file), &name, &name)?;
    Ok(Source {
        name,
        size: metadata.is_file().then_some(metadata.len()),
        reader,
    })
}

/// Returns the reader, unless what it reads must be made text first. `file` is the log in the
/// command that does so.
fn plain(mut reader: Box<dyn Read>, name: &str, file: &str) -> anyhow::Result<Box<dyn Read>> {
    let mut magic = Vec::new();

    reader
        .by_ref()
        .take(6)
        .read_to_end(&mut magic)
        .map_err(|error| {
            Problem::cannot_run(
                format!("cannot read {name}: {error}"),
                fix(Path::new(name), &error),
            )
        })?;
    if let Some((what, program)) = not_text(&magic) {
        return Err(Problem::usage(
            format!("{name} is {what}"),
            format!("{program} {file} | labyrinth explain"),
        )
        .into());
    }
    Ok(Box::new(io::Cursor::new(magic).chain(reader)))
}

/// Returns what begins with these bytes, if it is not text, and the program that makes text of it.
fn not_text(magic: &[u8]) -> Option<(&'static str, &'static str)> {
    let journal = "journalctl -k -o short-monotonic --file";
    let kinds: [(&[u8], &str, &str); 7] = [
        (b"\x1f\x8b", "compressed", "zcat"),
        (b"\xfd7zXZ", "compressed", "xzcat"),
        (b"BZh", "compressed", "bzcat"),
        (b"\x28\xb5\x2f\xfd", "compressed", "zstdcat"),
        (b"LPKSHH", "a file of systemd-journald", journal),
        (b"\xff\xfe", "in UTF-16", "iconv -f UTF-16 -t UTF-8"),
        (b"\xfe\xff", "in UTF-16", "iconv -f UTF-16 -t UTF-8"),
    ];
    kinds
        .iter()
        .find(|(start, ..)| magic.starts_with(start))
        .map(|&(_, what, program)| (what, program))
}

fn fix(path: &Path, error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::PermissionDenied if path == Path::new(KMSG) => {
            "run it as root, or: sudo dmesg | labyrinth explain".to_owned()
        }
        ErrorKind::PermissionDenied => format!(
            "run it as root, or: sudo cat {} | labyrinth explain",
            path.display()
        ),
        ErrorKind::NotFound | ErrorKind::NotADirectory => "name a file that exists".to_owned(),
        _ => "look at the file and its disk".to_owned(),
    }
}

/// The records of /dev/kmsg, each of which is one `read()`.
struct Records {
    file: File,
    record: Vec<u8>,
    given: usize,
}

impl Read for Records {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.given == self.record.len() {
            self.record.resize(8192, 0);
            self.given = 0;
            match self.file.read(&mut self.record) {
                Ok(count) => self.record.truncate(count),
                // All of the log was read.
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.record.clear();
                    return Ok(0);
                }
                // The kernel overwrote the record.
                Err(error)
                    if error.raw_os_error() == Some(rustix::io::Errno::PIPE.raw_os_error()) =>
                {
                    self.record.clear();
                    continue;
                }
                Err(error) => {
                    self.record.clear();
                    return Err(error);
                }
            }
            if self.record.is_empty() {
                return Ok(0);
            }
        }
        let count = buffer.len().min(self.record.len() - self.given);
        buffer[..count].copy_from_slice(&self.record[self.given..self.given + count]);
        self.given += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::{not_text, open, plain};
    use crate::exit::Problem;
    use std::io::Read;

    #[test]
    fn compressed_logs_are_named() {
        assert_eq!(not_text(b"\x1f\x8b\x08"), Some(("compressed", "zcat")));
        assert_eq!(not_text(b"[    0"), None);
        assert_eq!(not_text(b""), None);
    }

    #[test]
    fn standard_input_is_looked_at_too() {
        let read = |log: &'static [u8]| plain(Box::new(log), "standard input", "FILE");
        let error = read(b"\xff\xfe[\0").err().unwrap();
        let problem = error.downcast_ref::<Problem>().unwrap();
        assert_eq!(problem.what(), "standard input is in UTF-16");
        assert!(problem.fix().ends_with(" FILE | labyrinth explain"));

        let mut text = String::new();
        read(b"[    0.1] text")
            .unwrap()
            .read_to_string(&mut text)
            .unwrap();
        assert_eq!(text, "[    0.1] text");
    }

    #[test]
    fn a_file_that_cannot_be_read_has_a_fix() {
        for path in ["/", "/there/is/no/such/file"] {
            let error = open(&[path.into()]).err().unwrap();
            assert!(!error.downcast_ref::<Problem>().unwrap().fix().is_empty());
        }
    }
}
