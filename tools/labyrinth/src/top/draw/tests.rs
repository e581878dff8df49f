// SPDX-License-Identifier: GPL-2.0

use super::{Look, Screen};
use crate::{
    failures::{
        context,
        probe::Source,
        tally::{tests::failure, By, Tally},
    },
    top::view::{Bucket, Context, Failures, Headroom, Latency, Pool, Tier, View},
};
use proptest::prelude::*;
use ratatui::{
    backend::TestBackend,
    style::{Color, Modifier},
    Terminal,
};
use std::{fs, path::Path, time::Duration};

/// A machine on which much happens.
fn busy() -> View {
    let mut tally = Tally::new(&[By::Caller, By::Context, By::Order, By::Flags], false);
    for _ in 0..3 {
        tally.add(&failure("send", context::Context::Softirq));
    }
    tally.add(&failure("receive", context::Context::HardIrq));
    let chart = (0..300).map(|value: u64| value * 7 % 50).collect();
    let buckets = (0..9).map(|power| Bucket {
        to_ns: Some((1024 << power) - 1),
        count: 100_000 >> (power * 2),
    });
    let context = |name: &str, gfp: &str, rate: f64| Context {
        context: name.to_owned(),
        gfp: gfp.to_owned(),
        running: rate > 0.0,
        successes: 123_456,
        failures: 2,
        successes_per_second: Some(rate),
        failures_per_second: Some(rate / 4000.0),
        most_per_second: 2.0 * rate,
        latency: Latency {
            seconds: 10.0,
            samples: 133_333,
            p50_ns: Some(1023),
            p99_ns: Some(16_383),
            max_ns: Some(262_143),
            buckets: buckets.clone().collect(),
        },
        longest_ns: Some(524_287),
        chart: (0..300).map(|value: u64| value * 7 % 50).collect(),
        latency_chart: (0..300).map(|value: u64| value * 3 % 40).collect(),
    };
    let pool = |name: &str, reserved: u64, failures: f64| Pool {
        pool: name.to_owned(),
        tiers: [
            ("cache", 900.0),
            ("buddy", 80.0),
            ("reserve", 7.0),
            ("emergency", 0.5),
        ]
        .map(|(tier, rate)| Tier {
            tier: tier.to_owned(),
            hits: 5000,
            hits_per_second: Some(rate),
            misses: 3,
        })
        .into(),
        failures: 5,
        failures_per_second: Some(failures),
        cached: 128,
        reserved,
        least_reserved: 0,
        reserve_target: 256,
        returning: 1,
        chart: [256, 256, 200, reserved].into(),
    };

    View {
        schema: "labyrinth/top/1",
        seconds: 3725.0,
        notes: Vec::new(),
        headroom: Some(Headroom {
            requests: 12_345,
            at_least: 11_000,
            at_most: 13_000,
            least: 9876,
            chart,
        }),
        failures: Some(Failures {
            source: Source::Kprobe,
            failures: 4,
            failures_per_second: Some(1.5),
            rows: tally.rows(),
            chart: [0, 1, 0, 3].into(),
        }),
        contexts: vec![
            context("hard_irq", "nolock", 0.0),
            context("spinlock", "GFP_ATOMIC", 120.0),
            context("task", "GFP_ATOMIC", 7.0),
            context("task", "GFP_KERNEL", 7.0),
            context("timer_softirq", "GFP_ATOMIC", 12_345.0),
        ],
        pools: vec![pool("default", 128, 0.0), pool("net0_rx", 0, 3.0)],
    }
}

