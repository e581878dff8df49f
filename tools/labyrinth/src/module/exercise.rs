// SPDX-License-Identifier: GPL-2.0

//! The exercises of the module, and their settings, which a run changes and puts back.

use super::Module;
use crate::{exit::Problem, message::say};

/// The settings of an exercise. `run` is the last, so that an exercise starts with the others.
pub const SETTINGS: [&str; 7] = [
    "period_us",
    "batch",
    "hold_us",
    "pool",
    "priority",
    "guard",
    "run",
];

/// What the settings were before a run. They are put back when this is dropped.
#[derive(Debug)]
pub struct Borrowed<'a> {
    module: &'a Module,
    before: Vec<(String, String)>,
}

impl<'a> Borrowed<'a> {
    /// Stops all exercises, and remembers the settings of each.
    pub fn all(module: &'a Module) -> anyhow::Result<Self> {
        let mut borrowed = Self {
            module,
            before: Vec::new(),
        };

        for name in module.folders("exercise")? {
            for setting in SETTINGS {
                let file = format!("exercise/{name}/{setting}");
                borrowed
                    .before
                    .push((file.clone(), module.read(&file)?.trim().to_owned()));
            }
            module.write(&format!("exercise/{name}/run"), "0")?;
        }
        Ok(borrowed)
    }

    /// Changes a setting of an exercise.
    pub fn set(&self, exercise: &str, setting: &str, value: &str) -> anyhow::Result<()> {
        self.module
            .write(&format!("exercise/{exercise}/{setting}"), value)
    }
}

impl Drop for Borrowed<'_> {
    fn drop(&mut self) {
        // An exercise is stopped before its other settings go back.
        for (file, _) in self
            .before
            .iter()
            .filter(|(file, _)| file.ends_with("/run"))
        {
            tell(self.module.write(file, "0"));
        }
        for (file, value) in &self.before {
            tell(self.module.write(file, value));
        }
    }
}

fn tell(result: anyhow::Result<()>) {
    if let Err(error) = result {
        say!("warning: a setting could not be put back: {error:#}");
    }
}

/// Checks that the module has these exercises.
pub fn check(module: &Module, names: &[String]) -> anyhow::Result<()> {
    let known = module.folders("exercise")?;

    for name in names {
        if !known.contains(name) {
            return Err(Problem::usage(
                format!("the module has no exercise '{name}'"),
                format!("use one of: {}", known.join(", ")),
            )
            .into());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{check, Borrowed, SETTINGS};
    use crate::module::tests::made_up;

    #[test]
    fn settings_are_put_back() {
        let sys = tempfile::tempdir().unwrap();
        let files: Vec<(String, &str)> = SETTINGS
            .iter()
            .map(|name| (format!("exercise/task/{name}"), "7\n"))
            .collect();
        let files: Vec<(&str, &str)> = files.iter().map(|(n, v)| (n.as_str(), *v)).collect();
        let module = made_up(sys.path(), &files);
        let read = |name: &str| module.read(&format!("exercise/task/{name}")).unwrap();
        {
            let borrowed = Borrowed::all(&module).unwrap();
            assert_eq!(read("run"), "0");
            borrowed.set("task", "batch", "64").unwrap();
            assert_eq!(read("batch"), "64");
        }
        assert_eq!((read("run").as_str(), read("batch").as_str()), ("7", "7"));
        assert!(check(&module, &["task".into()]).is_ok());
        assert!(check(&module, &["tusk".into()]).is_err());
    }
}
