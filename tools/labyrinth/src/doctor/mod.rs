// SPDX-License-Identifier: GPL-2.0

//! `labyrinth doctor`: what works on this machine, and what helps if something does not.

mod checks;

use crate::{
    exit::Verdict,
    json::{self, Document},
    stdout,
    terminal::{self, paint, Style},
};
use checks::Check;
use schemars::JsonSchema;
use serde::Serialize;
use std::{fmt::Write as _, path::Path};

/// The options of `labyrinth doctor`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
There is one line for each thing, with what it is good for. A missing thing has a second line, with
what helps. What needs no module is failures by one source at least, headroom and explain. The
probes that this tries are gone at its end.

Example: find out how to see callers by name on this machine:

  sudo labyrinth doctor")]
pub struct Args {
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// The result of the checks of a machine.
#[derive(Debug, Serialize, JsonSchema)]
struct Diagnosis {
    /// labyrinth/doctor/1
    schema: &'static str,
    /// The kernel's release.
    kernel: String,
    /// Whether everything works that needs no module.
    works_without_module: bool,
    /// Each thing.
    checks: Vec<Check>,
}

impl Document for Diagnosis {
    const NAME: &'static str = "doctor";
}

/// Checks everything, and prints it.
pub fn run(args: &Args) -> anyhow::Result<Verdict> {
    let checks = checks::all(Path::new("/"));
    let diagnosis = Diagnosis {
        schema: "labyrinth/doctor/1",
        kernel: checks::release(Path::new("/")),
        works_without_module: works_without_module(&checks),
        checks,
    };

    if args.json {
        stdout::reached(json::print(&diagnosis, false))?;
    } else {
        stdout::print(&text(&diagnosis, terminal::colours()))?;
    }
    Ok(if diagnosis.works_without_module {
        Verdict::Fine
    } else {
        Verdict::Crossed
    })
}

fn works_without_module(checks: &[Check]) -> bool {
    let ok = |name: &str| checks.iter().any(|check| check.name == name && check.ok);

    (ok("kprobe") || ok("tracepoint")) && ok("zones") && ok("explain")
}

fn text(diagnosis: &Diagnosis, coloured: bool) -> String {
    let mut out = String::new();
    let width = diagnosis
        .checks
        .iter()
        .map(|check| check.name.len())
        .max()
        .unwrap_or(0);

    for check in &diagnosis.checks {
        let (style, word) = if check.ok {
            (Style::Good, "ok     ")
        } else {
            (Style::Warning, "missing")
        };
        let detail = check
            .detail
            .as_ref()
            .map(|detail| format!(": {detail}"))
            .unwrap_or_default();

        let _ = writeln!(
            out,
            "{}  {:width$}  {}{detail}",
            paint(coloured, style, word),
            check.name,
            check.good_for
        );
        if let Some(fix) = &check.fix {
            let _ = writeln!(out, "         {:width$}  fix: {fix}", "");
        }
    }
    let verdict = if diagnosis.works_without_module {
        "Everything that needs no module works"
    } else {
        "Something that needs no module does not work"
    };

    let _ = writeln!(out, "\n{verdict} on Linux {}.", diagnosis.kernel);
    out
}

#[cfg(test)]
mod tests {
    use super::{text, works_without_module, Check, Diagnosis};
    use crate::json::{self, Document};

    fn check(name: &'static str, ok: bool) -> Check {
        Check {
            name,
            good_for: "failures",
            ok,
            detail: (!ok).then(|| "it is off".to_owned()),
            fix: (!ok).then(|| "turn it on".to_owned()),
        }
    }

    #[test]
    fn one_source_of_failures_is_enough() {
        let with = |kprobe, tracepoint| {
            works_without_module(&[
                check("kprobe", kprobe),
                check("tracepoint", tracepoint),
                check("zones", true),
                check("explain", true),
                check("module", false),
            ])
        };

        assert!(with(true, false) && with(false, true) && !with(false, false));
    }

    #[test]
    fn a_missing_thing_has_a_fix() {
        let diagnosis = Diagnosis {
            schema: "labyrinth/doctor/1",
            kernel: "7.3.4".to_owned(),
            works_without_module: true,
            checks: vec![check("kprobe", true), check("log", false)],
        };

        assert_eq!(
            text(&diagnosis, false),
            "ok       kprobe  failures\n\
             missing  log     failures: it is off\n                 \
             fix: turn it on\n\n\
             Everything that needs no module works on Linux 7.3.4.\n"
        );
    }

    #[test]
    fn the_schema_is_committed() {
        json::hold::<Diagnosis>();
    }

    #[test]
    fn the_name_is_that_of_the_subcommand() {
        assert_eq!(Diagnosis::NAME, "doctor");
    }
}
