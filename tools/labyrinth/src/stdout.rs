// SPDX-License-Identifier: GPL-2.0

//! Standard output whose reader may leave early, as `head` does.
//!
//! A reader that leaves does not change the verdict of a command, so it does not change the exit
//! status.

use std::io::{self, ErrorKind, Write};

/// Prints a text. Returns whether the reader is still there.
pub fn print(text: &str) -> anyhow::Result<bool> {
    reached(print_to(&mut io::stdout().lock(), text))
}

fn print_to(out: &mut impl Write, text: &str) -> io::Result<()> {
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Returns whether the reader is still there, from the result of printing. Other errors stay.
pub fn reached(result: Result<(), impl Into<anyhow::Error>>) -> anyhow::Result<bool> {
    match result.map_err(Into::into) {
        Ok(()) => Ok(true),
        Err(error) if has_kind(&error, ErrorKind::BrokenPipe) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Returns whether the cause of the error is an error of this kind from a file.
pub fn has_kind(error: &anyhow::Error, wanted: ErrorKind) -> bool {
    let kind = |cause: &(dyn std::error::Error + 'static)| {
        let json = cause.downcast_ref::<serde_json::Error>();
        let io = cause.downcast_ref::<io::Error>();
        json.and_then(serde_json::Error::io_error_kind)
            .or(io.map(io::Error::kind))
    };
    error.chain().filter_map(kind).any(|kind| kind == wanted)
}

#[cfg(test)]
mod tests {
    use super::{print_to, reached};
    use std::{fs::OpenOptions, os::unix::net::UnixStream};

    #[test]
    fn a_reader_may_leave() {
        let (reader, mut writer) = UnixStream::pair().unwrap();

        assert!(reached(print_to(&mut writer, "text")).unwrap());
        drop(reader);
        assert!(!reached(print_to(&mut writer, "text")).unwrap());
        let json = serde_json::to_writer(&mut writer, "text");
        assert!(!reached(json).unwrap());
    }

    #[test]
    fn a_full_disk_is_an_error() {
        let mut full = OpenOptions::new().write(true).open("/dev/full").unwrap();

        assert!(reached(print_to(&mut full, "text")).is_err());
    }
}
