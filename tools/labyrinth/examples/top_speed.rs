// SPDX-License-Identifier: GPL-2.0

//! Measures the CPU time of the tool in an update of `labyrinth top`: reading files, computing,
//! drawing 80x24 cells. The files are those of tests/top, which were recorded on a real kernel. The
//! time that the kernel takes to generate them is not included.
//!
//! ```text
//! cargo run --release --example top_speed [UPDATES]
//! ```

use labyrinth::top::{
    draw::{Look, Screen},
    reading::Sources,
    state::State,
};
use ratatui::{backend::TestBackend, Terminal};
use rustix::time::{clock_gettime, ClockId};
use std::{fs, time::Duration};

fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);

    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

fn main() -> anyhow::Result<()> {
    let updates: u32 = std::env::args()
        .nth(1)
        .map_or(Ok(2000), |text| text.parse())?;
    let root = std::env::temp_dir().join(format!("labyrinth-top-{}", std::process::id()));
    let metrics = root.join("sys/kernel/debug/labyrinth/metrics");
    let texts = [
        include_str!("../tests/top/metrics-1.txt"),
        include_str!("../tests/top/metrics-2.txt"),
    ];
    let mut state = State::default();
    let mut terminal = Terminal::new(TestBackend::new(80, 24))?;
    let mut spent = Duration::ZERO;

    fs::create_dir_all(root.join("proc"))?;
    fs::create_dir_all(metrics.with_file_name(""))?;
    fs::write(
        root.join("proc/zoneinfo"),
        include_str!("../tests/top/zoneinfo.txt"),
    )?;
    let mut sources = Sources::new(&root);
    for update in 0..updates {
        fs::write(&metrics, texts[update as usize % 2])?;
        let before = cpu_time();
        state.update(sources.read());
        let screen = Screen {
            view: state.view(),
            look: Look {
                coloured: false,
                unicode: true,
            },
            interval: Duration::from_millis(100),
            selected: 0,
            paused: false,
            help: false,
            keys: true,
        };
        terminal.draw(|frame| frame.render_widget(screen, frame.area()))?;
        spent += cpu_time() - before;
    }
    fs::remove_dir_all(&root)?;
    let micros = spent.as_secs_f64() * 1e6 / f64::from(updates);
    println!(
        "{updates} updates, {micros:.0} µs of CPU time each: {:.2} % at 10 a second",
        micros / 1000.0
    );
    anyhow::ensure!(!state.view().contexts.is_empty(), "the module was not seen");
    Ok(())
}