fn draw(
    view: &View,
    width: u16,
    height: u16,
    change: impl Fn(&mut Screen<'_>),
) -> Terminal<TestBackend> {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    let mut screen = Screen {
        view,
        look: Look {
            coloured: true,
            unicode: true,
        },
        interval: Duration::from_secs(1),
        selected: 4,
        paused: false,
        help: false,
        keys: true,
    };

    change(&mut screen);
    terminal
        .draw(|frame| frame.render_widget(screen, frame.area()))
        .unwrap();
    terminal
}

fn text(terminal: &Terminal<TestBackend>) -> String {
    let buffer = terminal.backend().buffer();
    let line = |y| -> String {
        (0..buffer.area.width)
            .map(|x| buffer[(x, y)].symbol())
            .collect()
    };
    let lines: Vec<String> = (0..buffer.area.height)
        .map(|y| line(y).trim_end().to_owned() + "\n")
        .collect();

    lines.concat()
}

/// Compares a screen with the one that is committed. With `LABYRINTH_WRITE_SCREENS` in the
/// environment, writes it first.
fn hold(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/top")
        .join(name);

    if std::env::var_os("LABYRINTH_WRITE_SCREENS").is_some() {
        fs::write(&path, text).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap();
    assert!(expected == text, "{} is not\n{text}", path.display());
}

#[test]
fn usual_screens() {
    for (width, height) in [(80, 24), (120, 40), (40, 12)] {
        hold(
            &format!("{width}x{height}.txt"),
            &text(&draw(&busy(), width, height, |_| {})),
        );
    }
    let ascii = draw(&busy(), 80, 24, |screen| screen.look.unicode = false);
    hold("80x24-ascii.txt", &text(&ascii));
}

#[test]
fn the_small_screen_has_the_important_numbers() {
    let small = text(&draw(&busy(), 40, 12, |_| {}));
    for part in [
        "headroom  12345",
        "failures  4",
        "timer_softirq",
        "ATOMIC",
        "default",
        "128/256",
    ] {
        assert!(small.contains(part), "{part} is missing:\n{small}");
    }
}

#[test]
fn a_note_is_a_line_and_nothing_of_the_module_is_shown() {
    let view = View {
        notes: vec!["the module labyrinth is not loaded: modprobe labyrinth".to_owned()],
        contexts: Vec::new(),
        pools: Vec::new(),
        ..busy()
    };
    let text = text(&draw(&view, 80, 24, |_| {}));
    assert!(text.lines().any(|line| line == view.notes[0]), "{text}");
    assert!(
        !text.contains("context ") && !text.contains("pool "),
        "{text}"
    );
    assert!(
        text.contains("3  send  softirq  order 0  GFP_ATOMIC"),
        "{text}"
    );
}

#[test]
fn before_the_second_reading_there_are_dashes() {
    let mut view = busy();
    view.contexts[4].successes_per_second = None;
    view.failures.as_mut().unwrap().failures_per_second = None;
    let text = text(&draw(&view, 80, 24, |_| {}));
    assert!(text.contains("failures  4, -/s"), "{text}");
    let row = text
        .lines()
        .find(|line| line.contains("timer_softirq"))
        .unwrap();
    assert!(
        row.starts_with("> timer_softirq  GFP_ATOMIC       -"),
        "{row}"
    );
}

#[test]
fn the_selected_context_is_visible_in_a_short_table() {
    for selected in 0..5 {
        let text = text(&draw(&busy(), 80, 9, |screen| screen.selected = selected));
        let marks: Vec<&str> = text.lines().filter(|line| line.starts_with('>')).collect();
        assert_eq!(marks.len(), 1, "{text}");
        assert!(
            marks[0].contains(&busy().contexts[selected].context),
            "{text}"
        );
    }
    // A context that is gone: the last one is selected.
    let text = text(&draw(&busy(), 80, 24, |screen| screen.selected = 99));
    assert!(text.contains("> timer_softirq"), "{text}");
}

#[test]
fn more_pools_than_rows() {
    let mut view = busy();
    let one = view.pools[0].clone();
    view.pools = (0..70)
        .map(|number| Pool {
            pool: format!("pool{number}"),
            ..one.clone()
        })
        .collect();
    let text = text(&draw(&view, 80, 24, |_| {}));
    let shown = text
        .lines()
        .filter(|line| line.starts_with("pool") && line.contains('/'))
        .count();
    let more: usize = text
        .lines()
        .find_map(|line| {
            line.strip_prefix("… and ")?
                .strip_suffix(" more")?
                .parse()
                .ok()
        })
        .unwrap();
    // The heading begins with the same word.
    assert_eq!(shown - 1 + more, 70, "{text}");
}

#[test]
fn what_is_bad_is_red_only_with_colours() {
    let red = |coloured| {
        let terminal = draw(&busy(), 80, 24, |screen| screen.look.coloured = coloured);
        let buffer = terminal.backend().buffer().clone();
        let cells = buffer.content.iter();
        let coloured = cells.clone().filter(|cell| cell.fg != Color::Reset).count();
        let reversed = cells
            .filter(|cell| cell.modifier.contains(Modifier::REVERSED))
            .count();
        (coloured > 0, reversed)
    };
    assert_eq!(red(true), (true, 3 * 80));
    assert_eq!(red(false), (false, 3 * 80));
}

#[test]
fn a_frozen_screen_and_the_help_say_so() {
    assert!(text(&draw(&busy(), 80, 24, |screen| screen.paused = true)).contains("paused"));
    let help = text(&draw(&busy(), 40, 12, |screen| screen.help = true));
    assert!(
        help.contains("q, ctrl-C   end") && !help.contains("headroom"),
        "{help}"
    );
}

proptest! {
    #[test]
    fn any_size_can_be_drawn(
        width in 1u16..200, height in 1u16..60, selected in 0usize..9, unicode: bool,
    ) {
        let terminal = draw(&busy(), width, height, |screen| {
            screen.selected = selected;
            screen.look.unicode = unicode;
        });
        let text = text(&terminal);
        prop_assert!(unicode || text.is_ascii(), "{text}");
        prop_assert!(text.starts_with("labyrinth top"[..usize::from(width).min(13)].trim_end()));
    }
}
