// SPDX-License-Identifier: GPL-2.0

//! `labyrinth compare`: whether one kernel or setting serves requests worse than another.

mod judge;
mod plot;
mod show;
mod statistics;

use crate::{
    exit::{Problem, Verdict},
    file::Target,
    json,
    runs::{self, Run},
    stdout, terminal,
};
use judge::{judge, Finding, Metric, METRICS};
use schemars::JsonSchema;
use serde::Serialize;
use statistics::{estimate, Estimate};
use std::path::PathBuf;

/// How far the lengths of runs may differ.
const LENGTHS: f64 = 0.1;

/// The options of `labyrinth compare`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = METHOD)]
pub struct Args {
    /// Two sides: each a file of `labyrinth run --json`, several with commas between them, or a folder
    #[arg(required = true, value_name = "RUNS", num_args = 1..)]
    sides: Vec<String>,
    /// The runs of both sides in turn, as they were made: A B A B; their number must be even
    #[arg(long)]
    interleaved: bool,
    /// The least difference of a latency that matters, in percent of that of A
    #[arg(long, value_name = "PERCENT", default_value = "5%", value_parser = percent)]
    matters: f64,
    /// The least difference of the success rate that matters, in percentage points
    #[arg(long, value_name = "POINTS", default_value = "0.1%", value_parser = percent)]
    success_matters: f64,
    /// Compare runs even if they differ in more than the kernel or the settings
    #[arg(long)]
    force: bool,
    /// Write a plot of the means and intervals into this file
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Print KTAP: a test for each metric, which fails if B is worse
    #[arg(long, conflicts_with = "json")]
    ktap: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

const METHOD: &str = "\
Method: each run gives one value of each metric. The value of a side is the mean over its runs, with
a 95 % confidence interval by Student's t distribution. Percentiles are interpolated within buckets
whose width is at most 1/16 of the latency. The verdict on B is
  better, worse       the intervals do not overlap, and the means differ by what matters or more
  no difference seen  a difference that matters would have been seen
  cannot tell         fewer than three runs of a side, or intervals that are together wider on one
                      side of the mean than the difference that matters
Each metric is judged by itself: the more metrics, the more likely one verdict is wrong by chance.
Take turns with the runs of both sides, so that what changes with time does so for both:
--interleaved takes runs in this order. The sides may differ in the kernel or in settings of the
exercises, but not in both, as nobody could tell which of them made the difference.

Examples:
  for i in 1 2 3 4 5; do labyrinth run --json >before/$i.json; done
  labyrinth compare before after
  labyrinth run --json --repeat 5 --versus pool=1 >runs.json
  labyrinth compare --interleaved runs.json";

/// What `--json` prints.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Comparison {
    /// "labyrinth/compare/1"
    schema: &'static str,
    /// The first side.
    a: Side,
    /// The second side.
    b: Side,
    /// The least difference of a latency that matters, in percent.
    matters_percent: f64,
    /// The least difference of the success rate that matters, in percentage points.
    success_matters_points: f64,
    /// The metrics of each exercise.
    rows: Vec<Row>,
    /// Other differences between the runs, in words.
    notes: Vec<String>,
}

/// A side of the comparison.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Side {
    /// The kernels of the runs.
    kernels: Vec<String>,
    /// The number of runs.
    runs: u64,
}

/// A metric of an exercise.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Row {
    /// The exercise.
    context: String,
    /// Its flags.
    gfp: String,
    /// The metric; latencies are in ns, the success rate in percent.
    metric: Metric,
    /// The first side.
    a: Estimate,
    /// The second side.
    b: Estimate,
    /// The verdict on B.
    finding: Finding,
}

impl json::Document for Comparison {
    const NAME: &'static str = "compare";
}

/// Runs the subcommand.
pub fn run(args: &Args) -> anyhow::Result<Verdict> {
    let (a, b) = sides(args)?;
    let obstacles = obstacles(&a, &b);

    if !args.force && !obstacles.is_empty() {
        return Err(Problem::usage(
            format!("more than one thing differs: {}", obstacles.join("; ")),
            "compare runs that differ only in the kernel or only in their settings, or add --force",
        )
        .into());
    }
    let comparison = compare(&a, &b, args.matters, args.success_matters, obstacles);
    if comparison.rows.is_empty() {
        return Err(Problem::usage(
            "both sides have no exercise in common",
            "give runs of the same contexts",
        )
        .into());
    }
    if let Some(path) = &args.svg {
        Target::create(path)?.write("the plot", &plot::svg(&comparison)?)?;
    }
    if args.json {
        stdout::reached(json::print(&comparison, false))?;
    } else {
        let text = if args.ktap {
            show::ktap(&comparison)
        } else {
            show::table(&comparison, terminal::colours())
        };
        stdout::print(&text)?;
    }
    let worse = comparison.count(Finding::Worse) > 0;
    Ok(if worse {
        Verdict::Crossed
    } else {
        Verdict::Fine
    })
}

impl Comparison {
    fn count(&self, finding: Finding) -> usize {
        self.rows
            .iter()
            .filter(|row| row.finding == finding)
            .count()
    }
}

