// SPDX-License-Identifier: GPL-2.0

//! The files of the module in debugfs.

pub mod exercise;
pub mod metrics;
pub mod series;

use crate::exit::Problem;
use anyhow::Context;
use rustix::io::Errno;
use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

/// The folder of the module in debugfs.
#[derive(Clone, Debug)]
pub struct Module {
    folder: PathBuf,
}

impl Module {
    /// Finds the module. `sys` is `/sys` except in tests.
    pub fn find(sys: &Path) -> Result<Self, Problem> {
        let debug = sys.join("kernel/debug");
        let folder = debug.join("labyrinth");

        match fs::metadata(&folder) {
            Ok(_) => return Ok(Self { folder }),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                return Err(Problem::cannot_run(
                    format!("cannot open {}: {error}", folder.display()),
                    "run as root",
                ));
            }
            Err(_) => {}
        }
        if !sys.join("module/labyrinth").exists() {
            return Err(Problem::cannot_run(
                "the module labyrinth is not loaded",
                "modprobe labyrinth, or insmod labyrinth.ko",
            ));
        }
        let mounted = fs::read_dir(&debug).is_ok_and(|mut files| files.next().is_some());
        Err(if mounted {
            Problem::cannot_run(
                format!("the module has no folder {}", folder.display()),
                "boot without debugfs=off; the kernel log says more",
            )
        } else {
            Problem::cannot_run(
                format!("no debugfs is mounted at {}", debug.display()),
                format!("mount -t debugfs none {}", debug.display()),
            )
        })
    }

    /// Reads a file.
    pub fn read(&self, name: &str) -> anyhow::Result<String> {
        let path = self.folder.join(name);

        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
    }

    /// Reads a file into a buffer, and replaces the old contents.
    pub fn read_into(&self, name: &str, buffer: &mut String) -> io::Result<()> {
        buffer.clear();
        File::open(self.folder.join(name))?.read_to_string(buffer)?;
        Ok(())
    }

    /// Writes a value to a control file.
    pub fn write(&self, name: &str, value: &str) -> anyhow::Result<()> {
        let path = self.folder.join(name);

        fs::write(&path, value).map_err(|error| {
            let what = format!("cannot write {value} to {}", path.display());

            // The file does not take this value, as opposed to any.
            match Errno::from_io_error(&error) {
                Some(Errno::RANGE | Errno::INVAL) => Problem::usage(
                    format!("{what}: {error}"),
                    "give a value that Documentation/usage.md allows for this file",
                )
                .into(),
                _ => anyhow::Error::new(error).context(what),
            }
        })
    }

    /// Returns the names of the folders in a folder, sorted.
    pub fn folders(&self, name: &str) -> anyhow::Result<Vec<String>> {
        let path = self.folder.join(name);
        let mut names = Vec::new();

        for entry in
            fs::read_dir(&path).with_context(|| format!("cannot list {}", path.display()))?
        {
            names.extend(entry?.file_name().into_string());
        }
        names.sort();
        Ok(names)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::Module;
    use std::{fs, path::Path};

    /// Makes a module of files in this folder, which stands for `/sys`.
    pub(crate) fn made_up(sys: &Path, files: &[(&str, &str)]) -> Module {
        let folder = sys.join("kernel/debug/labyrinth");
        for (name, text) in files {
            let path = folder.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Module::find(sys).unwrap()
    }

    #[test]
    fn each_reason_has_its_fix() {
        let sys = tempfile::tempdir().unwrap();
        let fix = || Module::find(sys.path()).unwrap_err().fix().to_owned();
        assert!(fix().contains("modprobe labyrinth"));
        fs::create_dir_all(sys.path().join("module/labyrinth")).unwrap();
        assert!(fix().starts_with("mount -t debugfs"));
        fs::create_dir_all(sys.path().join("kernel/debug/other")).unwrap();
        assert!(fix().contains("debugfs=off"));
        let module = made_up(sys.path(), &[("exercise/task/run", "0\n")]);
        assert_eq!(module.folders("exercise").unwrap(), ["task"]);
        assert_eq!(module.read("exercise/task/run").unwrap(), "0\n");
    }
}
