// SPDX-License-Identifier: GPL-2.0

//! Documents of `labyrinth run --json`, as other subcommands read them.

use crate::{exit::Problem, module::series::Series, run::samples::Sample};
use anyhow::Context;
use serde::Deserialize;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// A run. What older documents lack has its default.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Run {
    /// The name and version of the schema.
    pub schema: String,
    /// The release of the kernel.
    pub kernel: String,
    /// The number of CPUs.
    pub cpus: u64,
    /// How long it took.
    pub seconds: f64,
    /// The processor's architecture, if the document says it.
    pub architecture: Option<String>,
    /// The preemption model, if the document says it.
    pub preemption: Option<String>,
    /// Parameters of the kernel that matter for latencies.
    pub parameters: Vec<String>,
    /// The settings.
    pub settings: Vec<Setting>,
    /// The numbers of each exercise.
    pub series: Vec<Series>,
    /// The numbers over time.
    pub samples: Vec<Sample>,
    /// The thresholds that were crossed.
    pub offences: Vec<Offence>,
    /// "pass" or "fail"
    pub verdict: String,
    /// Where the document was read from.
    #[serde(skip)]
    pub source: String,
}

/// A setting.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Setting {
    /// The name of its file.
    pub name: String,
    /// The value.
    pub value: u64,
}

/// A threshold that was crossed.
#[derive(Clone, Debug, Deserialize)]
pub struct Offence {
    /// The exercise.
    pub context: String,
    /// Its flags.
    pub gfp: String,
    /// What happened.
    pub what: String,
}

/// Returns the files that a path means: itself, or all `*.json` of a folder by their names.
pub fn files(path: &Path) -> anyhow::Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();

    for entry in fs::read_dir(path).with_context(|| format!("cannot list {}", path.display()))? {
        files.push(entry?.path());
    }
    files.retain(|file| file.extension().is_some_and(|ending| ending == "json"));
    files.sort();
    if files.is_empty() {
        return Err(Problem::usage(
            format!("the folder {} has no *.json", path.display()),
            "save runs there: labyrinth run --json >FOLDER/1.json",
        )
        .into());
    }
    Ok(files)
}

/// Reads the runs of a file, which may have several documents one after another.
pub fn read(path: &Path) -> anyhow::Result<Vec<Run>> {
    let text = fs::read_to_string(path).map_err(|error| {
        Problem::usage(
            format!("cannot read {}: {error}", path.display()),
            "give a file that labyrinth run --json wrote",
        )
    })?;
    let name = path
        .file_name()
        .map_or_else(String::new, |name| name.to_string_lossy().into_owned());

    parse(&text, &name)
}

/// Reads the runs of a text. `name` is the name of its file.
pub fn parse(text: &str, name: &str) -> anyhow::Result<Vec<Run>> {
    let wrong = |why: String| {
        Problem::usage(
            format!("{name} has no document of labyrinth run: {why}"),
            "give a file that labyrinth run --json wrote",
        )
    };
    let mut runs = Vec::new();

    for run in serde_json::Deserializer::from_str(text).into_iter::<Run>() {
        let mut run = run.map_err(|error| wrong(error.to_string()))?;
        if run.schema != "labyrinth/run/1" {
            return Err(wrong(format!("its schema is '{}'", run.schema)).into());
        }
        let broken = |series: &Series| {
            let mut last = None;
            series.buckets.iter().any(|bucket| {
                let ascends = bucket.from_ns <= bucket.to_ns && Some(bucket.from_ns) > last;
                last = Some(bucket.to_ns);
                !ascends || bucket.count > u64::from(u32::MAX) << 16
            })
        };
        if run.series.iter().any(broken) {
            return Err(wrong("a histogram is not in ascending order".into()).into());
        }
        make_readable(&mut run);
        run.source = name.to_owned();
        if !runs.is_empty() {
            run.source += &format!(" #{}", runs.len() + 1);
        }
        runs.push(run);
    }
    if runs.is_empty() {
        return Err(wrong("it is empty".into()).into());
    }
    Ok(runs)
}

/// Replaces control characters in all texts. A document can come from anybody, and the texts go to
/// the terminal.
fn make_readable(run: &mut Run) {
    let series = run.series.iter_mut();
    let offences = run.offences.iter_mut();
    let texts = [&mut run.kernel, &mut run.verdict]
        .into_iter()
        .chain(&mut run.architecture)
        .chain(&mut run.preemption)
        .chain(&mut run.parameters)
        .chain(run.settings.iter_mut().map(|setting| &mut setting.name))
        .chain(series.flat_map(|series| [&mut series.context, &mut series.gfp]))
        .chain(offences.flat_map(|one| [&mut one.context, &mut one.gfp, &mut one.what]));

    for text in texts.filter(|text| text.contains(char::is_control)) {
        *text = text.replace(char::is_control, "\u{fffd}");
    }
}

