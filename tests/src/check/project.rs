//! A copy of what `check` reads of this project, to be broken.

use std::fs;
use std::path::Path;

use runner::check::Finding;
use runner::project::Project;
use serde_json::Value;
use tempfile::TempDir;

use crate::house::root;

pub(super) const MACHINE: &str = "statemachines/nyc_taxi_etl.asl.json";
pub(super) const TEMPLATE: &str = "template.yaml";

/// One edit of a copy.
#[derive(Debug)]
pub(super) enum Change {
    /// Sets what is at a JSON pointer of the state machine.
    Set(&'static str, &'static str),
    /// Removes it.
    Remove(&'static str),
    /// Replaces a text in a file, which must be there.
    Replace(&'static str, &'static str, &'static str),
}

pub(super) struct Copy {
    folder: TempDir,
}

impl Copy {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for part in [TEMPLATE, "statemachines", "functions", "shared/src"] {
            copy(&root().join(part), &folder.path().join(part));
        }
        Self { folder }
    }

    pub fn text(&self, file: &str) -> String {
        fs::read_to_string(self.folder.path().join(file)).expect("a file of the copy")
    }

    pub fn write(&self, file: &str, text: &str) {
        fs::write(self.folder.path().join(file), text).expect("written");
    }

    pub fn apply(&self, change: &Change) {
        match change {
            Change::Set(pointer, value) => self.edit(pointer, |members, name| {
                let value: Value = serde_json::from_str(value).expect("a value is JSON");
                members.insert(name.to_owned(), value);
            }),
            Change::Remove(pointer) => self.edit(pointer, |members, name| {
                members.remove(name).unwrap_or_else(|| panic!("nothing at {pointer}"));
            }),
            Change::Replace(file, from, to) => {
                let text = self.text(file);
                assert!(text.contains(from), "{file} has no {from:?} any more");
                self.write(file, &text.replacen(from, to, 1));
            }
        }
    }

    /// Edits the object that holds what a pointer names.
    fn edit(&self, pointer: &str, change: impl FnOnce(&mut serde_json::Map<String, Value>, &str)) {
        let mut machine: Value = serde_json::from_str(&self.text(MACHINE)).expect("JSON");
        let (holder, name) = pointer.rsplit_once('/').expect("a pointer has a slash");
        let members = machine.pointer_mut(holder).and_then(Value::as_object_mut);
        change(members.unwrap_or_else(|| panic!("no object at {holder}")), name);
        self.write(MACHINE, &serde_json::to_string_pretty(&machine).expect("JSON"));
    }

    pub fn findings(&self) -> Vec<Finding> {
        let project = Project { root: self.folder.path().to_owned() };
        runner::check::project(&project).expect("the copy can be read")
    }
}

fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        fs::create_dir_all(to).expect("a folder");
        for entry in fs::read_dir(from).expect("a folder") {
            let entry = entry.expect("an entry");
            copy(&entry.path(), &to.join(entry.file_name()));
        }
    } else {
        fs::create_dir_all(to.parent().expect("inside of the copy")).expect("a folder");
        fs::copy(from, to).expect("copied");
    }
}
