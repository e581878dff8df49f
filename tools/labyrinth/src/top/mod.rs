// SPDX-License-Identifier: GPL-2.0

//! `labyrinth top`: a live view of the machine and of the module.

pub mod draw;
pub mod end;
mod keys;
mod live;
mod past;
mod plain;
pub mod reading;
mod screen;
pub mod state;
pub mod view;
mod vt;

use crate::{exit::Verdict, terminal, units};
use draw::Look;
use end::End;
use plain::Format;
use std::{path::Path, time::Duration};

/// The options of `labyrinth top`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Shows the headroom, the failed allocations of the whole machine, and the exercises and pools of the
module. Headroom needs no privileges, failures need root, and the rest needs root and the module.
Notes on the screen say what is missing. The module may be loaded and unloaded meanwhile.

Rates cover the last second, and latencies cover the last 10 seconds, each rounded to whole
intervals. Each latency is shown as the upper edge of its histogram bucket. These edges are powers
of two, so a latency can be shown up to two times too large.

Keys: q ends, p freezes the screen, r resets the least and the peak values, digits and arrows select
the context of the histogram, ? shows all keys. Terminals that may lack other characters, such as a
serial console, get only ASCII characters (TERM=vt100, vt220, linux).

If standard output is not a terminal, or if the terminal cannot move its cursor (TERM=dumb), each
update is printed as text. The first update comes after one interval.

Example: a log of one minute, with an update every 10 seconds:

  labyrinth top --plain --interval 10000 --count 6 >top.log")]
pub struct Args {
    /// Time between two updates, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 1000, value_parser = clap::value_parser!(u64).range(10..=3_600_000))]
    interval: u64,
    /// End after this number of updates
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    /// End after this time, such as 90s, 5m or 2h; a number without a unit means seconds
    #[arg(long, value_name = "TIME", value_parser = units::parse_duration)]
    duration: Option<Duration>,
    /// Use only ASCII characters
    #[arg(long)]
    ascii: bool,
    /// Print each update as text, also on a terminal
    #[arg(long)]
    plain: bool,
    /// Print each update as a line of JSON
    #[arg(long, conflicts_with_all = ["plain", "ascii"])]
    json: bool,
}

/// Shows the view.
pub fn run(args: &Args) -> anyhow::Result<Verdict> {
    let root = Path::new("/");
    let interval = Duration::from_millis(args.interval);
    let end = End::new(args.duration, args.count);
    let unicode = !args.ascii && terminal::is_unicode();

    if args.json {
        plain::run(&end, interval, Format::Json, root)?;
    } else if args.plain || !terminal::is_screen() {
        plain::run(&end, interval, Format::Plain { unicode }, root)?;
    } else {
        let look = Look {
            coloured: terminal::colours(),
            unicode,
        };
        live::run(&end, interval, look, root)?;
    }
    Ok(Verdict::Fine)
}