/// Returns the runs of a list of files and folders, separated by commas.
pub fn list(text: &str) -> anyhow::Result<Vec<Run>> {
    let mut runs = Vec::new();
    // A file's own name may have a comma in it.
    let whole = Path::new(text).exists().then_some(text);
    let parts: Vec<&str> = whole.map_or_else(|| text.split(',').collect(), |whole| vec![whole]);

    for part in parts {
        for file in files(Path::new(part))? {
            runs.extend(read(&file)?);
        }
    }
    Ok(runs)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::{list, parse, Run};
    use std::fs;

    /// Returns a run whose latencies are `factor` times as long as those of another.
    pub(crate) fn made_up(factor: f64) -> Run {
        let at = |ns: f64| (ns * factor).round() as u64;
        let text = format!(
            r#"{{"schema": "labyrinth/run/1", "kernel": "7.3.4", "cpus": 2, "seconds": 10.0,
            "settings": [{{"name": "batch", "value": 16}}],
            "series": [{{"context": "timer_softirq", "gfp": "GFP_ATOMIC", "successes": 1997,
                "failures": 3, "latency_sum_ns": {}, "latency_min_ns": {}, "latency_max_ns": {},
                "buckets": [{{"from_ns": {}, "to_ns": {}, "count": 1500}},
                            {{"from_ns": {}, "to_ns": {}, "count": 490}},
                            {{"from_ns": {}, "to_ns": {}, "count": 10}}]}}],
            "samples": [
                {{"seconds": 1.0, "successes": 900, "failures": 0, "headroom": 5000, "tiers": [
                    {{"pool": "default", "tier": "cache", "pages": 700}},
                    {{"pool": "default", "tier": "buddy", "pages": 200}}]}},
                {{"seconds": 2.0, "successes": 1997, "failures": 3, "headroom": 4000, "tiers": [
                    {{"pool": "default", "tier": "cache", "pages": 1500}},
                    {{"pool": "default", "tier": "buddy", "pages": 497}}]}}],
            "offences": [], "verdict": "pass", "later": 1}}"#,
            at(3_000_000.0),
            at(1010.0),
            at(250_000.0),
            at(1000.0),
            at(1063.0),
            at(2000.0),
            at(2127.0),
            at(240_000.0),
            at(250_000.0),
        );
        parse(&text, "made up.json").unwrap().remove(0)
    }

    #[test]
    fn what_is_no_run_is_refused() {
        for text in [
            "",
            "{}",
            "no",
            r#"{"schema": "labyrinth/headroom/1"}"#,
            r#"{"schema": "labyrinth/run/1", "series": [{"context": "a", "gfp": "b",
                "buckets": [{"from_ns": 9, "to_ns": 8, "count": 1}]}]}"#,
        ] {
            assert!(parse(text, "x").is_err(), "{text}");
        }
    }

    #[test]
    fn a_folder_and_a_list_have_several() {
        let folder = tempfile::tempdir().unwrap();
        let one = r#"{"schema": "labyrinth/run/1", "kernel": "a"}"#;
        let two = folder.path().join("2.json");
        fs::write(folder.path().join("1.json"), one).unwrap();
        fs::write(&two, format!("{one}\n{one}\n")).unwrap();
        fs::write(folder.path().join("notes.txt"), "").unwrap();
        let path = folder.path().display();
        let names = |text: String| -> Vec<String> {
            list(&text)
                .unwrap()
                .into_iter()
                .map(|run| run.source)
                .collect()
        };
        assert_eq!(names(format!("{path}")), ["1.json", "2.json", "2.json #2"]);
        assert_eq!(names(format!("{path}/1.json,{path}/1.json")).len(), 2);
    }

    #[test]
    fn documents_cannot_change_the_terminal() {
        let text = r#"{"schema": "labyrinth/run/1", "kernel": "\u001b[2J7.3", "verdict": "pass\u0007",
            "settings": [{"name": "a\u009bm", "value": 1}],
            "series": [{"context": "\u001bx", "gfp": "\u001by", "successes": 1, "failures": 0, "latency_sum_ns": 0, "latency_min_ns": 0,
                "latency_max_ns": 0, "buckets": []}]}"#;
        let run = &parse(text, "a.json").unwrap()[0];
        assert_eq!(
            (run.kernel.as_str(), run.verdict.as_str()),
            ("\u{fffd}[2J7.3", "pass\u{fffd}")
        );
        assert_eq!(run.settings[0].name, "a\u{fffd}m");
        let series = &run.series[0];
        assert_eq!(
            (series.context.as_str(), series.gfp.as_str()),
            ("\u{fffd}x", "\u{fffd}y")
        );
    }
}
