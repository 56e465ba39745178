//! Functions: their packages, and the limits of Lambda.
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>.
use super::{Finding, Subject};
use crate::template::{Function, Resource};

const LONGEST_TIMEOUT_SECONDS: u64 = 900;
const MEMORY_MB: std::ops::RangeInclusive<u64> = 128..=10_240;
const ARCHITECTURES: [&str; 2] = ["arm64", "x86_64"];

pub fn findings(subject: &Subject) -> Vec<Finding> {
    let each = subject.stack.functions().flat_map(|(resource, function)| {
        package(subject, resource, function).into_iter().chain(limits(subject, resource, function))
    });
    each.collect()
}

/// Folder, package and binary share one name.
fn package(subject: &Subject, resource: &Resource, function: &Function) -> Option<Finding> {
    let file = format!("functions/{}/Cargo.toml", function.package);
    let expected = format!("name = \"{}\"", function.package);
    let manifest = std::fs::read_to_string(subject.project.root.join(&file));
    match manifest {
        Ok(text) if text.lines().any(|line| line.trim() == expected) => None,
        Ok(_) => Some(
            Finding::error("function-package", &file, "a package of another name than its folder")
                .expected(expected)
                .advice("give folder, package and binary one name: the template finds them by it"),
        ),
        Err(error) => {
            let path = ["Resources", &resource.logical_id, "Properties", "CodeUri"];
            Some(
                Finding::error(
                    "function-package",
                    &subject.template.file,
                    format!("CodeUri of {} leads to no package: {error}", resource.logical_id),
                )
                .at(subject.template.place(path))
                .expected(format!("the folder of a package, with {file}"))
                .advice("correct CodeUri, or add the package to the workspace"),
            )
        }
    }
}

fn limits(subject: &Subject, resource: &Resource, function: &Function) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut refuse = |property: &str, found: String, expected: String| {
        let path = ["Resources", &resource.logical_id, "Properties", property];
        findings.push(
            Finding::error("function-limit", &subject.template.file, found)
                .at(subject.template.place(path))
                .expected(expected)
                .advice("Lambda refuses it: correct it here, or in Globals where it comes from"),
        );
    };
    let name = &resource.logical_id;
    if !(1..=LONGEST_TIMEOUT_SECONDS).contains(&function.timeout_seconds) {
        refuse(
            "Timeout",
            format!("{name} has a Timeout of {} s", function.timeout_seconds),
            format!("1 to {LONGEST_TIMEOUT_SECONDS} s"),
        );
    }
    if !MEMORY_MB.contains(&function.memory_mb) {
        refuse(
            "MemorySize",
            format!("{name} has a MemorySize of {} MB", function.memory_mb),
            format!("{} to {} MB", MEMORY_MB.start(), MEMORY_MB.end()),
        );
    }
    if !ARCHITECTURES.contains(&function.architecture.as_str()) {
        refuse(
            "Architectures",
            format!("{name} is for the architecture {}", function.architecture),
            ARCHITECTURES.join(" or "),
        );
    }
    findings
}