fn percent(text: &str) -> Result<f64, String> {
    text.strip_suffix('%')
        .unwrap_or(text)
        .parse()
        .ok()
        .filter(|percent| (0.0..=1000.0).contains(percent))
        .ok_or_else(|| format!("'{text}' is no percentage such as 5%"))
}

/// Returns the runs of both sides.
fn sides(args: &Args) -> anyhow::Result<(Vec<Run>, Vec<Run>)> {
    if !args.interleaved {
        let [a, b] = args.sides.as_slice() else {
            return Err(Problem::usage(
                format!("two sides are needed, not {}", args.sides.len()),
                "put commas between the files of a side, or add --interleaved",
            )
            .into());
        };
        return Ok((runs::list(a)?, runs::list(b)?));
    }
    let (mut a, mut b, mut count) = (Vec::new(), Vec::new(), 0);
    for text in &args.sides {
        for run in runs::list(text)? {
            if count % 2 == 0 { &mut a } else { &mut b }.push(run);
            count += 1;
        }
    }
    if a.len() != b.len() {
        return Err(Problem::usage(
            format!("{count} interleaved runs are no pairs"),
            "give as many runs of B as of A",
        )
        .into());
    }
    Ok((a, b))
}

/// Returns the settings in which two runs differ, as text.
fn settings(one: &Run, other: &Run) -> Vec<String> {
    let mut found = Vec::new();

    for setting in one.settings.iter().chain(&other.settings) {
        let (left, right) = (value(one, &setting.name), value(other, &setting.name));
        let text = format!("{} is {left} and {right}", setting.name);
        if left != right && !found.contains(&text) {
            found.push(text);
        }
    }
    found
}

/// Returns a setting of a run as text.
fn value(run: &Run, name: &str) -> String {
    let setting = run.settings.iter().find(|setting| setting.name == name);
    setting.map_or_else(|| "not given".into(), |setting| setting.value.to_string())
}

/// Returns the differences of two runs in properties that all runs must share.
fn conditions(one: &Run, other: &Run) -> Vec<String> {
    let mut found = Vec::new();

    if one.cpus != other.cpus {
        found.push(format!(
            "the number of CPUs is {} and {}",
            one.cpus, other.cpus
        ));
    }
    if (other.seconds - one.seconds).abs() > LENGTHS * one.seconds.max(other.seconds) {
        found.push(format!(
            "the duration is {:.1} s and {:.1} s",
            one.seconds, other.seconds
        ));
    }
    found
}

/// Returns the reasons why a comparison would prove nothing: the runs of a side differ among each
/// other, or the sides differ both in their kernel and in their settings, or in something else.
fn obstacles(a: &[Run], b: &[Run]) -> Vec<String> {
    let mut found: Vec<String> = conditions(&a[0], &b[0]);
    let between = settings(&a[0], &b[0]);

    if !between.is_empty() && a[0].kernel != b[0].kernel {
        found.push(format!("the kernels differ, and {}", between.join(", ")));
    }
    for (name, runs) in [("A", a), ("B", b)] {
        for run in runs {
            // Files in the order of their names, such as 1, 10, 2, are not in that of the turns.
            let kernel = (run.kernel != runs[0].kernel)
                .then(|| format!("the kernel is {} and {}", runs[0].kernel, run.kernel));
            let within = settings(&runs[0], run)
                .into_iter()
                .chain(conditions(&runs[0], run))
                .chain(kernel);
            for difference in within {
                let text = format!("within {name}, {difference}");
                if !found.contains(&text) {
                    found.push(text);
                }
            }
        }
    }
    found
}

/// Says what else differs. It may be what is to be compared.
fn notes(a: &[Run], b: &[Run]) -> Vec<String> {
    let mut notes = Vec::new();
    let mut note = |what: &str, of: &dyn Fn(&Run) -> String| {
        let of = |runs: &[Run]| {
            let mut values: Vec<String> = runs.iter().map(of).collect();
            values.sort();
            values.dedup();
            values.join(" or ")
        };
        let text = format!("{what}: A has {}, B has {}", of(a), of(b));
        if of(a) != of(b) && !notes.contains(&text) {
            notes.push(text);
        }
    };
    let known = |value: &Option<String>| value.clone().unwrap_or_else(|| "an unknown one".into());

    for setting in a[0].settings.iter().chain(&b[0].settings) {
        note(&setting.name, &|run| value(run, &setting.name));
    }
    note("preemption model", &|run| known(&run.preemption));
    note("architecture", &|run| known(&run.architecture));
    note("parameters of the kernel", &|run| {
        if run.parameters.is_empty() {
            "none that matter".into()
        } else {
            run.parameters.join(" ")
        }
    });
    for (name, one, other) in [("A", a, b), ("B", b, a)] {
        for key in keys(one).iter().filter(|key| !keys(other).contains(key)) {
            notes.push(format!("only {name} has {} {}", key.0, key.1));
        }
    }
    notes
}

