//! The template's policies against everything the pipeline does: nothing is denied, nothing is granted in vain, and
//! whatever is taken away is missed.

use std::fs;
use std::path::Path;
use std::process::Command;

use runner::permissions::{Report, mutation, policies, rehearse, replay};

use crate::house::{program, root};

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_denied_and_nothing_is_granted_in_vain() {
    let binaries = program().parent().expect("a folder");
    let (stack, calls) =
        rehearse(&root().join("template.yaml"), binaries).await.expect("a rehearsal");
    let report = Report::of(&stack, &calls).expect("policies");
    println!("{report}");
    assert!(report.is_clean(), "{report}");
    // The record decides as the gate did.
    let set = policies(&stack).expect("policies");
    assert_eq!(replay(&set, &calls), []);
    let (mut count, mut unnoticed) = (0, Vec::new());
    for mutation in mutation::mutations(&stack) {
        count += 1;
        let set = policies(&mutation.stack).expect("a policy made worse is a policy");
        if replay(&set, &calls).is_empty() {
            unnoticed.push(mutation.name);
        }
    }
    println!("{} of {count} mutations noticed", count - unnoticed.len());
    assert!(count >= 20, "{count} mutations");
    assert_eq!(unnoticed, Vec::<String>::new());
}

/// Templates with one grant less, and what the run says of it.
const CRIPPLED: &[(&str, &str, &str)] = &[
    // Of the machine's role, and of a function's.
    ("glue:GetTable", "glue:GetNoTable", "not authorized to perform: glue:GetTable"),
    (
        "athena:GetQueryResults",
        "athena:GetNothing",
        "not authorized to perform: athena:GetQueryResults on resource",
    ),
    // Of the role a query writes for.
    (
        "${LakeBucket.Arn}/*/month=*/run=*",
        "${LakeBucket.Arn}/nowhere/*",
        "Access denied when writing output",
    ),
];

#[test]
fn a_run_without_a_grant_fails_for_want_of_it() {
    for (granted, instead, said) in CRIPPLED {
        let project = tempfile::tempdir().expect("a folder");
        let text = fs::read_to_string(root().join("template.yaml")).expect("the template");
        assert!(text.contains(granted), "{granted}");
        fs::write(project.path().join("template.yaml"), text.replace(granted, instead))
            .expect("written");
        copy(&root().join("statemachines"), &project.path().join("statemachines"));
        let output = Command::new(program())
            .args([
                "run",
                "--json",
                "--dataset",
                "green",
                "--months",
                "2023-02",
                "--data-dir",
                "data",
            ])
            .current_dir(project.path())
            .env_remove("CARGO")
            .output()
            .expect("local starts");
        assert!(matches!(output.status.code(), Some(1 | 3)), "{granted}: {output:?}");
        // A month's reasons are in the report, a run's are told beside it.
        let told = [output.stdout, output.stderr]
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        assert!(told.concat().contains(said), "{granted}: {}", told.concat());
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("files") {
        let entry = entry.expect("a file");
        fs::copy(entry.path(), to.join(entry.file_name())).expect("copied");
    }
}
