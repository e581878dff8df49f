// SPDX-License-Identifier: GPL-2.0

//! `labyrinth report`: a page with plots from runs.

mod figures;
mod page;

use crate::{
    exit::Verdict,
    file::Target,
    runs::{self, Run},
    stdout,
};
use std::path::{Path, PathBuf};

/// The options of `labyrinth report`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = ABOUT)]
pub struct Args {
    /// Files of `labyrinth run --json`, or folders with such files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Write the page into this file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write a plot of the percentiles into this file; without --output, write no page
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
}

const ABOUT: &str = "\
The page is one file without scripts, and loads nothing. It has the verdict, histograms and
percentiles of the latencies of each exercise, the rates over time, what each tier of the pools
served, and the headroom. It names kernels, but no machine. Of more than six runs the plots show the
first six, and the tables all.

`labyrinth run --html FILE` writes the page of a single run.

Examples:
  labyrinth run -d 1m --json >run.json
  labyrinth report run.json -o page.html
  labyrinth report run.json --svg percentiles.svg";

/// Returns the page of these runs.
pub fn page(runs: &[Run]) -> anyhow::Result<String> {
    page::page(runs)
}

/// Returns a file with a plot of these runs.
fn plot(runs: &[Run]) -> anyhow::Result<String> {
    figures::svg(runs, &page::names(runs))
}

/// Runs the subcommand.
pub fn run(args: &Args) -> anyhow::Result<Verdict> {
    let mut all: Vec<Run> = Vec::new();

    for path in &args.files {
        for file in runs::files(path)? {
            for mut run in runs::read(&file)? {
                // Runs of two folders often have the same names.
                let folder = file.parent().and_then(Path::file_name);
                let known = |other: &Run| other.source == run.source;
                if let (true, Some(folder)) = (all.iter().any(known), folder) {
                    run.source = format!("{}/{}", folder.to_string_lossy(), run.source);
                }
                all.push(run);
            }
        }
    }
    if let Some(path) = &args.svg {
        Target::create(path)?.write("the plot", &plot(&all)?)?;
    }
    if let Some(path) = &args.output {
        Target::create(path)?.write("the page", &page(&all)?)?;
    } else if args.svg.is_none() {
        stdout::print(&page(&all)?)?;
    }
    Ok(Verdict::Fine)
}

#[cfg(test)]
mod tests {
    use super::{page, plot};
    use crate::runs::tests::made_up;

    /// Checks that all elements are closed in order, as in XML, and returns the text between them.
    fn well_formed(page: &str) -> String {
        let (mut open, mut text) = (Vec::new(), String::new());
        let mut rest = page.strip_prefix("<!DOCTYPE html>").unwrap();
        while let Some((before, after)) = rest.split_once('<') {
            text += before;
            let (tag, after) = after.split_once('>').unwrap();
            rest = after;
            let name = tag.split_whitespace().next().unwrap();
            if let Some(name) = name.strip_prefix('/') {
                assert_eq!(open.pop(), Some(name));
            } else if !tag.ends_with('/') {
                open.push(name);
            }
            assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
        }
        assert!(open.is_empty(), "{open:?} are open");
        text
    }

    #[test]
    fn the_page_is_well_formed_and_complete() {
        let text = page(&[made_up(1.0), made_up(1.3)]).unwrap();
        let words = well_formed(&text);
        for what in [
            "Verdict: pass",
            "No threshold was crossed",
            "99.850 %",
            "250 µs",
            "cannot be seen",
            "Histogram of latencies",
            "Percentiles of latencies",
            "Requests served per second",
            "Headroom",
            "What each tier served",
            "75.11 %",
        ] {
            assert!(words.contains(what), "{what}");
        }
        for plot in text.split("role=\"img\"").skip(1) {
            assert!(plot.contains("<title>") && plot.contains("<desc>"));
        }
        for what in ["<script", "src=", "href=", "url(", "@import"] {
            assert!(!text.contains(what), "{what}");
        }
    }

    #[test]
    fn a_plot_of_its_own_names_its_lines() {
        let text = plot(&[made_up(1.0)]).unwrap();
        assert!(text.contains(">\ntimer_softirq GFP_ATOMIC\n<"), "{text}");
        let mut other = made_up(2.0);
        other.source = "other".into();
        let text = plot(&[made_up(1.0), other]).unwrap();
        assert!(
            text.contains(">\nother: timer_softirq GFP_ATOMIC\n<"),
            "{text}"
        );
        assert!(text.contains("class=\"line2\""), "{text}");
    }

    #[test]
    fn all_text_is_escaped() {
        let mut run = made_up(1.0);
        let bad = "</title><script>alert('1')</script>\"&\u{1b}";
        run.source = bad.into();
        run.kernel = bad.into();
        run.verdict = bad.into();
        run.parameters = vec![bad.into()];
        run.series[0].context = bad.into();
        run.series[0].gfp = bad.into();
        run.settings[0].name = bad.into();
        for sample in &mut run.samples {
            sample.tiers[0].pool = bad.into();
            sample.tiers[0].tier = bad.into();
        }
        let text = page(&[run]).unwrap();
        well_formed(&text);
        assert!(!text.contains("<script") && !text.contains('\u{1b}'));
    }

    #[test]
    fn a_run_without_numbers_has_a_page() {
        let mut run = made_up(1.0);
        run.samples.clear();
        run.series.clear();
        let text = page(&[run]).unwrap();
        assert!(well_formed(&text).contains("no numbers over time"));
    }
}
