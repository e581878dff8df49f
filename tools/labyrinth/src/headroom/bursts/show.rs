// SPDX-License-Identifier: GPL-2.0

//! The bursts as text.

use super::document::{Bursts, Share};
use crate::{
    terminal::{paint, Style},
    units,
};
use std::io::Write;

/// The callers that are shown for a burst.
const CALLERS: usize = 5;

/// Prints the answer.
pub fn text(out: &mut impl Write, bursts: &Bursts, coloured: bool) -> anyhow::Result<()> {
    writeln!(
        out,
        "In {:.1} s, requests with GFP_ATOMIC took {}.",
        bursts.seconds,
        units::counted(bursts.pages, "page")
    )?;
    if bursts.lost > 0 {
        let line = format!(
            "{} were too many to be read, and are missing below.",
            units::counted(bursts.lost, "request")
        );
        writeln!(out, "{}", paint(coloured, Style::Warning, &line))?;
    }
    let some = bursts
        .lengths
        .iter()
        .filter(|length| !length.bursts.is_empty());
    for length in some {
        writeln!(out, "\nThe largest bursts in {} ms:", length.milliseconds)?;
        for burst in &length.bursts {
            let pages = units::counted(burst.pages, "page");
            writeln!(
                out,
                "  {} until {:.6} s",
                paint(coloured, Style::Bold, &pages),
                burst.time
            )?;
            for share in burst.callers.iter().take(CALLERS) {
                writeln!(out, "    {}", line(share))?;
            }
            let rest: u64 = burst
                .callers
                .iter()
                .skip(CALLERS)
                .map(|share| share.pages)
                .sum();
            if rest > 0 {
                writeln!(out, "    {rest:>8}  others")?;
            }
        }
    }
    let advice = &bursts.advice;
    writeln!(out)?;
    match advice.min_free_kbytes {
        Some(kib) => writeln!(
            out,
            "Set {}, or give the driver a reserve of {}.",
            paint(coloured, Style::Bold, &format!("vm.min_free_kbytes={kib}")),
            units::counted(advice.reserve, "page")
        )?,
        None if advice.guaranteed >= advice.needed => {
            writeln!(out, "vm.min_free_kbytes is large enough for such bursts.")?;
        }
        None => writeln!(
            out,
            "Give the driver a reserve of {}.",
            units::counted(advice.reserve, "page")
        )?,
    }
    for reason in &advice.reasoning {
        writeln!(out, "  {reason}")?;
    }
    Ok(())
}

fn line(share: &Share) -> String {
    let caller = share
        .caller
        .as_ref()
        .map_or_else(|| "?".to_owned(), ToString::to_string);

    format!("{:>8}  {caller}, {}", share.pages, share.context)
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            advice::Advice,
            document::{Bursts, Length, OneBurst, Share},
        },
        text,
    };
    use crate::failures::{context::Context, symbols::Frame};

    #[test]
    fn the_answer_has_callers_and_reasons() {
        let share = |pages, name: &str, context| Share {
            pages,
            caller: Some(Frame {
                name: name.to_owned(),
                module: None,
            }),
            context,
        };
        let bursts = Bursts {
            schema: "labyrinth/headroom-bursts/1",
            seconds: 2.0,
            requests: 1010,
            pages: 1000,
            lost: 10,
            lengths: vec![Length {
                milliseconds: 10,
                bursts: vec![OneBurst {
                    pages: 450,
                    time: 12.5,
                    callers: vec![
                        share(400, "refill", Context::Softirq),
                        share(50, "send", Context::Task),
                    ],
                }],
            }],
            least_headroom: 77,
            advice: Advice {
                needed: 900,
                guaranteed: 400,
                min_free_kbytes: Some(8000),
                reserve: 900,
                reasoning: vec!["So it is.".to_owned()],
            },
        };
        let mut out = Vec::new();
        text(&mut out, &bursts, false).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "\
In 2.0 s, requests with GFP_ATOMIC took 1000 pages.
10 requests were too many to be read, and are missing below.

The largest bursts in 10 ms:
  450 pages until 12.500000 s
         400  refill, softirq
          50  send, task

Set vm.min_free_kbytes=8000, or give the driver a reserve of 900 pages.
  So it is.
"
        );
    }
}
