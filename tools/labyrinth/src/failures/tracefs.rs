// SPDX-License-Identifier: GPL-2.0

//! Finds tracefs, and reads the layout of an event.

use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
};

/// Returns the folder of tracefs below `root`, if it is mounted and can be read.
pub fn find(root: &Path) -> Option<PathBuf> {
    ["sys/kernel/tracing", "sys/kernel/debug/tracing"]
        .iter()
        .map(|folder| root.join(folder))
        .find(|folder| folder.join("events").is_dir())
}

/// Where a field is in the record of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    offset: usize,
    size: usize,
}

impl Field {
    /// Returns the value of an unsigned field, or nothing if the record is too short.
    pub fn read(&self, record: &[u8]) -> Option<u64> {
        let bytes = record.get(self.offset..self.offset.checked_add(self.size)?)?;

        Some(match *bytes {
            [a] => u64::from(a),
            [a, b] => u64::from(u16::from_ne_bytes([a, b])),
            [a, b, c, d] => u64::from(u32::from_ne_bytes([a, b, c, d])),
            _ => u64::from_ne_bytes(bytes.try_into().ok()?),
        })
    }
}

/// What the file `format` of an event says.
#[derive(Debug)]
pub struct Format {
    /// The number of the event, as perf wants it.
    pub id: u64,
    /// How the kernel prints the event: a format and C expressions.
    pub print: String,
    fields: HashMap<String, Field>,
}

impl Format {
    /// Reads the format of an event, such as "kmem/mm_page_alloc".
    pub fn of(tracefs: &Path, event: &str) -> io::Result<Self> {
        let path = tracefs.join("events").join(event).join("format");
        let text = fs::read_to_string(path)?;

        Self::parse(&text)
            .ok_or_else(|| io::Error::other(format!("{event}: format not understood")))
    }

    fn parse(text: &str) -> Option<Self> {
        let mut id = None;
        let mut print = String::new();
        let mut fields = HashMap::new();

        for line in text.lines() {
            if let Some(number) = line.strip_prefix("ID: ") {
                id = number.trim().parse().ok();
            } else if let Some(rest) = line.strip_prefix("print fmt: ") {
                rest.clone_into(&mut print);
            } else if let Some((name, field)) = parse_field(line) {
                fields.insert(name.to_owned(), field);
            }
        }
        Some(Self {
            id: id?,
            print,
            fields,
        })
    }

    /// Returns where a field is.
    pub fn field(&self, name: &str) -> Option<Field> {
        self.fields.get(name).copied()
    }
}

/// Parses a line such as "field:unsigned long pfn; offset:8; size:8; signed:0;".
fn parse_field(line: &str) -> Option<(&str, Field)> {
    let mut parts = line.trim().split(';').map(str::trim);
    let declaration = parts.next()?.strip_prefix("field:")?;
    let name = declaration
        .split(['[', ' '])
        .rfind(|word| !word.ends_with(']'))?;
    let mut number = |prefix: &str| parts.next()?.strip_prefix(prefix)?.parse().ok();
    let offset = number("offset:")?;
    let size = number("size:")?;

    Some((name, Field { offset, size }))
}

#[cfg(test)]
mod tests {
    use super::{find, Format};
    use std::fs;

    const FORMAT: &str = "name: mm_page_alloc\nID: 533\nformat:\n\
        \tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n\
        \tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n\
        \tfield:unsigned long pfn;\toffset:8;\tsize:8;\tsigned:0;\n\
        \tfield:unsigned int order;\toffset:16;\tsize:4;\tsigned:0;\n\
        \tfield:char comm[16];\toffset:20;\tsize:16;\tsigned:0;\n\n\
        print fmt: \"order=%d\", REC->order\n";

    #[test]
    fn fields_are_found_by_name() {
        let format = Format::parse(FORMAT).unwrap();
        let mut record = vec![0xff; 16];
        record.extend(3_u32.to_ne_bytes());

        assert_eq!(format.id, 533);
        assert_eq!(format.print, "\"order=%d\", REC->order");
        assert_eq!(format.field("order").unwrap().read(&record), Some(3));
        assert_eq!(format.field("pfn").unwrap().read(&record), Some(u64::MAX));
        assert_eq!(format.field("pfn").unwrap().read(&record[..12]), None);
        assert!(format.field("comm").is_some());
        assert!(format.field("page").is_none());
        assert!(Format::parse("name: x\n").is_none());
    }

    #[test]
    fn an_empty_mount_point_is_not_tracefs() {
        let root = tempfile::tempdir().unwrap();
        let old = root.path().join("sys/kernel/debug/tracing");

        fs::create_dir_all(root.path().join("sys/kernel/tracing")).unwrap();
        assert_eq!(find(root.path()), None);
        fs::create_dir_all(old.join("events")).unwrap();
        assert_eq!(find(root.path()), Some(old));
    }
}
