//! `local check`
use serde_json::json;

use super::Environment;
use crate::check::{self, Finding};
use crate::permissions::{Report, rehearse};
use crate::project::Project;

#[derive(clap::Args)]
pub struct Arguments {
    /// Print the findings as one JSON object
    #[arg(long)]
    json: bool,
    /// Rehearse the pipeline instead, and hold the template's policies to every call it makes
    #[arg(long)]
    permissions: bool,
}

/// Prints every finding; 1 when there is one that keeps the stack from working.
pub async fn run(arguments: &Arguments, environment: &Environment) -> anyhow::Result<u8> {
    let project = Project::find()?;
    if arguments.permissions {
        return permissions(&project, arguments.json, environment).await;
    }
    let findings = check::project(&project)?;
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&json!({"findings": findings}))?);
    } else {
        for finding in &findings {
            println!("{finding}");
        }
        let errors = findings.iter().filter(|finding| finding.is_error()).count();
        println!("{errors} errors, {} warnings", findings.len() - errors);
    }
    Ok(u8::from(findings.iter().any(Finding::is_error)))
}

/// Prints denied calls and grants that nothing used; 1 when there are any.
async fn permissions(
    project: &Project,
    json: bool,
    environment: &Environment,
) -> anyhow::Result<u8> {
    let binaries = super::binaries(project, &super::local_stack(project)?, environment)?;
    let (stack, calls) = rehearse(&project.template(), &binaries).await?;
    let report = Report::of(&stack, &calls)?;
    if json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        println!("{report}");
    }
    Ok(u8::from(!report.is_clean()))
}
