//! What the functions promise, read in their sources by two conventions:
//!
//! * **Environment.** A variable is read by `env.text("NAME")` where it must be there, and by
//!   `env.optional`, `env.or` or `env.list` where it may be missing (`shared/src/config.rs`).
//! * **Errors.** A name of `ErrorEquals` stands once, in the table of `shared/src/error.rs`
//!   (`Self::SchemaUnreadable => ("Schema.Unreadable", …)`), and what a function raises it names as
//!   `ErrorName::SchemaUnreadable`; what the shared code names, every function may raise.
//!
//! Tests do not count: neither a file `tests.rs` nor a module `tests` at the end of a file.
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::{Finding, Subject};

/// The promises of all functions, by package.
#[derive(Debug, Default)]
pub struct Code {
    /// Every error name of the table.
    pub errors: BTreeSet<String>,
    pub functions: BTreeMap<String, Promises>,
    /// The sources of all functions and of what they share.
    text: String,
}

#[derive(Debug, Default)]
pub struct Promises {
    pub required: BTreeSet<String>,
    pub optional: BTreeSet<String>,
    /// Error names it may raise.
    pub errors: BTreeSet<String>,
}

/// Where a file's own tests begin.
const TESTS: &str = "#[cfg(test)]\nmod tests {";

/// The environment's variables that the Lambda runtime or the tracing library read.
const READ_BY_THE_RUNTIME: [&str; 1] = ["RUST_LOG"];

impl Code {
    pub fn read(root: &Path) -> Self {
        let shared = sources(&root.join("shared/src"));
        let table = table(&shared);
        let common: BTreeSet<_> = raised(&shared, &table).collect();
        let mut code = Self { errors: table.values().cloned().collect(), ..Self::default() };
        for entry in std::fs::read_dir(root.join("functions")).into_iter().flatten().flatten() {
            let text = sources(&entry.path().join("src"));
            if text.is_empty() {
                continue;
            }
            let promises = Promises {
                required: arguments(&text, &["env.text(\""]),
                optional: arguments(&text, &["env.optional(\"", "env.or(\"", "env.list(\""]),
                errors: raised(&text, &table).chain(common.iter().cloned()).collect(),
            };
            code.functions.insert(entry.file_name().to_string_lossy().into_owned(), promises);
            code.text.push_str(&text);
        }
        code.text.push_str(&shared);
        code
    }

    /// Whether any function, or what they share, has this word in it.
    pub fn mentions(&self, word: &str) -> bool {
        self.text.contains(word)
    }
}

/// The template's environment and what the functions read of it.
pub fn findings(subject: &Subject) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (resource, function) in subject.stack.functions() {
        let Some(promises) = subject.code.functions.get(&function.package) else { continue };
        let path = ["Resources", &resource.logical_id, "Properties", "Environment", "Variables"];
        let place = subject.template.place(path);
        let package = &function.package;
        let set: BTreeSet<String> = function.environment.keys().cloned().collect();
        for name in promises.required.difference(&set) {
            findings.push(
                Finding::error(
                    "environment-missing",
                    &subject.template.file,
                    format!("{} does not get {name}", resource.logical_id),
                )
                .at(place)
                .expected(format!("{name}, without which functions/{package} does not start"))
                .advice("set it under Environment.Variables"),
            );
        }
        for name in
            promises.optional.difference(&set).filter(|name| !promises.required.contains(*name))
        {
            findings.push(
                Finding::warning(
                    "environment-missing",
                    &subject.template.file,
                    format!("{} does not get {name}", resource.logical_id),
                )
                .at(place)
                .expected(format!(
                    "{name}, for which functions/{package} takes a default otherwise"
                ))
                .advice("set it, so that the template says how the stack behaves"),
            );
        }
        let unread = set.iter().filter(|name| {
            !promises.required.contains(*name)
                && !promises.optional.contains(*name)
                && !READ_BY_THE_RUNTIME.contains(&name.as_str())
        });
        for name in unread {
            findings.push(
                Finding::warning(
                    "environment-unread",
                    &subject.template.file,
                    format!(
                        "{} gets {name}, which functions/{package} never reads",
                        resource.logical_id
                    ),
                )
                .at(subject.template.place(path.into_iter().chain([name.as_str()])))
                .expected("variables that the function reads")
                .advice("remove it, or correct its name"),
            );
        }
    }
    findings
}

/// The text of a folder's sources, without tests.
fn sources(folder: &Path) -> String {
    let mut text = String::new();
    let mut entries: Vec<_> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            text.push_str(&sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs")
            && path.file_stem().is_some_and(|stem| stem != "tests")
            && let Ok(source) = std::fs::read_to_string(&path)
        {
            text.push_str(source.split(TESTS).next().unwrap_or_default());
        }
    }
    text
}

/// Variant to name: `Self::SchemaUnreadable => ("Schema.Unreadable",`.
fn table(text: &str) -> BTreeMap<String, String> {
    let rows = text.lines().filter_map(|line| {
        let (variant, row) = line.trim().strip_prefix("Self::")?.split_once(" => (\"")?;
        let (name, _) = row.split_once('"')?;
        (name.contains('.')).then(|| (variant.to_owned(), name.to_owned()))
    });
    rows.collect()
}

/// Names of the table that a text mentions.
fn raised<'t>(
    text: &'t str,
    table: &'t BTreeMap<String, String>,
) -> impl Iterator<Item = String> + use<'t> {
    text.split("ErrorName::").skip(1).filter_map(|rest| {
        let end = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
        table.get(&rest[..end]).cloned()
    })
}

/// The first arguments of these calls.
fn arguments(text: &str, calls: &[&str]) -> BTreeSet<String> {
    let each = calls.iter().flat_map(|call| text.split(call).skip(1));
    each.filter_map(|rest| rest.split('"').next()).map(str::to_owned).collect()
}
