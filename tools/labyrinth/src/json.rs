// SPDX-License-Identifier: GPL-2.0

//! Machine-readable output. Each kind of document is a type that derives `Serialize` and
//! `JsonSchema`, and begins with the name and version of its schema. The schemas are in `schema/`,
//! where a test holds them.

use schemars::JsonSchema;
use serde::Serialize;
use std::io::{self, Write};

/// A document of `--json`.
pub trait Document: Serialize + JsonSchema {
    /// The name of the subcommand, and of the schema's file.
    const NAME: &'static str;
}

/// Writes a document to standard output: as one line if `line`, such as in a live view, and indented
/// otherwise.
pub fn print<D: Document>(document: &D, line: bool) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();

    if line {
        serde_json::to_writer(&mut out, document)?;
    } else {
        serde_json::to_writer_pretty(&mut out, document)?;
    }
    out.write_all(b"\n")?;
    out.flush()?;
    Ok(())
}

/// Returns the schema of a kind of document as text.
#[cfg(test)]
fn schema<D: Document>() -> String {
    let schema = schemars::schema_for!(D);

    serde_json::to_string_pretty(&schema).expect("a schema is JSON") + "\n"
}

/// Checks that the documented schema is that of the type. With `LABYRINTH_WRITE_SCHEMAS` in the
/// environment, writes it first: `LABYRINTH_WRITE_SCHEMAS=1 cargo test`.
#[cfg(test)]
pub(crate) fn hold<D: Document>() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("schema");
    let path = folder.join(D::NAME).with_extension("json");

    if std::env::var_os("LABYRINTH_WRITE_SCHEMAS").is_some() {
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(&path, schema::<D>()).unwrap();
    }
    let documented = std::fs::read_to_string(&path).unwrap();
    assert!(
        documented == schema::<D>(),
        "{} is not the schema of the type",
        path.display()
    );
}
