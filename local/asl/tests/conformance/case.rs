//! A recorded case.

use std::path::Path;

use asl::ExecutionType;
use serde_json::Value;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Execution,
    Validate,
    CreateAccepted,
    CreateRejected,
    TestState,
}

pub struct Case {
    pub id: String,
    pub group: String,
    pub kind: Kind,
    pub comparable: bool,
    pub provenance: String,
    pub execution_type: ExecutionType,
    pub definition: String,
    pub input: Value,
    pub wildcards: Vec<String>,
    pub expected: Value,
    /// The whole file: mocks, functions' behaviours, set-up.
    pub file: Value,
}

/// All cases, or `None` where the folder is not there.
pub fn load() -> Option<Vec<Case>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/conformance/asl");
    let mut cases = Vec::new();
    let mut groups: Vec<_> = std::fs::read_dir(root).ok()?.flatten().map(|e| e.path()).collect();
    groups.sort();
    for group in groups.iter().filter(|path| path.is_dir()) {
        let mut files: Vec<_> =
            std::fs::read_dir(group).ok()?.flatten().map(|e| e.path()).collect();
        files.sort();
        for file in files {
            cases.push(read(&file));
        }
    }
    Some(cases)
}

fn read(path: &Path) -> Case {
    let mut file: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let group = path.parent().unwrap().file_name().unwrap().to_str().unwrap().to_owned();
    let stem = path.file_stem().unwrap().to_str().unwrap();
    Case {
        id: format!("{group}/{stem}"),
        group,
        kind: match file["kind"].as_str().unwrap() {
            "execution" => Kind::Execution,
            "validate" => Kind::Validate,
            "create_accepted" => Kind::CreateAccepted,
            "create_rejected" => Kind::CreateRejected,
            _ => Kind::TestState,
        },
        comparable: file["comparable"] == true,
        provenance: text(&file["provenance"]).unwrap_or_default(),
        execution_type: match file["type"].as_str() {
            Some("EXPRESS") => ExecutionType::Express,
            _ => ExecutionType::Standard,
        },
        definition: text(&file["definition_text"])
            .unwrap_or_else(|| file["definition"].to_string()),
        input: file["input"].take(),
        wildcards: file["wildcards"]
            .as_array()
            .map(|list| list.iter().filter_map(text).collect())
            .unwrap_or_default(),
        expected: file["expected"].take(),
        file,
    }
}
