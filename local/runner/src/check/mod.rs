//! What can be known of the project before anything is built or deployed: what Step Functions,
//! SAM and CloudFormation would refuse, what would fail when it runs, and what template, state
//! machines and functions promise each other.
//!
//! `local` never imports the functions. What they promise it reads in their sources, by the two
//! conventions of [`code`]. (Asking the binaries, `extract --errors`, was the alternative: it needs
//! them built, puts a switch for tools into deployed code, and tells no more. A contract test in
//! `tests` holds what is read here to what the compiled code declares.)
//!
//! A new check is a function from [`Subject`] to findings, named in [`CHECKS`].
mod code;
mod finding;
mod function;
mod logs;
mod machine;
mod queue;
mod role;
mod source;
mod trigger;
mod workgroup;

use std::collections::BTreeMap;

pub use self::code::Code;
pub use self::finding::{Finding, Severity};
use self::machine::Machine;
use self::source::Source;
use crate::cloud::Address;
use crate::project::Project;
use crate::template::{Account, Problem, Stack};

/// What is checked: everything of a project that lies open.
struct Subject<'a> {
    project: &'a Project,
    stack: &'a Stack,
    template: &'a Source,
    machines: Vec<Machine<'a>>,
    code: Code,
}

const CHECKS: [fn(&Subject) -> Vec<Finding>; 9] = [
    function::findings,
    machine::findings,
    role::findings,
    trigger::findings,
    queue::unwatched,
    queue::unheard,
    logs::findings,
    workgroup::findings,
    code::findings,
];

/// All findings of a project, errors first.
pub fn project(project: &Project) -> anyhow::Result<Vec<Finding>> {
    let address = Address::default();
    let account = Account {
        id: address.account_id,
        region: address.region,
        endpoint: "http://127.0.0.1:4566".to_owned(),
        stack_name: "check".to_owned(),
    };
    let text = std::fs::read_to_string(project.template())?;
    let (stack, problems) = Stack::survey(&text, &project.root, &BTreeMap::new(), account);
    let template = Source::of("template.yaml", &text);
    let mut findings: Vec<Finding> = problems.iter().map(unreadable).collect();
    if let Some(stack) = &stack {
        let machines = stack
            .state_machines()
            .map(|(resource, machine)| Machine::of(project, &text, resource, machine))
            .collect();
        let code = Code::read(&project.root);
        let subject = Subject { project, stack, template: &template, machines, code };
        findings.extend(CHECKS.iter().flat_map(|check| check(&subject)));
    }
    findings.sort();
    findings.dedup();
    Ok(findings)
}

/// A part of the template that cannot be worked out.
fn unreadable(problem: &Problem) -> Finding {
    Finding::error("template", "template.yaml", &problem.message)
        .at(problem.place)
        .expected("a template that this side understands as CloudFormation does")
        .advice("correct it here; what is named is looked for in this template alone")
}
