// SPDX-License-Identifier: GPL-2.0

//! Measures how fast `labyrinth explain` reads: a log of 1 GB (or as many MB as the first argument
//! says) with a report in each 64 MB, from memory, with one thread.
//!
//! ```text
//! cargo run --release --example explain_speed [MB]
//! ```

use std::{
    io::{self, Read},
    time::Instant,
};

/// Repeats a piece of log.
struct Log {
    piece: Vec<u8>,
    at: usize,
    left: usize,
}

impl Read for Log {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.piece.len() {
            self.at = 0;
        }
        let count = buffer.len().min(self.piece.len() - self.at).min(self.left);
        buffer[..count].copy_from_slice(&self.piece[self.at..self.at + count]);
        self.at += count;
        self.left -= count;
        Ok(count)
    }
}

fn main() -> anyhow::Result<()> {
    const REPORT: &[u8] = include_bytes!("../tests/explain/brief-7.0.log");
    let size = std::env::args()
        .nth(1)
        .map_or(Ok(1000), |size| size.parse::<usize>())?
        * 1_000_000;
    let mut piece = Vec::new();
    let mut number = 0_u64;

    while piece.len() < 64_000_000 {
        number += 1;
        piece.extend_from_slice(
            format!(
                "[{:5}.{:06}] audit: type=1400 audit({number}.0:{number}): apparmor=\"ALLOWED\" \
                 operation=\"open\" pid={} comm=\"worker\" name=\"/proc/{}/stat\"\n\
                 [{:5}.{:06}] IN=eth0 OUT= MAC=00:00 SRC=192.0.2.{} LEN={} free: no Node to kill\n",
                number / 1000,
                number % 1000 * 1000,
                number % 32768,
                number % 4096,
                number / 1000,
                number % 1000 * 1000 + 5,
                number % 256,
                number % 1500
            )
            .as_bytes(),
        );
    }
    piece.extend_from_slice(REPORT);
    for _ in 0..3 {
        let log = Log {
            piece: piece.clone(),
            at: 0,
            left: size,
        };
        let start = Instant::now();
        let found = labyrinth::explain::explain("log", log, false)?;
        let seconds = start.elapsed().as_secs_f64();
        let summary = found.text(false);
        println!(
            "{:.0} MB/s ({:.2} s for {} MB): {}",
            size as f64 / 1e6 / seconds,
            seconds,
            size / 1_000_000,
            summary.lines().next().unwrap_or("")
        );
    }
    Ok(())
}
