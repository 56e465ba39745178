//! `local check`
use serde_json::json;

use crate::check::{self, Finding};
use crate::project::Project;

#[derive(clap::Args)]
pub struct Arguments {
    /// Print the findings as one JSON object
    #[arg(long)]
    json: bool,
}

/// Prints every finding; 1 when there is one that keeps the stack from working.
pub fn run(arguments: &Arguments) -> anyhow::Result<u8> {
    let project = Project::find()?;
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
