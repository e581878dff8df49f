// SPDX-License-Identifier: GPL-2.0

//! Plots how a reserve sizes itself, as SVG.

use super::{
    model::Model,
    HOUR,
    SECOND, //
};
use crate::logic::sizing::AutoReserve;
use std::fmt::Write as _;

/// The size of the plot and its margins, in pixels.
const WIDTH: u64 = 880;
const HEIGHT: u64 = 360;
const LEFT: u64 = 70;
const TOP: u64 = 46;
const RIGHT: u64 = 20;
const BOTTOM: u64 = 50;

/// What the axes show.
const HOURS: u64 = 4;
const PAGES: u64 = 8000;

const MINUTE: u64 = 60 * SECOND;

fn x(time: u64) -> u64 {
    LEFT + (WIDTH - LEFT - RIGHT) * time / (HOURS * HOUR)
}

fn y(pages: usize) -> u64 {
    HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * pages as u64 / PAGES
}

/// The bursts: their pages, and the pause before each.
fn trace() -> Vec<(usize, u64)> {
    let mut trace = Vec::new();
    // On: bursts of one size, every three minutes.
    trace.extend([(1000, 3 * MINUTE); 10]);
    // Four times as large.
    trace.extend([(4000, 6 * MINUTE); 3]);
    // An hour of calm, then a ramp.
    trace.push((300, HOUR));
    let ramp = (1..16).map(|i| (300 + 150 * i, 4 * MINUTE));
    trace.extend(ramp);
    trace
}

/// A rectangle, as wide as a burst is drawn.
fn bar(out: &mut String, time: u64, from: usize, to: usize, class: &str) {
    let height = y(from) - y(to);
    if height != 0 {
        let _ = writeln!(
            out,
            "<rect class=\"{class}\" x=\"{}\" y=\"{}\" width=\"3\" height=\"{height}\"/>",
            x(time) - 1,
            y(to)
        );
    }
}

/// Continues the line of the target up to now.
fn step(line: &mut String, model: &Model, start: u64) {
    let end = format!(" V{}", y(model.target()));
    if !line.ends_with(&end) {
        let _ = write!(line, " H{}{end}", x(model.now - start));
    }
}

/// Returns the plot.
pub(crate) fn plot() -> String {
    let mut model = Model::new(0, AutoReserve::up_to(16_384));
    let (mut bars, mut line) = (String::new(), format!("M{} {}", x(0), y(0)));
    let start = model.now;
    let mut bursts = trace();
    bursts.push((0, 2 * HOUR));
    let mut time = start;
    for (pages, pause) in bursts {
        time += pause;
        // Move in small steps, so that the line shows when the target changes.
        while model.now < time.min(start + HOURS * HOUR) {
            model.calm((time - model.now).min(MINUTE / 4));
            step(&mut line, &model, start);
        }
        let refused = model.burst(pages, 1);
        bar(&mut bars, time - start, 0, pages - refused, "served");
        bar(&mut bars, time - start, pages - refused, pages, "dropped");
        step(&mut line, &model, start);
    }

    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         font-family=\"sans-serif\" font-size=\"13\">\n\
         <!-- SPDX-License-Identifier: GPL-2.0 -->\n\
         <style>\n\
         svg {{ background: #fff; fill: #222; }}\n\
         .grid {{ stroke: #ddd; }}\n\
         .served {{ fill: #5a9bd4; }}\n\
         .dropped {{ fill: #d62728; }}\n\
         .target {{ fill: none; stroke: #222; stroke-width: 1.5; }}\n\
         </style>\n"
    );
    for pages in (0..=PAGES as usize).step_by(2000) {
        let _ = writeln!(
            out,
            "<path class=\"grid\" d=\"M{LEFT} {y} H{}\"/>\
             <text x=\"{}\" y=\"{}\" text-anchor=\"end\">{pages}</text>",
            WIDTH - RIGHT,
            LEFT - 8,
            y(pages) + 4,
            y = y(pages)
        );
    }
    for hour in 0..=HOURS {
        let _ = writeln!(
            out,
            "<path class=\"grid\" d=\"M{x} {TOP} V{}\"/>\
             <text x=\"{x}\" y=\"{}\" text-anchor=\"middle\">{hour} h</text>",
            HEIGHT - BOTTOM,
            HEIGHT - BOTTOM + 18,
            x = x(hour * HOUR)
        );
    }
    let _ = write!(
        out,
        "{bars}<path class=\"target\" d=\"{line} H{}\"/>\n\
         <text x=\"{LEFT}\" y=\"18\" font-size=\"15\">A reserve that sizes itself: half-life 20 \
         minutes, from 0 pages</text>\n\
         <path class=\"target\" d=\"M{LEFT} 33 h24\"/><text x=\"{}\" y=\"37\">target</text>\n\
         <rect class=\"served\" x=\"{}\" y=\"27\" width=\"12\" height=\"12\"/>\
         <text x=\"{}\" y=\"37\">requests of a burst that the reserve served</text>\n\
         <rect class=\"dropped\" x=\"{}\" y=\"27\" width=\"12\" height=\"12\"/>\
         <text x=\"{}\" y=\"37\">requests that failed</text>\n\
         <text x=\"{}\" y=\"{}\" text-anchor=\"middle\">time</text>\n\
         <text x=\"16\" y=\"{}\" text-anchor=\"middle\" transform=\"rotate(-90 16 {})\">pages</text>\n\
         </svg>\n",
        x(HOURS * HOUR),
        LEFT + 30,
        LEFT + 100,
        LEFT + 118,
        LEFT + 420,
        LEFT + 438,
        (LEFT + WIDTH - RIGHT) / 2,
        HEIGHT - 12,
        (TOP + HEIGHT - BOTTOM) / 2,
        (TOP + HEIGHT - BOTTOM) / 2
    );
    out
}
