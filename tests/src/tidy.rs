//! What the house must not contain.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::house::root;

/// A file longer than this is more than one room.
const LONGEST_FILE: usize = 500;
const NAMELESS: &[&str] = &["util", "utils", "helper", "helpers", "common", "misc", "manager"];

#[test]
fn files_are_rooms_with_a_name_and_a_size() {
    let mut problems = Vec::new();
    for path in tracked_files("rs") {
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        if NAMELESS.contains(&stem) {
            problems.push(format!("{}: a room without a name of its own", path.display()));
        }
        let lines = fs::read_to_string(&path).expect("tracked files are text").lines().count();
        if lines > LONGEST_FILE {
            problems.push(format!("{}: {lines} lines, at most {LONGEST_FILE}", path.display()));
        }
    }
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

#[test]
fn nothing_is_left_unfinished() {
    let marks = ["to", "do!("].concat();
    let others = ["unimple", "mented!("].concat();
    let mut problems = Vec::new();
    for path in tracked_files("rs") {
        let text = fs::read_to_string(&path).expect("tracked files are text");
        for (number, line) in text.lines().enumerate() {
            let ignored = line.trim_start().starts_with(&["#[", "ignore"].concat());
            if line.contains(&marks) || line.contains(&others) || ignored {
                problems.push(format!("{}:{}: {}", path.display(), number + 1, line.trim()));
            }
        }
    }
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

#[test]
fn the_map_names_every_room() {
    let root = root();
    let map = fs::read_to_string(root.join("ARCHITECTURE.md")).expect("ARCHITECTURE.md");
    assert!(map.lines().count() <= 200, "ARCHITECTURE.md is longer than 200 lines");
    let rooms = ["functions", "shared", "statemachines", "local", "tests", "template.yaml"];
    let crates = ["asl", "lake", "aws", "runner"].map(|name| format!("local/{name}"));
    for room in rooms.into_iter().map(str::to_owned).chain(crates) {
        assert!(map.contains(&room), "ARCHITECTURE.md does not name {room}");
    }
}

/// Files of the checkout with this extension, those not yet added included.
fn tracked_files(extension: &str) -> Vec<PathBuf> {
    let root = root();
    let output = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard", "--"])
        .arg(format!("*.{extension}"))
        .current_dir(&root)
        .output()
        .expect("git runs");
    let names = String::from_utf8(output.stdout).expect("names are UTF-8");
    let files: Vec<PathBuf> =
        names.lines().map(|name| root.join(name)).filter(|f| f.exists()).collect();
    assert!(files.len() > 20, "only {} files found: is this a checkout?", files.len());
    files
}
