// SPDX-License-Identifier: GPL-2.0

//! Messages on standard error.

use std::{
    fmt::Arguments,
    io::{self, Write},
};

/// Prints a line on standard error, as `eprintln!` does, after the name of the tool.
///
/// `eprintln!` panics if standard error is a full disk or a pipe that nobody reads. That must not
/// end a command that has settings to put back.
macro_rules! say {
    ($($arg:tt)*) => {
        $crate::message::print(format_args!($($arg)*))
    };
}
pub(crate) use say;

/// Prints a line on standard error, if that is possible.
pub fn print(text: Arguments<'_>) {
    print_to(&mut io::stderr().lock(), text);
}

fn print_to(out: &mut impl Write, text: Arguments<'_>) {
    let line = format!("labyrinth: {text}\n");

    // In one piece, so that a command that runs meanwhile cannot write into it. If it fails, nobody
    // is there to be told.
    let _ = out.write_all(line.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::print_to;
    use std::fs::OpenOptions;

    #[test]
    fn a_message_on_a_full_disk_is_lost() {
        let mut full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut out = Vec::new();

        print_to(&mut full, format_args!("text"));
        print_to(&mut out, format_args!("{} text", 1));
        assert_eq!(out, b"labyrinth: 1 text\n");
    }
}
