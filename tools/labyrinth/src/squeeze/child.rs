// SPDX-License-Identifier: GPL-2.0

//! The command that runs while the machine is squeezed.

use crate::exit::Problem;
use rustix::fs::{access, Access};
use std::{
    env,
    ffi::{OsStr, OsString},
    fs,
    io::{self, ErrorKind},
    os::unix::{ffi::OsStrExt, process::ExitStatusExt},
    path::Path,
    process::{Child, Command, ExitStatus},
};

/// The `oom_score_adj` of the process that the OOM killer chooses first.
const FIRST_VICTIM: &str = "1000";

/// The folders with programs if there is no `PATH`.
const DEFAULT_PATH: &str = "/bin:/usr/bin";

/// Checks that a command can be run, as far as this is possible without running it.
pub fn check(words: &[OsString]) -> Result<(), Problem> {
    let path = env::var_os("PATH").unwrap_or_else(|| DEFAULT_PATH.into());

    find(&words[0], &path).map_err(|error| problem(words, &error))
}

/// Searches the program as `execvp()` does. The error is that of the last file with this name.
fn find(name: &OsStr, path: &OsStr) -> io::Result<()> {
    if name.as_bytes().contains(&b'/') {
        return check_program(Path::new(name));
    }
    let mut result = Err(ErrorKind::NotFound.into());

    for folder in env::split_paths(path) {
        match check_program(&folder.join(name)) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Ok(()) => return Ok(()),
            other => result = other,
        }
    }
    result
}

fn check_program(file: &Path) -> io::Result<()> {
    if !fs::metadata(file)?.is_file() {
        return Err(ErrorKind::PermissionDenied.into());
    }
    Ok(access(file, Access::EXEC_OK)?)
}

fn problem(words: &[OsString], error: &io::Error) -> Problem {
    let fix = match error.kind() {
        ErrorKind::PermissionDenied => "make it executable, or give another command after --",
        _ => "give a command that exists, after --",
    };
    let name = words[0].to_string_lossy();

    Problem::usage(format!("cannot run {name}: {error}"), fix)
}

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
        let child = started.map_err(|error| problem(words, &error))?;

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
    use super::{check, find, Running};
    use std::{fs, io::ErrorKind, os::unix::fs::PermissionsExt};

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
    fn programs_are_found_in_the_path() {
        let folder = tempfile::tempdir().unwrap();
        let (first, second) = (folder.path().join("first"), folder.path().join("second"));
        for folder in [&first, &second] {
            fs::create_dir(folder).unwrap();
        }
        let path = std::env::join_paths([&first, &second]).unwrap();
        let found = |name: &str| find(name.as_ref(), &path).map_err(|error| error.kind());

        assert_eq!(found("program"), Err(ErrorKind::NotFound));
        fs::create_dir(first.join("program")).unwrap();
        assert_eq!(found("program"), Err(ErrorKind::PermissionDenied));
        let program = second.join("program");
        fs::write(&program, "").unwrap();
        fs::set_permissions(&program, PermissionsExt::from_mode(0o644)).unwrap();
        assert_eq!(found("program"), Err(ErrorKind::PermissionDenied));
        fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
        assert_eq!(found("program"), Ok(()));
        assert_eq!(found(program.to_str().unwrap()), Ok(()));
        assert_eq!(found("./program"), Err(ErrorKind::NotFound));
    }

    #[test]
    fn commands_are_checked_before_they_run() {
        assert!(check(&["true".into(), "/nonexistent".into()]).is_ok());
        for (name, fix) in [("/nonexistent", "exists"), ("/", "executable")] {
            let error = check(&[name.into()]).unwrap_err();
            assert!(error.what().contains(name) && error.fix().contains(fix));
        }
    }

    #[test]
    fn unknown_commands_are_wrong_usage() {
        let error = Running::start(&["/nonexistent".into()], None).unwrap_err();
        assert!(error.what().contains("/nonexistent"));
    }
}
