// SPDX-License-Identifier: GPL-2.0

//! Tests, on the host, of code that needs no kernel. Prints KTAP.
//!
//! The logic of the pools is included from the module's own files, and compared with models that
//! are too simple to be wrong. The protocol of the per-CPU cells consists of instructions of the
//! processor, so all interleavings of a model of it are explored instead.

#![forbid(unsafe_code)]

mod canary;
mod cell;
mod chain;
mod columns;
mod excluded;
mod plan;
mod property;
mod quick;
mod request;
mod samples;
mod saturating;
mod schedule;
mod shares;
mod sizing;
mod stack;
mod target;

#[allow(dead_code)]
#[path = "../../../rust/pool/logic/mod.rs"]
mod logic;

#[path = "../../../rust/page/transfer/canary.rs"]
mod canary_logic;

#[path = "../../../rust/ffi/sync/saturating.rs"]
mod saturating_logic;

use std::{
    any::Any,
    panic,
    process::ExitCode,
    time::Instant, //
};

/// A case: its name, and its function, which panics if the case fails.
type Case = (&'static str, fn());

/// The text of a panic.
fn text(payload: &(dyn Any + Send)) -> &str {
    payload
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| payload.downcast_ref::<&str>().copied())
        .unwrap_or("a panic without a text")
}

fn main() -> ExitCode {
    let cases: Vec<Case> = [
        stack::CASES,
        target::CASES,
        request::CASES,
        saturating::CASES,
        chain::CASES,
        schedule::CASES,
        shares::CASES,
        sizing::CASES,
        canary::CASES,
        excluded::CASES,
        cell::CASES,
        columns::CASES,
        samples::CASES,
        plan::CASES,
    ]
    .concat();

    // A property that fails panics again for every smaller input that is tried.
    panic::set_hook(Box::new(|_| ()));

    // Names select cases; `--list` prints them all; `--plot` prints the plot of the documentation.
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments == ["--plot"] {
        print!("{}", sizing::plot());
        return ExitCode::SUCCESS;
    }
    if arguments == ["--list"] {
        for (name, _) in cases {
            println!("{name}");
        }
        return ExitCode::SUCCESS;
    }
    let wanted = |name: &str| arguments.is_empty() || arguments.iter().any(|wanted| wanted == name);
    let cases: Vec<Case> = cases.into_iter().filter(|(name, _)| wanted(name)).collect();

    println!("TAP version 13\n1..{}", cases.len());
    let mut failed = false;
    for (number, (name, case)) in cases.into_iter().enumerate() {
        let start = Instant::now();
        let result = panic::catch_unwind(case);
        if let Err(payload) = &result {
            failed = true;
            println!("# panicked: {}", text(&**payload).replace('\n', "\n# "));
        }
        println!("# {name} took {:.1} s", start.elapsed().as_secs_f64());
        let verdict = if result.is_ok() { "ok" } else { "not ok" };
        println!("{verdict} {} {name}", number + 1);
    }
    ExitCode::from(u8::from(failed))
}