/// Returns the exercises and flags of the runs.
fn keys(runs: &[Run]) -> Vec<(String, String)> {
    let mut keys = Vec::new();

    for series in runs.iter().flat_map(|run| &run.series) {
        let key = (series.context.clone(), series.gfp.clone());
        if series.successes + series.failures > 0 && !keys.contains(&key) {
            keys.push(key);
        }
    }
    keys
}

fn compare(
    a: &[Run],
    b: &[Run],
    matters_percent: f64,
    success_matters_points: f64,
    obstacles: Vec<String>,
) -> Comparison {
    let mut rows = Vec::new();
    let estimate_of = |runs: &[Run], key: &(String, String), metric: Metric| {
        let series = runs.iter().flat_map(|run| &run.series);
        let values: Vec<f64> = series
            .filter(|series| series.context == key.0 && series.gfp == key.1)
            .filter_map(|series| metric.of(series))
            .collect();
        estimate(&values)
    };

    for key in keys(a) {
        for metric in METRICS {
            let both = (estimate_of(a, &key, metric), estimate_of(b, &key, metric));
            let (Some(of_a), Some(of_b)) = both else {
                continue;
            };
            let matters = if metric == Metric::SuccessRate {
                success_matters_points
            } else {
                matters_percent / 100.0 * of_a.mean
            };
            rows.push(Row {
                context: key.0.clone(),
                gfp: key.1.clone(),
                metric,
                a: of_a,
                b: of_b,
                finding: judge(metric, &of_a, &of_b, matters),
            });
        }
    }
    let mut notes = notes(a, b);
    notes.splice(0..0, obstacles);
    Comparison {
        schema: "labyrinth/compare/1",
        a: side(a),
        b: side(b),
        matters_percent,
        success_matters_points,
        rows,
        notes,
    }
}

fn side(runs: &[Run]) -> Side {
    let mut kernels: Vec<String> = runs.iter().map(|run| run.kernel.clone()).collect();

    kernels.sort();
    kernels.dedup();
    Side {
        kernels,
        runs: runs.len() as u64,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::{compare, obstacles, percent, Comparison};
    use crate::{
        json,
        runs::{tests::made_up, Run},
    };

    fn side(factors: &[f64]) -> Vec<Run> {
        factors.iter().map(|factor| made_up(*factor)).collect()
    }

    /// Returns a comparison of three runs with slower ones.
    pub(crate) fn slower() -> Comparison {
        let (a, b) = (side(&[1.0, 1.002, 0.998]), side(&[1.2, 1.203, 1.197]));
        compare(&a, &b, 5.0, 0.1, Vec::new())
    }

    #[test]
    fn the_kernel_or_the_settings_may_differ() {
        let a = side(&[1.0, 1.0]);
        let mut b = a.clone();
        assert!(obstacles(&a, &b).is_empty());
        for run in &mut b {
            run.settings[0].value = 32;
        }
        assert!(obstacles(&a, &b).is_empty());
        let found = compare(&a, &b, 5.0, 0.1, vec![]);
        assert_eq!(found.notes, ["batch: A has 16, B has 32"]);
        for run in &mut b {
            run.kernel = "7.4".into();
        }
        let both = "the kernels differ, and batch is 16 and 32";
        assert_eq!(obstacles(&a, &b), [both]);
        for run in &mut b {
            run.settings[0].value = 16;
        }
        assert!(obstacles(&a, &b).is_empty());
    }

    #[test]
    fn the_runs_of_a_side_are_alike() {
        let a = side(&[1.0, 1.0]);
        let mut b = a.clone();
        b[1].settings[0].value = 32;
        b[0].seconds = 60.0;
        b[0].cpus = 4;
        b[1].kernel = "7.4".into();
        assert_eq!(
            obstacles(&a, &b),
            [
                "the number of CPUs is 2 and 4",
                "the duration is 10.0 s and 60.0 s",
                "within B, batch is 16 and 32",
                "within B, the number of CPUs is 4 and 2",
                "within B, the duration is 60.0 s and 10.0 s",
                "within B, the kernel is 7.3.4 and 7.4"
            ]
        );
    }

    #[test]
    fn what_only_one_side_has_is_noted() {
        let a = side(&[1.0; 3]);
        let mut b = a.clone();
        for run in &mut b {
            run.series[0].context = "task".into();
            run.parameters = vec!["threadirqs".into()];
        }
        let found = compare(&a, &b, 5.0, 0.1, vec![]);
        assert!(found.rows.is_empty());
        assert_eq!(
            found.notes,
            [
                "parameters of the kernel: A has none that matter, B has threadirqs",
                "only A has timer_softirq GFP_ATOMIC",
                "only B has task GFP_ATOMIC"
            ]
        );
    }

    #[test]
    fn percentages_are_parsed() {
        assert_eq!(percent("5%"), Ok(5.0));
        assert_eq!(percent("0.5"), Ok(0.5));
        for text in ["", "%", "-1%", "nan", "5%%"] {
            assert!(percent(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_schema_is_the_documented_one() {
        json::hold::<Comparison>();
    }
}
