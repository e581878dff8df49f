// SPDX-License-Identifier: GPL-2.0

//! Files that the user names for a page or a plot.

use crate::{exit::Problem, message::say};
use std::{
    fs::File,
    io::Write,
    path::{Path, PathBuf},
};

/// A file for a result. A command creates it before long work begins, so that an error does not
/// come after the work.
#[derive(Debug)]
pub struct Target {
    path: PathBuf,
    file: File,
}

impl Target {
    /// Creates the file, or empties it.
    pub fn create(path: &Path) -> anyhow::Result<Self> {
        let file = File::create(path).map_err(|error| {
            Problem::usage(
                format!("cannot write {}: {error}", path.display()),
                "give a file in a folder that exists and that you may write to",
            )
        })?;

        Ok(Self {
            path: path.to_owned(),
            file,
        })
    }

    /// Writes the result, and prints its path. `what` names the result, such as "the page".
    pub fn write(mut self, what: &str, text: &str) -> anyhow::Result<()> {
        let path = self.path.display();

        self.file.write_all(text.as_bytes()).map_err(|error| {
            Problem::cannot_run(
                format!("cannot write {path}: {error}"),
                "make room on its disk, or give a file elsewhere",
            )
        })?;
        say!("{what} is in {path}");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Target;
    use std::fs;

    #[test]
    fn a_folder_that_does_not_exist_is_wrong_usage() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.html");
        Target::create(&path)
            .unwrap()
            .write("the page", "text")
            .unwrap();
        assert_eq!(fs::read_to_string(path).unwrap(), "text");
        let error = Target::create(&folder.path().join("none/a.html")).unwrap_err();
        assert!(error.to_string().contains("none/a.html"), "{error}");
    }
}
