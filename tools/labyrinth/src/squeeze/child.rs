// SPDX-License-Identifier: GPL-2.0

//! The command that runs while the machine is squeezed.

use crate::exit::Problem;
use std::{
    ffi::OsString,
    fs, io,
    os::unix::process::ExitStatusExt,
    process::{Child, Command, ExitStatus},
};

/// The `oom_score_adj` of the process that the OOM killer chooses first.
const FIRST_VICTIM: &str = "1000";

/// A running command.
#[derive(Debug)]
pub struct Running {
    child: Child,
    status: Option<i32>,
}

impl Running {
    /// Starts a command. `score` becomes its `oom_score_adj`.
    pub fn start(words: &[OsString], score: Option<&str>) -> Result<Self, Problem> {
        let started = Command::new(&words[0]).args(&words[1..]).spawn();
        let child = started.map_err(|error| {
            Problem::usage(
                format!("cannot run {}: {error}", words[0].to_string_lossy()),
                "give a command that exists, after --",
            )
        })?;

        if let Some(score) = score {
            // If the command has ended already, there is nothing to protect.
            let _ = fs::write(format!("/proc/{}/oom_score_adj", child.id()), score);
        }
        Ok(Self {
            child,
            status: None,
        })
    }

    /// Returns whether the command has ended.
    pub fn has_ended(&mut self) -> io::Result<bool> {
        if self.status.is_none() {
            self.status = self.child.try_wait()?.map(number);
        }
        Ok(self.status.is_some())
    }

    /// Waits for the end of the command, and returns its status.
    pub fn wait(mut self) -> io::Result<i32> {
        match self.status {
            Some(status) => Ok(status),
            None => Ok(number(self.child.wait()?)),
        }
    }
}

fn number(status: ExitStatus) -> i32 {
    status
        .code()
        .unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
}

/// Makes this process the first victim of the OOM killer, because its death gives all pages back.
/// Returns its `oom_score_adj` from before.
pub fn become_first_victim() -> Option<String> {
    let path = "/proc/self/oom_score_adj";
    let before = fs::read_to_string(path).ok()?;

    fs::write(path, FIRST_VICTIM).ok()?;
    Some(before.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::Running;

    fn run(words: &[&str]) -> i32 {
        let words: Vec<_> = words.iter().map(Into::into).collect();
        Running::start(&words, None).unwrap().wait().unwrap()
    }

    #[test]
    fn statuses_are_those_of_a_shell() {
        assert_eq!(run(&["true"]), 0);
        assert_eq!(run(&["sh", "-c", "exit 7"]), 7);
        assert_eq!(run(&["sh", "-c", "kill -9 $$"]), 128 + 9);
    }

    #[test]
    fn unknown_commands_are_wrong_usage() {
        let error = Running::start(&["/nonexistent".into()], None).unwrap_err();
        assert!(error.what().contains("/nonexistent"));
    }
}
