//! Where the checkout is, and what stands beside it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The root of the workspace.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the root").to_owned()
}

/// Real files kept beside some checkouts; tests that need them say so and pass without.
pub fn beside(path: &str) -> Option<PathBuf> {
    let path = root().join("../shared").join(path);
    path.exists().then_some(path)
}

/// The program `local` beside its functions, built once.
pub fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(build)
}

/// Builds the runner and the functions, in the profile and the features of this program.
fn build() -> PathBuf {
    let names = ["local", "extract", "validate", "load", "check-athena-result", "handle-error"];
    let status = Command::new(env!("CARGO"))
        .args(["build", "--release", "--quiet"])
        .args(names.iter().flat_map(|name| ["--bin", name]))
        .current_dir(root())
        .status()
        .expect("cargo runs");
    assert!(status.success());
    let this = std::env::current_exe().expect("this is a program");
    let release = this
        .ancestors()
        .find(|folder| folder.ends_with("release"))
        .expect("it is built for release");
    release.join("local")
}
